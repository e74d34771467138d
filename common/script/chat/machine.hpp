// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.hpp"
#include "script/action.hpp"
#include "script/chat/program.hpp"
#include "script/chat/replies.hpp"

namespace longline::script {

struct ChatOptions {
  chat::Values values{};
  chat::ReadFile read_file{};
  std::vector<Secret> secrets{};   ///< masked, wherever they turn up
  Duration timeout{60'000};    ///< until the script says TIMEOUT; 0: the deadline alone
  Duration deadline{300'000};  ///< of the whole run, from start(); every script ends by then
  Duration pace{0};            ///< between two bytes of a send
  /// Exactly as chat(8) does, to its loss: it reads on after the end of the stream, looks at ABORT strings only while it expects something,
  /// finds them in a command's echo, takes an old OK for the answer, looks for escapes in values and files, reads "500ms" as 500 s.
  bool drop_in = false;
  bool log = false;            ///< -v
  bool echo = false;           ///< -e
  bool show = false;           ///< -V
};

/// Runs a chat(8) script over a line, without I/O (base/machine.hpp); its actions are those of ScpMachine, and Notice, SendBreak, SetHangup.
/// A send is secret, and masked in everything that is shown, if it holds a secret value, comes from a file, has \q, or answers what asks for a
/// password. The eighth bit of what comes is not looked at, except by strings that have one themselves.
/// Memory is bounded whatever the peer sends.
class ChatMachine {
 public:
  ChatMachine(std::shared_ptr<const chat::Program> program, ChatOptions options);
  ChatMachine(ChatMachine&&) noexcept;
  ChatMachine& operator=(ChatMachine&&) noexcept;
  ~ChatMachine();

  void start(TimePoint now);
  void on_bytes(std::string_view bytes, TimePoint now);
  void on_closed(TimePoint now);
  void on_time(TimePoint now);
  std::optional<TimePoint> deadline() const;
  std::optional<Action> next_action();
  /// Is it waiting for bytes? If not, what has arrived may stay where it is: it may belong to whoever comes next.
  bool wants_input() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace longline::script
