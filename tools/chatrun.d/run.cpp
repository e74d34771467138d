// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>

#include "base/json.hpp"
#include "chatrun.d/trace.hpp"
#include "chatrun.d/verbs.hpp"
#include "script/login_machine.hpp"
#include "sys/port.hpp"
#include "sys/reply_file.hpp"
#include "sys/state_paths.hpp"
#include "sys/tty_stream.hpp"

namespace longline::tools::chatrun {
namespace {

/// A login without what it needs is found before the call, not by the peer.
Result<void> check_needs(const script::LoginScript& script, const Credentials& given) {
  const script::LoginProgram program = script::program_of(script);
  if (script::needs_user(program) && !given.user) {
    return Error(Errc::usage, script::source_of(script).file() + " uses $USERID, and no user is given").with_hint("--user NAME");
  }
  if (script::needs_password(program) && given.password_file.empty() && !given.password_fd) {
    return Error(Errc::usage, script::source_of(script).file() + " uses $PASSWORD, and none is given")
        .with_hint("--password-file FILE or --password-fd N");
  }
  return {};
}

/// The line, with its lock. Statuses differ: a port that cannot be had is an I/O error.
struct Line {
  std::optional<sys::PortLock> lock;
  std::unique_ptr<sys::ByteStream> stream;
};

Result<Line> open_line(const CommonOptions& common, const RunOptions& options) {
  Line line;
  if (options.port.empty()) {
    LONGLINE_TRY(line.stream, sys::TtyStream::borrow(STDIN_FILENO, STDOUT_FILENO));
    return line;
  }
  LONGLINE_TRY(const sys::StatePaths paths, sys::state_paths(common.config, common.root));
  if (options.port.starts_with("tcp:")) LONGLINE_CHECK(sys::ensure_folder(paths.run_dir));
  LONGLINE_TRY(sys::PortLock lock, sys::PortLock::acquire(options.port, paths.run_dir));
  line.lock.emplace(std::move(lock));
  LONGLINE_TRY(line.stream, sys::open_port(options.port, options.serial));
  return line;
}

void report(const CommonOptions& common, const RunOptions& options, const script::Finished& finished) {
  // On stdin/stdout the line is where results would go.
  std::FILE* out = options.port.empty() ? stderr : stdout;
  if (common.json) {
    JsonObject result;
    result.set("outcome", script::to_string(finished.outcome)).set("address", finished.address);
    std::fprintf(out, "%s\n", result.dump().c_str());
  } else if (finished.address && !common.quiet && (!options.port.empty() || common.verbose > 0)) {
    std::fprintf(out, "address %s\n", finished.address->c_str());
  }
}

int finish(const CommonOptions& common, const RunOptions& options, const script::Finished& finished) {
  const int status = script::chat_status(finished);
  if (const auto error = script::to_error(finished)) print_error("chatrun", common, *error, status);
  else report(common, options, finished);
  return status;
}

}  // namespace

int run(const CommonOptions& common, const RunOptions& options) {
  const auto failed = [&](Error error, int status) {
    print_error("chatrun", common, std::move(error).in_stage(Stage::login), status);
    return status;
  };
  if (options.script == "-" && options.port.empty()) {
    return failed(Error(Errc::usage, "stdin is the line; it cannot be the script too").with_hint("give the script as a file, or a --port"), kError);
  }
  Result<script::LoginScript> script = read_runnable_script(common, options.script);
  if (!script) return failed(std::move(script).error(), kError);
  if (const Result<void> needs = check_needs(*script, options.credentials); !needs) return failed(needs.error(), kError);
  Result<Secret> secret = read_password(options.credentials, options.deadline);
  if (!secret) return failed(std::move(secret).error(), kError);

  sys::Loop loop;
  Result<Trace> trace = Trace::open(options.transcript, common.verbose > 0, {*secret}, loop.now());
  if (!trace) return failed(std::move(trace).error(), kError);
  Result<Line> line = open_line(common, options);
  if (!line) return failed(std::move(line).error(), kLineFailed);
  Result<sys::Signals> signals = sys::Signals::open({SIGTERM, SIGINT, SIGHUP});
  if (!signals) return failed(std::move(signals).error(), kLineFailed);

  const auto reply_file = [&](const std::string& path) { return sys::read_reply_file(path, options.deadline); };
  script::LoginMachine machine(script::program_of(*script),
                               {options.credentials.user.value_or(""), *secret, options.deadline, options.ignore_success, reply_file});
  sys::Dialogue dialogue(loop, *line->stream, machine, {options.deadline, options.port.empty(), true}, *trace);
  const Result<script::Finished> finished = dialogue.run(*signals);
  if (!finished) {
    trace->finish(finished.error().message(), loop.now());
    const int status = finished.error().code == Errc::login_timeout ? kTimedOut : kLineFailed;
    return failed(finished.error(), status);
  }
  trace->finish(finished->outcome == script::Outcome::ok ? "ok" : script::to_error(*finished)->message(), loop.now());
  return finish(common, options, *finished);
}

}  // namespace longline::tools::chatrun
