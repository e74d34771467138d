// SPDX-License-Identifier: MIT
#include "sys/link/call_waiting.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <utility>

namespace longline::sys {
namespace {

constexpr Duration kHeld{100};               ///< a modem that babbles must not make us open and close its port all the time
constexpr Duration kAside{1'500};            ///< before we look at a port that somebody else has opened
constexpr Duration kAsideAgain{1'000};
/// Whoever opens a port locks it a moment later.
constexpr std::array kLooks = {Duration(50), Duration(250), Duration(1'000)};

bool is_network(const config::Link& link) { return link.port.starts_with("tcp:"); }

}  // namespace

CallWaiting::CallWaiting(Options options, Signals& signals, Handlers handlers)
    : options_(std::move(options)), signals_(signals), handlers_(std::move(handlers)), machine_(options_.modem) {}

Result<void> CallWaiting::run(Options options, Signals& signals, Handlers handlers) {
  CallWaiting waiting(std::move(options), signals, std::move(handlers));
  waiting.signal_watch_ = waiting.loop_.watch(signals.fd(), POLLIN, [&waiting](short) {
    while (waiting.signals_.take()) waiting.stopped_ = true;
  });
  waiting.begin();
  while (!waiting.stopped_) LONGLINE_CHECK(waiting.loop_.run_once());
  return {};
}

void CallWaiting::told(Event event) {
  event.link = options_.link.name;
  handlers_.happened(std::move(event));
}

void CallWaiting::begin() {
  if (take_port()) machine_.start(loop_.now());
  drain();
}

bool CallWaiting::take_port() {
  const config::Link& link = options_.link;
  if (lock_) return true;
  if (lock_holder(link.port, options_.paths.run_dir)) {
    stand_aside();
    return false;
  }
  const auto failed = [&](Error error) {
    line_.reset();
    watched_.reset();
    lock_.reset();
    yields_.reset();
    machine_.on_trouble(std::move(error), loop_.now());
    return false;
  };
  if (!openings_ || !watched_) {
    opened_watch_.reset();
    Result<PortOpenings> openings = PortOpenings::watch(link.port, options_.paths.run_dir);
    if (!openings) return failed(std::move(openings).error());
    openings_ = std::move(*openings);
    opened_watch_ = loop_.watch(openings_.fd(), POLLIN, [this](short) { on_opened(); });
  }
  if (Result<std::optional<FileLock>> yields = FileLock::try_acquire(port_yield_lock(link.port, options_.paths.run_dir)); yields && *yields) {
    yields_ = std::move(*yields);
  }
  Result<PortLock> lock = PortLock::acquire(link.port, options_.paths.run_dir);
  if (!lock) {
    if (lock.error().code != Errc::port_in_use) return failed(std::move(lock).error());
    stand_aside();
    return false;
  }
  lock_.emplace(std::move(*lock));
  // Opening a serial port may throw away what has come.
  std::string arrived(4096, '\0');
  const ssize_t got = watched_ ? ::read(watched_.get(), arrived.data(), arrived.size()) : 0;
  arrived.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  if (!line_) {
    Result<std::unique_ptr<ByteStream>> line = open_port(link.port, serial_settings(link));
    if (!line) return failed(std::move(line).error());
    line_ = std::move(*line);
  }
  watched_.reset();
  line_watch_ = loop_.watch(line_->read_fd(), POLLIN, [this](short revents) { on_readable(revents); });
  openings_.clear();
  held_until_ = loop_.now() + kHeld;
  if (!arrived.empty()) machine_.on_bytes(arrived, loop_.now());
  return true;
}

void CallWaiting::let_go() {
  line_watch_.reset();
  if (!machine_.waits()) {
    line_.reset();
    watched_.reset();
  }
  if (line_ && !is_network(options_.link)) {
    // libserialport takes a port for itself; the flag would outlive us for as long as we watch.
    ::ioctl(line_->read_fd(), TIOCNXCL);
    std::error_code failure;
    const std::string device = std::filesystem::canonical(options_.link.port, failure).string();
    watched_ = UniqueFd(failure ? -1 : ::open(device.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
    line_.reset();
  }
  lock_.reset();
  // A device server has one connection at a time: whoever locks its port waits until ours is gone.
  if (!line_) yields_.reset();
  if (openings_) openings_.clear();
  const int fd = line_ ? line_->read_fd() : watched_.get();
  if (fd >= 0) line_watch_ = loop_.watch(fd, POLLIN, [this](short revents) { on_readable(revents); });
}

void CallWaiting::stand_aside() {
  machine_.stand_aside();
  to_line_.clear();
  line_watch_.reset();
  opened_timer_.reset();
  let_go_timer_.reset();
  line_.reset();
  watched_.reset();
  lock_.reset();
  yields_.reset();
  const Duration pause = aside_ ? kAsideAgain : kAside;
  aside_ = true;
  aside_timer_ = loop_.at(loop_.now() + pause, [this] {
    if (lock_holder(options_.link.port, options_.paths.run_dir)) {
      stand_aside();
      return;
    }
    aside_ = false;
    begin();
  });
}

void CallWaiting::on_opened() {
  openings_.clear();
  if (aside_) return;
  if (lock_) {
    if (machine_.can_wait()) stand_aside();
    rearm();
    return;
  }
  const auto look = [this](auto&& self, std::size_t step) -> void {
    if (lock_ || aside_) return;
    if (lock_holder(options_.link.port, options_.paths.run_dir)) {
      stand_aside();
      rearm();
    } else if (step < kLooks.size()) {
      opened_timer_ = loop_.at(loop_.now() + kLooks[step], [self, step] { self(self, step + 1); });
    }
  };
  look(look, 0);
}

void CallWaiting::on_readable(short revents) {
  if ((revents & POLLOUT) != 0) write_line();
  if ((revents & (POLLIN | POLLHUP | POLLERR)) == 0) {
    drain();
    return;
  }
  if (!lock_) {
    const bool gone = !is_network(options_.link) && (revents & (POLLHUP | POLLERR)) != 0;
    if (gone) {
      machine_.on_closed(loop_.now());
    } else if (!take_port()) {
      drain();
      return;
    }
  }
  if (lock_ && line_) {
    const Result<std::string> got = line_->read();
    const bool hung_up = got && got->empty() && (revents & (POLLHUP | POLLERR)) != 0;
    if (!got || hung_up) machine_.on_closed(loop_.now());
    else machine_.on_bytes(*got, loop_.now());
    if (!got || hung_up) {
      line_watch_.reset();
      line_.reset();
    }
  } else {
    line_watch_.reset();
    watched_.reset();
  }
  drain();
}

void CallWaiting::write_line() {
  if (!line_ || line_->write_from(to_line_)) return;
  to_line_.clear();
  machine_.on_closed(loop_.now());
  line_watch_.reset();
  line_.reset();
}

void CallWaiting::on_time() {
  // What the machine wants to do now it does on the line.
  if (machine_.idle() && !take_port()) {
    drain();
    return;
  }
  machine_.on_time(loop_.now());
  drain();
}

void CallWaiting::drain() {
  while (std::optional<modem::AnswerAction> action = machine_.next_action()) {
    if (const auto* write = std::get_if<Write>(&*action)) {
      to_line_ += write->bytes;
      write_line();
    } else if (const auto* dtr = std::get_if<SetDtr>(&*action)) {
      if (line_) static_cast<void>(line_->set_dtr(dtr->on));
    } else if (std::holds_alternative<DiscardInput>(*action)) {
      if (line_) static_cast<void>(line_->discard_input());
    } else if (const auto* recovery = std::get_if<modem::Recovery>(&*action)) {
      Event event = modem::to_event(*recovery);
      event.stage = Stage::modem;
      told(std::move(event));
    } else if (std::holds_alternative<modem::ModemReady>(*action)) {
      if (std::exchange(troubled_, false)) told(Event{"answer.ready"});
    } else if (auto* trouble = std::get_if<modem::ModemTrouble>(&*action)) {
      troubled_ = true;
      Event event = failure_event("modem.trouble", std::nullopt, "", trouble->error);
      event.more.set("again_seconds", trouble->again.count() / 1000);
      told(std::move(event));
    } else if (const auto* ring = std::get_if<modem::Ringing>(&*action)) {
      if (ring->ring == 1) told(Event{"call.ringing"});
      if (!ring->enough) continue;
      yields_.reset();
      if (const Result<void> may = handlers_.may_answer(); may) machine_.accept(loop_.now());
      else told(failure_event("call.refused", std::nullopt, "", may.error()));
    } else if (const auto* missed = std::get_if<modem::CallMissed>(&*action)) {
      told(failure_event("call.missed", std::nullopt, "", missed->error));
    } else if (auto* answered = std::get_if<modem::Answered>(&*action)) {
      end_call(std::move(*answered));
    }
  }
  if (machine_.idle() && lock_ && to_line_.empty()) {
    if (loop_.now() >= held_until_) {
      let_go();
    } else {
      let_go_timer_ = loop_.at(held_until_, [this] { drain(); });
    }
  }
  rearm();
}

void CallWaiting::end_call(modem::Answered answered) {
  if (!lock_ || !line_) return;
  line_watch_.reset();
  yields_.reset();
  AnsweredLine call{std::move(*lock_), std::move(line_), std::move(answered.connect), std::move(answered.leftover)};
  lock_.reset();
  if (handlers_.take(std::move(call))) stopped_ = true;
  // The modem has hung up; others may have it first.
  stand_aside();
}

void CallWaiting::rearm() {
  timer_.reset();
  if (line_watch_) line_watch_.set_events(static_cast<short>(POLLIN | (to_line_.empty() ? 0 : POLLOUT)));
  if (aside_) return;
  if (const std::optional<TimePoint> when = machine_.deadline()) timer_ = loop_.at(*when, [this] { on_time(); });
}

}  // namespace longline::sys
