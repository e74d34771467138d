// SPDX-License-Identifier: MIT
#include "script/chat/machine.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/text.hpp"
#include "unit/script/play.hpp"

using namespace longline;
using namespace longline::script;
using namespace longline::script::test;

namespace {

const std::string kDial = "ABORT BUSY ABORT 'NO CARRIER' TIMEOUT 5 '' ATZ OK ATDT5551212 TIMEOUT 70 CONNECT '' TIMEOUT 9 ogin:--ogin: alice ssword: \\qs3same";

std::string say(const std::string& text) { return fmt::format("< {}\n", quote(text)); }

}  // namespace

TEST_CASE("a dialogue of the manual, in any pieces and as chat would") {
  const std::string peer = say("ATZ\r\nOK\r\n") + "+1s\n" + say("ATDT5551212\r\n") + "+20s\n" + say("CONNECT 9600\r\n") + "+1s\n" + say("login: ") +
                           "+1s\n" + say("alice\r\nPassword: ");
  const std::string sent = "discard\n> \"ATZ\\r\"\ndiscard\n> \"ATDT5551212\\r\"\n> \"\\r\"\n> \"alice\\r\"\n> \"s3same\\r\" secret\n= ok at 23s\n";
  for (const std::size_t chunk : {0U, 1U, 2U, 3U, 7U}) CHECK(play_chat(kDial, peer, {}, chunk).log == sent);
  std::string as_chat_does = sent;
  for (std::size_t at; (at = as_chat_does.find("discard\n")) != std::string::npos;) as_chat_does.erase(at, 8);
  for (const std::size_t chunk : {0U, 1U, 3U}) CHECK(play_chat(kDial, peer, as_chat(), chunk).log == as_chat_does);
}

TEST_CASE("an abort string ends the run with its number, wherever the bytes are cut") {
  for (const std::size_t chunk : {0U, 1U, 4U}) {
    const Play p = play_chat(kDial, say("OK\r\n") + "+2s\n" + say("\r\nNO CARRIER\r\n"), {}, chunk);
    CHECK(p.finished.outcome == Outcome::aborted);
    CHECK(chat_status(p.finished) == 5);
    CHECK(p.finished.reason.find("\"NO CARRIER\" came, which is ABORT string 2") == 0);
  }
}

TEST_CASE("the expect comes before an equal abort string; the abort strings in their order") {
  CHECK(play_chat("ABORT xOK ABORT OK OK y", say("OK"), as_chat()).log == "> \"y\\r\"\n= ok at 0s\n");
  CHECK(chat_status(play_chat("ABORT KO ABORT O ABORT OK zz y", say("xOKO"), as_chat()).finished) == 5);
  CHECK(chat_status(play_chat("ABORT '' zz y", say("x"), as_chat()).finished) == 4);
  CHECK(play_chat("ABORT '' x y", say("x"), as_chat()).finished.outcome == Outcome::ok);
  CHECK(play_chat("ABORT '' zz y", say("xzz")).finished.outcome == Outcome::ok);
  CHECK(chat_status(play_chat("ABORT BUSY ABORT VOICE CLR_ABORT BUSY zz y", say("BUSY VOICE")).finished) == 4);
}

TEST_CASE("sub-expects send on a time-out only, and a dash at the end begins nothing") {
  CHECK(play_chat("TIMEOUT 2 a-b-c-d-e f", "+1s\n" + say("x") + "+2s\n" + say("c"), as_chat()).log == "> \"b\\r\"\n> \"f\\r\"\n= ok at 3s\n");
  CHECK(play_chat("TIMEOUT 2 a-b-c-d-e f", "", as_chat()).log == "> \"b\\r\"\n> \"d\\r\"\n= unsuccessful at 6s\n");
  CHECK(play_chat("TIMEOUT 2 OK-- f", "", as_chat()).log == "> \"\\r\"\n> \"f\\r\"\n= ok at 2s\n");
  CHECK(play_chat("TIMEOUT 2 OK- f", "", as_chat()).log == "= unsuccessful at 2s\n");
  CHECK(play_chat("a\\-b x", say("a-b")).log == "> \"x\\r\"\n= ok at 0s\n");
  CHECK(chat_status(play_chat("TIMEOUT 2 ABORT no a-b-c f", say("no")).finished) == 4);
  // What was read by the expect whose time was over is gone.
  CHECK(play_chat("TIMEOUT 2 ab-x-b f", say("b"), as_chat()).log == "> \"x\\r\"\n= unsuccessful at 4s\n");
}

