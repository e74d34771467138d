// SPDX-License-Identifier: MIT
#include "sys/child_process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <string_view>

#include "sys/system_clock.hpp"

namespace longline::sys {
namespace {

int shell_status(int wait_status) {
  return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
}

std::vector<std::string> environment_with(const std::vector<std::string>& extra) {
  std::vector<std::string> out;
  for (char** entry = ::environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view ours(*entry);
    const std::string_view name = ours.substr(0, ours.find('='));
    const bool replaced = std::any_of(extra.begin(), extra.end(), [&](const std::string& e) {
      return std::string_view(e).substr(0, e.find('=')) == name;
    });
    if (!replaced) out.emplace_back(ours);
  }
  out.insert(out.end(), extra.begin(), extra.end());
  return out;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> out;
  for (std::string& s : strings) out.push_back(s.data());
  out.push_back(nullptr);
  return out;
}

/// posix_spawn's two descriptions, released on every way out.
struct SpawnPlan {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  SpawnPlan() {
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;
  ~SpawnPlan() {
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
  }
};

}  // namespace

Result<ChildProcess> ChildProcess::spawn(const SpawnOptions& options) {
  SpawnPlan plan;
  const int given[3] = {options.stdin_fd, options.stdout_fd, options.stderr_fd};
  for (int target = 0; target < 3; ++target) {
    if (options.null_stdio) {
      ::posix_spawn_file_actions_addopen(&plan.actions, target, "/dev/null", O_RDWR, 0);
    } else if (given[target] >= 0) {
      ::posix_spawn_file_actions_adddup2(&plan.actions, given[target], target);
    }
  }
  // Through copies above the targets, so that no dup2 overwrites a source that is still needed.
  std::vector<UniqueFd> copies;
  for (const int fd : options.inherited) {
    copies.emplace_back(::fcntl(fd, F_DUPFD_CLOEXEC, 64));
    if (!copies.back()) return system_error(errno, "dup", Errc::os);
  }
  for (std::size_t i = 0; i < copies.size(); ++i) {
    ::posix_spawn_file_actions_adddup2(&plan.actions, copies[i].get(), 3 + static_cast<int>(i));
  }
  short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
  sigset_t none, reset;
  ::sigemptyset(&none);
  ::sigemptyset(&reset);
  ::sigaddset(&reset, SIGPIPE);
  ::posix_spawnattr_setsigmask(&plan.attributes, &none);
  ::posix_spawnattr_setsigdefault(&plan.attributes, &reset);
  if (options.new_session) flags |= POSIX_SPAWN_SETSID;
  if (options.new_process_group) {
    flags |= POSIX_SPAWN_SETPGROUP;
    ::posix_spawnattr_setpgroup(&plan.attributes, 0);
  }
  ::posix_spawnattr_setflags(&plan.attributes, flags);

  std::vector<std::string> argv = options.argv;
  std::vector<std::string> environment = environment_with(options.extra_environment);
  pid_t pid = -1;
  const int failure = ::posix_spawnp(&pid, argv.front().c_str(), &plan.actions, &plan.attributes,
                                     pointers(argv).data(), pointers(environment).data());
  if (failure != 0) return system_error(failure, options.argv.front(), Errc::os);
  UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  ChildProcess child(pid, std::move(pidfd), options.new_process_group || options.new_session);
  if (!child.pidfd_) return system_error(errno, "pidfd_open", Errc::os);
  ::fcntl(child.pidfd_.get(), F_SETFD, FD_CLOEXEC);
  return child;
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), pidfd_(std::move(other.pidfd_)), group_(other.group_), status_(other.status_) {}

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  if (this != &other) {
    end();
    pid_ = std::exchange(other.pid_, -1);
    pidfd_ = std::move(other.pidfd_);
    group_ = other.group_;
    status_ = other.status_;
  }
  return *this;
}

ChildProcess::~ChildProcess() { end(); }

void ChildProcess::end() {
  if (pid_ < 0 || try_wait()) return;
  signal(SIGTERM);
  pollfd waiting{pidfd_.get(), POLLIN, 0};
  if (::poll(&waiting, 1, 2000) <= 0) signal(SIGKILL);
  wait();
}

std::optional<int> ChildProcess::try_wait() {
  if (status_) return status_;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) return std::nullopt;
  status_ = shell_status(status);
  return status_;
}

int ChildProcess::wait() {
  if (status_) return *status_;
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  status_ = shell_status(status);
  return *status_;
}

void ChildProcess::signal(int number) {
  if (pid_ > 0 && !status_) ::kill(group_ ? -pid_ : pid_, number);
}

void ChildProcess::detach() { pid_ = -1; }

Result<std::string> run_and_read(const std::vector<std::string>& argv, Duration limit, std::size_t most) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return system_error(errno, "pipe", Errc::os);
  UniqueFd reader(ends[0]), writer(ends[1]);
  UniqueFd nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  SpawnOptions options;
  options.argv = argv;
  options.stdin_fd = nothing.get();
  options.stdout_fd = writer.get();
  options.new_process_group = true;
  LONGLINE_TRY(ChildProcess child, ChildProcess::spawn(options));
  writer.reset();
  const TimePoint end = steady_now() + limit;
  std::string out;
  while (true) {
    pollfd waiting{reader.get(), POLLIN, 0};
    const auto left = std::max<std::int64_t>(0, (end - steady_now()).count());
    const int ready = ::poll(&waiting, 1, static_cast<int>(std::min<std::int64_t>(left, 3'600'000)));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return Error(Errc::deadline, fmt::format("{} did not end within {}", argv.front(), format_duration(limit)));
    char buffer[4096];
    const ssize_t got = ::read(reader.get(), buffer, sizeof buffer);
    if (got <= 0) break;
    if (out.size() + static_cast<std::size_t>(got) > most) return Error(Errc::malformed, argv.front() + " wrote too much");
    out.append(buffer, static_cast<std::size_t>(got));
  }
  pollfd ending{child.pidfd(), POLLIN, 0};
  const auto left = std::clamp<std::int64_t>((end - steady_now()).count(), 0, 3'600'000);
  if (::poll(&ending, 1, static_cast<int>(left)) <= 0) {
    return Error(Errc::deadline, fmt::format("{} did not end within {}", argv.front(), format_duration(limit)));
  }
  const int status = child.wait();
  if (status != 0) return Error(Errc::io, fmt::format("{} ended with status {}", argv.front(), status));
  return out;
}

}  // namespace longline::sys
