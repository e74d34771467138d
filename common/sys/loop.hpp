// SPDX-License-Identifier: MIT
#pragma once

#include <poll.h>

#include <functional>
#include <list>
#include <memory>
#include <optional>

#include "base/result.hpp"
#include "base/time.hpp"

namespace longline::sys {

/// One thread, one blocking call: poll(2) on every watched descriptor until the nearest deadline. `now()` is read once
/// per wake-up, so everything that happens in one turn happens at one time. Signals arrive through a signalfd
/// (signals.hpp), children through a pidfd (child_process.hpp): both are descriptors like any other.
class Loop {
 public:
  using FdHandler = std::function<void(short revents)>;
  using TimeHandler = std::function<void()>;

  Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop();

  struct Entry;
  /// Owns a registration; its end (or reset()) ends it, also from inside a handler.
  class Registration {
   public:
    Registration() = default;
    Registration(Registration&&) noexcept = default;
    Registration& operator=(Registration&& other) noexcept;
    ~Registration() { reset(); }
    void reset();
    explicit operator bool() const { return !entry_.expired(); }
    /// For a descriptor: which events to wait for from now on; 0 waits for none (errors and hang-up still come).
    void set_events(short events);

   private:
    friend class Loop;
    explicit Registration(std::weak_ptr<Entry> entry) : entry_(std::move(entry)) {}
    std::weak_ptr<Entry> entry_;
  };

  /// The descriptor must outlive the registration.
  [[nodiscard]] Registration watch(int fd, short events, FdHandler handler);
  /// Fires once; the handler may set the next.
  [[nodiscard]] Registration at(TimePoint when, TimeHandler handler);

  TimePoint now() const { return now_; }
  /// Runs until stop() is called. Errc::os if poll fails.
  Result<void> run();
  void stop() { stopped_ = true; }
  /// Waits for one wake-up and runs its handlers; nullopt waits as long as the timers say.
  Result<void> run_once(std::optional<TimePoint> at_most = std::nullopt);

 private:
  std::list<std::shared_ptr<Entry>> entries_;
  TimePoint now_;
  bool stopped_ = false;
};

}  // namespace longline::sys
