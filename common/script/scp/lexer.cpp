// SPDX-License-Identifier: MIT
#include "script/scp/lexer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "script/scp/limits.hpp"
#include "script/source_check.hpp"

namespace longline::script::scp {
namespace {

struct Reserved {
  std::string_view word;
  Keyword keyword;
};

// Sorted by word, for the binary search.
constexpr std::array kReserved = {
    Reserved{"and", Keyword::and_},         Reserved{"boolean", Keyword::boolean},
    Reserved{"databits", Keyword::databits}, Reserved{"delay", Keyword::delay},
    Reserved{"do", Keyword::do_},           Reserved{"endif", Keyword::endif},
    Reserved{"endproc", Keyword::endproc},  Reserved{"endwhile", Keyword::endwhile},
    Reserved{"even", Keyword::even},        Reserved{"false", Keyword::false_},
    Reserved{"getip", Keyword::getip},      Reserved{"goto", Keyword::goto_},
    Reserved{"halt", Keyword::halt},        Reserved{"if", Keyword::if_},
    Reserved{"integer", Keyword::integer},  Reserved{"ipaddr", Keyword::ipaddr},
    Reserved{"keyboard", Keyword::keyboard}, Reserved{"mark", Keyword::mark},
    Reserved{"matchcase", Keyword::matchcase}, Reserved{"none", Keyword::none_},
    Reserved{"odd", Keyword::odd},          Reserved{"off", Keyword::off},
    Reserved{"on", Keyword::on},            Reserved{"or", Keyword::or_},
    Reserved{"parity", Keyword::parity},    Reserved{"port", Keyword::port},
    Reserved{"proc", Keyword::proc},        Reserved{"raw", Keyword::raw},
    Reserved{"screen", Keyword::screen},    Reserved{"set", Keyword::set},
    Reserved{"space", Keyword::space},      Reserved{"stopbits", Keyword::stopbits},
    Reserved{"string", Keyword::string},    Reserved{"then", Keyword::then},
    Reserved{"transmit", Keyword::transmit}, Reserved{"true", Keyword::true_},
    Reserved{"until", Keyword::until},      Reserved{"waitfor", Keyword::waitfor},
    Reserved{"while", Keyword::while_},
};

bool is_name_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_name(char c) { return is_name_start(c) || is_digit(c); }

class Lexer {
 public:
  explicit Lexer(const SourceText& source) : source_(source), text_(source.text()) {}

  Lexed run() {
    if (std::optional<Diagnostic> refused = refuse_source(source_, "in a string write ^@")) {
      out_.diagnostics.push_back(std::move(*refused));
      out_.hopeless = true;
      out_.tokens.push_back({});
      return std::move(out_);
    }
    // Editors of DOS end a text with ^Z.
    if (!text_.empty() && text_.back() == '\x1A') text_.remove_suffix(1);
    if (text_.substr(0, 3) == "\xEF\xBB\xBF") at_ = 3;
    while (at_ < text_.size() && out_.diagnostics.size() < kMostFindings) next();
    push(TokenKind::end, text_.size());
    return std::move(out_);
  }

 private:
  void add(std::string code, std::size_t offset, std::size_t length, std::string message, std::string fix = "") {
    out_.diagnostics.push_back({Severity::error, std::move(code), source_.where(offset), length, std::move(message), std::move(fix)});
  }

  void push(TokenKind kind, std::size_t begin, Keyword keyword = Keyword::none, std::int64_t integer = 0) {
    out_.tokens.push_back({kind, keyword, starts_line_, begin, at_ > begin ? at_ - begin : 0, integer});
    starts_line_ = false;
  }

  char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }

  void next() {
    const char c = peek();
    if (c == '\n') {
      starts_line_ = true;
      ++at_;
    } else if (c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v') {
      ++at_;
    } else if (c == ';') {
      at_ = std::min(text_.find('\n', at_), text_.size());
    } else if (c == '"') {
      string();
    } else if (is_digit(c)) {
      number();
    } else if (is_name_start(c)) {
      word();
    } else if (c == '$') {
      system_name();
    } else {
      symbol();
    }
  }

  void string() {
    const std::size_t begin = at_++;
    while (at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\n') {
      // A backslash and the next character are a pair: "\\" ends here, "\"" does not.
      at_ += text_[at_] == '\\' && peek(1) != '\n' && at_ + 1 < text_.size() ? 2 : 1;
    }
    const bool closed = peek() == '"' && at_ < text_.size();
    if (!closed) {
      std::size_t end = at_;
      if (end > begin && text_[end - 1] == '\r') --end;
      add("unterminated-string", begin, end - begin, "the string has no closing quote on its line", "add \" where the string ends");
    } else {
      ++at_;
      if (at_ - begin - 2 > kLongestLiteral) {
        add("literal-too-long", begin, 1, fmt::format("a string of {} bytes; at most {} are allowed", at_ - begin - 2, kLongestLiteral));
      }
    }
    push(TokenKind::string, begin);
  }

