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
    numbers_.clear();
    for (std::size_t i = 0; i < aborts_.size(); ++i) {
      if (aborts_[i].empty()) continue;   // it would be there before any byte
      patterns.push_back(pattern(aborts_[i]));
      numbers_.push_back(i);
    }
    matcher_.emplace(patterns);
  }
  std::optional<Matcher::Match> found = matcher_->feed(bytes);
  if (found) found->pattern = numbers_[found->pattern];
  return found;
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
    // Blanks and line ends before the echo are none of it.
    if (held_.empty() && std::string_view(" \t\r\n").find(bytes[at]) != std::string_view::npos) {
      if (const auto found = aborts_.empty() ? std::nullopt : match(bytes.substr(at, 1))) return Match{found->pattern, at + 1};
      continue;
    }
    echo_.clear();
    const std::string held = std::exchange(held_, {});
    if (const auto found = aborts_.empty() ? std::nullopt : match(held)) return Match{found->pattern, at};
    break;
  }
  if (echo_.empty()) held_.clear();
  if (aborts_.empty()) return std::nullopt;
  const auto found = match(bytes.substr(at));
  return found ? std::optional(Match{found->pattern, at + found->end}) : std::nullopt;
}

}  // namespace longline::script::chat
