// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>

#include "base/text.hpp"
#include "unit/script/play.hpp"

using namespace longline;
using namespace longline::script;
using namespace longline::script::test;

namespace {

// KB175410, in full.
const std::string kOzEmail = R"(; OzEmail Script for PPP Access
; Main entry point to script
proc main
   waitfor "ervice?" until 90
   if $SUCCESS then   ;  Checking whether this is successful...
   transmit "p^M"

   waitfor "sername:" until 60
   if $SUCCESS then   ;  Checking whether this is successful...
   transmit $USERID, raw
   transmit "^M"

   waitfor "assword:" until 60
   if $SUCCESS then   ;  Checking whether this is successful...
   transmit $PASSWORD, raw
   transmit "^M"
   endif
   endif
   endif
endproc
)";

const std::string kLogin = "< \"\\r\\nWelcome\\r\\nService? \"\n+0.5s\n< \"p\\r\\nUsername: \"\n+0.3s\n< \"alice\\r\\nPassword: \"\n";
const std::string kDialogue = "> \"p\\r\"\n> \"alice\"\n> \"\\r\"\n> \"s^Me<cr>t\" secret\n> \"\\r\"\n";

}  // namespace

TEST_CASE("the script of KB175410 logs in, however the bytes are cut") {
  for (std::size_t chunk = 0; chunk < 20; ++chunk) {
    const Play p = play(kOzEmail, kLogin + "< \"\\r\\n~\\xFF}#\"\n", Duration(300'000), chunk);
    CHECK(p.log == kDialogue + "= ok at 800ms\n");
  }
}

TEST_CASE("the script of KB175410 ends at each silent prompt, within its own until") {
  Play p = play(kOzEmail, "");
  CHECK(p.log == "= unsuccessful at 1m30s\n");
  CHECK(p.finished.where.line == 4);
  CHECK(p.finished.reason == "waitfor \"ervice?\" had no answer within 1m30s; nothing was heard");
  CHECK(to_error(p.finished)->message() == "test.scp:4:4: waitfor \"ervice?\" had no answer within 1m30s; nothing was heard");
  CHECK(to_error(p.finished)->stage == Stage::login);
  p = play(kOzEmail, "< \"Service? \"\n+1s\n< \"Username: \"\n+2s\n< \"Please wait\\r\\n\"");
  CHECK(p.log == "> \"p\\r\"\n> \"alice\"\n> \"\\r\"\n= unsuccessful at 1m1s\n");
  CHECK(p.finished.where.line == 13);
  CHECK(p.finished.reason == "waitfor \"assword:\" had no answer within 1m; last heard \" Please wait\\r\\n\"");
}

TEST_CASE("carrier lost after every byte ends the run at once") {
  const std::string said = "Service? Username: Password: ";
  for (std::size_t n = 0; n + 1 < said.size(); ++n) {
    const Play p = play(kOzEmail, fmt::format("< {}\n! carrier-lost\n", quote(said.substr(0, n))), Duration(300'000), 1);
    CHECK(p.finished.outcome == Outcome::carrier_lost);
    CHECK(chat_status(p.finished) == 2);
    CHECK(p.log.find("at 0s") != std::string::npos);
  }
}

TEST_CASE("bytes behind the last match belong to whoever comes next") {
  const Play p = play_body("waitfor \"ready\" until 5\ntransmit \"go\"", "< \"not ready 220 mail\\r\\n\"");
  CHECK(p.finished.leftover == " 220 mail\r\n");
}

TEST_CASE("nothing is thrown away between two waits") {
  CHECK(play_body("waitfor \"a:\" until 5\ndelay 3\nwaitfor \"b:\" until 5\ntransmit \"x\"", "< \"a: b: \"\n").log == "> \"x\"\n= ok at 3s\n");
  CHECK(play_body("delay 3\nwaitfor \"b:\" until 0\ntransmit \"x\"", "+1s\n< \"b\"\n+1s\n< \":\"").log == "> \"x\"\n= ok at 3s\n");
  // A wait in vain uses nothing up; a match does.
  CHECK(play_body("waitfor \"xyz\" until 5\nwaitfor \"lo\" until 5\ntransmit \"1\"\nwaitfor \"lo\" until 5\n", "< \"hello\"\n").log ==
        "> \"1\"\n= unsuccessful at 10s\n");
}

TEST_CASE("the match that ends first wins, and of two the one listed first") {
  const std::string body = "waitfor \"password:\" then P, \"word\" then W, \"Word\", matchcase then M until 5\nhalt\n"
                           "P: transmit \"P\" goto out\nW: transmit \"W\" goto out\nM: transmit \"M\"\nout:";
  for (std::size_t chunk = 0; chunk < 5; ++chunk) {
    const std::string script = "proc main\n" + body + "\nendproc";
    CHECK(play(script, "< \"Password:\"", Duration(300'000), chunk).log == "> \"W\"\n= ok at 0s\n");
    CHECK(play(script, "< \"WORD\"", Duration(300'000), chunk).log == "> \"W\"\n= ok at 0s\n");
  }
  CHECK(play_body("waitfor \"bc\" then one, \"abc\" then two until 5\none: transmit \"1\" halt\ntwo: transmit \"2\"", "< \"abc\"").log ==
        "> \"1\"\n= halted at 0s\n");
  CHECK(play_body("waitfor \"abc\" then two, \"bc\" then one until 5\none: transmit \"1\" halt\ntwo: transmit \"2\"", "< \"abc\"").log ==
        "> \"2\"\n= ok at 0s\n");
}

TEST_CASE("a wait without then goes on, and sets $SUCCESS") {
  CHECK(play_body("waitfor \"a\", \"b\" until 5\nif $SUCCESS then transmit \"yes\" endif", "< \"b\"").log == "> \"yes\"\n= ok at 0s\n");
  const Play p = play_body("waitfor \"a\" until 5\nif $FAILURE and !$SUCCESS then transmit \"no\" endif", "< \"b\"");
  CHECK(p.log == "> \"no\"\n= unsuccessful at 5s\n");
  CHECK(play_body("if $SUCCESS then transmit \"true at the start\" endif").log == "> \"true at the start\"\n= ok at 0s\n");
}

TEST_CASE("--ignore-success") {
  CHECK(play("proc main waitfor \"a\" until 5 endproc", "", Duration(300'000), 0, true).log == "= ok at 5s\n");
}

TEST_CASE("the deadline ends every wait") {
  Play p = play_body("waitfor \"a\" until 500", "< \"zzz\"", Duration(20'000));
  CHECK(p.log == "= timed-out at 20s\n");
  CHECK(p.finished.reason == "the deadline of 20s passed in waitfor \"a\", after 20s (its own limit: 8m20s); last heard \"zzz\"");
  CHECK(play_body("waitfor \"a\"", "", Duration(20'000)).log == "= timed-out at 20s\n");
  CHECK(play_body("delay 100", "", Duration(20'000)).log == "= timed-out at 20s\n");
  CHECK(play_body("set ipaddr getip", "", Duration(20'000)).log == "= timed-out at 20s\n");
  CHECK(play_body("while TRUE do delay 1 endwhile", "", Duration(20'000)).log == "= timed-out at 20s\n");
  CHECK(play_body("while TRUE do waitfor \"x\" until 1 transmit \"?\" endwhile", "", Duration(2'500)).log == "> \"?\"\n> \"?\"\n= timed-out at 2s500ms\n");
  CHECK(play_body("delay 9223372036854775807", "", Duration(20'000)).log == "= timed-out at 20s\n");
}

TEST_CASE("a loop that waits for nothing is an error, not an end of the process") {
  for (const char* body : {"while TRUE do endwhile", "again: goto again", "while TRUE do delay 0 endwhile", "while TRUE do waitfor \"x\" until 0 endwhile",
                           "while TRUE do transmit \"x\" endwhile", "integer n = 0 while TRUE do n = n + 1 endwhile"}) {
    const Play p = play_body(body);
    CHECK(p.finished.outcome == Outcome::runtime_error);
    CHECK(p.finished.reason.find("runs on without waiting") != std::string::npos);
    CHECK(p.finished.where.line == 2);
  }
}

TEST_CASE("run-time errors have their place") {
  const auto error = [](const std::string& body) {
    const Play p = play_body(body);
    return p.finished.outcome == Outcome::runtime_error ? fmt::format("{}:{}", p.finished.where.line, p.finished.reason) : p.log;
  };
  CHECK(error("integer n = 0\nn = 5 / n") == "3:division by zero");
  CHECK(error("integer n = 9223372036854775807\nn = n + 1") == "3:the result does not fit in 64 bits");
  CHECK(error("integer n = -9223372036854775807 - 1\nn = -n") == "3:the result does not fit in 64 bits");
  CHECK(error("integer n = -9223372036854775807 - 1\nn = n / -1") == "3:the result does not fit in 64 bits");
  CHECK(error("integer n = 9223372036854775807\nn = n * 2") == "3:the result does not fit in 64 bits");
  CHECK(error("integer n = 1\ndelay n - 2") == "3:a delay of -1 seconds");
  CHECK(error("set ipaddr \"10.0.0.1; rm\"") == "2:set ipaddr: \"10.0.0.1; rm\" is not an address");
  CHECK(error("string s = getip 0") == "2:getip 0: addresses are counted from 1");
  CHECK(error("string s = \"xx\"\nwhile TRUE do s = s + s endwhile") == "3:the string grows beyond 1 MiB");
}

TEST_CASE("expressions") {
  const auto value = [](const std::string& expression) {
    return play_body("if " + expression + " then transmit \"T\" endif").log == "> \"T\"\n= ok at 0s\n";
  };
  CHECK(value("2 + 3 * 4 == 14"));
  CHECK(value("(2 + 3) * 4 == 20"));
  CHECK(value("-7 / 2 == -3"));
  CHECK(value("10 - 3 - 2 == 5"));
  CHECK(value("1 < 2 and 2 <= 2 and 3 > 2 and 2 >= 2"));
  CHECK(value("TRUE or FALSE and FALSE"));
  CHECK(value("!FALSE == TRUE"));
  CHECK(value("\"a\" + \"b\" == \"ab\""));
  CHECK(value("\"a\" != \"A\""));
  CHECK(value("\"^M\" != \"<cr>\""));
  CHECK(value("$USERID == \"alice\""));
  CHECK_FALSE(value("1 == 2"));
  CHECK(value("FALSE or 4 / 2 == 2"));
  CHECK_FALSE(value("FALSE and 1 / 0 == 1"));
  CHECK(value("TRUE or 1 / 0 == 1"));
}

TEST_CASE("variables, loops and jumps in and out of blocks") {
  CHECK(play_body("integer n = 3\nstring s\nwhile n > 0 do\ns = s + \"x\"\nn = n - 1\nendwhile\ntransmit s").log == "> \"xxx\"\n= ok at 0s\n");
  CHECK(play_body("goto inside\nif FALSE then\ninside:\ntransmit \"in\"\nwhile TRUE do\ngoto out\nendwhile\nendif\nout:\ntransmit \"out\"").log ==
        "> \"in\"\n> \"out\"\n= ok at 0s\n");
  CHECK(play_body("transmit \"a\"\nhalt\ntransmit \"b\"").log == "> \"a\"\n= halted at 0s\n");
}

TEST_CASE("transmit translates, also what comes from the user's name and password, unless it is raw") {
  CHECK(play_body(R"(transmit "^M^j^@^[\^\<cr>\"\\<CR><lf>^1<x>")").log == "> \"\\r\\n\\x00\\x1B^<cr>\\\"\\\\\\r\\n^1<x>\"\n= ok at 0s\n");
  CHECK(play_body(R"(transmit "^M\"\\<cr>", raw)").log == "> \"^M\\\"\\\\\\\\<cr>\"\n= ok at 0s\n");
  CHECK(play_body("transmit $PASSWORD\ntransmit $PASSWORD, raw").log == "> \"s\\re\\rt\" secret\n> \"s^Me<cr>t\" secret\n= ok at 0s\n");
  CHECK(play_body("string p = \"pw=\" + $PASSWORD\ntransmit p + \"^M\", raw").log == "> \"pw=s^Me<cr>t^M\" secret\n= ok at 0s\n");
  CHECK(play_body("transmit \"\"").log == "= ok at 0s\n");
}

TEST_CASE("waited-for strings are translated too") {
  CHECK(play_body("waitfor \"^Mok<lf>\" until 5\ntransmit \"x\"", "< \"\\rOK\\n\"").log == "> \"x\"\n= ok at 0s\n");
  CHECK(play_body("waitfor $USERID until 5\ntransmit \"x\"", "< \"ALICE\"").log == "> \"x\"\n= ok at 0s\n");
  CHECK(play_body("waitfor \"a^@b\" until 5\ntransmit \"x\"", "< \"a\\x00b\"").log == "> \"x\"\n= ok at 0s\n");
}

TEST_CASE("getip finds the n-th address and set ipaddr reports it") {
  const auto address = [](const std::string& body, const std::string& transcript) { return play_body(body, transcript).finished.address.value_or("none"); };
  CHECK(address("set ipaddr getip", "< \"Your address is ....10.1.2.3. Bye\"") == "10.1.2.3");
  CHECK(address("set ipaddr getip 2", "< \"Local 10.0.0.1, yours 10.0.0.27\\r\\n\"") == "10.0.0.27");
  CHECK(address("set ipaddr getip", "< \"v1.2.3.4.5 or 999.1.1.1, then 192.168.1.1\"\n+0.2s\n< \"00 \"") == "192.168.1.100");
  CHECK(address("string a = getip\nset ipaddr getip\n", "< \"10.0.0.1 10.0.0.2 10.0.0.3\"") == "10.0.0.2");
  const Play at_the_end = play_body("set ipaddr getip", "< \"IP 10.0.0.9\"");
  CHECK(at_the_end.log == "= ok at 1s\n");
  CHECK(at_the_end.finished.address == "10.0.0.9");
  CHECK(play_body("set ipaddr getip", "< \"IP 10.0.0.9 ~\\xFF\"").finished.leftover == " ~\xFF");
}

TEST_CASE("set port and set screen reach the caller") {
  CHECK(play_body("set port databits 7\nset port parity even\nset port stopbits 2\nset screen keyboard on\nset screen keyboard off").log ==
        "framing 7 -1 0\nframing 0 2 0\nframing 0 -1 2\nkeyboard on\nkeyboard off\n= ok at 0s\n");
}

TEST_CASE("a reason holds no secret, not even what the peer echoes of it") {
  Play p = play_body("transmit $PASSWORD\nwaitfor \"x\" + $PASSWORD until 5", "< \"s\\re\\rt and s^Me<cr>t, s^Me\"");
  CHECK(p.finished.reason == "waitfor \"********\" had no answer within 5s; last heard \"******** and ********, ********\"");
}

TEST_CASE("memory stays bounded under a flood, and the prompt behind it is found") {
  const ParsedScript parsed = parse_scp("t", "proc main\nwaitfor \"login:\" until 100\ntransmit \"x\"\nwaitfor \"never\"\nendproc");
  ScpMachine machine(parsed.program, {});
  machine.start(TimePoint{});
  const std::string block(65536, 'l');
  for (int i = 0; i < 200; ++i) {
    machine.on_bytes(block, TimePoint{});
    CHECK_FALSE(machine.next_action());
  }
  machine.on_bytes("ogin:", TimePoint{});
  CHECK(std::get<Write>(*machine.next_action()).bytes == "x");
  for (int i = 0; i < 200; ++i) machine.on_bytes(block, TimePoint{});
  CHECK_FALSE(machine.next_action());
  machine.on_closed(TimePoint{});
  CHECK(std::get<Finished>(*machine.next_action()).leftover.size() == 256 * 1024);
  machine.on_bytes("never", TimePoint{});
  machine.on_time(TimePoint{} + Duration(1'000'000));
  CHECK_FALSE(machine.next_action());
  CHECK_FALSE(machine.deadline());
}

TEST_CASE("an early on_time does nothing") {
  const ParsedScript parsed = parse_scp("t", "proc main\nwaitfor \"a\" until 10\nendproc");
  ScpMachine machine(parsed.program, {});
  CHECK_FALSE(machine.next_action());
  machine.start(TimePoint{});
  CHECK_FALSE(machine.next_action());
  CHECK(machine.deadline() == TimePoint{} + Duration(10'000));
  machine.on_time(TimePoint{} + Duration(9'999));
  CHECK_FALSE(machine.next_action());
  CHECK(machine.deadline() == TimePoint{} + Duration(10'000));
}
