// SPDX-License-Identifier: MIT
#include "script/chat/to_scp.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/text.hpp"
#include "script/scp/script.hpp"
#include "unit/script/play.hpp"

using namespace longline;
using namespace longline::script;
using namespace longline::script::test;

namespace {

chat::Converted convert(const std::string& text, chat::ConvertOptions options = {}) { return chat::to_scp(chat::parse("t.chat", text), options); }

std::string codes(const chat::Converted& converted) {
  std::string out;
  for (const Diagnostic& d : converted.report) out += fmt::format("{}{}:{}", out.empty() ? "" : " ", d.code, d.where.line);
  return out;
}

/// The bytes that go out, without when and how.
std::string sent_in_log(const std::string& log) {
  std::string out;
  std::string_view rest = log;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (line.starts_with("> ")) out += line.substr(3, line.rfind('"') - 3);
  }
  return out;
}

}  // namespace

TEST_CASE("a converted script has the same dialogue and the same end") {
  const std::vector<std::string> scripts{
      "ABORT BUSY ABORT 'NO CARRIER' TIMEOUT 5 '' ATZ OK ATDT5551212 TIMEOUT 70 CONNECT '' TIMEOUT 9 ogin:--ogin: alice ssword: s3same",
      "ogin:-BREAK-ogin: a\\d\\db ssword: x\\c",
      "TIMEOUT 3 a-b-c-d-e f g \\c",
      "TIMEOUT 3 a-b c d",
      "'' x\\N^C\\\\\\^y",
      "ABORT a ABORT b CLR_ABORT a TIMEOUT 4 a b",
  };
  const std::vector<std::string> peers{
      "", "< \"OK\\r\\n\"\n+2s\n< \"CONNECT\"\n+1s\n< \"login: \"\n+1s\n< \"Password:\"\n",
      "< \"OK BUSY\"\n+1s\n< \"b\"\n", "+4s\n< \"c\"\n+1s\n< \"login:\"\n+50s\n< \"login:\"\n< \"g\"\n", "< \"a\"\n< \"b\"\n< \"g\"\n"};
  for (const std::string& script : scripts) {
    const chat::Converted converted = convert(script);
    const ParsedScript parsed = parse_scp("t.scp", converted.text);
    REQUIRE_MESSAGE(parsed.program != nullptr, converted.text);
    for (const std::string& peer : peers) {
      const Play before = play_chat(script, peer, as_chat());
      const Play after = play(converted.text, peer);
      CHECK_MESSAGE(sent_in_log(after.log) == sent_in_log(before.log), script, "\n", peer, "\n", converted.text);
      CHECK_MESSAGE(chat_status(after.finished) == std::min(4, chat_status(before.finished)), script, "\n", peer, "\n", converted.text);
    }
  }
}

TEST_CASE("every byte can be sent") {
  for (int byte = 0; byte < 256; ++byte) {
    const chat::Converted converted = convert(fmt::format("'' 'x\\{:03o}\\c'", byte));
    const std::string bytes = std::string("x") + static_cast<char>(byte);
    CHECK_MESSAGE(play(converted.text, "").log == fmt::format("> {}\n= ok at 0s\n", quote(bytes)), converted.text);
  }
}

TEST_CASE("what cannot be carried is said, once each, and comments stay") {
  const chat::Converted converted = convert("# dial\nSAY 'hi' ECHO ON REPORT CONN HANGUP OFF\n'' BREAK\n# log in\nOK \\T\nlogin: @f");
  CHECK(codes(converted) == "not-carried:2 not-carried:2 not-carried:2 not-carried:2 not-carried:3 not-carried:5 not-carried:6");
  CHECK(converted.text.find("   ; dial\n") < converted.text.find("   ; log in\n"));
}

TEST_CASE("what would grow too large is refused") {
  std::string text;
  for (int i = 0; i < 60; ++i) text += fmt::format("ABORT {:080} ", i);
  for (int i = 0; i < 5000; ++i) text += "a b ";
  const chat::Converted converted = convert(text);
  CHECK(converted.text.empty());
  CHECK(has_errors(converted.report));
}

TEST_CASE("names and passwords become variables where they are known or asked for") {
  const std::string script = "ogin: alice ssword: s3same";
  chat::ConvertOptions options;
  options.credentials = true;
  for (int round = 0; round < 2; ++round) {
    const chat::Converted converted = convert(script, options);
    CHECK(converted.text.find("transmit $USERID, raw\n   transmit \"^M\"") != std::string::npos);
    CHECK(converted.text.find("transmit $PASSWORD, raw\n   transmit \"^M\"") != std::string::npos);
    CHECK(converted.text.find("s3same") == std::string::npos);
    options = {"alice", Secret("s3same"), false, std::nullopt, std::nullopt};
  }
  CHECK(codes(convert(script)) == "literal-password:1");
  CHECK(convert("ssword: x$PASSWORD").text.find("transmit \"x\"\n   transmit $PASSWORD, raw\n   transmit \"^M\"") != std::string::npos);
  CHECK(convert("'' ATDT\\T", {std::nullopt, std::nullopt, false, "5551", std::nullopt}).text.find("\"ATDT5551^M\"") != std::string::npos);
}
