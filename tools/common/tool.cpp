// SPDX-License-Identifier: MIT
#include "common/tool.hpp"

#include <poll.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>

#include "base/event.hpp"

namespace longline::tools {

namespace {

/// Nobody may hold a port because nobody reads what is said of it.
bool stderr_takes_bytes() {
  constexpr int kPatience = 2000;   // ms
  pollfd room{STDERR_FILENO, POLLOUT, 0};
  return ::poll(&room, 1, kPatience) == 1;
}

// `dialctl events | head` has all that it wanted.
bool reader_has_left() {
  pollfd out{STDOUT_FILENO, 0, 0};
  return ::poll(&out, 1, 0) == 1 && (out.revents & POLLERR) != 0;
}

}  // namespace

void print_error(std::string_view tool, const CommonOptions& common, const Error& error, std::optional<int> status) {
  if (!stderr_takes_bytes()) return;
  if (common.json) {
    JsonObject object = error_object(tool, error);
    if (status) object.set("error", object.object("error").value_or(JsonObject()).set("status", *status));
    const std::string line = object.dump();
    std::fprintf(stderr, "%s\n", line.c_str());
    return;
  }
  const std::string message = error.message();
  std::fprintf(stderr, "%.*s: %s\n", static_cast<int>(tool.size()), tool.data(), message.c_str());
  // Under cron stderr becomes mail: the one line that says what happened must be enough there.
  if (!error.hint.empty() && !common.quiet) std::fprintf(stderr, "  %s\n", error.hint.c_str());
}

int run_tool(std::string_view tool, const CommonOptions& common, const std::function<Result<ExitStatus>()>& body) {
  std::signal(SIGPIPE, SIG_IGN);
  int status = static_cast<int>(ExitStatus::software);
  try {
    const Result<ExitStatus> result = body();
    if (result) {
      status = static_cast<int>(*result);
    } else {
      print_error(tool, common, result.error());
      status = static_cast<int>(exit_status(result.error().code));
    }
  } catch (const std::bad_alloc&) {
    print_error(tool, common, Error(Errc::os, "out of memory"));
    status = static_cast<int>(ExitStatus::os);
  } catch (const std::exception& e) {
    print_error(tool, common, Error(Errc::software, std::string("a bug in longline: ") + e.what()));
  }
  return finish_stdout(tool, common, status);
}

int finish_stdout(std::string_view tool, const CommonOptions& common, int status) {
  const bool went_out = std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
  if (went_out || reader_has_left()) return status;
  // Whoever wrote may have noticed, and said so.
  if (status != static_cast<int>(ExitStatus::io)) print_error(tool, common, Error(Errc::io, "stdout could not be written"));
  return status == 0 || status == 1 ? static_cast<int>(ExitStatus::io) : status;
}

void print(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

bool stdout_is_terminal() { return ::isatty(STDOUT_FILENO) == 1; }
bool stderr_is_terminal() { return ::isatty(STDERR_FILENO) == 1; }

bool colour_on_stderr() {
  const char* no_colour = std::getenv("NO_COLOR");
  return stderr_is_terminal() && (no_colour == nullptr || *no_colour == '\0');
}

}  // namespace longline::tools
