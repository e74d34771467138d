// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/machine.hpp"

/// The syntax tree of a .scp script. Offsets are byte offsets in the text, so that findings can point and `check --fix`
/// can insert without touching anybody's layout.
namespace longline::script::scp {

/// `unknown` is the type of what has already been reported; it agrees with every other.
enum class Type { unknown, integer, string, boolean };

struct Span {
  std::size_t begin = 0;
  std::size_t end = 0;   ///< behind the last byte
};

struct Expression;
using ExpressionPtr = std::unique_ptr<Expression>;

struct IntegerLiteral { std::int64_t value = 0; };
struct StringLiteral { std::string value; };
struct BooleanLiteral { bool value = false; };
struct Variable { std::string name; };         ///< as written
struct SystemVariable { std::string name; };   ///< as written, with the $
struct GetIp { ExpressionPtr index; };         ///< null: the first

enum class UnaryOp { negate, not_ };
struct Unary { UnaryOp op = UnaryOp::negate; ExpressionPtr operand; };

enum class BinaryOp {
  multiply, divide, add, subtract, less, greater, less_equal, greater_equal, equal, not_equal, and_, or_,
};
struct Binary { BinaryOp op = BinaryOp::add; ExpressionPtr left, right; };
struct Invalid {};                             ///< what stands here was reported

struct Expression {
  Span span;
  std::variant<Invalid, IntegerLiteral, StringLiteral, BooleanLiteral, Variable, SystemVariable, GetIp, Unary, Binary> node;
  int height = 1;
};

struct Statement;
using Block = std::vector<Statement>;

struct Name { std::string text; Span span; };

struct Declaration { Type type = Type::integer; Name name; ExpressionPtr value; };   ///< value: may be null
struct Assignment { Name name; ExpressionPtr value; };    ///< a $name is read-only; the checker says so
struct Delay { ExpressionPtr seconds; };
struct Goto { Name label; };
struct Label { Name name; };
struct Halt {};
struct If { ExpressionPtr condition; Block body; Span closing; };       ///< closing: `endif`; empty when it is missing
struct While { ExpressionPtr condition; Block body; Span closing; };
struct SetPort { SetFraming framing; };
struct SetIpAddr { ExpressionPtr address; };
struct SetScreen { bool keyboard = false; };
struct Transmit { ExpressionPtr value; bool raw = false; };
struct WaitForItem { ExpressionPtr text; bool matchcase = false; std::optional<Name> then; };
struct WaitFor { std::vector<WaitForItem> items; ExpressionPtr until; };   ///< until: may be null

struct Statement {
  Span span;   ///< of the whole command; a block's reaches to its closing keyword
  std::variant<Declaration, Assignment, Delay, Goto, Label, Halt, If, While, SetPort, SetIpAddr, SetScreen, Transmit, WaitFor> node;
};

struct Procedure {
  Name name;
  Span span;      ///< from `proc` on
  Span closing;   ///< `endproc`; empty when it is missing
  Block body;
};

struct File {
  std::vector<Procedure> procedures;
};

}  // namespace longline::script::scp
