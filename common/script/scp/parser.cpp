// SPDX-License-Identifier: MIT
#include "script/scp/parser.hpp"

#include <fmt/format.h>

#include <optional>

#include "base/text.hpp"
#include "script/scp/cursor.hpp"
#include "script/scp/limits.hpp"

namespace longline::script::scp {
namespace {

/// What is open around the current command; the parser needs to know what an `endif` may belong to.
struct Opened {
  Keyword keyword;   ///< proc, if_, while_
  std::size_t offset;
};

Keyword closer_of(Keyword opener) {
  switch (opener) {
    case Keyword::if_: return Keyword::endif;
    case Keyword::while_: return Keyword::endwhile;
    default: return Keyword::endproc;
  }
}

bool is_closer(const Token& token) {
  return token.kind == TokenKind::keyword && (token.keyword == Keyword::endif || token.keyword == Keyword::endwhile ||
                                              token.keyword == Keyword::endproc);
}

bool starts_command(Keyword keyword) {
  switch (keyword) {
    case Keyword::boolean: case Keyword::delay: case Keyword::goto_: case Keyword::halt: case Keyword::if_:
    case Keyword::integer: case Keyword::set: case Keyword::string: case Keyword::transmit: case Keyword::waitfor:
    case Keyword::while_: return true;
    default: return false;
  }
}

class Parser {
 public:
  Parser(const SourceText& source, const std::vector<Token>& tokens) : cursor_(source, tokens) {}

  Parsed run() {
    while (!cursor_.at(TokenKind::end)) {
      if (cursor_.at(Keyword::proc)) {
        file_.procedures.push_back(procedure());
      } else {
        cursor_.error(cursor_.peek(), "outside-procedure",
                      cursor_.describe(cursor_.peek()) + " stands outside a procedure",
                      file_.procedures.empty() ? "start the script with 'proc main'" : "");
        while (!cursor_.at(Keyword::proc) && !cursor_.at(TokenKind::end)) cursor_.take();
      }
    }
    return {std::move(file_), cursor_.take_diagnostics(), !cursor_.given_up()};
  }

 private:
  Procedure procedure() {
    const Token& opener = cursor_.take();
    Procedure out;
    if (std::optional<Name> name = this->name("a procedure's name")) out.name = std::move(*name);
    out.closing = block(opener, Keyword::proc, out.body);
    out.span = {opener.offset, cursor_.last_end()};
    return out;
  }

  /// Commands up to the closing keyword, whose place it returns; an empty span when that is missing.
  Span block(const Token& opener, Keyword keyword, Block& out) {
    opened_.push_back({keyword, opener.offset});
    if (opened_.size() > kDeepestNesting + 1) {
      cursor_.give_up(opener, "nested-too-deeply", fmt::format("blocks may be nested {} deep", kDeepestNesting));
    }
    const Keyword closer = closer_of(keyword);
    Span closing;
    while (true) {
      const Token& token = cursor_.peek();
      if (cursor_.accept(closer)) {
        closing = span_of(token);
        break;
      }
      if (token.kind == TokenKind::end || cursor_.at(Keyword::proc) || (is_closer(token) && belongs_outside(token.keyword))) {
        missing(opener, keyword, token);
        break;
      }
      if (is_closer(token)) {
        cursor_.error(token, fmt::format("stray-{}", to_string(token.keyword)),
                      fmt::format("'{}' closes nothing that is open here", to_string(token.keyword)));
        cursor_.take();
        continue;
      }
      statement(out);
    }
    opened_.pop_back();
    return closing;
  }

  bool belongs_outside(Keyword closer) const {
    for (std::size_t i = 0; i + 1 < opened_.size(); ++i) {
      if (closer_of(opened_[i].keyword) == closer) return true;
    }
    return false;
  }

  void missing(const Token& opener, Keyword keyword, const Token& found) {
    const std::string_view closer = to_string(closer_of(keyword));
    const std::string before = found.kind == TokenKind::end
                                   ? "the end of the script"
                                   : fmt::format("'{}' on line {}", to_string(found.keyword), cursor_.line(found.offset));
    cursor_.error(opener, fmt::format("missing-{}", closer),
                  fmt::format("'{}' is missing before {}: it closes the '{}' on line {}", closer, before,
                              to_string(keyword), cursor_.line(opener.offset)),
                  fmt::format("add '{}'", closer));
  }

  void statement(Block& out) {
    const Token& first = cursor_.peek();
    std::optional<Statement> made = command();
    if (made) {
      made->span = {first.offset, cursor_.last_end()};
      out.push_back(std::move(*made));
    } else {
      recover();
    }
  }

