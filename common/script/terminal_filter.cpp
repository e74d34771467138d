// SPDX-License-Identifier: MIT
#include "script/terminal_filter.hpp"

#include <utility>

namespace longline::script {
namespace {

constexpr char kEscape = '\x1B';

/// Finals of CSI that only change what is seen; of the modes (h, l) none.
constexpr std::string_view kHarmless = "@ABCDEFGHIJKLMPSTXZ`abdefgmrsu";

}  // namespace

std::string TerminalFilter::feed(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    switch (state_) {
      case State::text: text(c, out); break;
      case State::escape:
        if (c == '[') {
          sequence_.clear();
          state_ = State::control_sequence;
        } else if (c == ']' || c == 'P' || c == 'X' || c == '^' || c == '_') {
          state_ = State::string;
        } else if (c >= 0x20 && c <= 0x2F) {
          state_ = State::intermediate;
        } else {
          state_ = State::text;
          if (c == '7' || c == '8' || c == 'D' || c == 'E' || c == 'M') (out += kEscape) += c;   // these move the cursor
        }
        break;
      case State::intermediate:   // character sets and tests: dropped with their final
        if (c < 0x20 || c > 0x2F) state_ = State::text;
        break;
      case State::control_sequence: sequence(c, out); break;
      case State::string:
        // An end that never comes must not hide the rest of the session.
        if (c == '\a' || c == '\r' || c == '\n') state_ = State::text;
        else if (c == kEscape) state_ = State::string_escape;
        break;
      case State::string_escape: state_ = c == '\\' ? State::text : State::string; break;
    }
  }
  return out;
}

void TerminalFilter::text(char c, std::string& out) {
  const auto byte = static_cast<unsigned char>(c);
  if (std::exchange(lead_c2_, false)) {
    // U+0080 to U+009F are the C1 controls, also in UTF-8.
    if (byte >= 0xA0 && byte < 0xC0) (out += '\xC2') += c;
    if (byte >= 0x80 && byte < 0xC0) return;
  }
  if (byte == 0xC2) {
    continuation_ = 0;
    lead_c2_ = true;
  } else if (c == kEscape) {
    continuation_ = 0;
    state_ = State::escape;
  } else if (byte < 0x20) {
    continuation_ = 0;
    if (c == '\r' || c == '\n' || c == '\t' || c == '\b' || c == '\a') out += c;
  } else if (byte < 0x80) {
    continuation_ = 0;
    if (byte != 0x7F) out += c;
  } else if (byte < 0xA0) {
    // A C1 control, unless a sequence of UTF-8 goes on with it.
    if (continuation_ == 0) return;
    --continuation_;
    out += c;
  } else {
    if (byte < 0xC0) continuation_ = continuation_ > 0 ? continuation_ - 1 : 0;
    else continuation_ = byte >= 0xF0 ? 3 : byte >= 0xE0 ? 2 : 1;
    out += c;
  }
}

void TerminalFilter::sequence(char c, std::string& out) {
  if (c == kEscape) {
    state_ = State::escape;
  } else if (c >= 0x40 && c <= 0x7E) {
    state_ = State::text;
    const bool is_private = !sequence_.empty() && sequence_.front() >= 0x3C && sequence_.front() <= 0x3F;
    const bool has_intermediate = !sequence_.empty() && sequence_.back() < 0x30;
    if (sequence_.size() <= kLongestSequence && !is_private && !has_intermediate && kHarmless.find(c) != std::string_view::npos) {
      out += kEscape;
      out += '[' + sequence_ + c;
    }
  } else if (c < 0x20 || static_cast<unsigned char>(c) >= 0x80) {
    state_ = State::text;
    text(c, out);
  } else if (sequence_.size() <= kLongestSequence) {
    sequence_ += c;
  }
}

}  // namespace longline::script
