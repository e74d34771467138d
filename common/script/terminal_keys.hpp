// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace longline::script {

/// What is typed at a terminal that is joined to a line: at the start of a line ~. ends the session, ~# sends a break, ~? asks for help and
/// ~~ sends one ~. Anything else is for the line.
class TerminalKeys {
 public:
  struct Typed {
    std::string bytes{};     ///< for the line
    bool end = false;        ///< ~. : nothing behind it counts
    bool send_break = false; ///< behind the bytes
    bool help = false;
  };
  /// What the first of the keys mean, up to the first command; they are taken off `keys`. Call again while there are any.
  Typed feed(std::string_view& keys);
  /// The start of a command that did not become one, when no more keys come.
  std::string flush();

 private:
  bool at_start_ = true;   ///< of a line
  bool tilde_ = false;     ///< a ~ there, and nothing behind it yet
};

}  // namespace longline::script
