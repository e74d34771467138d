// SPDX-License-Identifier: MIT
#include "script/scp/lint.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <fstream>
#include <sstream>

#include "base/text.hpp"

using namespace longline;
using namespace longline::script;

namespace {

std::string scp_lints(const std::string& text, Duration deadline = Duration(300'000)) {
  const ParsedScript script = parse_scp("t.scp", text);
  for (const Diagnostic& d : script.diagnostics) {
    if (d.severity == Severity::error) FAIL(render(d, *script.source));
  }
  std::string out;
  for (const Diagnostic& d : lint(script, {deadline})) out += fmt::format("{}{}:{}", out.empty() ? "" : " ", d.code, d.where.line);
  return out;
}

std::string lints_of_body(const std::string& body, Duration deadline = Duration(300'000)) {
  return scp_lints("proc main\n" + body + "\nendproc\n", deadline);
}

const std::vector<std::string> kOzEmailScript = {
    "proc main",
    "waitfor \"ervice?\" until 90",
    "if $SUCCESS then ; ok?",
    "transmit \"p^M\"",
    "waitfor \"sername:\" until 60",
    "if $SUCCESS then",
    "transmit $USERID, raw",
    "transmit \"^M\"",
    "waitfor \"assword:\" until 60",
    "if $SUCCESS then",
    "transmit $PASSWORD, raw",
    "transmit \"^M\"",
    "endif endif endif",
    "endproc",
};

std::string join(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines) out += line + "\n";
  return out;
}

}  // namespace

TEST_CASE("the script of KB175410 in full has nothing to remark") { CHECK(scp_lints(join(kOzEmailScript)) == ""); }

TEST_CASE("each until and each if $SUCCESS that is taken away is missed, at its waitfor") {
  for (const std::size_t line : {1u, 4u, 8u}) {
    std::vector<std::string> lines = kOzEmailScript;
    lines[line].resize(lines[line].find(" until"));
    CHECK(scp_lints(join(lines)) == fmt::format("no-until:{}", line + 1));
    lines = kOzEmailScript;
    lines[line + 1] = "";
    lines[12] = "endif endif";
    CHECK(scp_lints(join(lines)) == fmt::format("unchecked-success:{}", line + 1));
  }
}

TEST_CASE("success is tested also by $FAILURE, by goto, by then") {
  CHECK(lints_of_body("waitfor \"a\" until 5\nif $FAILURE then halt endif\ntransmit \"x\"") == "");
  CHECK(lints_of_body("waitfor \"a\" until 5\nboolean ok\nok = $SUCCESS\nif ok then transmit \"x\" endif") == "");
  CHECK(lints_of_body("waitfor \"a\" then A until 5\ntransmit \"wake up^M\"\nA: transmit \"x\"") == "");
  CHECK(lints_of_body("waitfor \"a\" then A, \"b\" until 5\ntransmit \"x\"\nA:") == "unchecked-success:2");
  CHECK(lints_of_body("waitfor \"a\" until 5\ngoto L\nhalt\nL:\ntransmit \"x\"") == "unchecked-success:2 unreachable:4");
  CHECK(lints_of_body("waitfor \"a\" until 5\nwaitfor \"b\" until 5\nif $SUCCESS then transmit \"x\" endif") == "");
}

TEST_CASE("credentials") {
  CHECK(lints_of_body("transmit $USERID\ntransmit $PASSWORD + \"^M\"\ntransmit $PASSWORD, raw") == "not-raw:2 not-raw:3");
  CHECK(lints_of_body("waitfor \"assword:\" until 5\nif $SUCCESS then\ntransmit \"sesame^M\"\nendif") == "literal-password:4");
  CHECK(lints_of_body("waitfor \"assword:\" until 5\nif $SUCCESS then\ntransmit \"^M\"\nendif") == "");
  CHECK(lints_of_body("waitfor \"Password\" then P, \"busy\" then B until 5\nhalt\nB: halt\nP: transmit \"sesame\"") == "literal-password:5");
}

TEST_CASE("what cannot be reached") {
  CHECK(lints_of_body("halt\ntransmit \"x\"\ntransmit \"y\"") == "unreachable:3");
  CHECK(lints_of_body("if FALSE then transmit \"x\" endif\ntransmit \"y\"") == "unreachable:2");
  CHECK(lints_of_body("goto e\ntransmit \"x\"\ne: transmit \"y\"") == "unreachable:3");
  CHECK(lints_of_body("waitfor \"a\" then A\ntransmit \"x\"\nA:") == "no-until:2 unreachable:3");
}

TEST_CASE("loops that nothing ends") {
  CHECK(lints_of_body("while TRUE do\ntransmit \"x\"\ndelay 1\nendwhile") == "endless-loop:2");
  CHECK(lints_of_body("integer n = 3\nwhile n > 0 do\ndelay 1\nendwhile") == "endless-loop:3");
  CHECK(lints_of_body("integer n = 3\nwhile n > 0 do\nn = n - 1\nendwhile") == "");
  CHECK(lints_of_body("while !$SUCCESS do\nwaitfor \"a\" until 5\nendwhile") == "");
  CHECK(lints_of_body("while $FAILURE do\ndelay 1\nendwhile") == "endless-loop:2");
  CHECK(lints_of_body("while TRUE do\nwaitfor \"a\" then out until 5\nendwhile\nout:") == "");
  CHECK(lints_of_body("again: delay 1\ngoto again") == "endless-loop:2");
}

TEST_CASE("labels and limits") {
  CHECK(lints_of_body("here:\ntransmit \"x\"") == "unused-label:2");
  CHECK(scp_lints(join(kOzEmailScript), Duration(100'000)) == "beyond-deadline:5");
  CHECK(lints_of_body("waitfor \"a\" then A until 200\nhalt\nA: waitfor \"b\" then B until 200\nB:") == "beyond-deadline:4");
  CHECK(lints_of_body("waitfor \"a\" then A, \"b\" then B until 200\nhalt\nA: delay 90\nhalt\nB: delay 90") == "");
}
