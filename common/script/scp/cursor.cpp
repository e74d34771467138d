// SPDX-License-Identifier: MIT
#include "script/scp/cursor.hpp"

#include <algorithm>

#include "script/scp/limits.hpp"

namespace longline::script::scp {

Cursor::Cursor(const SourceText& source, const std::vector<Token>& tokens) : source_(source), tokens_(tokens) {}

const Token& Cursor::peek(std::size_t ahead) const { return tokens_[std::min(at_ + ahead, tokens_.size() - 1)]; }

const Token& Cursor::take() {
  const Token& token = peek();
  if (at_ + 1 < tokens_.size()) ++at_;
  last_end_ = token.offset + token.length;
  return token;
}

bool Cursor::accept(TokenKind kind) {
  if (!at(kind)) return false;
  take();
  return true;
}

bool Cursor::accept(Keyword keyword) {
  if (!at(keyword)) return false;
  take();
  return true;
}

bool Cursor::at_assignment_or_label() const {
  const TokenKind next = peek(1).kind;
  return (at(TokenKind::name) && (next == TokenKind::assign || next == TokenKind::colon)) ||
         (at(TokenKind::system_name) && next == TokenKind::assign);
}

void Cursor::error(const Token& token, std::string code, std::string message, std::string fix) {
  error(span_of(token), std::move(code), std::move(message), std::move(fix));
}

void Cursor::error(Span span, std::string code, std::string message, std::string fix) {
  if (given_up_) return;
  diagnostics_.push_back({Severity::error, std::move(code), source_.where(span.begin),
                          std::max<std::size_t>(1, span.end - span.begin), std::move(message), std::move(fix)});
  if (diagnostics_.size() >= kMostFindings) {
    given_up_ = true;
    at_ = tokens_.size() - 1;
  }
}

void Cursor::give_up(const Token& token, std::string code, std::string message) {
  error(token, std::move(code), std::move(message));
  given_up_ = true;
  at_ = tokens_.size() - 1;
}

}  // namespace longline::script::scp
