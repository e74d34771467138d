// SPDX-License-Identifier: MIT
#include "mail/exim_listing.hpp"

#include <algorithm>
#include <cmath>

#include "base/text.hpp"
#include "mail/peer_words.hpp"
#include "mail/smtp_reply.hpp"

namespace longline::mail {
namespace {

constexpr std::size_t kLongestListedLine = 64 * 1024;
constexpr std::size_t kMostRecipients = 1'000'000;
constexpr std::string_view kFrozen = "*** frozen ***";

int digit62(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'Z') return c - 'A' + 10;
  if (c >= 'a' && c <= 'z') return c - 'a' + 36;
  return -1;
}

// The next word, and text behind it.
std::string_view next_word(std::string_view& text) {
  const std::size_t start = text.find_first_not_of(' ');
  if (start == std::string_view::npos) {
    text = {};
    return {};
  }
  text.remove_prefix(start);
  const std::string_view word = text.substr(0, text.find(' '));
  text.remove_prefix(word.size());
  return word;
}

// "309", "1.7K", "23M": what string_format_size() makes.
std::optional<std::int64_t> size_in(std::string_view word) {
  if (word.empty() || word.size() > 8) return std::nullopt;
  double factor = 1;
  switch (word.back()) {
    case 'K': factor = 1024; break;
    case 'M': factor = 1024.0 * 1024; break;
    case 'G': factor = 1024.0 * 1024 * 1024; break;
    default: break;
  }
  if (factor > 1) word.remove_suffix(1);
  const std::size_t dot = word.find('.');
  const auto whole = parse_integer(word.substr(0, dot));
  if (!whole || *whole < 0) return std::nullopt;
  double value = static_cast<double>(*whole);
  if (dot != std::string_view::npos) {
    const auto tenths = parse_integer(word.substr(dot + 1));
    if (!tenths || *tenths < 0 || *tenths > 9) return std::nullopt;
    value += static_cast<double>(*tenths) / 10;
  }
  return static_cast<std::int64_t>(std::llround(value * factor));
}

// "3m", "25h", "4d": how long it is there. Only checked: the id is exact.
bool is_age(std::string_view word) {
  if (word.size() < 2 || (word.back() != 'm' && word.back() != 'h' && word.back() != 'd')) return false;
  word.remove_suffix(1);
  return parse_integer(word).has_value();
}

std::optional<QueuedMessage> parse_head(std::string_view line) {
  std::string_view rest = line;
  std::string_view word = next_word(rest);
  // Of a message whose file is damaged neither age nor size is there.
  if (is_age(word)) word = next_word(rest);
  std::optional<std::int64_t> size;
  if (!is_exim_id(word)) {
    size = size_in(word);
    if (!size) return std::nullopt;
    word = next_word(rest);
  }
  if (!is_exim_id(word)) return std::nullopt;
  QueuedMessage out;
  out.queue = "exim";
  out.foreign = true;
  out.id = word;
  out.size = size.value_or(0);
  out.arrived = *exim_id_time(word);
  rest = trim(rest);
  if (rest.ends_with(kFrozen)) {
    out.state = MessageState::held;
    rest = trim(rest.substr(0, rest.size() - kFrozen.size()));
  }
  const std::size_t end = rest.rfind('>');
  if (rest.starts_with('<') && end != std::string_view::npos) out.sender = rest.substr(1, end - 1);
  return out;
}

// The text behind what the log's lines begin with: "2026-11-26 01:11:54[.123][ +0000][ [PID]] ".
std::string_view behind_time(std::string_view line) {
  const bool dated = line.size() > 20 && line[4] == '-' && line[7] == '-' && line[10] == ' ' && line[13] == ':';
  if (!dated) return {};
  line.remove_prefix(11);
  next_word(line);
  std::string_view rest = line;
  std::string_view word = next_word(rest);
  if (word.size() == 5 && (word[0] == '+' || word[0] == '-') && parse_integer(word.substr(1))) {
    line = rest;
    word = next_word(rest);
  }
  if (word.starts_with('[') && word.ends_with(']')) line = rest;
  return trim(line);
}

// The address in "ADDRESS [<ORIGINAL>][ F=<…>] R=…", "ADDRESS: words" or "ADDRESS … defer (N): words". A local part's quotes are in
// the original alone.
void read_address(std::string_view text, RecipientResult& result) {
  std::size_t end = text.size();
  for (const std::string_view mark : {" F=<", " P=<", " R=", " T=", " defer (", ": "}) end = std::min(end, text.find(mark));
  std::string_view head = trim(text.substr(0, end));
  const std::size_t original = head.find(" <");
  if (original != std::string_view::npos && head.ends_with('>') && head.size() > original + 3) {
    head = head.substr(original + 2, head.size() - original - 3);
  }
  result.address = head;
}

int code_in(std::string_view words) {
  // "SMTP error from remote mail server after RCPT TO:<a@b>: 550 no such mailbox"
  for (std::size_t at = words.find(": "); at != std::string_view::npos; at = words.find(": ", at + 1)) {
    const auto code = parse_integer(words.substr(at + 2, 3));
    if (code && *code >= 200 && *code < 600) return static_cast<int>(*code);
  }
  return 0;
}

// What stands behind "defer (-44)[ H=…]: " or, of a failure, behind the address and its R=, T=, H=.
std::string_view words_of(std::string_view text) {
  const std::size_t colon = text.find(": ");
  return colon == std::string_view::npos ? text : text.substr(colon + 2);
}

// Exim writes a reply of several lines as one, with "\n" between them, the backslash doubled in C=""; it becomes what text() makes of our own
// sessions' replies.
std::string joined_lines(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i;
    while (end < text.size() && text[end] == '\\') ++end;
    const int code = end > i && end + 4 < text.size() && text[end] == 'n' ? reply_code(text.substr(end + 1)) : 0;
    if (code == 0) {
      end = std::max(end, i + 1);
      out += text.substr(i, end - i);
      i = end;
      continue;
    }
    while (!out.empty() && out.back() == ' ') out.pop_back();
    out += " / ";
    i = std::min(text.size(), text.find_first_not_of(' ', end + 5));
    i += enhanced_status(text.substr(i), code).size();
    i = std::min(text.size(), text.find_first_not_of(' ', i));
  }
  return out;
}

