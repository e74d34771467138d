// SPDX-License-Identifier: MIT
#include "far_end.hpp"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "far_end_child.hpp"

namespace modemsim {
namespace {

// Small pipes: the far end must feel the line's pace, not that of a large buffer in front of it.
constexpr int pipe_bytes = 4096;

void no_blocking(int fd) { ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK); }

bool make_pipe(UniqueFd& reader, UniqueFd& writer) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return false;
  reader.reset(ends[0]);
  writer.reset(ends[1]);
  ::fcntl(ends[0], F_SETPIPE_SZ, pipe_bytes);
  return true;
}

}  // namespace

FarEnd::FarEnd(pid_t pid, UniqueFd input, UniqueFd output, Duration grace)
    : pid_(pid), input_(std::move(input)), output_(std::move(output)), pty_(!input_), grace_(grace) {
  if (input_) no_blocking(input_.get());
  no_blocking(output_.get());
}

std::unique_ptr<FarEnd> FarEnd::start(const FarEndScenario& scenario, const Caller& caller) {
  UniqueFd child_input, child_output, input, output;
  if (scenario.pty) {
    output.reset(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
    char name[64];
    if (!output || ::grantpt(output.get()) != 0 || ::unlockpt(output.get()) != 0) return nullptr;
    if (::ptsname_r(output.get(), name, sizeof name) != 0) return nullptr;
    child_input.reset(::open(name, O_RDWR | O_NOCTTY | O_CLOEXEC));
    if (!child_input) return nullptr;
  } else if (!make_pipe(child_input, input) || !make_pipe(output, child_output)) {
    return nullptr;
  }
  const ChildPlan plan(scenario, caller);
  const int out = scenario.pty ? child_input.get() : child_output.get();
  const pid_t pid = ::fork();
  if (pid < 0) return nullptr;
  if (pid == 0) plan.become(child_input.get(), out);
  return std::unique_ptr<FarEnd>(new FarEnd(pid, std::move(input), std::move(output), scenario.grace));
}

FarEnd::~FarEnd() {
  if (!exited_) {
    signal_group(SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
}

std::size_t FarEnd::write(std::string_view bytes) {
  if (exited_ || input_broken_) return bytes.size();
  const ssize_t count = ::write(pty_ ? output_.get() : input_.get(), bytes.data(), bytes.size());
  if (count >= 0) return static_cast<std::size_t>(count);
  if (errno == EAGAIN || errno == EINTR) return 0;
  input_broken_ = true;
  return bytes.size();
}

std::string FarEnd::read(std::size_t most) {
  std::string bytes(std::min<std::size_t>(most, pipe_bytes), '\0');
  if (output_ended_ || bytes.empty()) return {};
  const ssize_t count = ::read(output_.get(), bytes.data(), bytes.size());
  if (count > 0) {
    bytes.resize(static_cast<std::size_t>(count));
    return bytes;
  }
  const bool nothing_now = count < 0 && (errno == EAGAIN || errno == EINTR);
  // A grandchild may keep the pipe open after the command has gone: what the command itself said is complete then.
  if (exited_ || !nothing_now) output_ended_ = true;
  return {};
}

void FarEnd::hang_up(Instant now) {
  input_.reset();
  if (pty_) output_.reset();
  input_broken_ = true;
  output_ended_ = pty_ || output_ended_;
  next_signal_at_ = now + grace_;
}

void FarEnd::signal_group(int number) const {
  if (::kill(-pid_, number) != 0) ::kill(pid_, number);
}

void FarEnd::reap() {
  if (exited_) return;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) return;
  exited_ = true;
  status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void FarEnd::on_time(Instant now) {
  reap();
  if (exited_ || now < next_signal_at_) return;
  constexpr int ladder[] = {SIGHUP, SIGTERM, SIGKILL};
  signal_group(ladder[std::min(signals_sent_, 2)]);
  ++signals_sent_;
  next_signal_at_ = now + grace_;
}

void FarEnd::add_polls(std::vector<pollfd>& polls, bool wants_to_read, bool wants_to_write) const {
  short events = 0;
  if (wants_to_read && !output_ended_) events |= POLLIN;
  if (wants_to_write && pty_ && !input_broken_) events |= POLLOUT;
  if (events != 0) polls.push_back({output_.get(), events, 0});
  if (wants_to_write && !pty_ && !input_broken_ && !exited_) polls.push_back({input_.get(), POLLOUT, 0});
}

}  // namespace modemsim
