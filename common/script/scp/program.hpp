// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/diagnostic.hpp"
#include "base/machine.hpp"
#include "script/scp/ast.hpp"
#include "script/scp/checker.hpp"

/// What the interpreter runs: the procedure main as a list of instructions for a machine with a stack, so that `goto`
/// is a jump and a wait can stand inside an expression.
namespace longline::script::scp {

enum class Op : std::uint8_t {
  push_integer,      ///< argument: the value's place in `integers`
  push_string,       ///< in `strings`
  push_boolean,      ///< 0 or 1
  push_variable,     ///< its number
  push_system,       ///< a SystemName
  store,             ///< variable number; pops
  negate, not_, multiply, divide, add, subtract, less, greater, less_equal, greater_equal, equal, not_equal,
  jump,              ///< address
  jump_if_false,     ///< address; pops
  jump_if_false_keep, jump_if_true_keep,  ///< `and`, `or`: jumps with the value on the stack, else pops it
  transmit, transmit_raw, delay,   ///< pop
  wait,              ///< number in `waits`; pops the time, if it has one, then the strings
  getip,             ///< pops the index, pushes the address
  set_port,          ///< number in `framings`
  set_ip_address,    ///< pops
  set_keyboard,      ///< 0 or 1
  halt, end,
};

struct Instruction {
  Op op = Op::end;
  std::int32_t argument = 0;
  std::uint32_t offset = 0;   ///< in the text, for errors
};

struct WaitItem {
  bool matchcase = false;
  std::int32_t then = -1;     ///< address; -1: go on
};

struct Wait {
  std::vector<WaitItem> items;
  bool has_until = false;
};

struct Program {
  std::shared_ptr<const SourceText> source;
  std::vector<Instruction> code;
  std::vector<std::int64_t> integers;
  std::vector<std::string> strings;
  std::vector<Wait> waits;
  std::vector<SetFraming> framings;
  std::vector<Type> variables;
  bool needs_user = false;
  bool needs_password = false;
};

/// Of a script without errors.
Program compile(std::shared_ptr<const SourceText> source, const File& file);

}  // namespace longline::script::scp
