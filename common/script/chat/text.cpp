// SPDX-License-Identifier: MIT
#include "script/chat/text.hpp"

namespace longline::script::chat {
namespace {

constexpr Duration kDelay{1000};   // \d
constexpr Duration kPauseOfEscape{10};     // \p; the manual says a tenth of a second, the program a hundredth

bool is_octal(char c) { return c >= '0' && c <= '7'; }
bool is_name(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

/// The text after the first pass. In a send a backslash stands before d, K, p, a NUL, another backslash, and what needs none.
class Cleaner {
 public:
  Cleaner(std::string_view text, bool sending, const Values& values) : text_(text), sending_(sending), values_(values) {}

  std::string run() {
    while (at_ < text_.size()) {
      const char c = take();
      if (c == '^') control();
      else if (c == '$' && values_.variable) variable();
      else if (c == '\\') escape();
      else out_ += c;
    }
    if (sending_ && !no_return_) out_ += '\r';
    return std::move(out_);
  }
  bool quiet() const { return quiet_; }
  bool secret() const { return secret_; }

 private:
  char take() { return text_[at_++]; }
  bool more() const { return at_ < text_.size(); }

  void control() {
    if (!more()) {
      out_ += '^';
    } else if (const char c = static_cast<char>(take() & 0x1F); c != '\0') {
      out_ += c;
    }
  }

  void variable() {
    const std::size_t begin = at_;
    while (more() && is_name(text_[at_])) ++at_;
    if (const std::optional<Value> value = values_.variable(std::string(text_.substr(begin, at_ - begin)))) {
      insert(value->text);
      secret_ = secret_ || value->secret;
    }
  }

  void insert(const std::string& value) {
    for (const char c : value) {
      if (c == '\0' && !(sending_ && values_.as_they_are)) break;
      if (sending_ && values_.as_they_are && (c == '\\' || c == '\0')) out_ += '\\';
      out_ += c;
    }
  }

  void phone(char letter, const std::optional<std::string>& number) {
    if (sending_ && number) {
      insert(*number);
    } else {
      out_ += '\\';
      out_ += letter;
    }
  }

  void escape() {
    if (!more()) {
      if (sending_) out_ += "\\\\";
      return;
    }
    const char c = take();
    switch (c) {
      case 'b': out_ += '\b'; break;
      case 'r': out_ += '\r'; break;
      case 'n': out_ += '\n'; break;
      case 's': out_ += ' '; break;
      case 't': out_ += '\t'; break;
      case 'q': quiet_ = true; break;
      case 'T': phone('T', values_.phone); break;
      case 'U': phone('U', values_.phone2); break;
      case 'c':
        if (sending_ && !more()) no_return_ = true;
        else out_ += c;
        break;
      case 'N':
        if (sending_) out_.append("\\\0", 2);
        else out_ += 'N';
        break;
      case '$':
        if (!values_.variable && sending_) out_ += '\\';
        out_ += c;
        break;
      default:
        if (is_octal(c)) return octal(c);
        if (sending_) out_ += '\\';
        out_ += c;
    }
  }

  void octal(char first) {
    unsigned value = static_cast<unsigned>(first - '0');
    for (int digits = 1; digits < 3 && more() && is_octal(text_[at_]); ++digits) value = value * 8 + static_cast<unsigned>(take() - '0');
    const char c = static_cast<char>(value);
    if (c == '\0' && !sending_) return;
    if (sending_ && (c == '\\' || c == '\0')) out_ += '\\';
    out_ += c;
  }

  std::string_view text_;
  bool sending_;
  const Values& values_;
  std::size_t at_ = 0;
  std::string out_;
  bool no_return_ = false;
  bool quiet_ = false;
  bool secret_ = false;
};

void add_byte(std::vector<Piece>& pieces, char c) {
  if (pieces.empty() || !std::holds_alternative<std::string>(pieces.back())) pieces.emplace_back(std::string());
  std::get<std::string>(pieces.back()) += c;
}

std::vector<Piece> pieces_of(std::string_view cleaned) {
  std::vector<Piece> out;
  for (std::size_t i = 0; i < cleaned.size(); ++i) {
    if (cleaned[i] != '\\') {
      add_byte(out, cleaned[i]);
      continue;
    }
    if (++i == cleaned.size()) break;   // a value that ends in a backslash
    switch (cleaned[i]) {
      case 'd': out.emplace_back(Pause{kDelay}); break;
      case 'p': out.emplace_back(Pause{kPauseOfEscape}); break;
      case 'K': out.emplace_back(SendBreak{}); break;
      default: add_byte(out, cleaned[i]);
    }
  }
  return out;
}

std::string to_nul(std::string text) {
  text.resize(std::min(text.size(), text.find('\0')));
  return text;
}

}  // namespace

Sending translate_send(std::string_view text, const Values& values) {
  Cleaner cleaner(text, true, values);
  Sending out;
  const std::string cleaned = cleaner.run();
  out.pieces = pieces_of(cleaned);
  out.shown = to_nul(cleaned);
  out.quiet = cleaner.quiet();
  out.secret = cleaner.secret();
  return out;
}

Sending send_as_it_is(std::string bytes) {
  Sending out;
  out.shown = to_nul(bytes + '\r');
  out.pieces.emplace_back(std::move(bytes) + '\r');
  return out;
}

std::string translate_expect(std::string_view text, const Values& values) { return to_nul(Cleaner(text, false, values).run()); }

std::string translate_say(std::string_view text, const Values& values) { return to_nul(Cleaner(text, true, values).run()); }

std::string visible(std::string_view bytes) {
  std::string out;
  for (const char byte : bytes) {
    auto c = static_cast<unsigned char>(byte);
    if (c >= 0x80) {
      out += "M-";
      c &= 0x7F;
    }
    if (c == '\t') {
      out += '\t';
    } else if (c < 0x20 || c == 0x7F) {
      out += '^';
      out += static_cast<char>(c ^ 0x40);
    } else {
      out += static_cast<char>(c);
    }
  }
  return out;
}

}  // namespace longline::script::chat
