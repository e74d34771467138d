// SPDX-License-Identifier: MIT
#include "base/diagnostic.hpp"

#include <doctest/doctest.h>

using namespace longline;

TEST_CASE("a line is shown without the password in it") {
  const SourceText source("f", "ssword: s3same OK\nx\n");
  Diagnostic d{Severity::warning, "literal-password", {"f", 1, 9}, 6, "m", ""};
  d.secret = true;
  CHECK(without_secrets(source, {d}).line(1) == "ssword: ****** OK");
  CHECK(without_secrets(source, {}).line(1) == source.line(1));
}

TEST_CASE("a diagnostic shows its line with a caret") {
  const SourceText source("isp.scp", "proc main\n\twaitfor \"x\"\nendproc\n");
  CHECK(source.line_count() == 3);
  Diagnostic d{Severity::error, "no-until", source.where(11), 7, "waits for ever", "until 60"};
  CHECK(render(d, source) ==
        "isp.scp:2:2: error: waits for ever [no-until]\n    \twaitfor \"x\"\n    \t^~~~~~~\n  fix: until 60\n");
}

TEST_CASE("a caret stands right behind escaped and wide characters, and no control reaches the terminal") {
  const SourceText source("f", "ü\x1bx\n");
  Diagnostic d{Severity::warning, "", source.where(3), 1, "here", ""};
  CHECK(render(d, source) == "f:1:4: warning: here\n    ü\\x1Bx\n         ^\n");
}

TEST_CASE("the end of the text has a place") {
  const SourceText source("f", "abc");
  CHECK(source.where(3).line == 1);
  CHECK(source.where(3).column == 4);
}
