// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "script/scp/program.hpp"

namespace longline::script::scp {

/// A value at run time. What was made from $PASSWORD is secret, and what is made from that.
struct Value {
  Type type = Type::integer;
  std::int64_t integer = 0;
  bool boolean = false;
  std::string text;
  bool secret = false;

  static Value of(std::int64_t value) { return {Type::integer, value, false, {}, false}; }
  static Value of(bool value) { return {Type::boolean, 0, value, {}, false}; }
  static Value of(std::string value, bool secret = false) { return {Type::string, 0, false, std::move(value), secret}; }
};

/// Carries out negate … not_equal on the top of the stack. The text of the run-time error, or nullopt.
std::optional<std::string_view> apply(Op op, std::vector<Value>& stack);

}  // namespace longline::script::scp
