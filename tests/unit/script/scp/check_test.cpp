// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <string>

#include "script/scp/script.hpp"
#include "unit/script/play.hpp"

using namespace longline;
using namespace longline::script;
using namespace longline::script::test;

namespace {

std::string repeat(const std::string& what, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += what;
  return out;
}

}  // namespace

TEST_CASE("a truncated script gives one error for each block that is not closed") {
  CHECK(findings("proc main\n waitfor \"a\"\n if $SUCCESS then\n if TRUE then\n transmit \"x\"\n") ==
        "missing-endproc:1 missing-endif:3 missing-endif:4");
  const ParsedScript script = parse_scp("isp.scp", "proc main\n  if TRUE then\n");
  REQUIRE(script.diagnostics.size() == 2);
  CHECK(render(script.diagnostics[1], *script.source) ==
        "isp.scp:2:3: error: 'endif' is missing before the end of the script: it closes the 'if' on line 2 [missing-endif]\n"
        "      if TRUE then\n      ^~\n  fix: add 'endif'\n");
  CHECK(script.program == nullptr);
}

TEST_CASE("a block is closed by its own word, and the others are reported where they belong") {
  CHECK(findings("proc main\nwhile TRUE do\nif TRUE then\nendwhile\nendproc\n") == "missing-endif:3");
  CHECK(findings("proc main\nif TRUE then\nendproc\nproc other\nendproc\n") == "missing-endif:2 unused-procedure:4");
  CHECK(findings("proc main\nproc b\nendproc\n") == "missing-endproc:1 unused-procedure:2");
  CHECK(findings("proc main\nendif\nendwhile\nhalt\nendproc\n") == "stray-endif:2 stray-endwhile:3");
  CHECK(findings("proc main\nendproc\nendproc\n") == "outside-procedure:3");
}

TEST_CASE("every error of syntax is reported, and what stands behind it is still read") {
  CHECK(findings_of_body("trasmit \"x\"\ntransmit\nwaitfor \"a\" until\ndelay 2\ngoto\nset port speed 9600\nset port databits 9\n"
                         "transmit \"x\", row\nhalt") ==
        "unknown-command:2 expected-expression:4 expected-expression:5 expected-name:7 expected-setting:7 expected-setting:8 expected-raw:9");
  CHECK(findings_of_body("if then\ntransmit \"x\"\nendif") == "expected-expression:2");
  CHECK(findings_of_body("if TRUE\ntransmit \"x\"\nendif") == "missing-then:3");
  CHECK(findings_of_body("if TRUE then\nhalt\nelse\nhalt\nendif") == "no-else:4");
  CHECK(findings_of_body("waitfor \"a\" then L \"b\" then L\nL:") == "expected-command:2");
  CHECK(findings_of_body("integer if\ninteger n =\ndelay 3\nn = 3") == "reserved-word:2 expected-expression:4");
  CHECK(findings_of_body("transmit (\"x\"") == "missing-parenthesis:2");
  CHECK(findings("transmit \"x\"\n") == "no-main:0 outside-procedure:1");
  CHECK(findings("") == "no-main:0");
}

TEST_CASE("a misspelt word has its fix") {
  const ParsedScript script = parse_scp("t", "proc main\n waitfro \"x\"\n goto Lop\nLoop:\nendproc\n");
  REQUIRE(script.diagnostics.size() == 2);
  CHECK(script.diagnostics[0].fix == "waitfor");
  CHECK(script.diagnostics[1].fix == "Loop");
}

TEST_CASE("literals end on their line, and numbers have no units") {
  CHECK(findings_of_body("transmit \"abc\ntransmit \"d\\\"") == "unterminated-string:2 unterminated-string:3");
  CHECK(findings_of_body("delay 5s\ndelay 99999999999999999999") == "bad-number:2 number-too-large:3");
  CHECK(findings_of_body("transmit 'x'\n# comment") == "stray-characters:2 undeclared:2 stray-characters:2 stray-characters:3 unknown-command:3");
}

TEST_CASE("types") {
  CHECK(findings_of_body("integer n = \"x\"\nstring s = 1 + 2\nboolean b = 1 < 2\nn = b\ns = s + n\nb = s + s == \"x\"\nb = b + b") ==
        "type-mismatch:2 type-mismatch:3 type-mismatch:5 type-mismatch:6 type-mismatch:8");
  CHECK(findings_of_body("if 1 then endif\nwhile \"x\" do endwhile\ndelay \"x\"\ntransmit 5\nwaitfor TRUE until \"x\"\nset ipaddr 5") ==
        "type-mismatch:2 type-mismatch:3 type-mismatch:4 type-mismatch:5 type-mismatch:6 type-mismatch:6 type-mismatch:7");
  CHECK(findings_of_body("boolean b = 1 < 2 == TRUE and ! (3 * 4 >= 2 or FALSE)\ninteger n = -(-3)\nstring s = getip 2") == "");
  CHECK(findings_of_body("boolean b = 1 < 2 < 3") == "type-mismatch:2");
  CHECK(findings_of_body("delay -1\nwaitfor \"x\" until -5") == "negative-time:2 negative-time:3");
}

