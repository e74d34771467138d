// SPDX-License-Identifier: MIT
// What stands after ATD: the digits, and what the modifiers ask for.
#pragma once

#include <cctype>
#include <string>
#include <string_view>

namespace modemsim {

struct DialString {
  std::string digits;             // 0-9 A-D * # +
  int pauses = 0;                 // commas
  bool waits_for_answer = false;  // @
  bool stays_in_command = false;  // ; at the end: a voice call
  bool redial = false;            // L
  bool valid = true;
};

inline DialString parse_dial_string(std::string_view text) {
  DialString dial;
  for (const char raw : text) {
    const char c = static_cast<char>(std::toupper(static_cast<unsigned char>(raw)));
    if (dial.stays_in_command && c != ' ') dial.valid = false;
    if (std::string_view("0123456789ABCD*#+").find(c) != std::string_view::npos) dial.digits += c;
    else if (c == ',') ++dial.pauses;
    else if (c == '@') dial.waits_for_answer = true;
    else if (c == ';') dial.stays_in_command = true;
    else if (c == 'L' && dial.digits.empty()) dial.redial = true;
    else if (std::string_view("TPW!/ -().&^$").find(c) == std::string_view::npos) dial.valid = false;
  }
  return dial;
}

}  // namespace modemsim
