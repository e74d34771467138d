// SPDX-License-Identifier: MIT
#include "script/chat/lint.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace longline;
using namespace longline::script;

namespace {

std::string lints(const std::string& text, Duration deadline = Duration(300'000)) {
  const chat::Parsed parsed = chat::parse("t.chat", text);
  REQUIRE(!has_errors(parsed.diagnostics));
  std::string out;
  for (const Diagnostic& d : chat::lint(parsed, {deadline})) out += fmt::format("{}{}:{}:{}", out.empty() ? "" : " ", d.code, d.where.line, d.where.column);
  return out;
}

}  // namespace

TEST_CASE("a careful script has no finding") {
  CHECK(lints("ABORT BUSY\nABORT 'NO CARRIER'\nTIMEOUT 5\n'' ATZ\nOK ATDT5551212\nTIMEOUT 75\nCONNECT ''\nTIMEOUT 30\nogin: alice\nssword: @secret\n") == "");
  CHECK(lints("ogin: $USERID ssword: \\q$PASSWORD") == "");
}

TEST_CASE("TIMEOUT below the modem's S7, its default too, and S7 of the script") {
  CHECK(lints("'' ATZ OK ATDT5551212 CONNECT ''") == "timeout-below-s7:1:23");
  CHECK(lints("TIMEOUT 55 '' ATD5 CONNECT ''") == "timeout-below-s7:1:20");
  CHECK(lints("TIMEOUT 55 '' ATS7=50 OK ATX3DP5 CONNECT ''") == "");
  CHECK(lints("TIMEOUT 70 '' ATS7=90 OK ATD*99# CONNECT ''") == "timeout-below-s7:1:34");
  CHECK(lints("TIMEOUT 5 '' AT&D2 OK ATZ OK ''") == "");
}

TEST_CASE("units in TIMEOUT") {
  CHECK(lints("TIMEOUT 500ms a b") == "timeout-unit:1:9");
  CHECK(lints("TIMEOUT 0 a b") == "timeout-unit:1:9");
  const auto parsed = chat::parse("t", "TIMEOUT 90s a b");
  CHECK(chat::lint(parsed)[0].fix == "TIMEOUT 90");
}

TEST_CASE("a keyword that is nearly one, or stands in the wrong place") {
  CHECK(lints("ABROT BUSY Timeout 5 ECH ON a b") == "misspelt-keyword:1:1 misspelt-keyword:1:12 misspelt-keyword:1:22");
  CHECK(lints("ABORTS x SAYS y") == "misspelt-keyword:1:1 misspelt-keyword:1:10");
  CHECK(lints("day x BY y 'ABROT' z OKAY u") == "");
  CHECK(lints("CONNECT TIMEOUT 10 a") == "keyword-sent:1:9");
  CHECK(lints("a b ABORT") == "missing-argument:1:5");
}

TEST_CASE("ABORT: late, empty, in an echo") {
  CHECK(lints("TIMEOUT 70 '' ATDT5 CONNECT '' ABORT BUSY ogin: x") == "late-abort:1:38");
  CHECK(lints("TIMEOUT 70 '' ATDT5 ABORT BUSY CONNECT ''") == "late-abort:1:27");
  CHECK(lints("TIMEOUT 70 '' ATDT5 CONNECT '' ABORT incorrect ogin: x") == "");
  CHECK(lints("ABORT BUSY CLR_ABORT BUSY TIMEOUT 70 '' ATDT5 CONNECT '' ABORT BUSY ogin: x") == "");
  CHECK(lints("TIMEOUT 70 '' ATDT5 CONNECT \\c HANGUP OFF ABORT 'NO CARRIER' ogin: x") == "");
  CHECK(lints("ABORT '' a b") == "empty-abort:1:7");
  CHECK(lints("ABORT DT '' ATDT5 TIMEOUT 70 CONNECT ''") == "abort-in-echo:1:7");
  CHECK(lints("ABORT ali ogin: alice") == "abort-in-echo:1:7");
}

TEST_CASE("a password in the script, in the log") {
  CHECK(lints("ssword: s3same") == "missing-q:1:9 literal-password:1:9");
  CHECK(lints("ssword: \\qs3same") == "literal-password:1:9");
  CHECK(lints("ssword: $PASSWORD") == "missing-q:1:9");
  CHECK(lints("ssword: '' OK x") == "");
}

TEST_CASE("a large script is looked through at once") {
  std::string aborts = "ABORT " + std::string(300'000, 'x') + " ";
  for (int i = 0; i < 60'000; ++i) aborts += "a b ";
  CHECK(lints(aborts, Duration(100'000'000'000)) == "");
  std::string many;
  for (int i = 0; i < 40'000; ++i) many += "ABORT q a b ";
  CHECK(lints(many, Duration(100'000'000'000)) == "");
}

TEST_CASE("waits that add up, line ends of DOS, eight bits") {
  CHECK(lints("TIMEOUT 100 a-b-c d e f", Duration(250'000)) == "beyond-deadline:1:21");
  CHECK(lints("a b\r\nc d\r\n") == "dos-line-end:1:3");
  CHECK(lints("\\351 d") == "eight-bits:1:1");
}
