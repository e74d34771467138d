// SPDX-License-Identifier: MIT
#include "script/login_machine.hpp"

namespace longline::script {
namespace {

std::variant<ScpMachine, ChatMachine> machine_for(const LoginProgram& program, LoginOptions options) {
  if (const auto* scp = std::get_if<std::shared_ptr<const scp::Program>>(&program)) {
    return ScpMachine(*scp, {std::move(options.user), std::move(options.password), options.deadline, options.ignore_success});
  }
  ChatOptions chat;
  chat.secrets = {options.password};
  chat.values = login_values(std::move(options.user), std::move(options.password));
  chat.deadline = options.deadline;
  chat.read_file = std::move(options.read_file);
  return ChatMachine(std::get<std::shared_ptr<const chat::Program>>(program), std::move(chat));
}

}  // namespace

chat::Values login_values(std::string user, Secret password) {
  chat::Values out;
  out.as_they_are = true;
  out.variable = [user = std::move(user), password = std::move(password)](const std::string& name) -> std::optional<chat::Value> {
    if (name == "USERID") return chat::Value{user, false};
    if (name == "PASSWORD") return chat::Value{password.reveal(), true};
    return chat::Value{'$' + name, false};
  };
  return out;
}

LoginMachine::LoginMachine(const LoginProgram& program, LoginOptions options) : machine_(machine_for(program, std::move(options))) {}

}  // namespace longline::script
