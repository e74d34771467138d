// SPDX-License-Identifier: MIT
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <system_error>

#include "chatrun.d/chat_console.hpp"
#include "chatrun.d/verbs.hpp"
#include "script/chat/command_line.hpp"
#include "script/login_machine.hpp"
#include "sys/config_file.hpp"
#include "sys/reply_file.hpp"
#include "sys/tty_stream.hpp"

namespace longline::tools::chatrun {
namespace {

namespace chat = script::chat;

/// Longer than any call that anybody would make; chat(8) has none.
constexpr Duration kDeadline{3'600'000};

constexpr const char* kUsage =
    "Usage: chatrun chat [-e] [-E] [-v] [-V] [-s] [-S] [-t timeout]\n"
    "           [-r report-file] [-T phone-number] [-U phone-number2]\n"
    "           [--safe] [--deadline TIME] {-f chat-file | chat-script}\n";

constexpr const char* kHelp =
    "A script of chat(8) on stdin and stdout, as chat(8) runs it\n"
    "\n"
    "Options:\n"
    "  -e                        Echo what is received on stderr (ECHO ON)\n"
    "  -E                        $NAME in the script is an environment variable\n"
    "  -f FILE                   The script is in FILE\n"
    "  -r FILE                   REPORT writes to FILE, not to stderr\n"
    "  -s                        Write messages to stderr, too\n"
    "  -S                        Write no messages to the system log\n"
    "  -t SECONDS                The first TIMEOUT (45)\n"
    "  -T NUMBER                 What \\T sends\n"
    "  -U NUMBER                 What \\U sends\n"
    "  -v                        Log the dialogue, secrets masked\n"
    "  -V                        Show what is received on stderr\n"
    "  --safe                    Without the defects of chat(8)\n"
    "  --deadline TIME           End the run after TIME (1h)\n"
    "  --help                    Print this help and exit\n";

int usage(const std::string& what) {
  std::fprintf(stderr, "chatrun: %s\n%s", what.c_str(), kUsage);
  return kError;
}

/// `stop`: a signal ends the wait for a file.
script::ChatOptions options_of(const chat::CommandLine& line, TimePoint now, int stop) {
  script::ChatOptions out;
  out.values.phone = line.phone;
  out.values.phone2 = line.phone2;
  out.values.as_they_are = line.safe;
  if (line.variables) {
    out.values.variable = [](const std::string& name) -> std::optional<chat::Value> {
      const char* value = std::getenv(name.c_str());
      return value == nullptr ? std::nullopt : std::optional(chat::Value{value, false});
    };
  }
  out.deadline = line.deadline.value_or(kDeadline);
  out.read_file = [ends = now + out.deadline, stop](const std::string& path) { return sys::read_reply_file(path, ends, stop); };
  if (!line.safe) {
    out.timeout = Duration(45'000);
    out.pace = Duration(10);
    out.drop_in = true;
  }
  if (line.timeout) out.timeout = *line.timeout;
  out.log = line.verbose;
  out.echo = line.echo;
  out.show = line.show;
  return out;
}

/// chat(8) runs what it has read until it comes to a mistake; the safe way is to look first.
Result<chat::Parsed> script_of(const chat::CommandLine& line) {
  if (!line.file) return chat::parse_arguments(line.script);
  constexpr std::size_t kMost = 16 * 1024 * 1024;
  // stdin is the line, whatever the file's name.
  Result<std::string> text = sys::read_file(*line.file == "-" ? "./-" : *line.file, kMost);
  if (!text) {
    const int number = text.error().sys_errno;
    return Error(Errc::not_found, *line.file + " -- open failed: " + (number == 0 ? text.error().what : std::generic_category().message(number)));
  }
  chat::Parsed parsed = chat::parse(*line.file, std::move(*text));
  for (const Diagnostic& d : parsed.diagnostics) {
    const bool runs = d.code == "unterminated-quote" && !line.safe;
    if (runs) continue;
    std::fputs(render(d, *parsed.source, colour_on_stderr()).c_str(), stderr);
    return Error(Errc::script_error, *line.file + ": nothing was sent");
  }
  return parsed;
}

}  // namespace

int chat_drop_in(const std::vector<std::string>& arguments) {
  const Result<chat::CommandLine> line = chat::parse_command_line(arguments);
  if (!line) return usage(line.error().what);
  if (line->help) {
    std::printf("%s\n%s", kUsage, kHelp);
    return kOk;
  }
  ChatConsole console(*line);
  const auto failed = [&](const std::string& what, int status) {
    console.fatal(what);
    return status;
  };
  const Result<chat::Parsed> script = script_of(*line);
  if (!script) return failed(script.error().message(), kError);
  // Caught before the terminal is raw: a signal must not leave it so.
  Result<sys::Signals> signals = sys::Signals::open({SIGTERM, SIGINT, SIGHUP}, sys::Signals::Ignored::caught);
  if (!signals) return failed(signals.error().message(), kLineFailed);
  sys::Loop loop;
  Result<std::unique_ptr<sys::TtyStream>> stream = sys::TtyStream::borrow(STDIN_FILENO, STDOUT_FILENO, sys::TtyStream::Settings::as_chat);
  if (!stream) return failed(stream.error().message(), kLineFailed);
  const script::ChatOptions options = options_of(*line, loop.now(), signals->fd());
  script::LoginMachine machine{script::ChatMachine(script->program, options)};
  sys::Dialogue dialogue(loop, **stream, machine, {options.deadline, true, nullptr, "", line->safe}, console);
  const Result<script::Finished> finished = dialogue.run(*signals);
  // chat(8) fails when it cannot give the terminal back, whatever it was that failed before.
  if (const Result<void> given = (*stream)->give_back(); !given) return failed(given.error().message(), kLineFailed);
  if (finished) {
    if (line->safe && finished->outcome != script::Outcome::ok) console.fatal(script::to_error(*finished)->message());
    return script::chat_status(*finished);
  }
  if (finished.error().code == Errc::interrupted) {
    const std::string& what = finished.error().what;   // "interrupted by SIGTERM"; chat(8) says the name alone
    return failed(what.substr(what.rfind(' ') + 1), kLineFailed);
  }
  return failed(finished.error().message(), finished.error().code == Errc::login_timeout ? kTimedOut : kLineFailed);
}

}  // namespace longline::tools::chatrun
