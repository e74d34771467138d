// SPDX-License-Identifier: MIT
#include "script/chat/intake.hpp"

#include <algorithm>
#include <utility>

namespace longline::script::chat {

void Intake::set_aborts(const std::vector<std::string>& aborts) {
  aborts_ = aborts;
  watch_.set(aborts);
}

std::optional<Intake::Verdict> Intake::expect(const std::string& bytes, const EachByte& each) {
  std::vector<Matcher::Pattern> patterns{pattern(bytes)};
  for (const std::string& abort : aborts_) {
    if (as_chat_ && !abort.empty()) patterns.push_back(pattern(abort));
  }
  matcher_.emplace(patterns);
  first_byte_ = true;
  recent_.clear();
  const std::string came(pending_.unread());
  const std::size_t seen = came.size() - std::exchange(unwatched_, 0);
  pending_.clear();
  return look(came, seen, each);
}

std::optional<Intake::Verdict> Intake::feed(std::string_view bytes, TimePoint now, const EachByte& each) {
  arrived(bytes.size(), now);
  return look(bytes, 0, each);
}

void Intake::keep(std::string_view bytes, TimePoint now) {
  arrived(bytes.size(), now);
  pending_.append(bytes);
  unwatched_ = std::min(unwatched_ + bytes.size(), pending_.unread().size());
}

void Intake::arrived(std::size_t bytes, TimePoint now) {
  if (now != fresh_since_) fresh_ = 0;
  fresh_since_ = now;
  fresh_ += bytes;
}

/// `seen`: how many of the bytes the watch has had already.
std::optional<Intake::Verdict> Intake::look(std::string_view bytes, std::size_t seen, const EachByte& each) {
  if (bytes.empty()) return std::nullopt;
  std::optional<Found> found;
  if (each) {
    for (std::size_t i = 0; i < bytes.size() && !found; ++i) {
      each(bytes[i]);
      found = find(bytes.substr(i, 1), seen > i ? 1 : 0);
      if (found) found->end += i;
    }
  } else {
    found = find(bytes, seen);
  }
  recent_.append(bytes.substr(0, found ? found->end : bytes.size()));
  if (!found) return std::nullopt;
  const std::string_view rest = bytes.substr(found->end);
  pending_.clear();
  pending_.append(rest);
  unwatched_ = std::min(rest.size() - (std::max(seen, found->end) - found->end), pending_.unread().size());
  fresh_ = std::min(fresh_, pending_.unread().size());
  return Verdict{found->abort};
}

std::optional<Intake::Found> Intake::find(std::string_view bytes, std::size_t seen) {
  if (as_chat_) return find_as_chat(bytes);
  const auto match = matcher_->feed(bytes);
  const std::size_t end = match ? match->end : bytes.size();
  if (seen < end) {
    const auto abort = watch_.feed(bytes.substr(seen, end - seen));
    if (abort && (!match || seen + abort->end < end)) return Found{seen + abort->end, abort->abort};
  }
  return match ? std::optional(Found{end}) : std::nullopt;
}

/// An empty ABORT string is there with the first byte.
std::optional<Intake::Found> Intake::find_as_chat(std::string_view bytes) {
  const auto empty = std::find(aborts_.begin(), aborts_.end(), "");
  const bool any_byte = std::exchange(first_byte_, false) && empty != aborts_.end();
  const auto match = matcher_->feed(any_byte ? bytes.substr(0, 1) : bytes);
  if (match && match->pattern == 0) return Found{match->end};
  std::optional<std::size_t> abort;
  if (match) abort = number_of(match->pattern);
  if (any_byte) abort = std::min(abort.value_or(aborts_.size()), static_cast<std::size_t>(empty - aborts_.begin()));
  return abort ? std::optional(Found{any_byte ? 1 : match->end, abort}) : std::nullopt;
}

/// The number of the n-th ABORT string that is not empty.
std::size_t Intake::number_of(std::size_t nth) const {
  std::size_t number = 0;
  for (; number < aborts_.size(); ++number) {
    if (!aborts_[number].empty() && --nth == 0) break;
  }
  return number;
}

std::optional<std::size_t> Intake::watch() {
  if (as_chat_ || unwatched_ == 0) return std::nullopt;
  const std::string_view came = pending_.unread();
  const auto abort = watch_.feed(came.substr(came.size() - std::exchange(unwatched_, 0)));
  return abort ? std::optional(abort->abort) : std::nullopt;
}

void Intake::sent(std::string_view bytes) { watch_.sent(bytes); }

void Intake::forget_stale(TimePoint now) {
  const std::string_view came = pending_.unread();
  const std::size_t young = now == fresh_since_ ? std::min(fresh_, came.size()) : 0;
  const std::string rest(came.substr(came.size() - young));
  pending_.clear();
  pending_.append(rest);
  unwatched_ = std::min(unwatched_, rest.size());
}

std::string Intake::take_rest() {
  std::string out(pending_.unread());
  pending_.clear();
  unwatched_ = 0;
  return out;
}

}  // namespace longline::script::chat
