// SPDX-License-Identifier: MIT
#include "simulator.hpp"

#include <signal.h>
#include <sys/signalfd.h>
#include <time.h>

#include <algorithm>

namespace modemsim {
namespace {

constexpr Duration speed_interval = std::chrono::milliseconds(50);
constexpr int most_rounds = 64;  // of moving bytes before the descriptors are looked at again

}  // namespace

Simulator::Simulator(const Scenario& scenario, std::unique_ptr<DtePort> port, EventLog& log, int most_calls)
    : scenario_(scenario),
      port_(std::move(port)),
      log_(log),
      exchange_(scenario, log),
      modem_(scenario, exchange_, log),
      most_calls_(most_calls) {}

bool Simulator::prepare() {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGUSR1, SIGUSR2}) ::sigaddset(&set, number);
  if (::sigprocmask(SIG_BLOCK, &set, nullptr) != 0) return false;
  ::signal(SIGPIPE, SIG_IGN);
  signals_.reset(::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
  return static_cast<bool>(signals_);
}

void Simulator::take_signals(Instant now) {
  signalfd_siginfo info;
  while (::read(signals_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    switch (static_cast<int>(info.ssi_signo)) {
      case SIGUSR1: modem_.drop_carrier(now); break;
      case SIGUSR2: modem_.start_ringing(now); break;
      case SIGCHLD: break;
      default: ended_ = true;
    }
  }
}

void Simulator::on_closed(Instant now) {
  if (!port_->reopened()) {
    // What the DTE wrote just before it closed still counts, as far as the modem takes it.
    std::size_t most = 0;
    while ((most = modem_.accepts(now)) > 0) {
      const std::string bytes = port_->read(most);
      if (bytes.empty()) break;
      modem_.on_bytes(bytes, now);
    }
    port_->discard();
  }
  log_.write(now, "close");
  modem_.on_dtr_dropped(true, now);
}

void Simulator::update_port(Instant now) {
  for (const DtePort::Change change : port_->update()) {
    if (change == DtePort::Change::closed) {
      on_closed(now);
      continue;
    }
    log_.write(now, "open", {{"open", std::int64_t{++opens_}}});
    exchange_.on_open(opens_);
    modem_.on_open(now);
    speed_was_zero_ = port_->speed_is_zero();
  }
}

void Simulator::watch_speed(Instant now) {
  if (exchange_.idle() || !port_->is_open() || now < look_at_speed_) return;
  look_at_speed_ = now + speed_interval;
  const bool zero = port_->speed_is_zero();
  if (zero && !speed_was_zero_) {
    log_.write(now, "speed-zero");
    modem_.on_dtr_dropped(false, now);
  }
  speed_was_zero_ = zero;
}

bool Simulator::move_bytes(Instant now) {
  bool moved = modem_.pump(now);
  moved |= exchange_.pump(now);
  if (port_->is_open()) {
    const std::string bytes = port_->read(modem_.accepts(now));
    modem_.on_bytes(bytes, now);
    moved |= !bytes.empty();
  }
  std::string& output = modem_.output();
  if (!output.empty()) {
    const std::size_t written = port_->write(output);
    output.erase(0, written);
    moved |= written > 0;
  }
  return moved;
}

bool Simulator::over() const {
  const bool enough = most_calls_ > 0 && exchange_.calls() >= most_calls_ && exchange_.idle() && !port_->is_open();
  return ended_ || enough || modem_.vanished();
}

void Simulator::wait(Instant now, bool more) {
  std::vector<pollfd> polls;
  polls.push_back({signals_.get(), POLLIN, 0});
  port_->add_polls(polls, modem_.accepts(now) > 0, !modem_.output().empty());
  exchange_.add_polls(polls, now);
  Instant at = std::min(modem_.deadline(), exchange_.deadline(now, modem_.takes_from_line()));
  if (!exchange_.idle() && port_->is_open()) at = std::min(at, look_at_speed_);
  if (more) at = now;
  if (at == never) {
    ::ppoll(polls.data(), polls.size(), nullptr, nullptr);
    return;
  }
  const Duration left = std::max(at - this->now(), Duration(0));
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
  const timespec timeout{seconds.count(), (left - seconds).count()};
  ::ppoll(polls.data(), polls.size(), &timeout, nullptr);
}

void Simulator::run() {
  while (true) {
    const Instant time = now();
    take_signals(time);
    update_port(time);
    watch_speed(time);
    int rounds = 0;
    while (move_bytes(time) && ++rounds < most_rounds && !modem_.vanished()) {
    }
    if (over()) break;
    wait(time, rounds == most_rounds);
  }
  exchange_.hang_up("end", now());
  log_.write(now(), "end");
}

}  // namespace modemsim
