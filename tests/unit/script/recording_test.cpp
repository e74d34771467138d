// SPDX-License-Identifier: MIT
#include "script/recording.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/text.hpp"
#include "script/replay.hpp"
#include "script/scp/lint.hpp"
#include "script/typed_lines.hpp"

using namespace longline;
using namespace longline::script;

namespace {

/// A person at a terminal, and a host that echoes or does not.
class Session {
 public:
  explicit Session(std::optional<std::string> user = std::nullopt, std::optional<Secret> password = std::nullopt)
      : recorder_(std::move(user), std::move(password), now_) {}

  Session& host(std::string_view text, Duration after = Duration(300)) {
    now_ += after;
    recorder_.received(text, now_);
    return *this;
  }
  /// Key by key. `echo`: what the host sends back for each; '\0': the key itself; "" nothing.
  Session& type(std::string_view text, std::string_view echo = std::string_view("\0", 1)) {
    for (const char c : text) {
      now_ += Duration(50);
      recorder_.typed(std::string_view(&c, 1), now_);
      if (c == '\r') host("\r\n", Duration(10));
      else if (echo == std::string_view("\0", 1)) host(std::string_view(&c, 1), Duration(10));
      else if (!echo.empty()) host(echo, Duration(10));
    }
    return *this;
  }
  Session& type_ahead(std::string_view text) {
    now_ += Duration(20);
    recorder_.typed(text, now_);
    return *this;
  }
  Recorder::Recording end() { return recorder_.finish(now_); }

 private:
  TimePoint now_{};
  Recorder recorder_;
};

/// It passes the strict check and replays against its own transcript.
void check_whole(const Recorder::Recording& recording) {
  const ParsedScript parsed = parse_scp("r.scp", recording.script);
  REQUIRE_MESSAGE(parsed.program != nullptr, recording.script);
  CHECK_MESSAGE(parsed.diagnostics.empty(), recording.script);
  CHECK_MESSAGE(lint(parsed).empty(), recording.script, lint(parsed).empty() ? "" : lint(parsed)[0].message);
  const auto transcript = parse_transcript("t", recording.transcript);
  REQUIRE(transcript);
  for (std::uint32_t variation = 0; variation < 5; ++variation) {
    ReplayOptions options;
    options.variation = variation;
    const ReplayResult result = replay(parsed.program, *transcript, options);
    CHECK_MESSAGE(!result.difference, recording.script, recording.transcript, result.difference ? result.difference->sent : "");
    CHECK_MESSAGE(result.finished.outcome == Outcome::ok, recording.script, recording.transcript, result.finished.reason);
  }
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a login becomes a script: prompts, answers, name and hidden password") {
  Session s("alice");
  s.host("\r\nWelcome\r\nService? ").type("p\r").host("Username: ").type("alice\r").host("Password: ").type("s3same\r", "").host("PPP\r\n");
  const Recorder::Recording r = s.end();
  CHECK(has(r.script, "waitfor \"Service?\" until 15\n"));
  CHECK(has(r.script, "transmit \"p^M\""));
  CHECK(has(r.script, "transmit $USERID, raw\n   transmit \"^M\""));
  CHECK(has(r.script, "transmit $PASSWORD, raw\n   transmit \"^M\""));
  CHECK(!has(r.script + r.transcript, "s3same"));
  CHECK(has(r.transcript, "> \"********\\r\""));
  CHECK(r.answers == 3);
  check_whole(r);
}

TEST_CASE("stars for a password, corrections in it, and one that is given") {
  Session stars;
  stars.host("login: ").type("bob\r").host("Password: ").type("s3same\r", "*").host("ok");
  CHECK(!has(stars.end().transcript + stars.end().script, "s3same"));
  CHECK(has(stars.end().script, "$PASSWORD"));
  check_whole(stars.end());

  Session corrected;
  corrected.host("login: ").type("bob\r").host("Password: ").type("s3sx\x7F""ame\r", "").host("ok s3same");
  CHECK(!has(corrected.end().transcript + corrected.end().script, "s3s"));
  check_whole(corrected.end());

  Session given(std::nullopt, Secret("s3same"));
  given.host("Key: ").type("s3same\r").host("ok");
  CHECK(!has(given.end().transcript + given.end().script, "s3same"));
  check_whole(given.end());
}

TEST_CASE("a corrected name, over a long line") {
  Session s("alice");
  s.host("login: ").type_ahead("al").type_ahead("icf").host("alicf", Duration(400)).type_ahead("\x7F").type_ahead("e\r").host("\b \be\r\nok> ");
  const Recorder::Recording r = s.end();
  CHECK(has(r.script, "transmit $USERID, raw"));
  CHECK(has(r.transcript, "> \"alice\\r\""));
  check_whole(r);
}

TEST_CASE("what is asked for as a password is one, also where it is shown") {
  Session s;
  s.host("Keep your password safe\r\nlogin: ").type("bob\r").host("PIN: ").type("12345\r").host("ok");
  const Recorder::Recording r = s.end();
  CHECK(has(r.script, "transmit \"bob^M\""));
  CHECK(!has(r.script + r.transcript, "12345"));
  check_whole(r);
}

TEST_CASE("a host that echoes nothing has a password only where it asks for one") {
  Session s;
  s.host("login: ").type("bob\r", "").host("Password: ").type("s3same\r", "");
  CHECK(has(s.end().script, "\"bob^M\""));
  CHECK(!has(s.end().transcript + s.end().script, "s3same"));
  check_whole(s.end());
}

TEST_CASE("a prompt that came before is waited for with more of its line") {
  Session s;
  s.host("login: below. Please\r\nsite7 login: ").type("bob\r");
  CHECK(has(s.end().script, "waitfor \"site7 login:\""));
  check_whole(s.end());
}

TEST_CASE("keys of a menu, a host that is woken, an answer typed ahead") {
  Session s;
  s.host("", Duration(3000)).type_ahead("\r").host("\r\n1) mail 2) ppp > ").type("2").host("\r\nname: ");
  s.type_ahead("bob\rword\r").host("bob\r\nPassword: \r\n");
  const Recorder::Recording r = s.end();
  CHECK(has(r.script, "   delay 4\n   transmit \"^M\"\n"));
  CHECK(has(r.script, "transmit \"2\"\n"));
  CHECK(has(r.script, "transmit \"bob^M\"\n"));
  CHECK(!has(r.script + r.transcript, "word\\r\""));
  check_whole(r);
}

TEST_CASE("a session without end is cut") {
  Session s;
  const std::string block(65536, 'x');
  for (int i = 0; i < 100; ++i) s.host(block);
  s.host("login: ").type("bob\r");
  CHECK(s.end().cut);
  CHECK(has(s.end().transcript, "# the session went on"));
  CHECK(s.end().transcript.size() < 6 * 1024 * 1024);
}
