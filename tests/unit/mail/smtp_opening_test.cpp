// SPDX-License-Identifier: MIT
#include "mail/smtp_opening.hpp"

#include <doctest/doctest.h>

#include "base/base64.hpp"
#include "sys/tls/tls_library.hpp"
#include "unit/mail/smtp_world.hpp"

using namespace longline;
using namespace longline::mail;
using namespace longline::mail::test;

namespace {

constexpr const char* kPlainEhlo = "250-far.example\n250-PIPELINING\n250 STARTTLS\n";

SmtpOpeningOptions opening_options(StartTlsUse tls = StartTlsUse::never) {
  SmtpOpeningOptions out;
  out.helo = "here.example";
  out.starttls = tls;
  return out;
}

SmtpOpeningOptions with_login(bool encrypted = true, std::string user = "site7", std::string password = "sesame-7") {
  SmtpOpeningOptions out = opening_options();
  out.encrypted = encrypted;
  out.login = SmtpLogin{std::move(user), Secret(std::move(password)), false, sys::hmac_md5};
  return out;
}

/// An opening that hears what the test writes, in pieces.
struct OpeningTalk {
  explicit OpeningTalk(SmtpOpeningOptions o, std::size_t piece_ = 1000) : machine(std::move(o)), piece(piece_) {
    machine.start(at(0));
    drain();
  }
  /// What it wrote since; "<TLS>" where it wants TLS. '\n' is CRLF both ways.
  std::string hear(std::string_view reply) {
    std::string bytes;
    for (const char c : reply) {
      if (c == '\n') bytes += '\r';
      bytes += c;
    }
    for (std::size_t i = 0; i < bytes.size(); i += piece) {
      machine.on_bytes(std::string_view(bytes).substr(i, piece), at(++clock));
      drain();
    }
    return take();
  }
  std::string secured() {
    machine.on_secured(at(++clock));
    drain();
    return take();
  }
  std::string take() { return std::exchange(written, ""); }
  void drain() {
    while (auto action = machine.next_action()) {
      REQUIRE_FALSE(opened);
      REQUIRE_FALSE(failed);
      if (auto* write = std::get_if<Write>(&*action)) {
        for (const char c : write->bytes) {
          if (c != '\r') written += c;
        }
        if (write->secret) secret += write->bytes;
      } else if (std::holds_alternative<StartTls>(*action)) {
        written += "<TLS>";
      } else if (auto* open = std::get_if<SmtpOpened>(&*action)) {
        opened = std::move(*open);
      } else {
        failed = std::move(std::get<SmtpNotOpened>(*action));
      }
    }
  }
  SmtpOpening machine;
  std::size_t piece;
  std::int64_t clock = 0;
  std::string written, secret;
  std::optional<SmtpOpened> opened;
  std::optional<SmtpNotOpened> failed;
};

}  // namespace

static_assert(Machine<SmtpOpening>);

TEST_CASE("greeting and EHLO, and what came behind the reply goes on") {
  for (const std::size_t piece : {1, 2, 3, 1000}) {
    OpeningTalk talk(opening_options(), piece);
    CHECK(talk.hear("220-far.example ESMTP\n220 hello\n") == "EHLO here.example\n");
    talk.hear("250-far.example\n250-SIZE 1000\n250-AUTH PLAIN LOGIN\n250-AUTH=LOGIN X-OLD\n250 ATRN\n");
    REQUIRE(talk.opened);
    CHECK(talk.opened->peer.banner_name == "far.example");
    CHECK(talk.opened->peer.size_limit == 1000);
    CHECK(talk.opened->peer.auth == std::vector<std::string>{"PLAIN", "LOGIN", "X-OLD"});
    CHECK(talk.opened->peer.atrn);
    CHECK_FALSE(talk.opened->peer.secure);
    CHECK_FALSE(talk.machine.deadline());
  }
  OpeningTalk talk(opening_options());
  talk.hear("220 far.example\n");
  talk.hear("250 far.example\n421 4.3.2 closing\n");
  REQUIRE(talk.opened);
  SmtpReplyParser rest = talk.machine.take_parser();
  const auto reply = rest.next();
  REQUIRE(reply);
  REQUIRE(*reply);
  CHECK((*reply)->code == 421);
}

