// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/machine.hpp"
#include "base/secret.hpp"
#include "script/action.hpp"
#include "script/scp/script.hpp"

namespace longline::script {

struct ScpOptions {
  std::string user;                ///< $USERID
  Secret password;                 ///< $PASSWORD
  Duration deadline{300'000};      ///< of the whole run, from start(); every script ends by then
  bool ignore_success = false;     ///< an end with $SUCCESS FALSE is ok
};

/// Runs a .scp script over a line, without I/O (base/machine.hpp). After Finished it ignores everything.
///
///     ParsedScript script = parse_scp("isp.scp", text);       // has_errors(script.diagnostics)? then no program
///     ScpMachine machine(script.program, {user, password, login_timeout});
///     machine.start(now);  →  drain next_action()  →  wait for bytes or deadline()  → …
///
/// Memory is bounded whatever the peer sends: 256 KiB of received bytes (the newest) and one action. A script that
/// makes a million steps, or sends a million bytes, between two inputs is ended with a run-time error.
/// on_closed() ends the run at once, carrier lost; whether text such as NO CARRIER means that is for the owner of
/// the stream to judge. When bytes and the end of a wait come together, the bytes are looked at first.
class ScpMachine {
 public:
  ScpMachine(std::shared_ptr<const scp::Program> program, ScpOptions options);
  ScpMachine(ScpMachine&&) noexcept;
  ScpMachine& operator=(ScpMachine&&) noexcept;
  ~ScpMachine();

  void start(TimePoint now);
  void on_bytes(std::string_view bytes, TimePoint now);
  void on_closed(TimePoint now);
  void on_time(TimePoint now);
  std::optional<TimePoint> deadline() const;
  /// The next thing to do. It may be taken late, when the line has taken the bytes of the last; time counts on.
  std::optional<Action> next_action();
  /// Is it waiting for bytes? If not, what has arrived may stay where it is: it may belong to whoever comes next.
  bool wants_input() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace longline::script
