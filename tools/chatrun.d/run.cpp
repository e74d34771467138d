// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <csignal>
#include <cstdio>

#include "base/json.hpp"
#include "chatrun.d/line.hpp"
#include "chatrun.d/trace.hpp"
#include "chatrun.d/verbs.hpp"
#include "script/login_machine.hpp"
#include "script/typed_lines.hpp"
#include "sys/login/terminal_session.hpp"
#include "sys/reply_file.hpp"

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

/// What was typed is no part of a dialogue that a replay could have: it is said that something was. What the host did not echo is masked, should
/// the host show it later.
class TerminalToTrace : public sys::TerminalTrace {
 public:
  explicit TerminalToTrace(Trace& trace) : trace_(trace) {}
  void received(std::string_view bytes, TimePoint now) override {
    typed_.received(bytes);
    for (; judged_ < typed_.judged(); ++judged_) {
      const script::TypedLines::Line& line = typed_.lines()[judged_];
      if (!line.is_echoed()) trace_.add_secret(Secret(script::edited(line.bytes)));
    }
    trace_.received(bytes, now);
    const std::size_t end = bytes.rfind('\n');
    if (end != std::string_view::npos) last_line_.clear();
    last_line_ += bytes.substr(end + 1);   // npos + 1 is 0
    if (last_line_.size() > kLongestLine) last_line_.erase(0, last_line_.size() - kLongestLine);
  }
  void typed(std::string_view bytes, TimePoint now) override {
    typed_.typed(bytes, now);
    trace_.typed(bytes, now);
  }
  void carrier_lost(TimePoint now) override { trace_.carrier_lost(now); }
  /// What stands before the cursor: the prompt that a script has to answer.
  const std::string& last_line() const { return last_line_; }

 private:
  static constexpr std::size_t kLongestLine = 1024;
  Trace& trace_;
  script::TypedLines typed_;
  std::size_t judged_ = 0;
  std::string last_line_;
};

/// A run: terminal, script, terminal, as the options have it.
class Run {
 public:
  Run(const CommonOptions& common, const RunOptions& options, sys::Loop& loop, sys::ByteStream& line, sys::Signals& signals, Trace& trace)
      : common_(common), options_(options), loop_(loop), line_(line), signals_(signals), trace_(trace) {}

  /// `machine`: null when there is no script.
  int go(script::LoginMachine* machine) {
    if (options_.terminal) {
      Result<sys::UserTerminal> terminal = sys::UserTerminal::open(options_.port.empty());
      if (!terminal) return failed(terminal.error(), kError);
      terminal_.emplace(std::move(*terminal));
      if (machine == nullptr) return session("~. ends").value_or(kOk);
      if (options_.terminal == Join::before) {
        if (const auto status = session("~. hands over to the script")) return *status;
      }
    }
    return login(*machine);
  }

 private:
  int failed(const Error& error, int status) {
    trace_.finish(error.message(), loop_.now());
    terminal_.reset();   // the message is for a terminal in its own settings
    print_error("chatrun", common_, Error(error).in_stage(Stage::login), status);
    return status;
  }

  /// nullopt: the user has ended it.
  std::optional<int> session(const std::string& hint) {
    if (!common_.quiet) terminal_->tell("connected; " + hint);
    TerminalToTrace trace(trace_);
    const auto end = sys::TerminalSession(loop_, line_, *terminal_, options_.idle, trace).run(signals_);
    heard_ = trace.last_line();
    if (!end) return failed(end.error(), kLineFailed);
    switch (*end) {
      case sys::TerminalSession::End::asked: return std::nullopt;
      case sys::TerminalSession::End::line_lost: return failed(Error(Errc::line_dropped, "the line was lost"), kLineFailed);
      case sys::TerminalSession::End::idle: break;
    }
    return failed(Error(Errc::login_timeout, fmt::format("nothing was typed or received for {}", format_duration(options_.idle))), kTimedOut);
  }

  int login(script::LoginMachine& machine) {
    const bool with = options_.terminal == Join::with;
    const Result<script::Finished> finished = [&] {
      // It listens to line and keyboard until its end, which comes before anybody else does.
      sys::Dialogue dialogue(loop_, line_, machine, {options_.deadline, options_.port.empty(), with ? &*terminal_ : nullptr, heard_, true}, trace_);
      return dialogue.run(signals_);
    }();
    if (!finished) return failed(finished.error(), finished.error().code == Errc::login_timeout ? kTimedOut : kLineFailed);
    const bool halted = finished->outcome == script::Outcome::halted;
    const bool stays = (with && halted) || (options_.terminal == Join::after && (halted || finished->outcome == script::Outcome::ok));
    if (stays) {
      terminal_->show(finished->leftover);
      if (const auto status = session("the script has ended; ~. ends")) return *status;
      if (halted) return kOk;   // it left the rest to the user
    }
    trace_.finish(finished->outcome == script::Outcome::ok ? "ok" : script::to_error(*finished)->message(), loop_.now());
    terminal_.reset();
    return finish(common_, options_, *finished);
  }

  const CommonOptions& common_;
  const RunOptions& options_;
  sys::Loop& loop_;
  sys::ByteStream& line_;
  sys::Signals& signals_;
  Trace& trace_;
  std::optional<sys::UserTerminal> terminal_;
  std::string heard_;   ///< at the terminal, before the script
};

}  // namespace

int run(const CommonOptions& common, const RunOptions& options) {
  const auto failed = [&](Error error, int status) {
    print_error("chatrun", common, std::move(error).in_stage(Stage::login), status);
    return status;
  };
  if (options.script == "-" && (options.port.empty() || options.terminal)) {
    return failed(Error(Errc::usage, "stdin is the line, or the keyboard; it cannot be the script too").with_hint("give the script as a file"), kError);
  }
  if (options.script.empty() && !options.terminal) {
    return failed(Error(Errc::usage, "there is no script").with_hint("--terminal without a script joins the terminal to the line"), kError);
  }
  Result<Secret> secret = read_password(options.credentials, options.deadline);
  if (!secret) return failed(std::move(secret).error(), kError);
  std::optional<script::LoginScript> script;
  if (!options.script.empty()) {
    Result<script::LoginScript> read = read_runnable_script(common, options.script);
    if (!read) return failed(std::move(read).error(), kError);
    if (const Result<void> needs = check_needs(*read, options.credentials); !needs) return failed(needs.error(), kError);
    script.emplace(std::move(*read));
  }
  Result<Line> line = open_line(common, options.port, options.serial);
  if (!line) return failed(std::move(line).error(), kLineFailed);
  sys::Loop loop;
  // An older transcript goes when there is a line, not before.
  Result<Trace> trace = Trace::open(options.transcript, common.verbose > 0, common.quiet, {*secret}, loop.now());
  if (!trace) return failed(std::move(trace).error(), kError);
  Result<sys::Signals> signals = sys::Signals::open({SIGTERM, SIGINT, SIGHUP, SIGQUIT});
  if (!signals) return failed(std::move(signals).error(), kLineFailed);
  std::optional<script::LoginMachine> machine;
  if (script) {
    const auto reply_file = [ends = loop.now() + options.deadline, stop = signals->fd()](const std::string& path) {
      return sys::read_reply_file(path, ends, stop);
    };
    machine.emplace(script::program_of(*script), script::LoginOptions{options.credentials.user.value_or(""), *secret, options.deadline,
                                                                      options.ignore_success, reply_file});
  }
  return Run(common, options, loop, *line->stream, *signals, *trace).go(machine ? &*machine : nullptr);
}

}  // namespace longline::tools::chatrun
