// SPDX-License-Identifier: MIT
// How a session ends: what still goes, and who has the line then.
#include <doctest/doctest.h>

#include <utility>

#include "unit/mail/smtp_world.hpp"

using namespace longline;
using namespace longline::mail;
using namespace longline::mail::test;

namespace {

constexpr const char* kPeers[] = {"250-far.example\n250-PIPELINING\n250 CHUNKING\n", "250-far.example\n250 PIPELINING\n", "250 far.example\n"};

FakeSource one_message() {
  FakeSource source;
  source.add("1", {"a@far.example"}, "X: y\r\n\r\ntext\r\n");
  return source;
}

}  // namespace

TEST_CASE("what recording a result makes, a notification, still goes in this session") {
  for (const char* hello : kPeers) {
    CAPTURE(hello);
    FakeSource source = one_message();
    Dialogue d(source);
    d.log.on_recorded = [&] {
      if (source.queue.size() == 1) source.add("notice", {"alice@here.example"}, "Subject: not delivered\r\n", "");
    };
    d.hear("220 far.example\n");
    d.hear(hello);
    for (int i = 0; i < 8 && !d.log.finished && d.log.results.empty(); ++i) d.hear("550 no\n");
    CHECK(d.log.outcome("1") == Outcome::refused);
    for (int i = 0; i < 8 && d.log.written.find("<alice@here.example>", d.log.written.find("MAIL FROM:<>")) == std::string::npos; ++i) d.hear("250 ok\n");
    CHECK_FALSE(d.log.finished);
    CHECK(d.log.written.find("RCPT TO:<alice@here.example>") != std::string::npos);
    CHECK(d.log.written.find("QUIT") == std::string::npos);
  }
}

TEST_CASE("a session that somebody else wants is left open, without QUIT, when all went well") {
  SmtpClientOptions options = client_options();
  options.keep_open = true;
  const auto talk = [&](std::string_view last, bool stop) {
    FakeSource source = one_message();
    Dialogue d(source, options);
    d.hear("220 far.example\n");
    d.hear(kPeers[2]);
    for (const char* reply : {"250 ok\n", "250 ok\n", "354 go\n"}) d.hear(reply);
    if (stop) d.client.stop(at(100));
    d.hear(last);
    REQUIRE(d.log.finished);
    CHECK(d.log.finished->open == (d.log.written.find("QUIT") == std::string::npos && !d.log.finished->error));
    CHECK_FALSE(d.client.deadline());
    return std::pair(d.log.finished->open, d.client.take_parser().has_more());
  };
  CHECK(talk("250 ok\n", false) == std::pair(true, false));
  CHECK(talk("450 later\n", false) == std::pair(true, false));
  CHECK(talk("250 ok\n250", false) == std::pair(true, true));
  CHECK_FALSE(talk("421 bye\n", false).first);
  CHECK_FALSE(talk("250 ok\n", true).first);
}