TEST_CASE("STARTTLS: only what is said behind it counts") {
  for (const std::size_t piece : {1, 1000}) {
    OpeningTalk talk(opening_options(StartTlsUse::if_offered), piece);
    CHECK(talk.hear("220 far.example\n") == "EHLO here.example\n");
    CHECK(talk.hear("250-far.example\n250-CHUNKING\n250-SIZE 5\n250 STARTTLS\n") == "STARTTLS\n");
    CHECK(talk.hear("220 2.0.0 ready\n") == "<TLS>");
    CHECK(talk.secured() == "EHLO here.example\n");
    talk.hear("250-far.example\n250 PIPELINING\n");
    REQUIRE(talk.opened);
    CHECK(talk.opened->peer.secure);
    CHECK(talk.opened->peer.pipelining);
    CHECK_FALSE(talk.opened->peer.chunking);
    CHECK(talk.opened->peer.size_limit == 0);
    CHECK(talk.machine.round_trips() == 4);
  }
}

TEST_CASE("bytes behind the 220 to STARTTLS were put there by somebody else") {
  for (const std::size_t piece : {1, 7, 1000}) {
    for (const StartTlsUse use : {StartTlsUse::if_offered, StartTlsUse::required}) {
      OpeningTalk talk(opening_options(use), piece);
      talk.hear("220 far.example\n");
      talk.hear(kPlainEhlo);
      talk.hear("220 go\n250 far.example\n");
      REQUIRE(talk.failed);
      CHECK(talk.failed->error.code == Errc::protocol);
      CHECK(talk.failed->error.what == "the peer sent more behind its reply to STARTTLS");
      CHECK_FALSE(talk.failed->tls_failed);
    }
  }
}

TEST_CASE("TLS that is required and not to be had") {
  OpeningTalk none(opening_options(StartTlsUse::required));
  none.hear("220 far.example\n");
  CHECK(none.hear("250-far.example\n250 PIPELINING\n") == "QUIT\n");
  CHECK(none.failed->error.code == Errc::protocol);
  CHECK(none.failed->error.what.find("TLS") != std::string::npos);

  OpeningTalk helo(opening_options(StartTlsUse::required));
  helo.hear("220 far.example\n");
  CHECK(helo.hear("500 what?\n") == "HELO here.example\n");
  CHECK(helo.hear("250 far.example\n") == "QUIT\n");

  OpeningTalk refused(opening_options(StartTlsUse::required));
  refused.hear("220 far.example\n");
  refused.hear(kPlainEhlo);
  CHECK(refused.hear("454 4.7.0 not now\n") == "QUIT\n");
  CHECK(refused.failed->error.code == Errc::busy);
}

TEST_CASE("TLS that is merely offered: refused goes on in clear text, a failed handshake says so") {
  OpeningTalk refused(opening_options(StartTlsUse::if_offered));
  refused.hear("220 far.example\n");
  refused.hear(kPlainEhlo);
  CHECK(refused.hear("454 4.7.0 not now\n") == "");
  REQUIRE(refused.opened);
  CHECK(refused.opened->peer.pipelining);

  OpeningTalk failed(opening_options(StartTlsUse::if_offered));
  failed.hear("220 far.example\n");
  failed.hear(kPlainEhlo);
  failed.hear("220 go\n");
  failed.machine.on_tls_failed(Error(Errc::protocol, "TLS: the handshake failed: bad"), at(100));
  failed.drain();
  REQUIRE(failed.failed);
  CHECK(failed.failed->tls_failed);

  OpeningTalk cut(opening_options(StartTlsUse::if_offered));
  cut.hear("220 far.example\n");
  cut.hear(kPlainEhlo);
  cut.hear("220 go\n");
  cut.machine.on_closed(at(100));
  cut.drain();
  CHECK(cut.failed->tls_failed);
  CHECK(cut.failed->error.code == Errc::line_dropped);
}

TEST_CASE("the name is checked in clear text and again behind TLS") {
  SmtpOpeningOptions o = opening_options(StartTlsUse::required);
  o.peer_name = "far.example";
  OpeningTalk talk(o);
  talk.hear("220 FAR.example\n");
  talk.hear(kPlainEhlo);
  talk.hear("220 go\n");
  talk.secured();
  CHECK(talk.hear("250 other.example\n") == "QUIT\n");
  CHECK(talk.failed->error.code == Errc::auth_refused);
  CHECK(talk.failed->error.what == "the peer calls itself 'other.example' in its EHLO reply, expected 'far.example'");
}

TEST_CASE("a line that is encrypted from the start is so with HELO too") {
  SmtpOpeningOptions o = opening_options();
  o.encrypted = true;
  OpeningTalk talk(o);
  talk.hear("220 far.example\n");
  talk.hear("500 what?\n");
  talk.hear("250 far.example\n");
  REQUIRE(talk.opened);
  CHECK(talk.opened->peer.secure);
}

