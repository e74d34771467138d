// SPDX-License-Identifier: MIT
#pragma once

#include <cstdio>
#include <memory>
#include <string>

#include "script/chat/command_line.hpp"
#include "sys/login/dialogue.hpp"
#include "sys/side_output.hpp"

namespace longline::tools::chatrun {

/// Where chat(8) writes what it has to say: stderr, the system log (local2), the report file.
class ChatConsole : public sys::DialogueTrace {
 public:
  explicit ChatConsole(const script::chat::CommandLine& options);
  ChatConsole(const ChatConsole&) = delete;
  ChatConsole& operator=(const ChatConsole&) = delete;
  ~ChatConsole() override;

  void received(std::string_view, TimePoint) override {}
  void sent(const Write&, TimePoint) override {}
  void carrier_lost(TimePoint) override {}
  void idle(TimePoint) override {}
  void notice(const script::Notice& notice, TimePoint now) override;
  /// What ended the run before its time.
  void fatal(const std::string& text);

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  void echo(const std::string& bytes);
  void show(const std::string& bytes);
  void report(const script::Notice& notice, TimePoint now);
  void log(int priority, const std::string& line);
  void print(const std::string& text);

  script::chat::CommandLine options_;
  std::unique_ptr<std::FILE, Close> report_;
  sys::SideOutput stderr_{2};   ///< progress: who does not read it misses it, and the login goes on
  bool in_line_ = false;   ///< the cursor is not at the start of a line
};

}  // namespace longline::tools::chatrun
