// SPDX-License-Identifier: MIT
#include "script/scp/value.hpp"

#include <limits>

#include "script/scp/limits.hpp"

namespace longline::script::scp {
namespace {

constexpr std::string_view kOverflow = "the result does not fit in 64 bits";

bool same(const Value& a, const Value& b) { return a.integer == b.integer && a.boolean == b.boolean && a.text == b.text; }

std::optional<std::string_view> join(Value& left, Value& right) {
  if (left.text.size() + right.text.size() > kLongestValue) return "the string grows beyond 1 MiB";
  left.text += right.text;
  left.secret = left.secret || right.secret;
  return std::nullopt;
}

std::optional<std::string_view> calculate(Op op, std::int64_t& left, std::int64_t right) {
  bool overflow = false;
  switch (op) {
    case Op::multiply: overflow = __builtin_mul_overflow(left, right, &left); break;
    case Op::add: overflow = __builtin_add_overflow(left, right, &left); break;
    case Op::subtract: overflow = __builtin_sub_overflow(left, right, &left); break;
    default:
      if (right == 0) return "division by zero";
      if (left == std::numeric_limits<std::int64_t>::min() && right == -1) overflow = true;
      else left /= right;
  }
  if (overflow) return kOverflow;
  return std::nullopt;
}

}  // namespace

std::optional<std::string_view> apply(Op op, std::vector<Value>& stack) {
  if (op == Op::negate) {
    std::int64_t& value = stack.back().integer;
    if (value == std::numeric_limits<std::int64_t>::min()) return kOverflow;
    value = -value;
    return std::nullopt;
  }
  if (op == Op::not_) {
    stack.back().boolean = !stack.back().boolean;
    return std::nullopt;
  }
  Value right = std::move(stack.back());
  stack.pop_back();
  Value& left = stack.back();
  switch (op) {
    case Op::less: left = Value::of(left.integer < right.integer); return std::nullopt;
    case Op::greater: left = Value::of(left.integer > right.integer); return std::nullopt;
    case Op::less_equal: left = Value::of(left.integer <= right.integer); return std::nullopt;
    case Op::greater_equal: left = Value::of(left.integer >= right.integer); return std::nullopt;
    case Op::equal: left = Value::of(same(left, right)); return std::nullopt;
    case Op::not_equal: left = Value::of(!same(left, right)); return std::nullopt;
    default: break;
  }
  if (op == Op::add && left.type == Type::string) return join(left, right);
  return calculate(op, left.integer, right.integer);
}

}  // namespace longline::script::scp
