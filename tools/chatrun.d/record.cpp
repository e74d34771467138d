// SPDX-License-Identifier: MIT
#include "script/recording.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <filesystem>

#include "base/text.hpp"
#include "chatrun.d/line.hpp"
#include "chatrun.d/verbs.hpp"
#include "script/scp/lint.hpp"
#include "sys/durable_file.hpp"
#include "sys/login/terminal_session.hpp"

namespace longline::tools::chatrun {
namespace {

class ToRecorder : public sys::TerminalTrace {
 public:
  explicit ToRecorder(script::Recorder& recorder) : recorder_(recorder) {}
  void received(std::string_view bytes, TimePoint now) override { recorder_.received(bytes, now); }
  void typed(std::string_view bytes, TimePoint now) override { recorder_.typed(bytes, now); }
  void carrier_lost(TimePoint now) override { recorder_.carrier_lost(now); }

 private:
  script::Recorder& recorder_;
};

/// isp.scp: isp.transcript
std::string transcript_beside(const std::string& script) {
  const bool has_ending = script.size() > 4 && iequals(std::string_view(script).substr(script.size() - 4), ".scp");
  return (has_ending ? script.substr(0, script.size() - 4) : script) + ".transcript";
}

/// Could a file be written there? Found now, not when the session is over; nothing is touched.
Result<void> check_writable(const std::string& path) {
  struct stat file {};
  if (::stat(path.c_str(), &file) == 0) {
    if (!S_ISREG(file.st_mode)) return Error(Errc::cannot_create, path + ": is no regular file");
    if (::access(path.c_str(), W_OK) != 0) return system_error(errno, path);
  }
  const std::string folder = std::filesystem::path(path).parent_path().string();
  if (::access(folder.empty() ? "." : folder.c_str(), W_OK | X_OK) != 0) return system_error(errno, path, Errc::cannot_create);
  return {};
}

/// What is left to be looked at before the script is trusted.
void show_findings(const std::string& name, const std::string& text) {
  const script::ParsedScript parsed = script::parse_scp(name, text);
  std::vector<Diagnostic> findings = parsed.diagnostics;
  for (Diagnostic& d : script::lint(parsed)) findings.push_back(std::move(d));
  for (const Diagnostic& d : findings) std::fputs(render(d, *parsed.source, colour_on_stderr()).c_str(), stderr);
}

}  // namespace

int record(const CommonOptions& common, const RecordOptions& options) {
  const auto failed = [&](Error error, int status) {
    print_error("chatrun", common, std::move(error).in_stage(Stage::login), status);
    return status;
  };
  std::optional<Secret> password;
  if (!options.credentials.password_file.empty() || options.credentials.password_fd) {
    Result<Secret> secret = read_password(options.credentials, Duration(30'000));
    if (!secret) return failed(std::move(secret).error(), kError);
    password = std::move(*secret);
  }
  const std::string transcript = options.transcript.empty() ? transcript_beside(options.output) : options.transcript;
  if (transcript == options.output) return failed(Error(Errc::usage, "script and transcript cannot be one file"), kError);
  for (const std::string& path : {options.output, transcript}) {
    if (const Result<void> writable = check_writable(path); !writable) return failed(writable.error(), kError);
  }
  Result<sys::Signals> signals = sys::Signals::open({SIGTERM, SIGINT, SIGHUP, SIGQUIT});
  if (!signals) return failed(std::move(signals).error(), kLineFailed);
  Result<Line> line = open_line(common, options.port, options.serial);
  if (!line) return failed(std::move(line).error(), kLineFailed);
  sys::Loop loop;
  script::Recorder recorder(options.credentials.user, password, loop.now());
  ToRecorder trace(recorder);
  const auto end = [&]() -> Result<sys::TerminalSession::End> {
    LONGLINE_TRY(sys::UserTerminal terminal, sys::UserTerminal::open(options.port.empty()));
    if (!common.quiet) terminal.tell("recording; ~. ends");
    return sys::TerminalSession(loop, *line->stream, terminal, options.idle, trace).run(*signals);
  }();
  if (!end && end.error().code != Errc::interrupted) return failed(end.error(), end.error().code == Errc::not_a_tty ? kError : kLineFailed);

  const script::Recorder::Recording recording = recorder.finish(loop.now());
  for (const auto& [path, text] : {std::pair(transcript, recording.transcript), std::pair(options.output, recording.script)}) {
    if (const Result<void> written = sys::replace_file(path, text); !written) return failed(written.error(), kError);
    (void)::chmod(path.c_str(), 0600);   // also where an older one was open to others
  }
  if (!common.quiet) {
    std::fprintf(stderr, "chatrun: %zu answers recorded in %s and %s%s\n", recording.answers, escape(options.output).c_str(), escape(transcript).c_str(),
                 recording.cut ? "; the session was longer than what was kept" : "");
    show_findings(options.output, recording.script);
  }
  if (!end) return failed(end.error(), kLineFailed);
  switch (*end) {
    case sys::TerminalSession::End::asked: break;
    case sys::TerminalSession::End::line_lost: return failed(Error(Errc::line_dropped, "the line was lost"), kLineFailed);
    case sys::TerminalSession::End::idle:
      return failed(Error(Errc::login_timeout, fmt::format("nothing was typed or received for {}", format_duration(options.idle))), kTimedOut);
  }
  return kOk;
}

}  // namespace longline::tools::chatrun
