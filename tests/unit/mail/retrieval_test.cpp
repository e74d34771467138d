// SPDX-License-Identifier: MIT
#include "mail/retrieval.hpp"

#include <doctest/doctest.h>

#include "unit/mail/smtp_world.hpp"

using namespace longline;
using namespace longline::mail;
using namespace longline::mail::test;

namespace {

using By = config::Retrieve::By;

RetrievalOptions retrieval_options(By by, bool login = true) {
  RetrievalOptions out;
  out.by = by;
  out.domains = {"example.org", "example.com"};
  out.opening.helo = "example.org";
  if (login) {
    SmtpLogin credentials;
    credentials.user = "site7";
    credentials.password = Secret("pw");
    credentials.allow_clear = true;
    out.opening.login = credentials;
  }
  return out;
}

struct RetrievalTalk {
  explicit RetrievalTalk(RetrievalOptions o) : machine(std::move(o)) {
    machine.start(at(0));
    drain();
  }
  RetrievalTalk(RetrievalOptions o, SmtpPeer peer, SmtpReplyParser parser = SmtpReplyParser()) : machine(std::move(o), std::move(peer), std::move(parser)) {
    machine.start(at(0));
    drain();
  }
  void drain() {
    while (auto action = machine.next_action()) {
      REQUIRE(!finished);
      if (auto* write = std::get_if<Write>(&*action)) written += write->bytes;
      else if (std::holds_alternative<TurnRound>(*action)) turned = true;
      else if (std::holds_alternative<StartTls>(*action)) machine.on_secured(at(1));
      else finished = std::get<RetrievalFinished>(*action);
    }
  }
  void hear(std::string_view bytes) {
    machine.on_bytes(bytes, at(1));
    drain();
  }
  Retrieval machine;
  std::string written;
  bool turned = false;
  std::optional<RetrievalFinished> finished;
};

constexpr std::string_view kGreeting = "220 mail.provider.example ready\r\n";
constexpr std::string_view kOpening = "220 mail.provider.example ready\r\n250-mail.provider.example\r\n250-ETRN\r\n250-ATRN\r\n250-TURN\r\n250 AUTH PLAIN\r\n";
constexpr std::string_view kLoggedIn = "235 ok\r\n";

}  // namespace

TEST_CASE("RFC 2645: after the login the line turns round, at every split of the peer's words") {
  for (std::size_t k = 1; k < kOpening.size(); ++k) {
    RetrievalTalk t(retrieval_options(By::atrn));
    // Each reply waits for its command, as a peer does; each is cut in two.
    const std::string_view turning = "250 OK now reversing the connection\r\n";
    for (const std::string_view reply : {kGreeting, kOpening.substr(kGreeting.size()), kLoggedIn, turning}) {
      t.hear(reply.substr(0, std::min(k, reply.size())));
      t.hear(reply.substr(std::min(k, reply.size())));
    }
    CHECK(t.turned);
    CHECK_FALSE(t.finished);
    CHECK(t.written.ends_with("ATRN example.org,example.com\r\n"));
    CHECK_FALSE(t.machine.deadline());
  }
}

TEST_CASE("in a session that is open already, with what is known of the peer") {
  SmtpPeer peer;
  peer.etrn = true;
  peer.logged_in = true;
  RetrievalTalk atrn(retrieval_options(By::atrn), peer);
  CHECK(atrn.written == "ATRN example.org,example.com\r\n");
  CHECK(atrn.machine.deadline());
  atrn.hear("250 OK now reversing the connection\r\n");
  CHECK(atrn.turned);

  RetrievalTalk etrn(retrieval_options(By::etrn), peer);
  etrn.hear("250 OK\r\n");
  etrn.hear("251 none\r\n");
  REQUIRE(etrn.finished);
  CHECK_FALSE(etrn.finished->error);
  CHECK(etrn.written == "ETRN example.org\r\nETRN example.com\r\nQUIT\r\n");

  RetrievalOptions kept = retrieval_options(By::etrn);
  kept.keep_open = true;
  RetrievalTalk first(kept, peer);
  first.hear("250 OK\r\n");
  first.hear("458 later\r\n");
  REQUIRE(first.finished);
  CHECK(first.finished->open);
  CHECK(first.finished->error->code == Errc::busy);
  CHECK(first.written.find("QUIT") == std::string::npos);
  RetrievalTalk second(retrieval_options(By::atrn), first.machine.peer(), first.machine.take_parser());
  CHECK(second.written == "ATRN example.org,example.com\r\n");

  peer.logged_in = false;
  CHECK(RetrievalTalk(retrieval_options(By::atrn), peer).finished->error->code == Errc::auth_refused);
}

