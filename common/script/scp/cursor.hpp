// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.hpp"
#include "script/scp/ast.hpp"
#include "script/scp/lexer.hpp"

namespace longline::script::scp {

/// A place among the tokens, and where findings go: what the parser of commands and the one of expressions share.
class Cursor {
 public:
  Cursor(const SourceText& source, const std::vector<Token>& tokens);

  const Token& peek(std::size_t ahead = 0) const;
  const Token& take();
  bool at(TokenKind kind) const { return peek().kind == kind; }
  bool at(Keyword keyword) const { return peek().kind == TokenKind::keyword && peek().keyword == keyword; }
  bool accept(TokenKind kind);
  bool accept(Keyword keyword);
  /// Where the last token that was taken ended.
  std::size_t last_end() const { return last_end_; }
  /// A name, or `name =`, `name :`, which start a command.
  bool at_assignment_or_label() const;

  void error(const Token& token, std::string code, std::string message, std::string fix = "");
  void error(Span span, std::string code, std::string message, std::string fix = "");
  /// Reports and moves to the end of the script, so that nothing more is found.
  void give_up(const Token& token, std::string code, std::string message);
  bool given_up() const { return given_up_; }

  std::string_view text(Span span) const { return source_.text().substr(span.begin, span.end - span.begin); }
  std::string_view text(const Token& token) const { return source_.text().substr(token.offset, token.length); }
  std::string describe(const Token& token) const { return scp::describe(token, source_.text()); }
  int line(std::size_t offset) const { return source_.where(offset).line; }
  std::vector<Diagnostic> take_diagnostics() { return std::move(diagnostics_); }

 private:
  const SourceText& source_;
  const std::vector<Token>& tokens_;
  std::size_t at_ = 0;
  std::size_t last_end_ = 0;
  bool given_up_ = false;
  std::vector<Diagnostic> diagnostics_;
};

inline Span span_of(const Token& token) { return {token.offset, token.offset + token.length}; }

/// nullptr when none starts here or it is broken; then it has been reported.
ExpressionPtr parse_expression(Cursor& cursor);

}  // namespace longline::script::scp