  /// Always takes at least one token. nullopt: reported, and the cursor stands somewhere in the broken command.
  std::optional<Statement> command() {
    const Token& token = cursor_.take();
    if (token.kind == TokenKind::keyword) {
      after_wait_ = false;
      switch (token.keyword) {
        case Keyword::integer: return declaration(Type::integer);
        case Keyword::string: return declaration(Type::string);
        case Keyword::boolean: return declaration(Type::boolean);
        case Keyword::delay: return with_expression<Delay>();
        case Keyword::goto_: return go_to();
        case Keyword::halt: return Statement{{}, Halt{}};
        case Keyword::if_: return conditional<If>(token, Keyword::if_, Keyword::then);
        case Keyword::while_: return conditional<While>(token, Keyword::while_, Keyword::do_);
        case Keyword::set: return set();
        case Keyword::transmit: return transmit();
        case Keyword::waitfor: return wait_for();
        default: break;
      }
    }
    if (token.kind == TokenKind::name && cursor_.accept(TokenKind::colon)) {
      return Statement{{}, Label{name_of(token)}};
    }
    if ((token.kind == TokenKind::name || token.kind == TokenKind::system_name) && cursor_.accept(TokenKind::assign)) {
      ExpressionPtr value = parse_expression(cursor_);
      if (!value) return std::nullopt;
      return Statement{{}, Assignment{name_of(token), std::move(value)}};
    }
    unknown_command(token);
    return std::nullopt;
  }

  void unknown_command(const Token& token) {
    if (token.kind == TokenKind::name) {
      const std::string word = to_lower(cursor_.text(token));
      if (word == "else" || word == "elseif") {
        return cursor_.error(token, "no-else", "there is no 'else' in this language", "write a second 'if' with '!'");
      }
      static const std::vector<std::string> kCommands = {"delay", "goto", "halt", "if", "while", "set", "transmit", "waitfor",
          "integer", "string", "boolean", "endif", "endwhile", "endproc", "getip"};
      const std::optional<std::string> meant = nearest(word, kCommands);
      return cursor_.error(token, "unknown-command", cursor_.describe(token) + " is not a command", meant.value_or(""));
    }
    const bool list = token.kind == TokenKind::string && after_wait_;
    cursor_.error(token, "expected-command", "a command is expected here, not " + cursor_.describe(token),
                  list ? "put a comma between the strings of a waitfor" : "");
  }

  /// To the next thing that looks like a command.
  void recover() {
    while (!cursor_.at(TokenKind::end)) {
      const Token& token = cursor_.peek();
      if (is_closer(token) || cursor_.at(Keyword::proc)) return;
      if (token.kind == TokenKind::keyword && starts_command(token.keyword)) return;
      if (token.starts_line && (token.kind == TokenKind::name || token.kind == TokenKind::system_name)) return;
      cursor_.take();
    }
  }

  Name name_of(const Token& token) const { return {std::string(cursor_.text(token)), span_of(token)}; }

  std::optional<Name> name(std::string_view what) {
    const Token& token = cursor_.peek();
    if (token.kind == TokenKind::name) return name_of(cursor_.take());
    if (token.kind == TokenKind::keyword && !token.starts_line) {
      cursor_.error(cursor_.take(), "reserved-word", fmt::format("{} is a reserved word and cannot be {}", cursor_.describe(token), what));
    } else {
      cursor_.error(token, "expected-name", fmt::format("{} is expected here, not {}", what, cursor_.describe(token)));
    }
    return std::nullopt;
  }

  std::optional<Statement> declaration(Type type) {
    std::optional<Name> variable = name("a variable's name");
    if (!variable) return std::nullopt;
    ExpressionPtr value;
    if (cursor_.accept(TokenKind::assign)) {
      value = parse_expression(cursor_);
      // Declared all the same: its uses are not wrong.
      if (!value) recover();
    }
    return Statement{{}, Declaration{type, std::move(*variable), std::move(value)}};
  }

  template <class Node>
  std::optional<Statement> with_expression() {
    ExpressionPtr value = parse_expression(cursor_);
    if (!value) return std::nullopt;
    return Statement{{}, Node{std::move(value)}};
  }

  std::optional<Statement> go_to() {
    std::optional<Name> label = name("a label");
    if (!label) return std::nullopt;
    return Statement{{}, Goto{std::move(*label)}};
  }

