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
  std::vector<Matcher::Pattern> patterns;
  // An empty string would match at once; one that nothing can match keeps its number.
  constexpr std::string_view kNever("\xFF\0\xFF\0", 4);
  for (const std::string& abort : aborts) patterns.push_back(pattern(abort.empty() ? std::string(kNever) : abort));
  matcher_.emplace(patterns);
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
    if (const auto abort = step(std::exchange(held_, {}))) return Match{*abort, at};
    break;
  }
  if (echo_.empty()) held_.clear();
  if (!matcher_) return std::nullopt;
  const auto match = matcher_->feed(bytes.substr(at));
  return match ? std::optional(Match{match->pattern, at + match->end}) : std::nullopt;
}

std::optional<std::size_t> AbortWatch::step(std::string_view bytes) {
  const auto match = matcher_ ? matcher_->feed(bytes) : std::nullopt;
  return match ? std::optional(match->pattern) : std::nullopt;
}

}  // namespace longline::script::chat
