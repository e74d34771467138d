// SPDX-License-Identifier: MIT
#include "sys/loop.hpp"

#include <algorithm>
#include <cstdint>
#include <cerrno>
#include <vector>

#include "sys/system_clock.hpp"

namespace longline::sys {

struct Loop::Entry {
  int fd = -1;  // -1: a timer
  short events = 0;
  FdHandler on_fd;
  TimePoint when{};
  TimeHandler on_time;
  bool dead = false;
};

Loop::Loop() : now_(steady_now()) {}
Loop::~Loop() = default;

Loop::Registration& Loop::Registration::operator=(Registration&& other) noexcept {
  if (this != &other) {
    reset();
    entry_ = std::move(other.entry_);
    other.entry_.reset();
  }
  return *this;
}

void Loop::Registration::reset() {
  if (const auto entry = entry_.lock()) entry->dead = true;
  entry_.reset();
}

void Loop::Registration::set_events(short events) {
  if (const auto entry = entry_.lock()) entry->events = events;
}

Loop::Registration Loop::watch(int fd, short events, FdHandler handler) {
  auto entry = std::make_shared<Entry>();
  entry->fd = fd;
  entry->events = events;
  entry->on_fd = std::move(handler);
  entries_.push_back(entry);
  return Registration(entry);
}

Loop::Registration Loop::at(TimePoint when, TimeHandler handler) {
  auto entry = std::make_shared<Entry>();
  entry->when = when;
  entry->on_time = std::move(handler);
  entries_.push_back(entry);
  return Registration(entry);
}

Result<void> Loop::run() {
  stopped_ = false;
  while (!stopped_) LONGLINE_CHECK(run_once());
  return {};
}

Result<void> Loop::run_once(std::optional<TimePoint> at_most) {
  std::erase_if(entries_, [](const auto& e) { return e->dead; });
  std::vector<pollfd> fds;
  std::vector<std::shared_ptr<Entry>> watched;
  std::optional<TimePoint> nearest = at_most;
  for (const auto& entry : entries_) {
    if (entry->fd >= 0) {
      fds.push_back({entry->fd, entry->events, 0});
      watched.push_back(entry);
    } else if (!nearest || entry->when < *nearest) {
      nearest = entry->when;
    }
  }
  now_ = steady_now();
  int timeout = -1;
  if (nearest) {
    constexpr std::int64_t kLongest = 3'600'000;
    timeout = static_cast<int>(std::clamp<std::int64_t>((*nearest - now_).count(), 0, kLongest));
  }
  const int ready = ::poll(fds.data(), fds.size(), timeout);
  if (ready < 0 && errno != EINTR) return system_error(errno, "poll", Errc::os);
  now_ = steady_now();
  if (ready > 0) {
    for (std::size_t i = 0; i < fds.size(); ++i) {
      if (fds[i].revents != 0 && !watched[i]->dead) watched[i]->on_fd(fds[i].revents);
    }
  }
  std::vector<std::shared_ptr<Entry>> due;
  for (const auto& entry : entries_) {
    if (entry->fd < 0 && !entry->dead && entry->when <= now_) due.push_back(entry);
  }
  std::stable_sort(due.begin(), due.end(), [](const auto& a, const auto& b) { return a->when < b->when; });
  for (const auto& entry : due) {
    if (entry->dead) continue;
    entry->dead = true;
    entry->on_time();
  }
  return {};
}

}  // namespace longline::sys
