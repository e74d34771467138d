// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <algorithm>

#include "mail/dot_reader.hpp"
#include "unit/mail/smtp_world.hpp"

using namespace longline;
using namespace longline::mail;
using namespace longline::mail::test;

namespace {

struct ServerTalk {
  explicit ServerTalk(SmtpServerOptions options = server_options()) : server(std::move(options)) {
    server.start(at(0));
    log.drain(server, at(0));
    shown = log.written.size();
  }
  /// '\n' becomes CRLF both ways.
  std::string say(std::string_view lines) {
    std::string bytes;
    for (const char c : lines) {
      if (c == '\n') bytes += '\r';
      bytes += c;
    }
    return raw(bytes);
  }
  std::string raw(std::string_view bytes) {
    server.on_bytes(bytes, at(1));
    log.drain(server, at(1));
    std::string fresh;
    for (const char c : log.written.substr(shown)) {
      if (c != '\r') fresh += c;
    }
    shown = log.written.size();
    return fresh;
  }
  SmtpServer server;
  ServerLog log;
  std::size_t shown = 0;
};

constexpr const char* kEnvelope = "EHLO here.example\nMAIL FROM:<a@here.example>\nRCPT TO:<b@far.example>\n";

}  // namespace

TEST_CASE("a session as a person would type it") {
  ServerTalk t;
  CHECK(t.log.written == "220 far.example ESMTP\r\n");
  CHECK(t.say("EHLO here.example\n") ==
        "250-far.example\n250-PIPELINING\n250-CHUNKING\n250-8BITMIME\n250-SMTPUTF8\n250-DSN\n250-ENHANCEDSTATUSCODES\n250 SIZE 1000000\n");
  CHECK(t.say("MAIL FROM:<a@here.example> SIZE=100 BODY=8BITMIME\n") == "250 2.1.0 Ok\n");
  CHECK(t.say("RCPT TO:<b@FAR.example>\n") == "250 2.1.5 Ok\n");
  CHECK(t.say("RCPT TO:<b@far.example>\n") == "250 2.1.5 Ok\n");
  CHECK(t.say("rcpt to: <c@sub.far.example>\n") == "250 2.1.5 Ok\n");
  CHECK(t.say("DATA\n") == "354 Go ahead\n");
  CHECK(t.say("Subject: x\n\n..\n.a\n.\n") == "250 2.0.0 Ok q1\n");
  CHECK(t.say("quit\n") == "221 2.0.0 Bye\n");
  REQUIRE(t.log.delivered.size() == 1);
  const Deliver& d = t.log.delivered[0];
  CHECK(d.sender == "a@here.example");
  CHECK(d.recipients == std::vector<std::string>{"b@far.example", "c@sub.far.example"});
  CHECK(d.content == "Received: from here.example by far.example with ESMTP; Thu, 01 Jan 1970 00:00:00 +0000\r\nSubject: x\r\n\r\n.\r\na\r\n");
  CHECK(d.eight_bit);
  CHECK(t.log.finished->quit);
  CHECK(t.log.finished->messages == 1);
  CHECK(t.say("NOOP\n") == "");
}

TEST_CASE("only CRLF.CRLF ends a message; what looks like one to others is refused, not delivered in two") {
  for (const char* end : {"\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r", "\r.\r\n", "\r\n.\r", "\r\n\0.\r\n"}) {
    CAPTURE(end);
    ServerTalk t;
    t.say(kEnvelope);
    t.say("DATA\n");
    const std::string smuggled =
        std::string("Subject: x\r\n\r\nfirst") + end + "MAIL FROM:<evil@here.example>\r\nRCPT TO:<b@far.example>\r\nDATA\r\n\r\nsecond";
    CHECK(t.raw(smuggled) == "");
    const std::string answer = t.raw("\r\n.\r\n");
    CHECK(t.log.delivered.size() <= 1);
    const bool bare_lf = std::string_view(end).find('\n') != std::string_view::npos &&
                         (std::string_view(end).front() == '\n' || std::string_view(end).ends_with(".\n"));
    const bool bare_cr = std::string_view(end).find("\r.") == 0 || std::string_view(end).ends_with(".\r");
    if (bare_lf) CHECK(answer == "550 5.5.2 bare LF in the message, lines must end in CRLF\n");
    else if (bare_cr) CHECK(answer == "550 5.5.2 bare CR in the message, lines must end in CRLF\n");
    else CHECK(answer == "250 2.0.0 Ok q1\n");
    CHECK(t.say("NOOP\n") == "250 2.0.0 Ok\n");
  }
}

