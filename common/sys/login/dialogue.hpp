// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "modem/carrier_watch.hpp"
#include "script/action.hpp"
#include "script/login_machine.hpp"
#include "sys/byte_stream.hpp"
#include "sys/login/user_terminal.hpp"
#include "sys/loop.hpp"
#include "sys/signals.hpp"

namespace longline::sys {

/// Sees what a dialogue does, for transcripts and --verbose.
class DialogueTrace {
 public:
  virtual ~DialogueTrace() = default;
  virtual void received(std::string_view bytes, TimePoint now) = 0;
  virtual void sent(const Write& write, TimePoint now) = 0;
  virtual void carrier_lost(TimePoint now) = 0;
  /// Nothing more is known to come at once.
  virtual void idle(TimePoint now) = 0;
  virtual void typed(std::string_view, TimePoint) {}
  /// A chat script tells its user something.
  virtual void notice(const script::Notice&, TimePoint) {}
};

struct DialogueOptions {
  Duration deadline{300'000};   ///< that of the machine; the last bytes must be written by then, too
  bool leave_the_rest = false;  ///< somebody else reads the line next: read no further than the machine wants
  UserTerminal* terminal = nullptr;   ///< shows what comes; keys go to the line while the script lets them (`set screen keyboard`)
  std::string heard{};          ///< what came before, and nobody has answered
  bool watch_carrier = true;    ///< DCD, and NO CARRIER in the text; else only the end of the stream is loss of carrier
};

/// Runs a script machine over a line until it has finished and the line has taken its last byte. Loss of carrier is the end of the stream, DCD that
/// falls, or NO CARRIER in the text before a second of silence. Errc::interrupted when a signal came; other errors are the system's. The
/// machine's own end, good or bad, is a Finished.
class Dialogue {
 public:
  Dialogue(Loop& loop, ByteStream& line, script::LoginMachine& machine, DialogueOptions options, DialogueTrace& trace);
  Result<script::Finished> run(Signals& signals);

 private:
  void read();
  void advance();
  void act(const script::Action& action);
  void flush();
  void change_framing();
  void lost();
  void look_at_carrier();
  void keys();
  void watch_line();
  void fail(Error error);
  std::size_t how_much() const;
  /// stdin may have come to its end, and stdout not.
  bool can_write() const { return !line_gone_ || line_.read_fd() != line_.write_fd(); }
  bool machine_has_ended() const { return !machine_.deadline(); }

  Loop& loop_;
  ByteStream& line_;
  script::LoginMachine& machine_;
  DialogueOptions options_;
  DialogueTrace& trace_;
  TimePoint ends_;
  std::string pending_;                  ///< bytes that the line has not taken yet
  std::optional<SetFraming> framing_;    ///< waits until the line has sent what it was given
  bool line_gone_ = false;
  bool had_carrier_ = false;
  bool hangup_ends_ = true;              ///< SIGHUP
  bool keyboard_on_ = true;
  bool keyboard_over_ = false;
  modem::CarrierWatch carrier_;          ///< looks on only: the script itself may wait for these words
  std::optional<script::Finished> finished_;
  std::optional<Error> error_;
  Loop::Registration reading_;
  Loop::Registration writing_;
  Loop::Registration polling_;
  Loop::Registration typing_;
};

}  // namespace longline::sys
