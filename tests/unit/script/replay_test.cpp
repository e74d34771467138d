// SPDX-License-Identifier: MIT
#include "script/replay.hpp"

#include <doctest/doctest.h>

using namespace longline;
using namespace longline::script;

namespace {

ReplayResult run(const std::string& body, const std::string& transcript, ReplayOptions options = {}) {
  const ParsedScript script = parse_scp("t.scp", "proc main\n" + body + "\nendproc\n");
  REQUIRE(script.program);
  const auto events = parse_transcript("t", transcript);
  REQUIRE(events);
  return replay(script.program, *events, options);
}

const std::string kBody = "waitfor \"name:\" until 60 transmit $USERID, raw transmit \"^M\" waitfor \"word:\" until 90\n"
                          "if $SUCCESS then transmit $PASSWORD, raw transmit \"^M\" endif";
const std::string kGood = "< \"Username:\"\n+0.5s\n> \"alice\\r\"\n< \"Password:\"\n> \"********\\r\"\n";

}  // namespace

TEST_CASE("a good login replays, with the user's name that the transcript has and the masked password") {
  const ReplayResult result = run(kBody, kGood);
  CHECK_FALSE(result.difference);
  CHECK(result.finished.outcome == Outcome::ok);
  CHECK(result.elapsed == Duration(500));
  REQUIRE(result.steps.size() == 6);
  CHECK(result.steps[1].bytes == "alice");
}

TEST_CASE("with the real credentials too, and nothing shows them") {
  ReplayOptions options;
  options.user = "alice";
  options.password = Secret("sesame");
  const ReplayResult result = run(kBody, kGood, options);
  CHECK_FALSE(result.difference);
  for (const ReplayStep& step : result.steps) CHECK(step.bytes.find("sesame") == std::string::npos);
}

TEST_CASE("a time-out takes no time, and a lost carrier is one") {
  CHECK(run(kBody, "< \"Username:\"\n").finished.outcome == Outcome::unsuccessful);
  CHECK(run(kBody, "< \"Username:\"\n").elapsed == Duration(90'000));
  CHECK(run(kBody, "+3s\n! carrier-lost\n").finished.outcome == Outcome::carrier_lost);
}

TEST_CASE("a difference names the line of the transcript") {
  ReplayOptions alice;
  alice.user = "alice";
  ReplayResult result = run(kBody, "< \"Username:\"\n> \"alice\\n\"\n< \"Password:\"\n> \"********\\r\"\n", alice);
  REQUIRE(result.difference);
  CHECK(result.difference->line == 2);
  CHECK(result.difference->expected == "\n********\r");
  CHECK(result.difference->sent == "\r********\r");
  result = run(kBody, "< \"Username:\"\n> \"alice\\r\"\n> \"********\\r\"\n");
  REQUIRE(result.difference);
  CHECK(result.difference->line == 3);
  CHECK(result.difference->sent.empty());
  result = run("transmit \"ab\"", "> \"a\"\n");
  CHECK(result.difference->line == 0);
  CHECK(result.difference->sent == "b");
  CHECK_FALSE(run("transmit \"ab\"", "< \"x\"\n").difference);
}

TEST_CASE("how the bytes are cut and small changes of time make no difference to a sound script") {
  for (std::uint32_t seed = 1; seed < 200; ++seed) {
    ReplayOptions options;
    options.variation = seed;
    CHECK_FALSE(run(kBody, kGood, options).difference);
  }
}
