// SPDX-License-Identifier: MIT
#include "script/chat/abort_watch.hpp"

#include <algorithm>
#include <utility>

namespace longline::script::chat {

Matcher::Pattern pattern(std::string bytes) {
  const bool plain = std::all_of(bytes.begin(), bytes.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  return {std::move(bytes), plain ? Matcher::Compare::seven_bits : Matcher::Compare::exact};
}

void AbortWatch::set(const std::vector<std::string>& aborts) {
  aborts_ = aborts;
  matcher_.reset();
}

void AbortWatch::restart() {
  echo_.clear();
  held_.clear();
  if (matcher_) matcher_->restart();
}

std::optional<Matcher::Match> AbortWatch::match(std::string_view bytes) {
  if (!matcher_) {
    std::vector<Matcher::Pattern> patterns;
    // An empty string would match at once; one that nothing can match keeps its number.
    constexpr std::string_view kNever("\xFF\0\xFF\0", 4);
    for (const std::string& abort : aborts_) patterns.push_back(pattern(abort.empty() ? std::string(kNever) : abort));
    matcher_.emplace(patterns);
  }
  return matcher_->feed(bytes);
}

void AbortWatch::sent(std::string_view bytes) {
  echo_ = bytes.substr(0, std::min(bytes.find('\r'), kLongestEcho));
  held_.clear();
}

std::optional<AbortWatch::Match> AbortWatch::feed(std::string_view bytes) {
  std::size_t at = 0;
  for (; at < bytes.size() && !echo_.empty(); ++at) {
    if (static_cast<char>(bytes[at] & 0x7F) == static_cast<char>(echo_.front() & 0x7F)) {
      held_ += bytes[at];
      echo_.erase(0, 1);
      continue;
    }
    // Line ends before the echo belong to neither.
    if (held_.empty() && (bytes[at] == '\r' || bytes[at] == '\n')) continue;
    echo_.clear();
    if (const auto found = match(std::exchange(held_, {}))) return Match{found->pattern, at};
    break;
  }
  if (echo_.empty()) held_.clear();
  if (aborts_.empty()) return std::nullopt;
  const auto found = match(bytes.substr(at));
  return found ? std::optional(Match{found->pattern, at + found->end}) : std::nullopt;
}

}  // namespace longline::script::chat
