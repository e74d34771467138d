// SPDX-License-Identifier: MIT
#include "chatrun.d/chat_console.hpp"

#include <syslog.h>

#include <ctime>

#include "script/chat/text.hpp"
#include "sys/system_clock.hpp"

namespace longline::tools::chatrun {

ChatConsole::ChatConsole(const script::chat::CommandLine& options) : options_(options) {
  if (options_.to_syslog) {
    ::openlog("chat", LOG_PID | LOG_NDELAY, LOG_LOCAL2);
    ::setlogmask(LOG_UPTO(options_.verbose ? LOG_INFO : LOG_WARNING));
  }
  for (const script::chat::CommandLine::ReportFile& file : options_.report_files) {
    report_.reset(std::fopen(file.path.c_str(), "ae"));
    if (report_ && file.announced) std::fprintf(report_.get(), "Opening \"%s\"...\n", file.path.c_str());
  }
}

ChatConsole::~ChatConsole() {
  if (in_line_) print("\n");
  if (options_.verbose && !options_.report_files.empty()) {
    const std::string line = "Closing \"" + options_.report_files.back().path + "\".\n";
    if (report_) std::fputs(line.c_str(), report_.get());
    else print(line);
  }
}

void ChatConsole::notice(const script::Notice& notice, TimePoint now) {
  switch (notice.kind) {
    case script::Notice::Kind::say: print(notice.text); break;
    case script::Notice::Kind::echo: echo(notice.text); break;
    case script::Notice::Kind::show: show(notice.text); break;
    case script::Notice::Kind::report: report(notice, now); break;
    case script::Notice::Kind::log:
    case script::Notice::Kind::failure: log(LOG_INFO, notice.text); break;
  }
}

void ChatConsole::fatal(const std::string& text) { log(LOG_ERR, text); }

void ChatConsole::echo(const std::string& bytes) {
  std::string out;
  for (const char c : bytes) {
    if (c == '\r') continue;
    in_line_ = c != '\n';
    // chat(8) shows a tab as ^I here.
    out += c == '\n' ? "\n" : c == '\t' ? "^I" : script::chat::visible(std::string_view(&c, 1));
  }
  print(out);
}

void ChatConsole::show(const std::string& bytes) {
  const bool was_in_line = in_line_;
  echo(bytes);
  in_line_ = was_in_line;
}

void ChatConsole::report(const script::Notice& notice, TimePoint now) {
  const std::time_t when = std::chrono::system_clock::to_time_t(sys::wall_now() - (now - notice.at));
  std::tm local{};
  char stamp[32] = "";
  if (::localtime_r(&when, &local) != nullptr) std::strftime(stamp, sizeof stamp, "%b %d %H:%M:%S ", &local);
  const std::string line = std::string("chat:  ") + stamp + notice.text + '\n';
  if (report_) std::fputs(line.c_str(), report_.get());
  else print(line);
}

void ChatConsole::log(int priority, const std::string& line) {
  if (options_.to_syslog) ::syslog(priority, "%s", line.c_str());
  if (options_.to_stderr) print(line + '\n');
}

void ChatConsole::print(const std::string& text) { stderr_.write(text); }

}  // namespace longline::tools::chatrun