// The peer's reply to the message: C="250 OK", with backslashes before quotes in it (log_selector smtp_confirmation).
std::string confirmation_in(std::string_view text) {
  constexpr std::string_view kMark = " C=\"";
  const std::size_t transport = text.find(" T=");
  const std::size_t at = transport == std::string_view::npos ? transport : text.find(kMark, transport);
  if (at == std::string_view::npos) return "";
  std::string out;
  for (std::size_t i = at + kMark.size(); i < text.size() && text[i] != '"'; ++i) {
    if (text[i] == '\\' && i + 1 < text.size() && text[i + 1] == '"') ++i;
    out += text[i];
  }
  return out;
}

// "removed by USER" (-Mrm), "cancelled by USER" (-Mg: its sender is told), "address <ADDRESS> marked delivered by USER" (-Mmd, -Mmad).
std::optional<Fate> administered(Fate fate, std::string_view mark, std::string_view what) {
  fate.kind = Fate::Kind::removed;
  if (mark == "address") {
    const std::size_t end = what.rfind("> marked delivered by ");
    if (!what.starts_with('<') || end == std::string_view::npos || end < 2) return std::nullopt;
    fate.result.address = what.substr(1, end - 1);
    return fate;
  }
  if (!what.starts_with("by ")) return std::nullopt;
  if (mark == "removed") return fate;
  fate.kind = Fate::Kind::outcome;
  fate.result.outcome = Outcome::refused;
  fate.result.text = "cancelled " + escape_at_most(what, 100);
  return fate;
}

}  // namespace

bool is_exim_id(std::string_view id) {
  if (id.size() != 16 && id.size() != 23) return false;
  const std::size_t second = id.size() == 16 ? 13 : 18;
  for (std::size_t i = 0; i < id.size(); ++i) {
    if (i == 6 || i == second ? id[i] != '-' : digit62(id[i]) < 0) return false;
  }
  return true;
}

