// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include "base/text.hpp"
#include "script/terminal_filter.hpp"
#include "script/terminal_keys.hpp"

using namespace longline;
using namespace longline::script;

namespace {

std::string typed(std::string_view keys, std::size_t chunk = 1000) {
  TerminalKeys machine;
  std::string out;
  while (!keys.empty()) {
    std::string_view piece = keys.substr(0, chunk);
    keys.remove_prefix(piece.size());
    while (!piece.empty()) {
      const TerminalKeys::Typed t = machine.feed(piece);
      out += t.bytes;
      if (t.end) return out + "[end]";
      if (t.send_break) out += "[break]";
      if (t.help) out += "[help]";
    }
  }
  return out + machine.flush();
}

std::string shown(std::string_view bytes, std::size_t chunk) {
  TerminalFilter filter;
  std::string out;
  while (!bytes.empty()) {
    out += filter.feed(bytes.substr(0, chunk));
    bytes.remove_prefix(std::min(bytes.size(), chunk));
  }
  return out;
}

}  // namespace

TEST_CASE("~ is a command at the start of a line only, however the keys come") {
  for (const std::size_t chunk : {1U, 2U, 1000U}) {
    CHECK(typed("a~.b\r~.c", chunk) == "a~.b\r[end]");
    CHECK(typed("~.", chunk) == "[end]");
    CHECK(typed("~~.\r~x~#\r~#~?~~\r~", chunk) == "~.\r~x~#\r[break][help]~\r~");
    CHECK(typed("~\r~.", chunk) == "~\r[end]");
  }
}

TEST_CASE("a peer moves the cursor and colours, and nothing else") {
  for (const std::size_t chunk : {1U, 3U, 1000U}) {
    for (const std::string_view passes : {"a\r\n\t\b\a", "\x1B[31mred\x1B[0m", "\x1B[2J\x1B[1;1H", "\x1B[K", "caf\xC3\xA9 \xE2\x82\xAC",
                                          "\x1B" "7\x1B" "8", "\xC2\xA0"}) {
      CHECK(shown(passes, chunk) == passes);
    }
    CHECK(shown("a\x1B]0;title\ab", chunk) == "ab");
    CHECK(shown("a\x1B]52;c;Zm9v\x1B\\b", chunk) == "ab");
    CHECK(shown("a\x1BP$q\"p\x1B\\b\x1B_x\x1B\\c\x1B^x\x1B\\d", chunk) == "abcd");
    CHECK(shown("a\x1B[c\x1B[6n\x1B[>c\x1B[?25h\x1B[21t\x1B[5iz", chunk) == "az");
    CHECK(shown("a\x9B" "6nb\xC2\x9B" "6n", chunk) == "a6nb6n");
    CHECK(shown("a\x1B(0\x1B#8\x1B" "cb", chunk) == "ab");
    CHECK(shown("a\x1B]never closed\r\nb", chunk) == "a\nb");
    CHECK(shown("\x00\x01\x0E\x0F\x7F", chunk) == "");
    CHECK(shown("a\x1B[" + std::string(1000, '1') + "mb", chunk) == "ab");
  }
}
