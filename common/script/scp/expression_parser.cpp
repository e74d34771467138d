// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "script/scp/cursor.hpp"
#include "script/scp/limits.hpp"

namespace longline::script::scp {
namespace {

struct Infix {
  BinaryOp op;
  int strength;   ///< binds tighter when higher
};

std::optional<Infix> infix(const Token& token) {
  switch (token.kind) {
    case TokenKind::star: return Infix{BinaryOp::multiply, 6};
    case TokenKind::slash: return Infix{BinaryOp::divide, 6};
    case TokenKind::plus: return Infix{BinaryOp::add, 5};
    case TokenKind::minus: return Infix{BinaryOp::subtract, 5};
    case TokenKind::less: return Infix{BinaryOp::less, 4};
    case TokenKind::greater: return Infix{BinaryOp::greater, 4};
    case TokenKind::less_equal: return Infix{BinaryOp::less_equal, 4};
    case TokenKind::greater_equal: return Infix{BinaryOp::greater_equal, 4};
    case TokenKind::equal: return Infix{BinaryOp::equal, 3};
    case TokenKind::not_equal: return Infix{BinaryOp::not_equal, 3};
    case TokenKind::keyword:
      if (token.keyword == Keyword::and_) return Infix{BinaryOp::and_, 2};
      if (token.keyword == Keyword::or_) return Infix{BinaryOp::or_, 1};
      return std::nullopt;
    default: return std::nullopt;
  }
}

class ExpressionParser {
 public:
  explicit ExpressionParser(Cursor& cursor) : cursor_(cursor) {}

  ExpressionPtr parse(int weakest = 1) {
    ExpressionPtr left = unary();
    while (left) {
      const std::optional<Infix> operation = infix(cursor_.peek());
      if (!operation || operation->strength < weakest) break;
      const Token& token = cursor_.take();
      ExpressionPtr right = parse(operation->strength + 1);
      if (!right) return nullptr;
      const Span span{left->span.begin, right->span.end};
      const int height = std::max(left->height, right->height) + 1;
      if (height > kTallestExpression) {
        cursor_.give_up(token, "expression-too-long", fmt::format("more than {} operations in one expression", kTallestExpression));
        return nullptr;
      }
      left = std::make_unique<Expression>(
          Expression{span, Binary{operation->op, std::move(left), std::move(right)}, height});
    }
    return left;
  }

 private:
  ExpressionPtr unary() {
    const bool minus = cursor_.at(TokenKind::minus);
    if (!minus && !cursor_.at(TokenKind::bang)) return primary();
    const Token& token = cursor_.take();
    if (!deeper(token)) return nullptr;
    ExpressionPtr operand = unary();
    --depth_;
    if (!operand) return nullptr;
    const Span span{token.offset, operand->span.end};
    const int height = operand->height + 1;
    return std::make_unique<Expression>(
        Expression{span, Unary{minus ? UnaryOp::negate : UnaryOp::not_, std::move(operand)}, height});
  }

  ExpressionPtr primary() {
    const Token& token = cursor_.peek();
    const auto made = [&](auto node) {
      cursor_.take();
      return std::make_unique<Expression>(Expression{span_of(token), std::move(node)});
    };
    switch (token.kind) {
      case TokenKind::integer: return made(IntegerLiteral{token.integer});
      case TokenKind::string: return made(StringLiteral{literal_value(cursor_.text(token))});
      case TokenKind::name: return made(Variable{std::string(cursor_.text(token))});
      case TokenKind::system_name: return made(SystemVariable{std::string(cursor_.text(token))});
      case TokenKind::open: return parenthesis();
      case TokenKind::keyword:
        if (token.keyword == Keyword::true_) return made(BooleanLiteral{true});
        if (token.keyword == Keyword::false_) return made(BooleanLiteral{false});
        if (token.keyword == Keyword::getip) return getip();
        break;
      default: break;
    }
    cursor_.error(token, "expected-expression", "a value is expected here, not " + cursor_.describe(token));
    return nullptr;
  }

  ExpressionPtr parenthesis() {
    const Token& open = cursor_.take();
    if (!deeper(open)) return nullptr;
    ExpressionPtr inner = parse();
    --depth_;
    if (!inner) return nullptr;
    if (!cursor_.at(TokenKind::close)) {
      cursor_.error(open, "missing-parenthesis", "this '(' is not closed before " + cursor_.describe(cursor_.peek()), "add ')'");
      return nullptr;
    }
    cursor_.take();
    inner->span = {open.offset, cursor_.last_end()};
    return inner;
  }

  /// A name that starts the next command is not the index of this one.
  ExpressionPtr getip() {
    const Token& token = cursor_.take();
    ExpressionPtr index;
    if (cursor_.at(TokenKind::integer) || cursor_.at(TokenKind::open) ||
        (cursor_.at(TokenKind::name) && !cursor_.at_assignment_or_label())) {
      if (!deeper(token)) return nullptr;
      index = primary();
      --depth_;
      if (!index) return nullptr;
    }
    const int height = index ? index->height + 1 : 1;
    return std::make_unique<Expression>(
        Expression{{token.offset, cursor_.last_end()}, GetIp{std::move(index)}, height});
  }

  bool deeper(const Token& token) {
    if (++depth_ <= kDeepestNesting) return true;
    cursor_.give_up(token, "nested-too-deeply", fmt::format("an expression may be nested {} deep", kDeepestNesting));
    return false;
  }

  Cursor& cursor_;
  int depth_ = 0;
};

}  // namespace

ExpressionPtr parse_expression(Cursor& cursor) { return ExpressionParser(cursor).parse(); }

}  // namespace longline::script::scp
