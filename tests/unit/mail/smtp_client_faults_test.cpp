// SPDX-License-Identifier: MIT
// Peers that do not keep what they announce, or nothing at all.
#include <doctest/doctest.h>

#include <algorithm>

#include "unit/mail/smtp_world.hpp"

using namespace longline;
using namespace longline::mail;
using namespace longline::mail::test;

namespace {

constexpr const char* kStreaming = "250-far.example\n250-PIPELINING\n250 CHUNKING\n";
constexpr const char* kChained = "250-far.example\n250 PIPELINING\n";
constexpr const char* kNoExtensions = "250 far.example\n";

FakeSource messages(int count, std::size_t size = 10) {
  FakeSource source;
  for (int n = 1; n <= count; ++n) source.add(std::to_string(n), {"a@far.example"}, "X: y\r\n\r\n" + std::string(size, 'x') + "\r\n");
  return source;
}

/// Every message that was taken from the source has one result, and none counts as sent without a good reply.
void check_accounts(const FakeSource& source, const ClientLog& log) {
  REQUIRE(log.finished);
  for (std::size_t i = 0; i < source.given; ++i) {
    const std::string& id = source.queue[i].id;
    CAPTURE(id);
    CHECK(log.last_results.at(id) == 1);
    for (const auto& [address, result] : log.results.at(id)) CHECK((result.outcome != Outcome::sent || (result.code >= 200 && result.code < 300)));
  }
}

}  // namespace

TEST_CASE("a peer that hangs up on the first group is remembered, one that had taken a command is not") {
  for (const char* ehlo : {kStreaming, kChained}) {
    for (const char* last_words : {"", "500 5.5.1 pipelining not supported\n"}) {
      FakeSource source = messages(2);
      Dialogue d(source);
      d.hear("220 far.example\n");
      d.hear(ehlo);
      d.hear(last_words);
      d.client.on_closed(at(100));
      d.log.drain(d.client);
      check_accounts(source, d.log);
      CHECK(d.log.finished->lessons.pipelining_failed);
      const Outcome outcome = d.log.outcome("1");
      // Nothing was said about the message: not refused, whatever the code. Its last byte may have arrived in a BDAT.
      CHECK(outcome == (ehlo == kStreaming && std::string(last_words).empty() ? Outcome::in_doubt : Outcome::not_tried));
    }
  }
  FakeSource source = messages(2);
  Dialogue taken(source);
  taken.hear("220 far.example\n");
  taken.hear(kStreaming);
  taken.hear("250 sender ok\n");
  taken.client.on_closed(at(100));
  taken.log.drain(taken.client);
  CHECK_FALSE(taken.log.finished->lessons.pipelining_failed);

  FakeSource other = messages(2);
  Dialogue lock_step(other);
  lock_step.hear("220 far.example\n");
  lock_step.hear(kNoExtensions);
  lock_step.client.on_closed(at(100));
  lock_step.log.drain(lock_step.client);
  CHECK_FALSE(lock_step.log.finished->lessons.pipelining_failed);
}

TEST_CASE("one reply too many: what was refused is not taken for sent") {
  const std::vector<std::string> replies = {"250 sender ok\n", "250 recipient ok\n", "550 refused\n", "250 reset\n"};
  for (std::size_t extra = 0; extra < replies.size(); ++extra) {
    CAPTURE(extra);
    FakeSource source = messages(3);
    Dialogue d(source);
    d.hear("220 far.example\n");
    d.hear(kStreaming);
    std::string said;
    for (std::size_t i = 0; i < replies.size(); ++i) said += (i == extra ? "250 what\n" : "") + replies[i];
    d.hear(said);
    if (!d.log.finished) d.hear(said);   // the reply that is left over is the first of the next flight
    check_accounts(source, d.log);
    CHECK(d.log.finished->error->code == Errc::protocol);
    for (std::size_t i = 0; i < source.given; ++i) CHECK(d.log.outcome(source.queue[i].id) != Outcome::sent);
  }
}