TEST_CASE("pauses and breaks stand where they are written; the time-out covers them only in chat") {
  CHECK(play_chat("'' a\\d\\db\\p\\Kc\\c", "").log == "> \"a\"\n> \"b\"\nbreak\n> \"c\"\n= ok at 2s10ms\n");
  CHECK(play_chat("TIMEOUT 2 '' a\\d\\d\\db", "", as_chat()).log == "> \"a\"\n= not-sent at 3s\n");
  CHECK(chat_status(play_chat("TIMEOUT 2 '' a\\d\\d\\db", "", as_chat()).finished) == 1);
  CHECK(play_chat("TIMEOUT 2 '' a\\d\\d\\db", "").log == "> \"a\"\n> \"b\\r\"\n= ok at 3s\n");
  CHECK(play_chat("'' EOT '' BREAK", "").log == "> \"\\x04\"\nbreak\n= ok at 0s\n");
}

TEST_CASE("chat sends a byte every ten milliseconds") {
  ChatOptions options = as_chat();
  options.pace = Duration(10);
  CHECK(play_chat("'' ab", "", options).log == "> \"a\"\n> \"b\"\n> \"\\r\"\n= ok at 20ms\n");
}

TEST_CASE("the eighth bit is parity, unless the expect has one itself") {
  CHECK(play_chat("OK x", say("\xCFK")).log == "> \"x\\r\"\n= ok at 0s\n");
  CHECK(play_chat("\\351 x", say("\xE9")).log == "> \"x\\r\"\n= ok at 0s\n");
  CHECK(play_chat("\\351 x", say("i")).finished.outcome == Outcome::unsuccessful);
}

TEST_CASE("an answer from before a modem command is none") {
  const std::string peer = say("OK\r\n") + "+1s\n" + say("+\r\nOK\r\n") + "+1s\n" + say("OK\r\n") + "+1s\n" + say("CONNECT");
  CHECK(play_chat("'' \\d\\dATZ OK ATD1 CONNECT x", peer).log == "discard\n> \"ATZ\\r\"\ndiscard\n> \"ATD1\\r\"\n> \"x\\r\"\n= ok at 3s\n");
  CHECK(play_chat("'' \\d\\dATZ OK ATD1 CONNECT x", peer, as_chat()).log.find("> \"ATZ\\r\"\n> \"ATD1\\r\"\n") == 0);
}

TEST_CASE("abort strings are looked for all the time, but not in an echo") {
  const std::string straddles = say("CONNECT NO CAR") + "+1s\n" + say("RIER\r\n");
  CHECK(play_chat("ABORT 'NO CARRIER' CONNECT \\c 'CAR' \\c login: x", straddles).finished.outcome == Outcome::aborted);
  CHECK(play_chat("ABORT 'NO CARRIER' CONNECT \\c 'CAR' \\c login: x", straddles, as_chat()).finished.outcome == Outcome::unsuccessful);
  // While it sends.
  CHECK(play_chat("ABORT BUSY '' a\\d\\db OK x", say("BUSY")).log == "> \"a\"\n= aborted 0 at 0s\n");
  // The command's own echo, and a real one behind it.
  const std::string script = "ABORT 5551 '' ATDT5551212 CONNECT x";
  CHECK(play_chat(script, say("ATDT5551212\r\nCONNECT")).finished.outcome == Outcome::ok);
  CHECK(play_chat(script, say("ATDT5551212\r\nCONNECT"), as_chat()).finished.outcome == Outcome::aborted);
  CHECK(play_chat(script, say("ATDT5551212\r\n5551")).finished.outcome == Outcome::aborted);
  for (const std::size_t chunk : {0U, 1U, 5U}) {
    CHECK(play_chat("ABORT ATE '' ATD1 CONNECT x", say("ATE1 CONNECT"), {}, chunk).finished.outcome == Outcome::aborted);
  }
}

TEST_CASE("an abort string that begins with a line end is found before an echo; an echo behind a blank is one") {
  CHECK(play_chat("ABORT '\\nBUSY\\r' '' ATDT1 CONNECT ''", say("\r\nBUSY\r\n")).finished.outcome == Outcome::aborted);
  const std::string peer = say("login: ") + "+1s\n" + say("ERRORbob\r\nok");
  CHECK(play_chat("ABORT ERROR ogin: ERRORbob ok \\c", peer).finished.outcome == Outcome::ok);
  CHECK(play_chat("ABORT '' ogin: x ok \\c", say("\xFF") + say("login:ok")).finished.outcome == Outcome::ok);
}

TEST_CASE("the end of the stream: chat reads on, we do not") {
  const std::string script = "a-b-c d";
  CHECK(chat_status(play_chat(script, "! carrier-lost\n").finished) == 2);
  CHECK(play_chat(script, "! carrier-lost\n", as_chat()).log == "> \"b\\r\"\n= unsuccessful at 0s\n");   // stdin may end, and stdout not
  CHECK(chat_status(play_chat("a-b\\d-c d", "! carrier-lost\n! carrier-lost\n", as_chat()).finished) == 1);
  CHECK(chat_status(play_chat("a d", "! carrier-lost\n", as_chat()).finished) == 3);
  CHECK(play_chat("a-\\c-c d", "! carrier-lost\n", as_chat()).log == "= unsuccessful at 0s\n");
}