  void number() {
    const std::size_t begin = at_;
    while (is_digit(peek())) ++at_;
    const std::optional<std::int64_t> value = parse_integer(text_.substr(begin, at_ - begin));
    if (!value) add("number-too-large", begin, at_ - begin, "the number does not fit in 64 bits");
    if (is_name_start(peek())) {
      const std::size_t digits = at_ - begin;
      while (is_name(peek())) ++at_;
      add("bad-number", begin, at_ - begin, fmt::format("'{}' is not a number; times are whole seconds without a unit",
          escape_at_most(text_.substr(begin, at_ - begin), 40)), std::string(text_.substr(begin, digits)));
    }
    push(TokenKind::integer, begin, Keyword::none, value.value_or(0));
  }

  void word() {
    const std::size_t begin = at_;
    while (is_name(peek())) ++at_;
    const Keyword keyword = keyword_of(text_.substr(begin, at_ - begin));
    push(keyword == Keyword::none ? TokenKind::name : TokenKind::keyword, begin, keyword);
  }

  void system_name() {
    const std::size_t begin = at_++;
    while (is_name(peek())) ++at_;
    push(TokenKind::system_name, begin);
  }

  void symbol() {
    const std::size_t begin = at_;
    const bool equals = peek(1) == '=';
    const auto take = [&](TokenKind one, TokenKind two) {
      at_ += equals ? 2 : 1;
      push(equals ? two : one, begin);
    };
    const auto single = [&](TokenKind kind) {
      ++at_;
      push(kind, begin);
    };
    switch (peek()) {
      case ',': return single(TokenKind::comma);
      case ':': return single(TokenKind::colon);
      case '(': return single(TokenKind::open);
      case ')': return single(TokenKind::close);
      case '+': return single(TokenKind::plus);
      case '-': return single(TokenKind::minus);
      case '*': return single(TokenKind::star);
      case '/': return single(TokenKind::slash);
      case '=': return take(TokenKind::assign, TokenKind::equal);
      case '!': return take(TokenKind::bang, TokenKind::not_equal);
      case '<': return take(TokenKind::less, TokenKind::less_equal);
      case '>': return take(TokenKind::greater, TokenKind::greater_equal);
      default: return stray();
    }
  }

  /// A run of bytes that start nothing is one finding.
  void stray() {
    const std::size_t begin = at_;
    constexpr std::string_view kKnown = " \t\r\n\f\v;\"$,:()+-*/=!<>";
    while (at_ < text_.size() && !is_name(text_[at_]) && kKnown.find(text_[at_]) == std::string_view::npos) ++at_;
    const std::string_view run = text_.substr(begin, at_ - begin);
    add("stray-characters", begin, run.size(), fmt::format("'{}' means nothing here", escape_at_most(run, 40)),
        run[0] == '\'' ? "strings stand in double quotes" : run[0] == '#' ? "a comment starts with ;" : "");
  }

  const SourceText& source_;
  std::string_view text_;
  std::size_t at_ = 0;
  bool starts_line_ = true;
  Lexed out_;
};

}  // namespace

Lexed lex(const SourceText& source) { return Lexer(source).run(); }

std::string literal_value(std::string_view token_text) {
  token_text.remove_prefix(1);
  std::string out;
  for (std::size_t i = 0; i < token_text.size() && token_text[i] != '"'; ++i) {
    if (token_text[i] == '\\' && i + 1 < token_text.size()) {
      ++i;
      if (token_text[i] != '"') out += '\\';
    }
    out += token_text[i];
  }
  return out;
}

std::string_view to_string(Keyword keyword) {
  for (const Reserved& r : kReserved) {
    if (r.keyword == keyword) return r.word;
  }
  return "";
}

Keyword keyword_of(std::string_view word) {
  if (word.size() > 9) return Keyword::none;
  const std::string lower = to_lower(word);
  const auto found = std::lower_bound(kReserved.begin(), kReserved.end(), lower,
                                      [](const Reserved& r, const std::string& w) { return r.word < w; });
  return found != kReserved.end() && found->word == lower ? found->keyword : Keyword::none;
}

std::string describe(const Token& token, std::string_view text) {
  switch (token.kind) {
    case TokenKind::end: return "the end of the script";
    case TokenKind::string: return "a string";
    case TokenKind::integer: return "a number";
    default: return "'" + escape_at_most(text.substr(token.offset, token.length), 40) + "'";
  }
}

}  // namespace longline::script::scp
