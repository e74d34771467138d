// SPDX-License-Identifier: MIT
#include "script/login_script.hpp"

#include <doctest/doctest.h>

#include "script/login_machine.hpp"
#include "script/replay.hpp"

using namespace longline;
using namespace longline::script;

namespace {

bool is_chat_script(const std::string& name, const std::string& text) { return std::holds_alternative<chat::Parsed>(parse_login_script(name, text)); }

}  // namespace

TEST_CASE("the language is told by the name, else by how the text begins") {
  CHECK(is_chat_script("isp.chat", "proc main"));
  CHECK(is_chat_script("ISP.CHAT", ""));
  CHECK(!is_chat_script("isp.scp", "ABORT BUSY"));
  CHECK(is_chat_script("provider", "# dial\n\nABORT BUSY"));
  CHECK(is_chat_script("stdin", "'' ATZ OK x"));
  CHECK(!is_chat_script("stdin", "; x\nproc main"));
  CHECK(!is_chat_script("stdin", ""));
}

TEST_CASE("needs are found where they are used, in either language") {
  const auto needs = [](const std::string& name, const std::string& text) {
    const LoginProgram program = program_of(parse_login_script(name, text));
    return std::pair(needs_user(program), needs_password(program));
  };
  CHECK(needs("a.chat", "ogin: $USERID ssword: @f") == std::pair(true, false));
  CHECK(needs("a.chat", "a b $PASSWORD-$USERID-c d") == std::pair(true, true));
  CHECK(needs("a.scp", "proc main transmit $PASSWORD, raw endproc") == std::pair(false, true));
}

TEST_CASE("a chat script with a file replays: the mask stands for what was in it") {
  const LoginProgram program = program_of(parse_login_script("a.chat", "ssword: @/etc/secret ok \\c"));
  const auto transcript = parse_transcript("t", "< \"Password: \"\n> \"********\\r\"\n< \"ok\"\n");
  REQUIRE(transcript);
  const ReplayResult result = replay(program, *transcript, {});
  CHECK(!result.difference);
  CHECK(result.finished.outcome == Outcome::ok);
}