TEST_CASE("dots are taken away in pieces of any size") {
  const std::string wire = "..\r\n.a\r\n.\r\rx\r\n...\r\n\r\n.\r\nREST";
  const std::string want = ".\r\na\r\n\r\rx\r\n..\r\n\r\n";
  for (const std::size_t piece : {1, 2, 3, 1000}) {
    DotReader dots;
    std::string content;
    std::size_t taken = 0;
    while (!dots.ended() && taken < wire.size()) taken += dots.feed(std::string_view(wire).substr(taken, piece), content, 1000);
    CHECK(content == want);
    CHECK(wire.substr(taken) == "REST");
    CHECK_FALSE(dots.bare_lf());
  }
}

TEST_CASE("commands out of order") {
  ServerTalk t;
  CHECK(t.say("MAIL FROM:<a@b.example>\n") == "503 5.5.1 EHLO first\n");
  CHECK(t.say("EHLO\n") == "501 5.5.4 name expected\n");
  CHECK(t.say("HELO x\n") == "250 far.example\n");
  CHECK(t.say("RCPT TO:<b@far.example>\n") == "503 5.5.1 MAIL first\n");
  CHECK(t.say("DATA\n") == "503 5.5.1 MAIL first\n");
  CHECK(t.say("MAIL FROM:<>\n") == "250 2.1.0 Ok\n");
  CHECK(t.say("MAIL FROM:<>\n") == "503 5.5.1 sender already given\n");
  CHECK(t.say("DATA\n") == "554 5.5.1 no valid recipients\n");
  CHECK(t.say("RSET\n") == "250 2.0.0 Ok\n");
  CHECK(t.say("VRFY root\nHELP\nNOOP x\nEXPN y\n\n") ==
        "252 2.5.2 Send mail to find out\n214 2.0.0 RFC 5321\n250 2.0.0 Ok\n500 5.5.1 command unknown\n500 5.5.1 command unknown\n");
}

TEST_CASE("envelopes that are refused") {
  ServerTalk t;
  t.say("EHLO x\n");
  CHECK(t.say("MAIL FROM:a@b@c\n").starts_with("553 5.1.7 'a@b@c'"));
  CHECK(t.say("MAIL a@b.example\n").starts_with("501 5.5.4"));
  CHECK(t.say("MAIL FROM:<a@b.example\n").starts_with("501 5.5.4"));
  CHECK(t.say("MAIL FROM:<a@b.example>x\n").starts_with("501 5.5.4"));
  CHECK(t.say("MAIL FROM:<a@b.example> SIZE=1000001\n").starts_with("552 5.3.4"));
  CHECK(t.say("MAIL FROM:<a@b.example> SIZE=x\n").starts_with("501"));
  CHECK(t.say("MAIL FROM:<a@b.example> SIZE=1 SIZE=1\n") == "501 5.5.4 SIZE twice\n");
  CHECK(t.say("MAIL FROM:<j\xC3\xBC@b.example>\n").starts_with("553 5.6.7"));
  CHECK(t.say("MAIL FROM:<a@b.example> RET=BODY\n").starts_with("501 5.5.4"));
  CHECK(t.say("MAIL FROM:<a@b.example> AUTH=<>\n").starts_with("555 5.5.4"));
  CHECK(t.say("MAIL FROM:<\"a > b\"@b.example>\n") == "250 2.1.0 Ok\n");
  CHECK(t.say("RCPT TO:<b@elsewhere.example>\n") == "550 5.7.1 elsewhere.example is not a domain of this host\n");
  CHECK(t.say("RCPT TO:<root>\n").starts_with("501 5.1.3"));
  CHECK(t.say("RCPT TO:<>\n").starts_with("501 5.1.3"));
  CHECK(t.say("RCPT TO:<j\xC3\xBC@far.example>\n").starts_with("553 5.6.7"));
  CHECK(t.say("RCPT TO:<Postmaster>\n") == "250 2.1.5 Ok\n");
  CHECK(t.say("RCPT TO:<@relay.example:b@far.example>\n") == "250 2.1.5 Ok\n");
  t.say("DATA\n");
  t.say(".\n");
  CHECK(t.log.delivered.at(0).recipients == std::vector<std::string>{"Postmaster@far.example", "b@far.example"});
}