TEST_CASE("names") {
  CHECK(findings_of_body("n = 3\nn = 4") == "undeclared:2");
  CHECK(findings_of_body("n = 3\ninteger n") == "used-before-declaration:2 late-declaration:3");
  CHECK(findings_of_body("integer n\nstring N\nn = 3\nN = 4") == "redeclared:3 two-spellings:5");
  CHECK(findings_of_body("goto there\nhere:\nhere:") == "unknown-label:2 duplicate-label:4");
  CHECK(findings_of_body("$SUCCESS = TRUE\ntransmit $USER\ntransmit $userid") == "read-only:2 unknown-system-variable:3");
  CHECK(findings("proc main\nL:\nendproc\nproc b\ngoto L\nendproc\nproc MAIN\nendproc\n") ==
        "unused-procedure:4 unknown-label:5 duplicate-procedure:7");
  CHECK(findings_of_body("waitfor \"a\" then Nowhere until 3") == "unknown-label:2");
}

TEST_CASE("a real script of any layout and case has no finding") {
  CHECK(findings("PROC MAIN ; comment\r\n integer Tries = 3\r\n  waitfor\r\n \"login:\" then DoLogin,\r\n \"BUSY\" , matchcase then Out\r\n"
                 " until 30\r\n goto Out\r\nDoLogin: transmit $USERID, raw transmit \"^M\"\r\n while Tries > 0 do Tries = Tries - 1 endwhile\r\n"
                 " if $FAILURE then halt endif\r\nOut:\r\n set port databits 7 set port parity even set port stopbits 2\r\n"
                 " set ipaddr getip set screen keyboard off\r\nENDPROC\r\n\x1A") == "");
  CHECK(findings("\xEF\xBB\xBFproc main\nwaitfor \"caf\xE9\" until 3\nendproc") == "");
}

TEST_CASE("what is too much is refused with one clear error") {
  CHECK(findings(std::string(1024 * 1024 + 1, ' ')) == "file-too-large:0");
  CHECK(findings(std::string("\xFF\xFEp\0r\0", 6)) == "utf-16:0");
  CHECK(findings(std::string("proc main\n\0", 11)) == "nul-byte:2");
  CHECK(findings_of_body("transmit \"" + std::string(65 * 1024, 'x') + "\"") == "literal-too-long:2");
  CHECK(findings_of_body(repeat("if TRUE then\n", 10'000)) == "nested-too-deeply:66");
  CHECK(findings_of_body(repeat("if TRUE then\n", 64) + repeat("endif\n", 64)) == "");
  CHECK(findings_of_body("delay " + repeat("(", 10'000)) == "nested-too-deeply:2");
  CHECK(findings_of_body("delay " + repeat("-", 10'000)) == "nested-too-deeply:2");
  CHECK(findings_of_body("delay 1" + repeat("+1", 100'000)) == "expression-too-long:2");
  CHECK(findings_of_body("delay 1" + repeat("+1", 900)) == "");
  std::string labels;
  for (int i = 0; i < 100'000; ++i) labels += "l" + std::to_string(i) + ":\n";
  CHECK(findings_of_body(labels) == "");
  CHECK(parse_scp("t", "proc main\n" + repeat("goto nowhere\n", 50'000)).diagnostics.size() == 1001);
}

TEST_CASE("every byte value in every place is read without a crash") {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string c(1, static_cast<char>(byte));
    findings_of_body(c);
    findings_of_body("transmit \"" + c + "\"");
    findings_of_body("waitfor \"a\"" + c + " until 3");
    findings(c);
  }
}

TEST_CASE("every prefix of a script is read without a crash, and only the whole is right") {
  const std::string script = "proc main\n integer n = 2 * (3 + -1)\n while n > 0 do\n if $SUCCESS and ! (n == 2) then\n waitfor \"a\", matchcase "
                             "then L, \"b\" until 3\n L:\n endif\n n = n - 1 endwhile\nendproc";
  for (std::size_t n = 0; n < script.size(); ++n) CHECK_MESSAGE(findings(script.substr(0, n)) != "", n);
  CHECK(findings(script) == "");
}
