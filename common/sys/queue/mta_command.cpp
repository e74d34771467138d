// SPDX-License-Identifier: MIT
#include "sys/queue/mta_command.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "base/text.hpp"
#include "sys/child_process.hpp"
#include "sys/system_clock.hpp"

namespace longline::sys {
namespace {

constexpr std::size_t kMostErrors = 64 * 1024;
constexpr std::size_t kMostAnswer = 4 << 20;
constexpr int kUnavailable = 69;   // EX_UNAVAILABLE of sysexits.h: Postfix's daemons do not run

struct Pipe {
  UniqueFd reader, writer;
};

Result<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return system_error(errno, "pipe", Errc::os);
  return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

std::string program_name(const MtaCommand& command) { return std::filesystem::path(command.argv.front()).filename().string(); }

Error too_slow(const MtaCommand& command) {
  return Error(Errc::deadline, fmt::format("{} did not end within {}", program_name(command), format_duration(command.limit)), Stage::queue);
}

}  // namespace

Result<MtaCommandEnd> run_mta_command(const MtaCommand& command, const std::function<bool(std::string_view)>& sink) {
  LONGLINE_TRY(Pipe in, make_pipe());
  LONGLINE_TRY(Pipe out, make_pipe());
  LONGLINE_TRY(Pipe err, make_pipe());
  SpawnOptions options;
  options.argv = command.argv;
  options.extra_environment = {"LC_ALL=C"};
  options.stdin_fd = in.reader.get();
  options.stdout_fd = out.writer.get();
  options.stderr_fd = err.writer.get();
  options.new_process_group = true;
  LONGLINE_TRY(ChildProcess child, ChildProcess::spawn(options));
  in.reader.reset();
  out.writer.reset();
  err.writer.reset();
  ::fcntl(in.writer.get(), F_SETFL, O_NONBLOCK);
  const TimePoint end = steady_now() + command.limit;
  std::size_t written = 0;
  MtaCommandEnd result;
  std::string buffer(64 * 1024, '\0');
  while (out.reader || err.reader) {
    if (in.writer && written == command.input.size()) in.writer.reset();
    pollfd waiting[3] = {{in.writer ? in.writer.get() : -1, POLLOUT, 0}, {out.reader ? out.reader.get() : -1, POLLIN, 0},
                         {err.reader ? err.reader.get() : -1, POLLIN, 0}};
    const auto left = std::clamp<std::int64_t>((end - steady_now()).count(), 0, 3'600'000);
    const int ready = ::poll(waiting, 3, static_cast<int>(left));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return too_slow(command);
    if (waiting[0].revents != 0) {
      const ssize_t n = ::write(in.writer.get(), command.input.data() + written, command.input.size() - written);
      if (n > 0) written += static_cast<std::size_t>(n);
      else if (errno != EAGAIN && errno != EINTR) in.writer.reset();   // it reads no more; its status says why
    }
    if (waiting[1].revents != 0) {
      const ssize_t n = ::read(out.reader.get(), buffer.data(), buffer.size());
      if (n <= 0) out.reader.reset();
      else if (!sink(std::string_view(buffer).substr(0, static_cast<std::size_t>(n)))) return result;
    }
    if (waiting[2].revents != 0) {
      const ssize_t n = ::read(err.reader.get(), buffer.data(), buffer.size());
      if (n <= 0) err.reader.reset();
      else result.errors.append(buffer, 0, std::min(static_cast<std::size_t>(n), kMostErrors - std::min(kMostErrors, result.errors.size())));
    }
  }
  pollfd ending{child.pidfd(), POLLIN, 0};
  const auto left = std::clamp<std::int64_t>((end - steady_now()).count(), 0, 3'600'000);
  if (::poll(&ending, 1, static_cast<int>(left)) <= 0) return too_slow(command);
  result.status = child.wait();
  return result;
}

Error mta_complaint(const MtaCommand& command, const MtaCommandEnd& end) {
  // The last line is the one that ended it; "postsuper: fatal: " stands before it.
  const std::string_view errors = trim(end.errors);
  const std::string_view last = errors.substr(errors.rfind('\n') == std::string_view::npos ? 0 : errors.rfind('\n') + 1);
  const std::string name = program_name(command);
  const std::string said = last.empty() ? fmt::format("ended with status {}", end.status) : escape_at_most(last, 300);
  const std::string what = said.starts_with(name + ":") ? said : name + ": " + said;
  const std::string lower = to_lower(errors);
  for (const std::string_view words : {"permission denied", "reserved for the superuser", "not permitted", "not authorized", "alternate_config_directories"}) {
    if (lower.find(words) != std::string::npos) return Error(Errc::permission, what, Stage::queue);
  }
  return Error(end.status == kUnavailable ? Errc::next_hop_unreachable : Errc::io, what, Stage::queue);
}

Result<std::string> ask_mta(const MtaCommand& command) {
  std::string answer;
  bool whole = true;
  LONGLINE_TRY(const MtaCommandEnd end, run_mta_command(command, [&](std::string_view piece) {
                 whole = answer.size() + piece.size() <= kMostAnswer;
                 if (whole) answer += piece;
                 return whole;
               }));
  if (!whole) return Error(Errc::malformed, program_name(command) + " wrote too much", Stage::queue);
  // Exim complains on stdout.
  if (end.status != 0) return mta_complaint(command, end.errors.empty() ? MtaCommandEnd{end.status, answer.substr(0, kMostErrors)} : end);
  return answer;
}

Result<std::string> find_mta_program(const std::vector<std::string>& names) {
  const char* path = std::getenv("PATH");
  const std::string folders = std::string(path == nullptr ? "" : path) + ":/usr/sbin:/usr/local/sbin:/sbin:/usr/exim/bin";
  for (const std::string& name : names) {
    for (const std::string_view folder : split(folders, ':')) {
      if (folder.empty() || folder.front() != '/') continue;
      const std::string candidate = std::string(folder) + "/" + name;
      std::error_code ignored;
      if (std::filesystem::is_regular_file(candidate, ignored) && ::access(candidate.c_str(), X_OK) == 0) return candidate;
    }
  }
  return Error(Errc::not_found, names.front() + ": not installed here", Stage::queue);
}

}  // namespace longline::sys
