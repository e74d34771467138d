// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "script/chat/machine.hpp"
#include "script/login_script.hpp"
#include "script/scp/machine.hpp"

namespace longline::script {

struct LoginOptions {
  std::string user;
  Secret password;
  Duration deadline{300'000};      ///< of the whole run, from start(); every script ends by then
  bool ignore_success = false;     ///< .scp: an end with $SUCCESS FALSE is ok
  chat::ReadFile read_file{};
};

/// $USERID and $PASSWORD of a chat script; any other $NAME stays as it is written.
chat::Values login_values(std::string user, Secret password);

/// Runs a login script of either language, without I/O (base/machine.hpp).
class LoginMachine {
 public:
  LoginMachine(const LoginProgram& program, LoginOptions options);
  explicit LoginMachine(ChatMachine machine) : machine_(std::move(machine)) {}

  void start(TimePoint now) {
    std::visit([&](auto& m) { m.start(now); }, machine_);
  }
  void on_bytes(std::string_view bytes, TimePoint now) {
    std::visit([&](auto& m) { m.on_bytes(bytes, now); }, machine_);
  }
  void on_closed(TimePoint now) {
    std::visit([&](auto& m) { m.on_closed(now); }, machine_);
  }
  void on_time(TimePoint now) {
    std::visit([&](auto& m) { m.on_time(now); }, machine_);
  }
  /// nullopt: it has ended; the last action may still have to be taken.
  std::optional<TimePoint> deadline() const {
    return std::visit([](const auto& m) { return m.deadline(); }, machine_);
  }
  std::optional<Action> next_action() {
    return std::visit([](auto& m) { return m.next_action(); }, machine_);
  }
  bool wants_input() const {
    return std::visit([](const auto& m) { return m.wants_input(); }, machine_);
  }

 private:
  std::variant<ScpMachine, ChatMachine> machine_;
};

}  // namespace longline::script