TEST_CASE("what the peer said before it was asked is not taken for the answer") {
  SmtpPeer peer;
  peer.etrn = true;
  for (const std::string_view early : {"250 ok\r\n", "250", "250-a\r\n", "\r\n"}) {
    SmtpReplyParser parser;
    parser.feed(early);
    RetrievalTalk t(retrieval_options(By::etrn), peer, std::move(parser));
    REQUIRE(t.finished);
    CHECK(t.finished->error->code == Errc::protocol);
    CHECK(t.written.empty());
  }
  RetrievalTalk pushed(retrieval_options(By::etrn, false));
  pushed.hear(kGreeting);
  pushed.hear("250-mail.provider.example\r\n250 ETRN\r\n250 OK, queuing started\r\n");
  REQUIRE(pushed.finished);
  CHECK(pushed.finished->error->code == Errc::protocol);
}

TEST_CASE("neither ATRN nor TURN without a login, and no TURN without TLS") {
  for (const By by : {By::atrn, By::turn}) {
    RetrievalTalk t(retrieval_options(by, false));
    t.hear(kGreeting);
    t.hear(kOpening.substr(kGreeting.size()));
    REQUIRE(t.finished);
    CHECK(t.finished->error->code == Errc::auth_refused);
    CHECK(t.written.ends_with("QUIT\r\n"));
    CHECK(t.written.find("RN ") == std::string::npos);
  }
  RetrievalTalk t(retrieval_options(By::turn));
  t.hear(kGreeting);
  t.hear(kOpening.substr(kGreeting.size()));
  t.hear(kLoggedIn);
  REQUIRE(t.finished);
  CHECK(t.finished->error->code == Errc::auth_refused);
  CHECK(t.written.find("TURN") == std::string::npos);
}

TEST_CASE("what a provider may answer to ATRN") {
  const auto answer = [](std::string_view reply) {
    RetrievalTalk t(retrieval_options(By::atrn));
    t.hear(kGreeting);
    t.hear(kOpening.substr(kGreeting.size()));
    t.hear(kLoggedIn);
    t.hear(reply);
    REQUIRE(t.finished);
    CHECK_FALSE(t.turned);
    return t.finished->error ? std::string(to_string(t.finished->error->code)) : "fine";
  };
  CHECK(answer("453 You have no mail\r\n") == "fine");
  CHECK(answer("450 refused\r\n") == "busy");
  CHECK(answer("530 Authentication required\r\n") == "auth-refused");
  CHECK(answer("502 no\r\n") == "refused");
  CHECK(answer("421 bye\r\n") == "busy");
  CHECK(answer("nonsense\r\n") == "protocol");
  CHECK(answer("250 OK\r\n220 me first\r\n") == "protocol");
  CHECK(answer("250 OK\r\nM") == "protocol");
}

TEST_CASE("ETRN asks for one domain after another") {
  RetrievalTalk t(retrieval_options(By::etrn, false));
  t.hear(kGreeting);
  t.hear(kOpening.substr(kGreeting.size()));
  CHECK(t.written.ends_with("ETRN example.org\r\n"));
  t.hear("459 Node not allowed\r\n");
  CHECK(t.written.ends_with("ETRN example.com\r\n"));
  t.hear("251 OK, no messages\r\n");
  CHECK(t.written.ends_with("QUIT\r\n"));
  REQUIRE(t.finished);
  CHECK(t.finished->error->code == Errc::auth_refused);
  REQUIRE(t.finished->answers.size() == 2);
  CHECK_FALSE(t.finished->answers[1].mail_comes);

  RetrievalTalk none(retrieval_options(By::etrn, false));
  none.hear("220 x\r\n");
  none.hear("250 x\r\n");
  CHECK(none.finished->error->code == Errc::refused);
}

TEST_CASE("a peer that falls silent or hangs up is given up") {
  RetrievalTalk silent(retrieval_options(By::etrn, false));
  silent.hear(kGreeting);
  silent.hear(kOpening.substr(kGreeting.size()));
  silent.machine.on_time(at(300'002));
  silent.drain();
  CHECK(silent.finished->error->code == Errc::next_hop_unreachable);
  RetrievalTalk gone(retrieval_options(By::etrn, false));
  gone.hear(kGreeting);
  gone.hear(kOpening.substr(kGreeting.size()));
  gone.machine.on_closed(at(2));
  gone.drain();
  CHECK(gone.finished->error->code == Errc::line_dropped);
}
