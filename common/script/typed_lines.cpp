// SPDX-License-Identifier: MIT
#include "script/typed_lines.hpp"

#include <algorithm>

namespace longline::script {
namespace {

bool is_return(char c) { return c == '\r' || c == '\n'; }
bool is_erase(char c) { return c == '\b' || c == '\x7F'; }
bool is_text(char c) { return static_cast<unsigned char>(c) >= 0x20 && c != '\x7F'; }

}  // namespace

bool TypedLines::Line::is_echoed() const {
  return echoed >= static_cast<std::size_t>(std::count_if(bytes.begin(), bytes.end(), is_text));
}

void TypedLines::typed(std::string_view bytes, TimePoint now) {
  for (const char c : bytes) {
    if (!open_) {
      Line line;
      line.began = now;
      line.heard_before = heard_;
      line.output = std::move(output_);
      output_.clear();
      lines_.push_back(std::move(line));
      open_ = true;
    }
    lines_.back().bytes += c;
    lines_.back().ended = now;
    if (!is_erase(c)) echo_.push_back({c, lines_.size() - 1});
    if (is_return(c)) open_ = false;
  }
}

void TypedLines::received(std::string_view bytes) {
  for (const char c : bytes) {
    ++heard_;
    hear(c);
  }
}

void TypedLines::hear(char byte) {
  const char c = static_cast<char>(byte & 0x7F);
  if (newline_belongs_) {
    newline_belongs_ = false;
    if (c == '\n') return;
  }
  if (c == '\b') return;   // an erased character's echo
  while (!echo_.empty()) {
    const Expected expected = echo_.front();
    const bool same = is_return(expected.byte) ? is_return(c) : c == static_cast<char>(expected.byte & 0x7F);
    if (same) {
      echo_.pop_front();
      if (is_text(expected.byte)) ++lines_[expected.line].echoed;
      matched_ += byte;
      if (is_return(expected.byte)) newline_belongs_ = c == '\r';
      if (echo_.empty() || echo_.front().line != expected.line) matched_.clear();
      return;
    }
    no_echo();
  }
  output_ += byte;
  if (c == '\n' && open_) open_ = false;
}

/// The host does not echo the line that is next: what looked like its echo was said by the host itself.
void TypedLines::no_echo() {
  const std::size_t line = echo_.front().line;
  const auto is_of_line = [&](const Expected& e) { return e.line == line; };
  echo_.erase(echo_.begin(), std::find_if_not(echo_.begin(), echo_.end(), is_of_line));
  lines_[line].echoed = 0;
  output_ += matched_;
  matched_.clear();
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

}  // namespace longline::script
