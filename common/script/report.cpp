// SPDX-License-Identifier: MIT
#include "script/report.hpp"

#include <fmt/format.h>

#include "base/text.hpp"

namespace longline::script {
namespace {

/// Masked is more than is shown, so that no secret is cut in two.
constexpr std::size_t kHeardContext = 4096;
constexpr std::size_t kHeardShown = 72;
constexpr std::size_t kMostPatterns = 3;
constexpr std::size_t kLongestPattern = 40;

}  // namespace

std::string heard(std::string_view unread, const std::vector<Secret>& secrets) {
  if (unread.empty()) return "nothing was heard";
  if (unread.size() > kHeardContext) unread.remove_prefix(unread.size() - kHeardContext);
  std::string shown = mask(unread, secrets);
  if (shown.size() > kHeardShown) shown.erase(0, shown.size() - kHeardShown);
  return "last heard " + quote(shown);
}

std::string wanted(const std::vector<Matcher::Pattern>& patterns, const std::vector<bool>& secret) {
  std::string out;
  for (std::size_t i = 0; i < patterns.size() && i < kMostPatterns; ++i) {
    if (i > 0) out += ", ";
    out += secret[i] ? quote(SecretMasker::kMask) : quote(patterns[i].bytes.substr(0, kLongestPattern));
  }
  if (patterns.size() > kMostPatterns) out += fmt::format(" or {} more", patterns.size() - kMostPatterns);
  return out;
}

}  // namespace longline::script