TEST_CASE("AUTH PLAIN in one round trip") {
  OpeningTalk talk(with_login());
  talk.hear("220 far.example\n");
  CHECK(talk.hear("250-far.example\n250 AUTH LOGIN PLAIN\n") == "AUTH PLAIN " + to_base64(std::string("\0site7\0sesame-7", 15)) + "\n");
  CHECK(talk.secret.find("AUTH PLAIN ") == 0);
  talk.hear("235 2.7.0 ok\n");
  REQUIRE(talk.opened);
  CHECK(talk.opened->peer.logged_in);
}

TEST_CASE("AUTH PLAIN whose response is too long for a command line waits to be asked") {
  OpeningTalk talk(with_login(true, "site7", std::string(500, 'x')));
  talk.hear("220 far.example\n");
  CHECK(talk.hear("250-far.example\n250 AUTH PLAIN\n") == "AUTH PLAIN\n");
  CHECK(talk.hear("334 \n") == to_base64(std::string("\0site7\0", 7) + std::string(500, 'x')) + "\n");
  talk.hear("235 ok\n");
  CHECK(talk.opened);
}

TEST_CASE("AUTH LOGIN") {
  OpeningTalk talk(with_login());
  talk.hear("220 far.example\n");
  CHECK(talk.hear("250-far.example\n250 AUTH LOGIN\n") == "AUTH LOGIN\n");
  CHECK(talk.hear("334 VXNlcm5hbWU6\n") == to_base64("site7") + "\n");
  CHECK(talk.hear("334 UGFzc3dvcmQ6\n") == to_base64("sesame-7") + "\n");
  talk.hear("235 ok\n");
  CHECK(talk.opened);
}

TEST_CASE("AUTH CRAM-MD5: the example of RFC 2195, also in clear text") {
  OpeningTalk talk(with_login(false, "tim", "tanstaaftanstaaf"));
  talk.hear("220 far.example\n");
  CHECK(talk.hear("250-far.example\n250 AUTH PLAIN LOGIN CRAM-MD5\n") == "AUTH CRAM-MD5\n");
  CHECK(talk.hear("334 PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+\n") ==
        to_base64("tim b913a602c7eda7a495b4e6e7334d3890") + "\n");
  talk.hear("235 ok\n");
  CHECK(talk.opened);
}

TEST_CASE("a password does not cross the line in clear text unless that is allowed") {
  OpeningTalk talk(with_login(false));
  talk.hear("220 far.example\n");
  CHECK(talk.hear("250-far.example\n250 AUTH PLAIN LOGIN\n") == "QUIT\n");
  CHECK(talk.failed->error.code == Errc::auth_refused);
  CHECK(talk.failed->error.what.find("clear text") != std::string::npos);
  CHECK(talk.failed->error.hint.find("allow-plain-auth") != std::string::npos);
  CHECK(talk.secret.empty());

  SmtpOpeningOptions allowed = with_login(false);
  allowed.login->allow_clear = true;
  OpeningTalk open(allowed);
  open.hear("220 far.example\n");
  CHECK(open.hear("250-far.example\n250 AUTH PLAIN\n").starts_with("AUTH PLAIN "));
}

TEST_CASE("no AUTH, or none that we know") {
  OpeningTalk none(with_login());
  none.hear("220 far.example\n");
  CHECK(none.hear("250 far.example\n") == "QUIT\n");
  CHECK(none.failed->error.what == "authentication of user 'site7' at far.example is not possible: the peer offers no AUTH");

  OpeningTalk other(with_login());
  other.hear("220 far.example\n");
  CHECK(other.hear("250-far.example\n250 AUTH GSSAPI NTLM\n") == "QUIT\n");
  CHECK(other.failed->error.what.find("GSSAPI, NTLM") != std::string::npos);
}

TEST_CASE("a refused login names user and peer, and never the password, whatever the peer repeats") {
  OpeningTalk talk(with_login());
  talk.hear("220 far.example\n");
  talk.hear("250-far.example\n250 AUTH PLAIN\n");
  CHECK(talk.hear("535 5.7.8 no: AHNpdGU3AHNlc2FtZS03 is sesame-7\n") == "QUIT\n");
  const Error& error = talk.failed->error;
  CHECK(error.code == Errc::auth_refused);
  CHECK(error.what == "authentication failed: far.example refuses user 'site7': 535 5.7.8 no: ******** is ********");
}