TEST_CASE("a message that was answered twice hides no refusal of the next ones") {
  FakeSource source = messages(3);
  Dialogue d(source);
  d.hear("220 far.example\n");
  d.hear(kStreaming);
  d.hear("250 ok\n250 ok\n250 taken\n250 taken\n250 reset\n");
  for (int i = 0; i < 2 && !d.log.finished; ++i) d.hear("250 ok\n250 ok\n550 refused\n250 reset\n");
  check_accounts(source, d.log);
  CHECK(d.log.finished->error->code == Errc::protocol);
  CHECK(d.log.outcome("1") == Outcome::sent);
  CHECK(d.log.outcome("2") != Outcome::sent);
  CHECK(d.log.outcome("3") != Outcome::sent);
}

TEST_CASE("a command that was answered twice hides no refusal where commands go one by one") {
  const std::string chunking_alone = "250-far.example\n250 CHUNKING\n";
  for (const std::size_t twice : {0u, 1u}) {   // MAIL, RCPT
    CAPTURE(twice);
    FakeSource source = messages(1);
    Dialogue d(source);
    d.hear("220 far.example\n");
    d.hear(chunking_alone);
    for (std::size_t i = 0; i < 2; ++i) d.hear(i == twice ? "250 ok\n250 ok\n" : "250 ok\n");
    d.hear("554 no virus\n");
    if (!d.log.finished) d.hear("250 reset\n");
    check_accounts(source, d.log);
    CHECK(d.log.finished->error->code == Errc::protocol);
    CHECK(d.log.outcome("1") == Outcome::in_doubt);
  }
}

TEST_CASE("greetings and EHLO replies that come twice are no replies to MAIL") {
  const std::string ehlo = kStreaming;
  for (const bool together : {true, false}) {
    CAPTURE(together);
    FakeSource source = messages(1);
    Dialogue d(source);
    d.hear("220 far.example\n");
    d.hear(together ? ehlo + ehlo : ehlo);
    if (!together) d.hear(ehlo);
    check_accounts(source, d.log);
    CHECK(d.log.finished->error->code == Errc::protocol);
  }
  FakeSource source = messages(1);
  Dialogue d(source);
  d.hear("220 far.example\n220 far.example\n");
  check_accounts(source, d.log);
  CHECK(d.log.finished->error->what == "the peer answers EHLO with 220 far.example");
}

TEST_CASE("codes that no reply to the command has end the session") {
  for (const char* reply : {"220 far.example\n", "221 bye\n", "235 ok\n", "334 go on\n", "354 go on\n"}) {
    CAPTURE(reply);
    FakeSource source = messages(1);
    Dialogue d(source);
    d.hear("220 far.example\n");
    d.hear(kStreaming);
    d.hear(reply);
    check_accounts(source, d.log);
    CHECK(d.log.finished->error->code == Errc::protocol);
    CHECK(d.log.outcome("1") == Outcome::in_doubt);
  }
}

TEST_CASE("a peer that loses the RSET behind the last message has taken the message") {
  FakeSource source = messages(1);
  Dialogue d(source);
  d.hear("220 far.example\n");
  d.hear(kStreaming);
  CHECK(d.hear("250 ok\n250 ok\n250 taken\n") == "");
  d.client.on_time(*d.client.deadline());
  d.log.drain(d.client);
  check_accounts(source, d.log);
  CHECK_FALSE(d.log.finished->error);
  CHECK(d.log.outcome("1") == Outcome::sent);
  CHECK(d.log.finished->lessons.pipelining_failed);
  CHECK(d.log.written.ends_with("QUIT\r\n"));
}

TEST_CASE("a refused RSET behind a message: it is in doubt, and the next session goes a command at a time") {
  for (const char* reply : {"500 what\n", "502 not implemented\n", "450 not now\n"}) {
    FakeSource source = messages(2);
    Dialogue d(source);
    d.hear("220 far.example\n");
    d.hear(kStreaming);
    d.hear("250 ok\n250 ok\n250 taken\n");
    d.hear(reply);
    check_accounts(source, d.log);
    CHECK(d.log.outcome("1") == Outcome::in_doubt);
    CHECK_FALSE(d.log.results.contains("2"));
    CHECK(d.log.finished->lessons.pipelining_failed);
    CHECK(d.log.finished->lessons.said_so);
  }
}

