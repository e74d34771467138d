// SPDX-License-Identifier: MIT
#include "script/transcript.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace longline;
using namespace longline::script;

namespace {
TimePoint at(int ms) { return TimePoint{} + Duration(ms); }
}  // namespace

TEST_CASE("what stands beside a secret is masked with it") {
  CHECK(masked({"1234token\r", true}, {Secret("token")}) == "********\r");
  CHECK(masked({"x token\r", false}, {Secret("token")}) == "x ********\r");
  CHECK(masked({"\r", true}, {}) == "\r");
  TranscriptWriter writer({Secret("token")}, TimePoint{});
  std::string text = writer.sent({"1234token\r", true}, TimePoint{});
  text += writer.received("1234token\r\n", TimePoint{}) + writer.finish(TimePoint{});
  CHECK(text.find("1234") == std::string::npos);
}

TEST_CASE("a transcript is written a line of text a line, with the pauses between") {
  TranscriptWriter writer({Secret("sesame!")}, at(0));
  std::string out = writer.received("Wel", at(20));
  out += writer.received("come\r\nlog", at(40));
  out += writer.received("in: ", at(60));
  out += writer.sent({"alice", false}, at(70));
  out += writer.sent({"\r", false}, at(70));
  out += writer.received("Password:", at(1570));
  out += writer.sent({"sesame!", true}, at(1600));
  out += writer.sent({"\r", false}, at(1600));
  out += writer.carrier_lost(at(3600));
  out += writer.finish(at(3600));
  CHECK(out ==
        "< \"Welcome\\r\\n\"\n< \"login: \"\n> \"alice\\r\"\n+1.57s\n< \"Password:\"\n> \"********\\r\"\n+2.03s\n! carrier-lost\n");
}

TEST_CASE("an echoed secret is masked at every split and pause") {
  const std::string echo = "you said sesame! twice: sesame!\r\n";
  for (std::size_t cut = 0; cut <= echo.size(); ++cut) {
    for (const int pause : {0, 5000}) {
      TranscriptWriter writer({Secret("sesame!")}, at(0));
      std::string out = writer.received(echo.substr(0, cut), at(0));
      if (cut % 2 == 1) out += writer.sent({"x", false}, at(pause));
      out += writer.received(echo.substr(cut), at(pause));
      out += writer.finish(at(pause));
      CHECK(out.find("sesam") == std::string::npos);
      CHECK(out.find("same!") == std::string::npos);
      CHECK(out.find("ame!") == std::string::npos);
    }
  }
}

TEST_CASE("a secret sent in another form is masked, and its echo") {
  TranscriptWriter writer({Secret("a^Mb")}, at(0));
  std::string out = writer.sent({"a\rb", true}, at(0));
  out += writer.received("a\rb\r\n", at(0));
  out += writer.finish(at(0));
  CHECK(out == "> \"********\"\n< \"********\\r\\n\"\n");
}

TEST_CASE("a transcript is bounded and says so") {
  TranscriptWriter writer({}, at(0), 4096);
  std::string out;
  for (int i = 0; i < 1000; ++i) out += writer.received(std::string(1000, 'x'), at(i));
  out += writer.finish(at(1000));
  CHECK(out.size() < 8192);
  CHECK(out.find("# the transcript ends here") != std::string::npos);
}

TEST_CASE("what is written is read again") {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  TranscriptWriter writer({}, at(0));
  std::string text = "# a comment\n\n";
  text += writer.sent({all, false}, at(1234));
  text += writer.finish(at(1234));
  const auto events = parse_transcript("t", text + "+2m\n! carrier-lost\n< \"\"\n");
  REQUIRE(events);
  REQUIRE(events->size() == 5);
  CHECK((*events)[0].passed == Duration(1234));
  CHECK((*events)[1].bytes == all);
  CHECK((*events)[2].passed == Duration(120'000));
  CHECK((*events)[3].kind == TranscriptEvent::Kind::carrier_lost);
  CHECK((*events)[4].bytes.empty());
  CHECK((*events)[4].line == 7);
}

TEST_CASE("what is no transcript is refused with its place") {
  const auto wrong = [](const std::string& text) { return parse_transcript("t", text).error().message(); };
  CHECK(wrong("# x\nhello\n") == "t:2:1: a line starts with <, >, +, ! or #");
  CHECK(wrong("< \"abc\n") == "t:1:7: the closing quote is missing");
  CHECK(wrong("< \"a\\q\"\n") == "t:1:5: the escapes are \\r \\n \\t \\xHH \\\" and \\\\");
  CHECK(wrong("< \"a\" b\n") == "t:1:7: there is something behind the closing quote");
  CHECK(wrong("! gone\n") == "t:1:3: only 'carrier-lost' may stand behind '!'");
  CHECK(wrong("+1.s\n") == "t:1:2: a time is written +1.5s");
  CHECK(wrong("< \"a\\x4\n") == "t:1:5: the escapes are \\r \\n \\t \\xHH \\\" and \\\\");
}
