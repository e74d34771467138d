// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace longline::script {

/// What a peer sends, made fit for the user's own terminal: text, line ends, bell, tab and backspace pass, and so do the sequences that move
/// the cursor, erase, scroll and colour (ECMA-48 CSI). What could make the terminal answer in the user's name, rename its window, write its
/// clipboard or change its character set (OSC, DCS, device reports, C1 controls) is dropped. Memory is bounded.
class TerminalFilter {
 public:
  std::string feed(std::string_view bytes);

 private:
  enum class State { text, escape, intermediate, control_sequence, string, string_escape };
  void text(char c, std::string& out);
  void sequence(char c, std::string& out);

  static constexpr std::size_t kLongestSequence = 64;
  State state_ = State::text;
  std::string sequence_;
  bool lead_c2_ = false;   ///< held back until it is clear what it leads
  int continuation_ = 0;   ///< bytes of a UTF-8 sequence that are still to come
};

}  // namespace longline::script
