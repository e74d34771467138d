// SPDX-License-Identifier: MIT
#include "script/terminal_keys.hpp"

#include <utility>

namespace longline::script {

TerminalKeys::Typed TerminalKeys::feed(std::string_view& keys) {
  Typed out;
  while (!keys.empty() && !out.end && !out.send_break && !out.help) {
    const char key = keys.front();
    keys.remove_prefix(1);
    if (std::exchange(tilde_, false)) {
      at_start_ = key == '.' || key == '#' || key == '?';
      switch (key) {
        case '.': out.end = true; continue;
        case '#': out.send_break = true; continue;
        case '?': out.help = true; continue;
        case '~': out.bytes += '~'; continue;
        default: out.bytes += '~';
      }
    } else if (key == '~' && at_start_) {
      tilde_ = true;
      continue;
    }
    out.bytes += key;
    at_start_ = key == '\r' || key == '\n';
  }
  return out;
}

std::string TerminalKeys::flush() { return std::exchange(tilde_, false) ? "~" : ""; }

}  // namespace longline::script