TEST_CASE("keywords: ECHO, SAY, REPORT, HANGUP, TIMEOUT") {
  CHECK(play_chat("ECHO ON a \\c ECHO OFF b \\c", say("xa") + say("yb")).log == "echo \"xa\"\n= ok at 0s\n");
  CHECK(play_chat("SAY 'hello\\n' '' \\c", "").log == "say \"hello\\n\"\n= ok at 0s\n");
  CHECK(play_chat("SAY 'hello\\n' '' \\c", "", as_chat()).log == "say \"hello\\n\\r\"\n= ok at 0s\n");
  CHECK(play_chat("HANGUP OFF HANGUP on '' \\c", "").log == "hangup off\nhangup on\n= ok at 0s\n");
  CHECK(play_chat("REPORT CONN CONN \\c x \\c", say("CONNECT 9600\r\nx")).log == "report \"CONNECT 9600\"\n= ok at 0s\n");
  // At the end the rest of the line is waited for, and what is behind it left alone.
  const Play p = play_chat("REPORT CONN CONN \\c", say("CONN") + "+500ms\n" + say("ECT 9600\r~PPP"));
  CHECK(p.log == "report \"CONNECT 9600\"\n= ok at 500ms\n");
  CHECK(p.finished.leftover == "~PPP");
  CHECK(play_chat("REPORT CONN CONN \\c", say("CONNECT")).log == "report \"CONNECT\"\n= ok at 1s\n");
  CHECK(play_chat("TIMEOUT 500ms a b", "").log == "= unsuccessful at 500ms\n");
  CHECK(play_chat("TIMEOUT 500ms a b", "", [] { ChatOptions o = as_chat(); o.deadline = Duration(1'000'000); return o; }()).log == "= unsuccessful at 8m20s\n");
  CHECK(play_chat("TIMEOUT -1 a b", "", as_chat()).log == "= unsuccessful at 45s\n");
  CHECK(play_chat("a b", "").log == "= unsuccessful at 1m\n");
}

TEST_CASE("values: as they are, or with chat's second look") {
  ChatOptions options;
  options.values = login_values("p^ss\\d", Secret("s\\cr$t"));
  CHECK(play_chat("'' $USERID '' x$PASSWORD\\c '' \\$HOME$HOME", "", options).log ==
        "> \"p^ss\\\\d\\r\"\n> \"xs\\\\cr$t\" secret\n> \"$HOME$HOME\\r\"\n= ok at 0s\n");
  ChatOptions chat = as_chat();
  chat.values.phone = "12\\d3";
  CHECK(play_chat("'' A\\TB\\U", "", chat).log == "> \"A12\"\n> \"3BU\\r\"\n= ok at 1s\n");
  chat.read_file = [](const std::string& path) { return path == "f" ? Result<std::string>("a^Jb") : Result<std::string>(Error(Errc::not_found, "no")); };
  CHECK(play_chat("'' @f", "", chat).log == "> \"a\\nb\\r\" secret\n= ok at 0s\n");
  chat.drop_in = false;
  CHECK(play_chat("'' '@ f'", "", chat).log == "> \"a^Jb\\r\" secret\n= ok at 0s\n");
  CHECK(chat_status(play_chat("'' @g", "", chat).finished) == 1);
}

TEST_CASE("-v masks what is secret, also in what comes back") {
  ChatOptions options = as_chat();
  options.log = true;
  const std::string log = play_chat("ssword: s3same OK x", say("Password:") + "+1s\n" + say("s3sa") + "+1s\n" + say("me\r\nOK"), options).log;
  CHECK(log.find("log \"send (?\?\?\?\?\?)\"") != std::string::npos);
  CHECK(log.find("log \"********^M\"\n") != std::string::npos);
  CHECK(log.find("s3s", log.find("OK")) == std::string::npos);
  std::string echo = "s3same";
  for (char& c : echo) c = static_cast<char>(c | (c % 2 << 7));   // parity, of a kind
  options.echo = true;
  CHECK(play_chat("ssword: s3same OK x", say("Password:") + "+1s\n" + say(echo + "\r\nOK"), options).log.find("me\r") == std::string::npos);
}

TEST_CASE("the deadline ends what TIMEOUT 0 would not") {
  ChatOptions options = as_chat();
  options.timeout = Duration(0);
  options.deadline = Duration(7000);
  CHECK(play_chat("a b", "", options).log == "= timed-out at 7s\n");
}

TEST_CASE("a flood is bounded and the answer is found behind it") {
  const chat::Parsed parsed = chat::parse("f.chat", "ABORT BUSY ogin: x");
  ChatMachine machine(parsed.program, {});
  machine.start(TimePoint{});
  CHECK(!machine.next_action());
  const std::string block(65536, 'l');
  for (int i = 0; i < 200; ++i) machine.on_bytes(block, TimePoint{});
  machine.on_bytes("login:", TimePoint{});
  const auto action = machine.next_action();
  REQUIRE(action);
  CHECK(std::get<Write>(*action).bytes == "x\r");
}