TEST_CASE("DATA answered as if it were over: the connection's fault, and no message's") {
  for (const char* ehlo : {kChained, kNoExtensions}) {
    FakeSource source = messages(2);
    Dialogue d(source);
    d.hear("220 far.example\n");
    d.hear(ehlo);
    for (const char* reply : {"250 sender ok\n", "250 recipient ok\n", "250 2.0.0 ok\n"}) d.hear(reply);
    check_accounts(source, d.log);
    CHECK(d.log.finished->error->code == Errc::protocol);
    CHECK(d.log.finished->error->what == "the peer answered DATA with 250 ok");
    const RecipientResult& result = d.log.results["1"]["a@far.example"];
    CHECK(result.outcome == Outcome::not_tried);
    CHECK(result.code == 0);
    CHECK(result.text == "the peer answered DATA with 250 ok");
  }
}

TEST_CASE("silence is no hanging up") {
  FakeSource source = messages(1);
  Dialogue d(source);
  d.hear("220 far.example\n");
  d.hear(kStreaming);
  d.client.on_time(*d.client.deadline());
  d.log.drain(d.client);
  CHECK_FALSE(d.log.finished->lessons.pipelining_failed);
  CHECK(d.log.outcome("1") == Outcome::in_doubt);
}

TEST_CASE("out of step twice: a command at a time for the rest of the session") {
  FakeSource source = messages(2);
  Dialogue d(source);
  d.hear("220 far.example\n");
  d.hear(kChained);
  CHECK(d.hear("500 what\n500 what\n500 what\n").starts_with("RSET\nMAIL"));
  CHECK(d.hear("250 ok\n500 what\n500 what\n500 what\n") == "RSET\n");
  CHECK(d.hear("250 ok\n") == "MAIL FROM:<alice@here.example>\n");
  CHECK(d.hear("250 ok\n") == "RCPT TO:<a@far.example>\n");
  CHECK(d.hear("250 ok\n") == "DATA\n");
  CHECK(d.hear("354 ok\n").ends_with(".\n"));
  CHECK(d.hear("250 ok\n") == "MAIL FROM:<alice@here.example>\n");
  CHECK(d.log.outcome("1") == Outcome::sent);
  for (const char* reply : {"250 ok\n", "250 ok\n", "354 go\n", "250 ok\n"}) d.hear(reply);
  check_accounts(source, d.log);
  CHECK(d.log.finished->lessons.pipelining_failed);
}

TEST_CASE("CHUNKING announced and BDAT unknown: the session ends before the body is read as commands any further") {
  for (const char* code : {"500", "502"}) {
    FakeSource source = messages(2);
    Dialogue d(source);
    d.hear("220 far.example\n");
    d.hear(kStreaming);
    d.hear("250 ok\n250 ok\n" + std::string(code) + " what is BDAT\n");
    check_accounts(source, d.log);
    CHECK(d.log.finished->error->code == Errc::protocol);
    CHECK(d.log.finished->lessons.chunking_failed);
    CHECK(d.log.outcome("1") == Outcome::not_tried);
  }
}

TEST_CASE("everything answered twice comes to an end, and each message to its account") {
  for (const char* ehlo : {kStreaming, kChained, kNoExtensions}) {
    FakeSource source = messages(3);
    Dialogue d(source);
    const auto twice = [&](const std::string& reply) { d.hear(reply + reply); };
    d.hear("220 far.example\n");
    d.hear(ehlo);
    for (int i = 0; i < 100 && !d.log.finished; ++i) twice(i % 4 == 2 ? "354 go\n" : "250 ok\n");
    check_accounts(source, d.log);
  }
}

