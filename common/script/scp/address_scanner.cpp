// SPDX-License-Identifier: MIT
#include "script/scp/address_scanner.hpp"

#include "base/text.hpp"

namespace longline::script {
namespace {

std::string_view without_dots(std::string_view run) {
  const std::size_t begin = run.find_first_not_of('.');
  if (begin == std::string_view::npos) return {};
  return run.substr(begin, run.find_last_not_of('.') - begin + 1);
}

}  // namespace

bool is_dotted_quad(std::string_view text) {
  if (text.size() > 15) return false;
  const auto parts = split(text, '.');
  if (parts.size() != 4) return false;
  for (const std::string_view part : parts) {
    if (part.empty() || part.size() > 3 || part.find_first_not_of("0123456789") != std::string_view::npos) return false;
    const auto value = parse_integer(part);
    if (!value || *value > 255) return false;
  }
  return true;
}

std::optional<std::size_t> AddressScanner::feed(std::string_view bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const char c = bytes[i];
    if ((c >= '0' && c <= '9') || c == '.') {
      // Leading dots carry nothing and may be many.
      if (run_.size() <= kLongestRun && !(c == '.' && run_.empty())) run_ += c;
    } else if (end_run()) {
      return i;
    }
  }
  return std::nullopt;
}

bool AddressScanner::could_end() const { return wanted_ == 1 && is_dotted_quad(without_dots(run_)); }

bool AddressScanner::pause() { return could_end() && end_run(); }

bool AddressScanner::end_run() {
  const std::string_view candidate = without_dots(run_);
  const bool found = is_dotted_quad(candidate) && --wanted_ == 0;
  if (found) address_ = candidate;
  run_.clear();
  return found;
}

}  // namespace longline::script