  /// A broken condition does not hide the block behind it.
  template <class Node>
  std::optional<Statement> conditional(const Token& opener, Keyword keyword, Keyword then) {
    ExpressionPtr condition = parse_expression(cursor_);
    const bool broken = !condition;
    if (broken) {
      condition = std::make_unique<Expression>(Expression{{opener.offset, opener.offset + opener.length}, Invalid{}});
      while (!cursor_.at(then) && !cursor_.peek().starts_line && !cursor_.at(TokenKind::end)) cursor_.take();
    }
    if (!cursor_.accept(then) && !broken) {
      cursor_.error(cursor_.peek(), fmt::format("missing-{}", to_string(then)),
                    fmt::format("'{}' is expected behind the condition, not {}", to_string(then), cursor_.describe(cursor_.peek())),
                    fmt::format("add '{}'", to_string(then)));
    }
    Node node{std::move(condition), {}, {}};
    node.closing = block(opener, keyword, node.body);
    return Statement{{}, std::move(node)};
  }

  std::optional<Statement> expected(std::string_view what) {
    cursor_.error(cursor_.peek(), "expected-setting", fmt::format("{} is expected here, not {}", what, cursor_.describe(cursor_.peek())));
    return std::nullopt;
  }

  std::optional<Statement> set() {
    if (cursor_.accept(Keyword::ipaddr)) return with_expression<SetIpAddr>();
    if (cursor_.accept(Keyword::screen)) {
      if (!cursor_.accept(Keyword::keyboard)) return expected("'keyboard'");
      const bool on = cursor_.at(Keyword::on);
      if (!on && !cursor_.at(Keyword::off)) return expected("'on' or 'off'");
      cursor_.take();
      return Statement{{}, SetScreen{on}};
    }
    if (!cursor_.accept(Keyword::port)) return expected("'port', 'ipaddr' or 'screen'");
    SetFraming framing;
    if (cursor_.accept(Keyword::databits)) {
      framing.data_bits = small_number(5, 8);
      if (!framing.data_bits) return expected("a number from 5 to 8");
    } else if (cursor_.accept(Keyword::stopbits)) {
      framing.stop_bits = small_number(1, 2);
      if (!framing.stop_bits) return expected("1 or 2");
    } else if (cursor_.accept(Keyword::parity)) {
      framing.parity = parity();
      if (!framing.parity) return expected("'none', 'odd', 'even', 'mark' or 'space'");
    } else {
      return expected("'databits', 'parity' or 'stopbits'");
    }
    return Statement{{}, SetPort{framing}};
  }

  std::optional<int> small_number(int least, int most) {
    const Token& token = cursor_.peek();
    if (token.kind != TokenKind::integer || token.integer < least || token.integer > most) return std::nullopt;
    cursor_.take();
    return static_cast<int>(token.integer);
  }

  std::optional<Parity> parity() {
    if (cursor_.accept(Keyword::none_)) return Parity::none;
    if (cursor_.accept(Keyword::odd)) return Parity::odd;
    if (cursor_.accept(Keyword::even)) return Parity::even;
    if (cursor_.accept(Keyword::mark)) return Parity::mark;
    if (cursor_.accept(Keyword::space)) return Parity::space;
    return std::nullopt;
  }

  std::optional<Statement> transmit() {
    ExpressionPtr value = parse_expression(cursor_);
    if (!value) return std::nullopt;
    bool raw = false;
    if (cursor_.accept(TokenKind::comma)) {
      raw = cursor_.accept(Keyword::raw);
      if (!raw) {
        cursor_.error(cursor_.peek(), "expected-raw", "'raw' is expected behind the comma, not " + cursor_.describe(cursor_.peek()), "raw");
        return std::nullopt;
      }
    }
    return Statement{{}, Transmit{std::move(value), raw}};
  }

  std::optional<Statement> wait_for() {
    WaitFor wait;
    do {
      WaitForItem item;
      item.text = parse_expression(cursor_);
      if (!item.text) return std::nullopt;
      if (cursor_.at(TokenKind::comma) && cursor_.peek(1).keyword == Keyword::matchcase) {
        cursor_.take();
        cursor_.take();
        item.matchcase = true;
      }
      if (cursor_.accept(Keyword::then)) {
        item.then = name("a label");
        if (!item.then) return std::nullopt;
      }
      wait.items.push_back(std::move(item));
    } while (cursor_.accept(TokenKind::comma));
    if (cursor_.accept(Keyword::until)) {
      wait.until = parse_expression(cursor_);
      if (!wait.until) return std::nullopt;
    }
    after_wait_ = true;
    return Statement{{}, std::move(wait)};
  }

  Cursor cursor_;
  File file_;
  std::vector<Opened> opened_;
  bool after_wait_ = false;
};

}  // namespace

Parsed parse(const SourceText& source, const std::vector<Token>& tokens) { return Parser(source, tokens).run(); }

}  // namespace longline::script::scp