TEST_CASE("a login that is put off is tried again later") {
  OpeningTalk talk(with_login());
  talk.hear("220 far.example\n");
  talk.hear("250-far.example\n250 AUTH PLAIN\n");
  CHECK(talk.hear("454 4.7.0 later\n") == "QUIT\n");
  CHECK(talk.failed->error.code == Errc::busy);
}

TEST_CASE("a mechanism that is refused gives way to the next, a user that is refused does not") {
  OpeningTalk talk(with_login());
  talk.hear("220 far.example\n");
  CHECK(talk.hear("250-far.example\n250 AUTH CRAM-MD5 LOGIN PLAIN\n") == "AUTH CRAM-MD5\n");
  CHECK(talk.hear("504 5.5.4 not here\n").starts_with("AUTH PLAIN "));
  CHECK(talk.hear("534 5.7.9 too weak\n") == "AUTH LOGIN\n");
  CHECK(talk.hear("504 no\n") == "QUIT\n");
  CHECK(talk.failed->error.code == Errc::auth_refused);
}

TEST_CASE("a peer that asks on and on, or nonsense, is stopped") {
  OpeningTalk login(with_login());
  login.hear("220 far.example\n");
  login.hear("250-far.example\n250 AUTH LOGIN\n");
  login.hear("334 a\n");
  login.hear("334 b\n");
  CHECK(login.hear("334 c\n") == "*\n");
  CHECK(login.hear("501 cancelled\n") == "QUIT\n");
  CHECK(login.failed->error.code == Errc::protocol);

  OpeningTalk cram(with_login());
  cram.hear("220 far.example\n");
  cram.hear("250-far.example\n250 AUTH CRAM-MD5\n");
  CHECK(cram.hear("334 not base64!\n") == "*\n");
  cram.hear("501 cancelled\n");
  CHECK(cram.failed->error.what.find("base64") != std::string::npos);
}

TEST_CASE("421, a cut and silence end every step of the opening") {
  const std::vector<std::string> script = {"220 far.example\n", "250-far.example\n250-AUTH LOGIN\n250 STARTTLS\n", "220 go\n", "",
                                           "250-far.example\n250 AUTH LOGIN\n", "334 a\n", "334 b\n"};
  for (std::size_t steps = 0; steps <= script.size(); ++steps) {
    for (const char* end : {"421", "cut", "silence"}) {
      CAPTURE(steps);
      CAPTURE(end);
      SmtpOpeningOptions o = with_login(false);
      o.starttls = StartTlsUse::required;
      OpeningTalk talk(o);
      for (std::size_t i = 0; i < steps; ++i) {
        if (script[i].empty()) talk.secured();
        else talk.hear(script[i]);
      }
      REQUIRE_FALSE(talk.failed);
      if (end == std::string("421")) {
        talk.take();
        CHECK(talk.hear("421 4.3.2 closing\n").find("QUIT") == std::string::npos);
      } else if (end == std::string("cut")) {
        talk.machine.on_closed(at(10'000));
      } else {
        REQUIRE(talk.machine.deadline());
        CHECK(*talk.machine.deadline() <= at(talk.clock) + std::chrono::minutes(5));
        talk.machine.on_time(*talk.machine.deadline() - Duration(1));
        talk.drain();
        REQUIRE_FALSE(talk.failed);
        talk.machine.on_time(*talk.machine.deadline());
      }
      talk.drain();
      REQUIRE(talk.failed);
      CHECK_FALSE(talk.machine.deadline());
      CHECK_FALSE(talk.opened);
    }
  }
}

TEST_CASE("the same dialogue in pieces of any size") {
  const std::string said = "junk\n220 far.example\n";
  std::string want;
  for (const std::size_t piece : {1000, 1, 2, 3, 5, 8}) {
    SmtpOpeningOptions o = with_login(false);
    o.skip_before_greeting = 100;
    o.starttls = StartTlsUse::required;
    OpeningTalk talk(o, piece);
    std::string out = talk.hear(said);
    out += talk.hear("250-far.example\n250 STARTTLS\n");
    out += talk.hear("220 go\n");
    out += talk.secured();
    out += talk.hear("250-far.example\n250-AUTH CRAM-MD5\n250 DSN\n");
    out += talk.hear("334 PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+\n");
    out += talk.hear("235 ok\n");
    REQUIRE(talk.opened);
    CHECK(talk.opened->peer.dsn);
    if (want.empty()) want = out;
    CHECK(out == want);
  }
}
