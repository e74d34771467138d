// SPDX-License-Identifier: MIT
#include "script/typed_lines.hpp"

#include <algorithm>
#include <utility>

namespace longline::script {
namespace {

bool is_return(char c) { return c == '\r' || c == '\n'; }
bool is_erase(char c) { return c == '\b' || c == '\x7F'; }
bool is_text(char c) { return static_cast<unsigned char>(c) >= 0x20 && c != '\x7F'; }

}  // namespace

bool TypedLines::Line::is_echoed() const {
  return echoed >= static_cast<std::size_t>(std::count_if(bytes.begin(), bytes.end(), is_text));
}

void TypedLines::begin_line(TimePoint now) {
  Line line;
  line.began = now;
  line.heard_before = line.echo_begin = line.echo_end = heard_;
  line.output = std::exchange(output_, {});
  line.ahead = line.output.empty();
  // Who answers what the host has said gives no more time to the echo of what was typed before it.
  while (!line.ahead && !echo_.empty() && lines_[echo_.front().line].ahead) no_echo();
  lines_.push_back(std::move(line));
  open_ = true;
}

void TypedLines::typed(std::string_view bytes, TimePoint now) {
  for (const char c : bytes) {
    if (!open_) begin_line(now);
    lines_.back().bytes += c;
    lines_.back().ended = now;
    if (is_erase(c)) ++erases_;
    else echo_.push_back({c, lines_.size() - 1});
    if (is_return(c)) open_ = false;
  }
}

void TypedLines::received(std::string_view bytes) {
  for (const char c : bytes) {
    ++heard_;
    hear(c);
    if (open_) lines_.back().echo_end = heard_;
  }
}

void TypedLines::hear(char byte) {
  const char c = static_cast<char>(byte & 0x7F);
  if (newline_belongs_) {
    newline_belongs_ = false;
    if (c == '\n') return;
  }
  // An erased character's echo: back, a blank, back.
  const int stage = std::exchange(erasing_, 0);
  if (c == '\b' && stage == 0) {
    if (erases_ > 0) {
      --erases_;
      erasing_ = 1;
    }
    return;
  }
  if (stage == 1 && c == ' ') {
    erasing_ = 2;
    return;
  }
  if (stage == 2 && c == '\b') return;
  while (!echo_.empty()) {
    if (is_next_echo(byte)) return;
    if (!lines_[echo_.front().line].ahead) {
      no_echo();
    } else if (!matched_.empty()) {
      seek_echo_again();
    } else {
      break;
    }
  }
  output_ += byte;
  if (c == '\n' && open_) open_ = false;
}

bool TypedLines::is_next_echo(char byte) {
  const char c = static_cast<char>(byte & 0x7F);
  const Expected expected = echo_.front();
  if (is_return(expected.byte) ? !is_return(c) : c != static_cast<char>(expected.byte & 0x7F)) return false;
  Line& line = lines_[expected.line];
  if (matched_.empty() && line.ahead) line.echo_begin = heard_ - 1;
  line.echo_end = heard_;
  if (is_text(expected.byte)) ++line.echoed;
  if (is_return(expected.byte)) newline_belongs_ = c == '\r';
  matched_ += byte;
  echo_.pop_front();
  if (echo_.empty() || echo_.front().line != expected.line) matched_.clear();
  return true;
}

/// The host does not echo the line that is next: what looked like its echo was said by the host itself.
void TypedLines::no_echo() {
  const std::size_t line = echo_.front().line;
  forget_line(line);
  lines_[line].echoed = 0;
  output_ += std::exchange(matched_, {});
}

/// What looked like the echo of a line that was typed ahead was none; it may still come.
void TypedLines::seek_echo_again() {
  const std::size_t number = echo_.front().line;
  Line& line = lines_[number];
  forget_line(number);
  for (std::size_t i = line.bytes.size(); i-- > 0;) {
    if (!is_erase(line.bytes[i])) echo_.push_front({line.bytes[i], number});
  }
  line.echoed = 0;
  line.echo_begin = line.echo_end = line.heard_before;
  output_ += std::exchange(matched_, {});
}

void TypedLines::forget_line(std::size_t line) {
  std::erase_if(echo_, [&](const Expected& e) { return e.line == line; });
}

std::size_t TypedLines::judged() const {
  const std::size_t done = lines_.size() - (open_ ? 1 : 0);
  return echo_.empty() ? done : std::min(done, echo_.front().line);
}

std::string edited(std::string_view typed) {
  std::string out;
  for (const char c : typed) {
    if (is_return(c)) continue;
    if (c == '\x15') {
      out.clear();
    } else if (is_erase(c)) {
      if (!out.empty()) out.pop_back();
    } else {
      out += c;
    }
  }
  return out;
}

std::string_view return_of(std::string_view typed) { return typed.substr(typed.find_last_not_of("\r\n") + 1); }

}  // namespace longline::script