TEST_CASE("421, nonsense and a cut after any number of replies, in every mode") {
  for (const char* ehlo : {kStreaming, kChained, kNoExtensions}) {
    for (int good = 0; good < 14; ++good) {
      for (const char* end : {"421 4.3.2 closing\n", "hello\n", "250-a\n251 b\n", ""}) {
        CAPTURE(ehlo);
        CAPTURE(good);
        CAPTURE(end);
        FakeSource source = messages(3);
        SmtpClientOptions options = client_options();
        options.window.messages = 2;
        Dialogue d(source, options);
        d.hear("220 far.example\n");
        d.hear(ehlo);
        for (int i = 0; i < good && !d.log.finished; ++i) {
          const std::string_view wrote(d.log.written);
          const bool data = wrote.ends_with("DATA\r\n") && ehlo == kNoExtensions;
          d.hear(data ? "354 go\n" : "250 ok\n");
        }
        if (d.log.finished) continue;
        if (*end != '\0') {
          d.hear(end);
        } else {
          d.client.on_closed(at(1000));
          d.log.drain(d.client);
        }
        check_accounts(source, d.log);
        CHECK(d.log.finished->error);
      }
    }
  }
}

TEST_CASE("lessons: envelopes that were answered, and those in vain; the round trip") {
  FakeSource source = messages(3);
  Dialogue d(source);
  d.hear("220 far.example\n");
  d.hear(kNoExtensions);
  for (const char* reply : {"250 ok\n", "550 no\n", "250 reset\n", "550 no\n", "250 ok\n", "250 ok\n", "354 go\n", "250 ok\n"}) d.hear(reply);
  REQUIRE(d.log.finished);
  CHECK(d.log.finished->lessons.tried == 3);
  CHECK(d.log.finished->lessons.rejected == 2);
  CHECK(d.log.finished->lessons.round_trip == Duration(1));
}

TEST_CASE("a body waits for RCPT's replies where its time on the line, times the probability of a refusal, exceeds the round trip") {
  const auto waits = [](std::size_t size, double rejection, std::int64_t rate, std::int64_t round_trip) {
    FakeSource source = messages(1, size);
    SmtpClientOptions options = client_options();
    options.rejection = rejection;
    options.rate = rate;
    SmtpClient client(options, source);
    ClientLog log;
    client.start(at(0));
    client.on_bytes("220 far.example\r\n", at(10));
    log.drain(client);
    client.on_bytes("250-far.example\r\n250-PIPELINING\r\n250 CHUNKING\r\n", at(10 + round_trip));
    log.drain(client);
    return log.written.find("BDAT") == std::string::npos;
  };
  // 9600 bit/s, 600 ms: 20 kB take 21 s.
  CHECK_FALSE(waits(20'000, 0.02, 960, 600));
  CHECK(waits(20'000, 0.04, 960, 600));
  CHECK(waits(40'000, 0.02, 960, 600));
  CHECK_FALSE(waits(2'000, 0.2, 960, 600));
  CHECK(waits(2'000, 0.5, 960, 600));
  // A satellite: fast, and far away.
  CHECK_FALSE(waits(60'000, 0.5, 64'000, 600));
  // Nothing known: only what is large.
  CHECK_FALSE(waits(100'000, 0.02, 0, 600));
  CHECK(waits(200'000, 0.02, 0, 600));
}

TEST_CASE("STARTTLS inside the whole client: nothing else leaves until the line is secured") {
  FakeSource source = messages(1);
  SmtpClientOptions options = client_options();
  options.starttls = StartTlsUse::required;
  Dialogue d(source, options);
  d.hear("220 far.example\n");
  CHECK(d.hear("250-far.example\n250 STARTTLS\n") == "STARTTLS\n");
  CHECK(d.hear("220 go\n") == "");
  CHECK(d.log.tls_starts == 1);
  CHECK(source.given == 0);
  d.client.on_secured(at(50));
  CHECK(d.hear("") == "EHLO here.example\n");
  CHECK(d.hear(kStreaming).starts_with("MAIL FROM"));
  CHECK(d.client.peer().secure);

  FakeSource other = messages(1);
  Dialogue failed(other, options);
  failed.hear("220 far.example\n");
  failed.hear("250-far.example\n250 STARTTLS\n");
  failed.hear("220 go\n");
  failed.client.on_tls_failed(Error(Errc::auth_refused, "TLS: the certificate of far.example is self-signed", Stage::auth), at(50));
  failed.log.drain(failed.client);
  REQUIRE(failed.log.finished);
  CHECK(failed.log.finished->lessons.tls_failed);
  CHECK(failed.log.finished->error->code == Errc::auth_refused);
  CHECK(other.given == 0);
}
