// SPDX-License-Identifier: MIT
#include "script/scp/fix.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>
#include <vector>

using namespace longline;
using namespace longline::script;

namespace {

std::string fixed(const std::string& text) { return fix("t.scp", text).text; }

std::string left(const std::string& text) {
  std::string out;
  for (const Diagnostic& d : fix("t.scp", text).script.diagnostics) out += fmt::format("{}{}:{}", out.empty() ? "" : " ", d.code, d.where.line);
  return out;
}

const std::string kTruncated =
    "; OzEmail\n"
    "proc main\n"
    "\n"
    "   waitfor \"ervice?\" until 90\n"
    "   if $SUCCESS then   ;  ok?\n"
    "   transmit \"p^M\"\n"
    "\n"
    "   waitfor \"assword:\" until 60\n"
    "   if $SUCCESS then   ;  ok?\n"
    "   transmit $PASSWORD, raw\n"
    "   transmit \"^M\"  ; the end\n";

}  // namespace

TEST_CASE("the truncated script of KB175410 becomes the full one") {
  CHECK(fixed(kTruncated) == kTruncated + "   endif\n   endif\nendproc\n");
  CHECK(left(kTruncated) == "");
  CHECK(fixed(fixed(kTruncated)) == fixed(kTruncated));
}

TEST_CASE("blocks are closed where they end") {
  CHECK(fixed("proc main\n  while $SUCCESS do\n    if TRUE then\n      waitfor \"a\" until 3\n  endwhile\nendproc\n") ==
        "proc main\n  while $SUCCESS do\n    if TRUE then\n      waitfor \"a\" until 3\n    endif\n  endwhile\nendproc\n");
  CHECK(fixed("proc main if TRUE then transmit \"x\" endproc") == "proc main if TRUE then transmit \"x\" endif endproc");
  CHECK(fixed("proc main\r\nif TRUE then\r\nhalt\r\n") == "proc main\r\nif TRUE then\r\nhalt\r\nendif\r\nendproc\r\n");
}

TEST_CASE("until, tests of success and raw are added, and comments stay") {
  const std::string before =
      "proc main\n"
      "  waitfor \"name:\"   ; first\n"
      "  transmit $USERID\n"
      "  transmit \"^M\"\n"
      "  waitfor \"word:\" until 30\n"
      "  transmit $PASSWORD + \"^\" + \"M\" ; second\n"
      "endproc\n";
  const std::string after =
      "proc main\n"
      "  waitfor \"name:\" until 60   ; first\n"
      "  if $SUCCESS then\n"
      "  transmit $USERID, raw\n"
      "  transmit \"^M\"\n"
      "  waitfor \"word:\" until 30\n"
      "  if $SUCCESS then\n"
      "  transmit $PASSWORD, raw\n"
      "  transmit \"^\" + \"M\" ; second\n"
      "  endif\n"
      "  endif\n"
      "endproc\n";
  CHECK(fixed(before) == after);
  CHECK(left(before) == "");
}

TEST_CASE("many waits without until share the deadline") {
  std::string text = "proc main\n";
  for (int i = 0; i < 10; ++i) text += "waitfor \"a\"\nif $FAILURE then halt endif\n";
  CHECK(left(text + "endproc\n") == "");
}

TEST_CASE("everything on one line") {
  CHECK(fixed("proc main waitfor \"a\" transmit \"x\" endproc") == "proc main waitfor \"a\" until 60 if $SUCCESS then transmit \"x\" endif endproc");
  CHECK(fixed("proc main waitfor \"a\"transmit \"x\"endproc") == "proc main waitfor \"a\" until 60 if $SUCCESS then transmit \"x\" endif endproc");
}

TEST_CASE("what only the author can know is left, and other errors leave the script alone") {
  CHECK(left("proc main\nhalt\ntransmit \"x\"\nendproc\n") == "unreachable:3");
  const std::string broken = "proc main\nif TRUE then\ntrasmit \"x\"\n";
  CHECK(fixed(broken) == broken);
  const std::string spelt = "proc main\ninteger Tries = 1\nif tries > 0 then halt endif\nendproc\n";
  CHECK(fixed(spelt) == "proc main\ninteger Tries = 1\nif Tries > 0 then halt endif\nendproc\n");
}

TEST_CASE("whichever lines and words are taken out of a sound script, what fix writes is sound or says why not") {
  const std::vector<std::string> lines = {
      "proc main\n", " waitfor \"a:\"", " until 30\n", " if $SUCCESS then\n", "  transmit $USERID", ", raw\n", "  waitfor \"b:\"", " until 20\n",
      "  if $SUCCESS then ; b\n", "   transmit $PASSWORD", ", raw\n", "  endif\n", " endif\n", "endproc\n"};
  for (unsigned mask = 0; mask < (1u << lines.size()); mask += 3) {
    std::string text;
    for (std::size_t i = 0; i < lines.size(); ++i) text += (mask >> i & 1u) != 0 ? lines[i] : "\n";
    const Fixed result = fix("t", text);
    if (result.script.program == nullptr) continue;
    CHECK_MESSAGE(result.script.diagnostics.empty(), result.text);
  }
}
