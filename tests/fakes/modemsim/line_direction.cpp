// SPDX-License-Identifier: MIT
#include "line_direction.hpp"

#include <algorithm>

namespace modemsim {
namespace {

constexpr Duration batch = std::chrono::milliseconds(4);
constexpr std::int64_t bits_per_byte = 10;
constexpr std::int64_t second = std::chrono::nanoseconds(std::chrono::seconds(1)).count();
constexpr std::size_t unlimited_in_flight = 262144;

}  // namespace

LineDirection::LineDirection(std::int64_t rate, Duration delay, std::size_t buffer)
    : rate_(rate), delay_(delay), buffer_(buffer) {
  const double delay_seconds = static_cast<double>(delay.count()) / static_cast<double>(second);
  in_flight_ = rate == 0 ? unlimited_in_flight
                         : static_cast<std::size_t>(static_cast<double>(rate) / bits_per_byte * delay_seconds) + 1;
}

Duration LineDirection::byte_times(std::int64_t count) const {
  if (rate_ == 0) return Duration(0);
  const std::int64_t bits = count * bits_per_byte;
  return Duration(bits / rate_ * second + bits % rate_ * second / rate_);
}

std::size_t LineDirection::left_by(Instant when) const {
  std::int64_t total = 0;
  for (const Run& run : runs_) {
    if (when < run.start) break;
    std::int64_t gone = run.bytes;
    if (rate_ != 0 && when < run.start + byte_times(run.bytes)) {
      const std::int64_t elapsed = (when - run.start).count();
      gone = elapsed / second * rate_ / bits_per_byte + elapsed % second * rate_ / (second * bits_per_byte);
      gone = std::clamp<std::int64_t>(gone, run.taken, run.bytes);
    }
    total += gone - run.taken;
    if (gone < run.bytes) break;
  }
  return static_cast<std::size_t>(total);
}

std::size_t LineDirection::arrived(Instant now) const { return left_by(now - delay_); }

std::size_t LineDirection::room(Instant now) const {
  const std::size_t waiting = queue_.size() - left_by(now);
  const std::size_t most = 2 * buffer_ + in_flight_;
  const std::size_t sender = waiting < buffer_ ? buffer_ - waiting : 0;
  const std::size_t whole = queue_.size() < most ? most - queue_.size() : 0;
  return std::min(sender, whole);
}

void LineDirection::put(std::string_view bytes, Instant now) {
  if (bytes.empty()) return;
  queue_.append(bytes);
  const auto count = static_cast<std::int64_t>(bytes.size());
  if (!runs_.empty()) {
    Run& last = runs_.back();
    const Instant free = last.start + byte_times(last.bytes);
    if (rate_ != 0 && now <= free) {
      last.bytes += count;
      return;
    }
  }
  runs_.push_back({now, count});
}

std::string LineDirection::take(Instant now, std::size_t most) {
  const std::size_t count = std::min(arrived(now), most);
  if (count == 0) return {};
  std::string bytes = queue_.substr(0, count);
  queue_.erase(0, count);
  auto rest = static_cast<std::int64_t>(count);
  while (rest > 0) {
    Run& run = runs_.front();
    const std::int64_t here = std::min(rest, run.bytes - run.taken);
    run.taken += here;
    rest -= here;
    // The last run stays while its bytes are still leaving: what is put next follows them without a gap.
    if (run.taken == run.bytes && (runs_.size() > 1 || run.start + byte_times(run.bytes) <= now)) runs_.pop_front();
  }
  last_take_ = now;
  return bytes;
}

void LineDirection::clear() {
  queue_.clear();
  runs_.clear();
}

Instant LineDirection::next_arrival(Instant now) const {
  if (queue_.empty()) return never;
  const Run& front = runs_.front();
  const Instant first = front.start + byte_times(front.taken + 1) + delay_;
  const Instant last = front.start + byte_times(front.bytes) + delay_;
  return std::max(now, std::min(last, std::max(first, last_take_ + batch)));
}

Instant LineDirection::last_arrival() const { return runs_.back().start + byte_times(runs_.back().bytes) + delay_; }

Instant LineDirection::next_room(Instant now) const {
  if (queue_.size() - left_by(now) < buffer_ || rate_ == 0) return never;
  return now + std::max(batch, byte_times(static_cast<std::int64_t>(buffer_ / 8)));
}

}  // namespace modemsim