TEST_CASE("BDAT: bare CR and LF are refused as behind DATA, also at the ends of chunks") {
  for (const char* chunks : {"BDAT 3\r\na\nbBDAT 0 LAST\r\n", "BDAT 1\r\n\nBDAT 1 LAST\r\nx", "BDAT 2 LAST\r\nx\n"}) {
    ServerTalk t;
    t.say(kEnvelope);
    CHECK(t.raw(chunks).ends_with("550 5.5.2 bare LF in the message, lines must end in CRLF\n"));
    CHECK(t.log.delivered.empty());
  }
  for (const char* chunks : {"BDAT 6 LAST\r\nhi\r.\r\n", "BDAT 2\r\nx\rBDAT 1 LAST\r\ny", "BDAT 2 LAST\r\nx\r"}) {
    ServerTalk t;
    t.say(kEnvelope);
    CHECK(t.raw(chunks).ends_with("550 5.5.2 bare CR in the message, lines must end in CRLF\n"));
    CHECK(t.log.delivered.empty());
  }
}

TEST_CASE("BDAT: chunks, an empty last one, an end without CRLF, and chunks behind a failed one are swallowed") {
  ServerTalk t;
  t.say(kEnvelope);
  CHECK(t.raw("BDAT 5\r\nab\r\ncBDAT 4\r\nd\r\neBDAT 0 LAST\r\n") == "250 2.0.0 Ok\n250 2.0.0 Ok\n250 2.0.0 Ok q1\n");
  CHECK(without_received(t.log.delivered.at(0).content) == "ab\r\ncd\r\ne\r\n");

  CHECK(t.raw("MAIL FROM:<>\r\nRCPT TO:<x@elsewhere.example>\r\nBDAT 6 LAST\r\nQUIT\r\nBDAT 6\r\nRSET\r\nMAIL FROM:<>\r\nNOOP\r\n") ==
        "250 2.1.0 Ok\n550 5.7.1 elsewhere.example is not a domain of this host\n503 5.5.1 no valid recipients\n503 5.5.1 RSET expected\n"
        "503 5.5.1 sender already given\n250 2.0.0 Ok\n");
  CHECK(t.raw("RSET\r\nMAIL FROM:<>\r\nRCPT TO:<b@far.example>\r\nBDAT 1\r\nxRCPT TO:<c@far.example>\r\nDATA\r\nRSET\r\n") ==
        "250 2.0.0 Ok\n250 2.1.0 Ok\n250 2.1.5 Ok\n250 2.0.0 Ok\n503 5.5.1 BDAT or RSET expected\n503 5.5.1 BDAT or RSET expected\n250 2.0.0 Ok\n");
  CHECK(t.raw("BDAT 4 LAST\r\nQUITNOOP\r\n") == "503 5.5.1 MAIL first\n250 2.0.0 Ok\n");
  CHECK(t.raw("BDAT x\r\nQUIT\r\n") == "501 5.5.4 BDAT size [LAST] expected\n");
  CHECK_FALSE(t.log.finished->quit);
}

TEST_CASE("too large, by DATA and by BDAT") {
  SmtpServerOptions options = server_options();
  options.size_limit = 100;
  ServerTalk t(options);
  t.say(kEnvelope);
  t.say("DATA\n");
  CHECK(t.say(std::string(200, 'x') + "\n.\n") == "552 5.3.4 message too large\n");
  t.say(std::string(kEnvelope).substr(18));
  CHECK(t.raw("BDAT 60\r\n" + std::string(60, 'x') + "BDAT 60 LAST\r\n" + std::string(60, 'x') + "BDAT 2000000000\r\n") ==
        "250 2.0.0 Ok\n552 5.3.4 message too large\n");
  CHECK(t.log.delivered.empty());
}

