// SPDX-License-Identifier: MIT
#include "sys/port/port_recovery.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <csignal>
#include <utility>

#include "base/text.hpp"

namespace longline::sys {
namespace {

constexpr Duration kCommand{60'000};
constexpr Duration kPort{30'000};
constexpr Duration kBetweenTries{250};

}  // namespace

PortRecovery::PortRecovery(Loop& loop, Options options, Done done) : loop_(loop), options_(std::move(options)), done_(std::move(done)) {
  if (!options_.command.empty()) {
    SpawnOptions spawn;
    spawn.argv = options_.command;
    spawn.extra_environment = {"LONGLINE_LINK=" + options_.link, "LONGLINE_PORT=" + options_.port};
    spawn.null_stdio = true;
    spawn.new_process_group = true;
    Result<ChildProcess> child = ChildProcess::spawn(spawn);
    if (child) {
      child_.emplace(std::move(*child));
      child_watch_ = loop_.watch(child_->pidfd(), POLLIN, [this](short) { on_command_end(); });
      timer_ = loop_.at(loop_.now() + kCommand, [this] {
        note_ = fmt::format("reset-command was killed after {}", format_duration(kCommand));
        child_->signal(SIGKILL);
      });
      return;
    }
    note_ = "reset-command: " + escape_at_most(child.error().message(), 200);
  }
  // Not at once: whoever made us must have us first.
  timer_ = loop_.at(loop_.now(), [this] { wait_for_port(); });
}

void PortRecovery::on_command_end() {
  const int status = child_->wait();
  child_watch_.reset();
  child_.reset();
  if (status != 0 && note_.empty()) note_ = fmt::format("reset-command ended with status {}", status);
  wait_for_port();
}

void PortRecovery::wait_for_port() {
  give_up_at_ = loop_.now() + kPort;
  try_port();
}

void PortRecovery::try_port() {
  Result<PortLock> lock = PortLock::acquire(options_.port, options_.run_dir);
  if (!lock) {
    if (loop_.now() >= give_up_at_) return finish(std::nullopt, std::move(lock).error());
  } else {
    Result<std::unique_ptr<ByteStream>> line = open_port(options_.port, options_.settings);
    if (line) return finish(OpenPort{std::move(*lock), std::move(*line)}, std::nullopt);
    if (loop_.now() >= give_up_at_) return finish(std::nullopt, std::move(line).error());
  }
  timer_ = loop_.at(loop_.now() + kBetweenTries, [this] { try_port(); });
}

void PortRecovery::finish(std::optional<OpenPort> port, std::optional<Error> error) {
  timer_.reset();
  const Done done = std::move(done_);
  done(std::move(port), {std::move(error), std::move(note_)});
}

}  // namespace longline::sys