std::optional<WallTime> exim_id_time(std::string_view id) {
  if (!is_exim_id(id)) return std::nullopt;
  std::int64_t seconds = 0;
  for (int i = 0; i < 6; ++i) seconds = seconds * 62 + digit62(id[static_cast<std::size_t>(i)]);
  return WallTime(Duration(seconds * 1000));
}

bool EximListing::feed(std::string_view bytes) {
  while (wanted_ && !bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const std::string_view piece = bytes.substr(0, end);
    too_long_ = too_long_ || partial_.size() + piece.size() > kLongestListedLine;
    if (!too_long_) partial_ += piece;
    if (end == std::string_view::npos) break;
    if (!too_long_) take_line(partial_);
    partial_.clear();
    too_long_ = false;
    bytes.remove_prefix(end + 1);
  }
  return wanted_;
}

bool EximListing::finish() {
  if (wanted_ && !partial_.empty() && !too_long_) take_line(partial_);
  partial_.clear();
  return hand_over();
}

bool EximListing::hand_over() {
  if (message_ && wanted_) wanted_ = visitor_(std::move(*message_));
  message_.reset();
  return wanted_;
}

void EximListing::take_line(std::string_view line) {
  if (trim(line).empty()) {
    hand_over();
    return;
  }
  // A recipient's line has eight spaces, then D or a space, then a space; a message's begins with its age, within three.
  const bool indented = line.size() > 10 && line.starts_with("        ") && (line[8] == ' ' || line[8] == 'D') && line[9] == ' ';
  if (message_ && indented) {
    if (message_->recipients.size() >= kMostRecipients) return;
    Recipient recipient;
    recipient.address = line.substr(10);
    if (line[8] == 'D') recipient.state = RecipientState::delivered;
    message_->recipients.push_back(std::move(recipient));
    return;
  }
  const std::string_view text = trim(line);
  if (message_ && text.starts_with("***")) {
    if (text.ends_with(kFrozen)) message_->state = MessageState::held;
    return;
  }
  if (auto head = parse_head(text)) {
    hand_over();
    message_ = std::move(head);
  }
}

std::optional<Fate> parse_exim_log(std::string_view line) {
  std::string_view rest = behind_time(line);
  const std::string_view id = next_word(rest);
  if (!is_exim_id(id)) return std::nullopt;
  const std::string_view mark = next_word(rest);
  Fate fate;
  fate.id = id;
  if (mark == "removed" || mark == "cancelled" || mark == "address") return administered(std::move(fate), mark, trim(rest));
  if (mark == "=>" || mark == "->" || mark == ">>") fate.result.outcome = Outcome::sent;
  else if (mark == "**") fate.result.outcome = Outcome::refused;
  else if (mark == "==") fate.result.outcome = Outcome::deferred;
  else return std::nullopt;
  rest = trim(rest);
  read_address(rest, fate.result);
  if (fate.result.address.empty()) return std::nullopt;
  if (fate.result.outcome == Outcome::sent) {
    if (const std::optional<PeerWords> reply = read_reply_text(joined_lines(confirmation_in(rest)))) {
      fate.result.code = reply->code;
      fate.result.enhanced = reply->enhanced;
      fate.result.text = escape_at_most(reply->text, 400);
    }
    return fate;
  }
  const std::size_t defer = rest.find(" defer (");
  const std::string_view words = words_of(defer == std::string_view::npos ? rest : rest.substr(defer));
  take_account(fate.result, joined_lines(words));
  return fate;
}

std::optional<Fate> parse_exim_message_log(std::string_view line) {
  std::string_view rest = behind_time(line);
  const std::size_t defer = rest.find(" defer (");
  if (defer == std::string_view::npos) return std::nullopt;
  Fate fate;
  fate.result.outcome = Outcome::deferred;
  if (rest.starts_with("== ")) rest.remove_prefix(3);
  read_address(rest, fate.result);
  const std::size_t again = rest.find(" defer (");
  if (fate.result.address.empty() || again == std::string_view::npos) return std::nullopt;
  fate.result.code = code_in(rest);
  fate.result.text = escape_at_most(joined_lines(words_of(rest.substr(again))), 400);
  return fate;
}

}  // namespace longline::mail