TEST_CASE("a pipelined group is answered in one piece, and input behind a message waits for its storage") {
  SmtpServer server(server_options());
  server.start(at(0));
  (void)server.next_action();
  server.on_bytes("EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<b@far.example>\r\nBDAT 2 LAST\r\n\r\nRSET\r\nQUIT\r\n", at(0));
  CHECK(std::get<Write>(*server.next_action()).bytes.ends_with("250 2.1.5 Ok\r\n"));
  CHECK(std::holds_alternative<Deliver>(*server.next_action()));
  CHECK_FALSE(server.next_action());
  CHECK(server.waiting());
  CHECK_FALSE(server.deadline());
  server.on_bytes("NOOP\r\n", at(0));
  CHECK_FALSE(server.next_action());
  server.refuse(Error(Errc::io, "broken"), at(0));
  CHECK(std::get<Write>(*server.next_action()).bytes == "451 4.3.0 the message could not be stored\r\n250 2.0.0 Ok\r\n221 2.0.0 Bye\r\n");
  CHECK(std::holds_alternative<SmtpServerFinished>(*server.next_action()));
}

TEST_CASE("hostile clients") {
  ServerTalk t;
  CHECK(t.raw(std::string("NO\0OP\r\n", 7)) == "500 5.5.2 control character in the command\n");
  CHECK(t.raw(std::string(10'000, 'A') + "\r\n") == "500 5.5.2 line too long\n");
  CHECK(t.say("EHLO ev\x1Bil\n").starts_with("500"));
  std::string answers;
  for (int i = 0; i < 60; ++i) answers += t.say("FOO\n");
  CHECK(answers.ends_with("421 4.7.0 too many errors\n"));
  CHECK(t.log.finished->reason == "too many errors");

  ServerTalk http;
  CHECK(http.raw("POST / HTTP/1.1\r\nHost: x\r\n\r\nEHLO x\r\n").starts_with("421"));

  ServerTalk loop;
  loop.say(kEnvelope);
  loop.say("DATA\n");
  std::string hops;
  for (int i = 0; i < 120; ++i) hops += "Received: again\n";
  CHECK(loop.say(hops + "\n.\n").starts_with("554 5.4.6"));

  ServerTalk name;
  name.say("EHLO a(b)c\nMAIL FROM:<>\nRCPT TO:<b@far.example>\nDATA\n.\n");
  CHECK(name.log.delivered.at(0).content.starts_with("Received: from unknown by far.example"));
}

TEST_CASE("recipients are bounded") {
  SmtpServerOptions options = server_options();
  options.recipient_limit = 2;
  ServerTalk t(options);
  t.say("EHLO x\nMAIL FROM:<>\n");
  CHECK(t.say("RCPT TO:<a@far.example>\nRCPT TO:<b@far.example>\nRCPT TO:<c@far.example>\nRCPT TO:<a@far.example>\n") ==
        "250 2.1.5 Ok\n250 2.1.5 Ok\n452 4.5.3 too many recipients\n250 2.1.5 Ok\n");
}

TEST_CASE("time") {
  ServerTalk t;
  const TimePoint until = *t.server.deadline();
  t.server.on_time(until - Duration(1));
  CHECK_FALSE(t.server.next_action());
  t.server.on_time(until);
  CHECK(std::get<Write>(*t.server.next_action()).bytes.starts_with("421 4.4.2"));
  CHECK(std::holds_alternative<SmtpServerFinished>(*t.server.next_action()));
  CHECK_FALSE(t.server.deadline());

  // Bytes without a line end are not progress.
  ServerTalk slow;
  slow.server.on_bytes("NOOP", at(100'000));
  CHECK(*slow.server.deadline() == at(300'000));
}

TEST_CASE("stop() never cuts a message") {
  ServerTalk t;
  t.say(kEnvelope);
  t.say("DATA\n");
  t.server.stop(at(2));
  CHECK_FALSE(t.server.next_action());
  CHECK(t.say("hi\n.\n") == "250 2.0.0 Ok q1\n");
  CHECK(t.say("NOOP\n") == "421 4.3.2 closing down\n");
  ServerTalk done;
  done.say(kEnvelope);
  done.say("DATA\n");
  done.server.stop(at(2));
  CHECK(done.say("hi\n.\nQUIT\n") == "250 2.0.0 Ok q1\n221 2.0.0 Bye\n");
  CHECK(done.log.finished->quit);
  ServerTalk idle;
  idle.server.stop(at(2));
  idle.log.drain(idle.server, at(2));
  CHECK(idle.log.written.ends_with("421 4.3.2 closing down\r\n"));
}

TEST_CASE("a connection that ends within a message leaves nothing") {
  const std::string whole = "EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<b@far.example>\r\nDATA\r\nSubject: x\r\n\r\nhi\r\n.\r\n";
  for (std::size_t k = 0; k < whole.size(); ++k) {
    ServerTalk t;
    t.raw(whole.substr(0, k));
    t.server.on_closed(at(2));
    t.log.drain(t.server, at(2));
    CHECK(t.log.delivered.empty());
    CHECK(t.log.finished);
  }
}

TEST_CASE("what a sender wants to be told is kept") {
  ServerTalk t;
  t.say("EHLO x\n");
  CHECK(t.say("MAIL FROM:<a@b.example> RET=FULL ENVID=E1\n") == "250 2.1.0 Ok\n");
  CHECK(t.say("RCPT TO:<b@far.example> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;B@far.example\n") == "250 2.1.5 Ok\n");
  CHECK(t.say("RCPT TO:<c@far.example>\n") == "250 2.1.5 Ok\n");
  CHECK(t.say("RCPT TO:<d@far.example> NOTIFY=MAYBE\n").starts_with("501 5.5.4"));
  CHECK(t.say("RCPT TO:<d@far.example> SIZE=1\n").starts_with("555 5.5.4"));
  t.say("DATA\n");
  t.say("x\n.\n");
  REQUIRE(t.log.delivered.size() == 1);
  const Deliver& d = t.log.delivered[0];
  CHECK(d.dsn.ret == "FULL");
  CHECK(d.dsn.envelope_id == "E1");
  CHECK(d.dsn.of("b@far.example") == DsnWish{"SUCCESS,FAILURE", "rfc822;B@far.example"});
  CHECK(d.dsn.of("c@far.example").empty());
  CHECK(d.content.substr(d.added) == "x\r\n");
  // The next one starts afresh.
  t.say("MAIL FROM:<a@b.example>\nRCPT TO:<b@far.example>\nDATA\n");
  t.say("x\n.\n");
  CHECK(t.log.delivered.at(1).dsn.empty());
}

TEST_CASE("without a place for notices DSN is not announced") {
  SmtpServerOptions options = server_options();
  options.dsn = false;
  ServerTalk t(options);
  CHECK(t.say("EHLO x\n").find("DSN") == std::string::npos);
}

TEST_CASE("relaying is for domains and clients that are named") {
  SmtpServerOptions options = server_options();
  options.relay_domains = {"*.branch.example"};
  ServerTalk t(options);
  t.say("EHLO x\nMAIL FROM:<>\n");
  CHECK(t.say("RCPT TO:<a@x.branch.example>\n").starts_with("250"));
  CHECK(t.say("RCPT TO:<a@branch.example>\n").starts_with("550 5.7.1"));
  CHECK(t.say("RCPT TO:<\"a@x.branch.example\"@evil.example>\n").starts_with("550 5.7.1"));
  CHECK(t.say("RCPT TO:<a%x.branch.example@evil.example>\n").starts_with("550 5.7.1"));
  options.relays_all = true;
  ServerTalk all(options);
  all.say("EHLO x\nMAIL FROM:<>\n");
  CHECK(all.say("RCPT TO:<a@anywhere.example>\n").starts_with("250"));
}
