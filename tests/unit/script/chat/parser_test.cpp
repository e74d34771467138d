// SPDX-License-Identifier: MIT
#include "script/chat/parser.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/text.hpp"
#include "script/chat/command_line.hpp"
#include "script/chat/text.hpp"

using namespace longline;
using namespace longline::script::chat;

namespace {

std::string steps(const std::string& text) {
  constexpr std::string_view kNames[] = {"expect", "send", "abort", "clear-abort", "report", "clear-report", "timeout", "echo", "hangup",
                                         "say", "unterminated"};
  std::string out;
  const Parsed parsed = parse("t", text);
  for (const Step& step : parsed.program->steps) {
    out += fmt::format("{}{} {}", out.empty() ? "" : " | ", kNames[static_cast<int>(step.kind)], quote(step.text));
  }
  return out;
}

std::string sent(const std::string& text, const Values& values = {}) {
  std::string out;
  const Sending sending = translate_send(text, values);
  for (const Piece& piece : sending.pieces) {
    if (const auto* bytes = std::get_if<std::string>(&piece)) out += *bytes;
    else out += std::holds_alternative<Pause>(piece) ? "[pause]" : "[break]";
  }
  return quote(out);
}

}  // namespace

TEST_CASE("words alternate over lines, comments and quotes") {
  CHECK(steps("# x\nABORT 'NO CARRIER'\n'' ATZ\n  # no comment\nOK\t\"a b\"\n") ==
        R"(abort "NO CARRIER" | expect "" | send "ATZ" | expect "#" | send "no" | expect "comment" | send "OK" | expect "a b")");
  CHECK(steps("a TIMEOUT TIMEOUT 5 Abort b ABORT") == R"(expect "a" | send "TIMEOUT" | timeout "5" | expect "Abort" | send "b")");
  CHECK(steps(R"('a\'b' "c"d)") == R"(expect "a\\'b" | send "c" | expect "d")");
}

TEST_CASE("an open quote is reported, and the words before it run") {
  const Parsed parsed = parse("t", "a b\nc 'd e\nf g");
  REQUIRE(parsed.diagnostics.size() == 1);
  CHECK(parsed.diagnostics[0].code == "unterminated-quote");
  CHECK(parsed.diagnostics[0].where.line == 2);
  CHECK(parsed.diagnostics[0].where.column == 3);
  CHECK(steps("a b\nc 'd e\nf g") == R"(expect "a" | send "b" | expect "c" | unterminated "d e")");
}

TEST_CASE("what is no text is refused whole") {
  const std::vector<std::pair<std::string, std::string>> texts{
      {"\xFF\xFE" "a", "utf-16"}, {std::string("a\0b", 3), "nul-byte"}, {std::string(1024 * 1024 + 1, 'x'), "file-too-large"}};
  for (const auto& [text, code] : texts) {
    const Parsed parsed = parse("t", text);
    REQUIRE(parsed.diagnostics.size() == 1);
    CHECK(parsed.diagnostics[0].code == code);
    CHECK(parsed.program->steps.empty());
  }
}

TEST_CASE("every escape, sent and expected") {
  CHECK(sent(R"(\b\n\r\t\s\\)") == R"("\x08\n\r\t \\\r")");
  CHECK(sent(R"(a\c)") == R"("a")");
  CHECK(sent(R"(a\cb)") == R"("acb\r")");
  CHECK(sent(R"(\d\p\K\c)") == R"("[pause][pause][break]")");
  CHECK(sent(R"(\N\0x\101\1011\1\134)") == R"("\x00\x00xAA1\x01\\\r")");
  CHECK(sent(R"(^M^@^^a^)") == "\"\\r\\x1Ea^\\r\"");
  CHECK(sent(R"(\)") == R"("\\\r")");
  CHECK(sent(R"(\z\T\q)") == R"("zT\r")");
  CHECK(translate_expect(R"(\N\0\d\c\K\T\z\\\s^A\52)", {}) == "NdcK\\Tz\\ \x01*");
  CHECK(translate_expect("^", {}) == "^");
  CHECK(translate_expect("a\\", {}) == "a");
}

TEST_CASE("the command line is chat's, and has more") {
  const auto parsed = parse_command_line({"-vs", "-t5", "-T", "12", "--safe", "--deadline=2m", "OK-AT-OK", "-x"});
  REQUIRE(parsed);
  CHECK(parsed->verbose);
  CHECK(parsed->to_stderr);
  CHECK(parsed->timeout == Duration(5000));
  CHECK(parsed->phone == "12");
  CHECK(parsed->safe);
  CHECK(parsed->deadline == Duration(120'000));
  CHECK(parsed->script == std::vector<std::string>{"OK-AT-OK", "-x"});
  CHECK(!parse_command_line({"-x"}));
  CHECK(!parse_command_line({"-t"}));
  CHECK(!parse_command_line({"-f", "a", "b"}));
  CHECK(parse_command_line({"-r"}));
  CHECK(parse_command_line({"--", "-t"})->script.size() == 1);
}
