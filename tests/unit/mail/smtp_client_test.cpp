// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <algorithm>

#include "unit/mail/smtp_world.hpp"

using namespace longline;
using namespace longline::mail;
using namespace longline::mail::test;

namespace {

constexpr const char* kPostfix =
    "250-mail.far.example\n250-PIPELINING\n250-SIZE 10240000\n250-ETRN\n250-ENHANCEDSTATUSCODES\n250-8BITMIME\n250-DSN\n"
    "250-SMTPUTF8\n250 CHUNKING\n";
constexpr const char* kSendmail = "250-far.example Hello here.example [192.0.2.1], pleased to meet you\n250-PIPELINING\n250-8BITMIME\n250-SIZE\n250 DSN\n";
constexpr const char* kBare = "250-far.example\n250-SIZE 36700160\n250 8BITMIME\n";

FakeSource three_messages() {
  FakeSource source;
  source.add("1", {"a@far.example"}, "X: 1\r\n\r\n.\r\n", "one@here.example");
  source.add("2", {"b@far.example", "c@far.example"}, "X: 2\r\n\r\n", "two@here.example");
  source.add("3", {"d@far.example"}, "X: 3\r\n\r\n", "three@here.example");
  return source;
}

}  // namespace

TEST_CASE("CHUNKING: the first message alone, then two, RSET behind each, and QUIT behind the last reply") {
  FakeSource source = three_messages();
  Dialogue d(source);
  CHECK(d.hear("220 mail.far.example ESMTP Postfix\n") == "EHLO here.example\n");
  CHECK(d.hear(kPostfix) == "MAIL FROM:<one@here.example> SIZE=11\nRCPT TO:<a@far.example>\nBDAT 11 LAST\nX: 1\n\n.\nRSET\n");
  CHECK(d.log.marked == std::vector<std::string>{"1"});
  CHECK(d.hear("250 2.1.0 Ok\n250 2.1.5 Ok\n") == "");
  CHECK(d.client.in_flight() == 1);
  CHECK(d.hear("250 2.0.0 Ok: queued as 4711\n") == "");
  CHECK(d.hear("250 2.0.0 Ok\n") ==
        "MAIL FROM:<two@here.example> SIZE=8\nRCPT TO:<b@far.example>\nRCPT TO:<c@far.example>\nBDAT 8 LAST\nX: 2\n\n"
        "RSET\nMAIL FROM:<three@here.example> SIZE=8\nRCPT TO:<d@far.example>\nBDAT 8 LAST\nX: 3\n\nRSET\n");
  CHECK(d.log.outcome("1") == Outcome::sent);
  CHECK(d.log.results["1"]["a@far.example"].text == "Ok: queued as 4711");
  CHECK(d.hear("250 2.1.0 Ok\n250 2.1.5 Ok\n550 5.1.1 no such user\n250 2.0.0 Ok\n250 2.0.0 Ok\n250 2.1.0 Ok\n250 2.1.5 Ok\n") == "");
  CHECK(d.log.results["2"]["c@far.example"].outcome == Outcome::refused);
  CHECK(d.log.results["2"]["c@far.example"].enhanced == "5.1.1");
  CHECK(d.hear("250 2.0.0 Ok\n250 2.0.0 Ok\n") == "QUIT\n");
  REQUIRE(d.log.finished);
  CHECK_FALSE(d.log.finished->error);
  CHECK(d.log.finished->window.messages == 4);
}

TEST_CASE("on a stream the envelope of the next goes behind the first message of all, and its body when that is answered") {
  FakeSource source = three_messages();
  SmtpClientOptions options = client_options();
  options.stream = true;
  Dialogue d(source, options);
  d.hear("220 mail.far.example ESMTP Postfix\n");
  CHECK(d.hear(kPostfix) == "MAIL FROM:<one@here.example> SIZE=11\nRCPT TO:<a@far.example>\nBDAT 11 LAST\nX: 1\n\n.\n"
                            "RSET\nMAIL FROM:<two@here.example> SIZE=8\nRCPT TO:<b@far.example>\nRCPT TO:<c@far.example>\n");
  CHECK(d.log.marked == std::vector<std::string>{"1"});
  CHECK(d.client.in_flight() == 1);
  CHECK(d.hear("250 2.1.0 Ok\n250 2.1.5 Ok\n250 2.0.0 Ok\n") == "");
  CHECK(d.hear("250 2.0.0 Ok\n") == "BDAT 8 LAST\nX: 2\n\nRSET\nMAIL FROM:<three@here.example> SIZE=8\nRCPT TO:<d@far.example>\nBDAT 8 LAST\nX: 3\n\nRSET\n");
  CHECK(d.hear("250 2.1.0 Ok\n250 2.1.5 Ok\n250 2.1.5 Ok\n250 2.0.0 Ok\n250 2.0.0 Ok\n250 2.1.0 Ok\n250 2.1.5 Ok\n250 2.0.0 Ok\n250 2.0.0 Ok\n") == "QUIT\n");
  for (const char* id : {"1", "2", "3"}) CHECK(d.log.outcome(id) == Outcome::sent);
}

TEST_CASE("on a stream: a first message that is refused lets the next one's body go, and a cut leaves that untried") {
  for (const bool cut : {false, true}) {
    FakeSource source = three_messages();
    SmtpClientOptions options = client_options();
    options.stream = true;
    Dialogue d(source, options);
    d.hear("220 mail.far.example ESMTP Postfix\n");
    d.hear(kPostfix);
    d.hear("250 2.1.0 Ok\n550 5.1.1 no such user\n");
    if (cut) {
      d.client.on_closed(TimePoint{});
      REQUIRE(d.hear("") == "");
      CHECK(d.log.outcome("1") == Outcome::refused);
      CHECK(d.log.outcome("2") == Outcome::not_tried);
      continue;
    }
    CHECK(d.hear("554 5.5.1 no valid recipients\n250 2.0.0 Ok\n").starts_with("BDAT 8 LAST\n"));
  }
}

TEST_CASE("PIPELINING without CHUNKING: the body of one message and the envelope of the next share a flight") {
  FakeSource source = three_messages();
  Dialogue d(source);
  d.hear("220 far.example\n");
  CHECK(d.hear(kSendmail) == "MAIL FROM:<one@here.example> SIZE=11\nRCPT TO:<a@far.example>\nDATA\n");
  CHECK(d.hear("250 2.1.0 Ok\n250 2.1.5 Ok\n354 Go\n") ==
        "X: 1\n\n..\n.\nRSET\nMAIL FROM:<two@here.example> SIZE=8\nRCPT TO:<b@far.example>\nRCPT TO:<c@far.example>\nDATA\n");
  CHECK(d.hear("250 2.0.0 Ok\n250 2.0.0 Reset\n250 2.1.0 Ok\n250 2.1.5 Ok\n250 2.1.5 Ok\n354 Go\n") ==
        "X: 2\n\n.\nRSET\nMAIL FROM:<three@here.example> SIZE=8\nRCPT TO:<d@far.example>\nDATA\n");
  CHECK(d.hear("250 2.0.0 Ok\n250 2.0.0 Reset\n250 2.1.0 Ok\n550 5.1.1 unknown\n354 Go\n") == ".\nRSET\n");
  CHECK(d.hear("554 5.5.1 no valid recipients\n250 2.0.0 Reset\n") == "QUIT\n");
  CHECK(d.log.outcome("1") == Outcome::sent);
  CHECK(d.log.outcome("2") == Outcome::sent);
  CHECK(d.log.outcome("3") == Outcome::refused);
  CHECK(d.log.results["3"]["d@far.example"].text == "unknown");
}

TEST_CASE("DATA refused because no recipient is valid: RSET and the next message") {
  FakeSource source = three_messages();
  Dialogue d(source);
  d.hear("220 far.example\n");
  d.hear(kSendmail);
  CHECK(d.hear("250 2.1.0 Ok\n450 4.2.1 greylisted\n503 5.0.0 Need RCPT (recipient)\n") ==
        "RSET\nMAIL FROM:<two@here.example> SIZE=8\nRCPT TO:<b@far.example>\nRCPT TO:<c@far.example>\nDATA\n");
  CHECK(d.log.outcome("1") == Outcome::deferred);
  CHECK(d.log.results["1"]["a@far.example"].code == 450);
}

TEST_CASE("a peer that announces nothing gets one command at a time, and no RSET without need") {
  FakeSource source = three_messages();
  Dialogue d(source);
  d.hear("220 far.example\n");
  CHECK(d.hear(kBare) == "MAIL FROM:<one@here.example> SIZE=11\n");
  CHECK(d.hear("250 Ok\n") == "RCPT TO:<a@far.example>\n");
  CHECK(d.hear("250 Ok\n") == "DATA\n");
  CHECK(d.hear("354 Go\n") == "X: 1\n\n..\n.\n");
  CHECK(d.hear("250 Ok\n") == "MAIL FROM:<two@here.example> SIZE=8\n");
  CHECK(d.hear("250 Ok\n") == "RCPT TO:<b@far.example>\n");
  CHECK(d.hear("550 no\n") == "RCPT TO:<c@far.example>\n");
  CHECK(d.hear("550 no\n") == "RSET\n");
  CHECK(d.hear("250 Ok\n") == "MAIL FROM:<three@here.example> SIZE=8\n");
  CHECK(d.hear("550 no\n") == "QUIT\n");
  CHECK(d.log.outcome("2") == Outcome::refused);
  CHECK(d.log.outcome("3") == Outcome::refused);
}

TEST_CASE("EHLO unknown: HELO, and then no parameters") {
  FakeSource source;
  source.add("1", {"a@far.example"}, "\r\nhi\r\n");
  Dialogue d(source);
  d.hear("220 far.example\n");
  CHECK(d.hear("502 what?\n") == "HELO here.example\n");
  CHECK(d.hear("250 far.example\n") == "MAIL FROM:<alice@here.example>\n");
}

TEST_CASE("Exim without a good RSET: a 503 behind a refused recipient sends the message again, alone") {
  FakeSource source = three_messages();
  SmtpClientOptions options = client_options();
  options.window.messages = 5;
  Dialogue d(source, options);
  d.hear("220 far.example\n");
  d.hear("250-far.example\n250-PIPELINING\n250 CHUNKING\n");
  // Message 1 refused; message 2's MAIL meets the old state; message 3 is not taken either.
  CHECK(d.hear("250 Ok\n550 no\n503 valid RCPT command must precede BDAT\n"
               "250 Reset\n503 sender already given\n503 no\n503 no\n503 no\n"
               "250 Reset\n250 Ok\n250 Ok\n250 Ok\n250 Reset\n") ==
        "MAIL FROM:<two@here.example>\nRCPT TO:<b@far.example>\nRCPT TO:<c@far.example>\nBDAT 8 LAST\nX: 2\n\nRSET\n");
  CHECK(d.log.outcome("1") == Outcome::refused);
  CHECK(d.log.outcome("3") == Outcome::sent);
  CHECK(d.log.results.count("2") == 0);
  CHECK(d.hear("250 Ok\n250 Ok\n250 Ok\n250 Ok\n250 Reset\n") == "QUIT\n");
  CHECK(d.log.outcome("2") == Outcome::sent);
  CHECK(d.log.finished->window.messages == 1);
}

TEST_CASE("a 503 to a message that is alone defers it: it is about the session") {
  FakeSource source;
  source.add("1", {"a@far.example"}, "\r\n");
  Dialogue d(source);
  d.hear("220 far.example\n");
  d.hear("250-far.example\n250-PIPELINING\n250 CHUNKING\n");
  CHECK(d.hear("503 odd\n503 odd\n503 odd\n503 odd\n").starts_with("RSET\nMAIL FROM"));
  CHECK(d.hear("250 Ok\n503 odd\n503 odd\n503 odd\n250 Ok\n") == "MAIL FROM:<alice@here.example>\n");   // and then a command at a time
  CHECK(d.hear("503 odd\n") == "QUIT\n");
  CHECK(d.log.outcome("1") == Outcome::deferred);
}

TEST_CASE("421 ends the session wherever it comes, and says which messages it left") {
  FakeSource source = three_messages();
  SmtpClientOptions options = client_options();
  options.window.messages = 5;
  Dialogue d(source, options);
  d.hear("220 far.example\n");
  d.hear("250-far.example\n250-PIPELINING\n250 CHUNKING\n");
  CHECK(d.hear("250 Ok\n250 Ok\n250 Ok\n250 Ok\n421 4.3.2 closing\n") == "");
  CHECK(d.log.outcome("1") == Outcome::sent);
  // Where it answers MAIL it says nothing about the message.
  CHECK(d.log.outcome("2") == Outcome::not_tried);
  CHECK(d.log.results["2"]["b@far.example"].code == 0);
  CHECK(d.log.results["2"]["b@far.example"].text == "421 4.3.2 closing");
  CHECK(d.log.outcome("3") == Outcome::in_doubt);
  REQUIRE(d.log.finished);
  CHECK(d.log.finished->error->code == Errc::busy);
}

TEST_CASE("greetings that are none") {
  const auto ends_with = [](const char* greeting) {
    FakeSource source = three_messages();
    Dialogue d(source);
    d.hear(greeting);
    REQUIRE(d.log.finished);
    CHECK(source.given == 0);
    return d.log.finished->error->code;
  };
  CHECK(ends_with("421 busy\n") == Errc::busy);
  CHECK(ends_with("554 go away\n") == Errc::next_hop_unreachable);
  CHECK(ends_with("hello\n") == Errc::protocol);
  CHECK(ends_with("220-a\n221 b\n") == Errc::protocol);
  CHECK(ends_with("120 too low\n") == Errc::protocol);
}

TEST_CASE("on a stream link the rest of the login dialogue is skipped, within a limit") {
  FakeSource source = three_messages();
  SmtpClientOptions options = client_options();
  options.skip_before_greeting = 200;
  Dialogue d(source, options);
  CHECK(d.hear("Welcome to far\n\nLast login: never\n250 lines of news\r\r\n220 far.example\n") == "EHLO here.example\n");

  FakeSource other = three_messages();
  Dialogue endless(other, options);
  for (int i = 0; i < 20 && !endless.log.finished; ++i) endless.hear("news news news\n");
  REQUIRE(endless.log.finished);
  CHECK(endless.log.finished->error->code == Errc::protocol);
}

TEST_CASE("the peer must have the expected name, in greeting and EHLO reply; the error names both") {
  FakeSource source = three_messages();
  SmtpClientOptions options = client_options();
  options.peer_name = "mail.far.example";
  Dialogue d(source, options);
  CHECK(d.hear("220 other.example ESMTP\n") == "QUIT\n");
  CHECK(d.log.finished->error->what == "the peer calls itself 'other.example' in its greeting, expected 'mail.far.example'");
  CHECK(d.log.finished->error->code == Errc::auth_refused);

  Dialogue e(source, options);
  CHECK(e.hear("220 MAIL.far.example ESMTP\n") == "EHLO here.example\n");
  CHECK(e.hear("250 alias.far.example\n") == "QUIT\n");
  CHECK(e.log.finished->error->what.find("alias.far.example") != std::string::npos);
  CHECK(source.given == 0);
}

TEST_CASE("silence ends every wait") {
  const auto silent_after = [](std::initializer_list<const char*> replies) {
    FakeSource source = three_messages();
    Dialogue d(source);
    for (const char* reply : replies) d.hear(reply);
    const auto until = d.client.deadline();
    REQUIRE(until);
    d.client.on_time(*until - Duration(1));
    d.log.drain(d.client);
    CHECK_FALSE(d.log.finished);
    d.client.on_time(*until);
    d.log.drain(d.client);
    REQUIRE(d.log.finished);
    CHECK(d.log.finished->error->code == Errc::line_dropped);
    CHECK_FALSE(d.client.deadline());
    return std::chrono::duration_cast<std::chrono::minutes>(until->time_since_epoch()).count();
  };
  CHECK(silent_after({}) == 5);
  CHECK(silent_after({"220 far.example\n"}) == 5);
  CHECK(silent_after({"220 far.example\n", kBare}) == 5);
  CHECK(silent_after({"220 far.example\n", kBare, "250 Ok\n", "250 Ok\n"}) == 2);
  CHECK(silent_after({"220 far.example\n", kBare, "250 Ok\n", "250 Ok\n", "354 Go\n"}) == 10);
}

TEST_CASE("a driver that cannot write for long is a dead line too") {
  FakeSource source;
  source.add("1", {"a@far.example"}, std::string(300000, 'x') + "\r\n");
  SmtpClient client(client_options(), source);
  ClientLog log;
  client.start(at(0));
  for (const char* reply : {"220 far.example\r\n", "250 far.example\r\n", "250 Ok\r\n", "250 Ok\r\n", "354 Go\r\n"}) {
    client.on_bytes(reply, at(0));
    log.drain(client);
  }
  CHECK(log.written.size() <= 65536);
  const TimePoint first = *client.deadline();
  client.on_writable(1000, at(60'000));
  log.drain(client);
  CHECK(log.written.size() <= 66536);
  CHECK(*client.deadline() > first);
  client.on_writable(0, at(120'000));  // no progress
  CHECK(*client.deadline() < at(60'000 + 3 * 60'000 + 400'000));
  client.on_time(*client.deadline());
  log.drain(client);
  CHECK(log.outcome("1") == Outcome::not_tried);
}

TEST_CASE("endless lines, endless replies, unasked replies") {
  FakeSource source = three_messages();
  Dialogue line(source);
  for (int i = 0; i < 100 && !line.log.finished; ++i) line.hear(std::string(1000, 'a'));
  CHECK(line.log.finished->error->code == Errc::protocol);

  Dialogue reply(source);
  reply.hear("220 far.example\n");
  for (int i = 0; i < 10000 && !reply.log.finished; ++i) reply.hear("250-x\n");
  CHECK(reply.log.finished->error->code == Errc::protocol);

  FakeSource large;
  large.add("1", {"a@far.example"}, std::string(300000, 'x') + "\r\n");
  SmtpClient client(client_options(), large);
  ClientLog unasked;
  client.start(at(0));
  for (const char* early : {"220 far.example\r\n", "250 far.example\r\n", "250 Ok\r\n", "250 Ok\r\n", "354 Go\r\n", "250 Ok\r\n"}) {
    client.on_bytes(early, at(0));
    unasked.drain(client);
  }
  REQUIRE(unasked.finished);
  CHECK(unasked.outcome("1") == Outcome::not_tried);
  CHECK(unasked.finished->error->code == Errc::protocol);
}

TEST_CASE("the peer's words are escaped and bounded") {
  FakeSource source = three_messages();
  Dialogue d(source);
  d.hear("220 far.example\n");
  d.hear(kBare);
  d.hear(std::string("550-5.7.1 \x1B[2Jno\n550 5.7.1 ") + std::string(2000, 'n') + "\n");
  const RecipientResult& r = d.log.results["1"]["a@far.example"];
  CHECK(r.text.starts_with("\\x1B[2Jno / nnnn"));
  CHECK(r.text.size() < 420);
}

TEST_CASE("too many recipients for one transaction: several, with one result each") {
  FakeSource source;
  std::vector<std::string> recipients;
  for (int i = 0; i < 5; ++i) recipients.push_back(std::to_string(i) + "@far.example");
  source.add("1", recipients, "\r\nhi\r\n");
  Dialogue d(source);
  d.hear("220 far.example\n");
  CHECK(d.hear("250-far.example\n250-PIPELINING\n250-CHUNKING\n250 LIMITS RCPTMAX=3 MAILMAX=10\n") ==
        "MAIL FROM:<alice@here.example>\nRCPT TO:<0@far.example>\nRCPT TO:<1@far.example>\nRCPT TO:<2@far.example>\nBDAT 6 LAST\n\nhi\nRSET\n");
  CHECK(d.hear("250 Ok\n250 Ok\n452 too many\n452 too many\n250 Ok\n250 Ok\n") ==
        "MAIL FROM:<alice@here.example>\nRCPT TO:<1@far.example>\nRCPT TO:<2@far.example>\nBDAT 6 LAST\n\nhi\n"
        "RSET\nMAIL FROM:<alice@here.example>\nRCPT TO:<3@far.example>\nRCPT TO:<4@far.example>\nBDAT 6 LAST\n\nhi\nRSET\n");
  CHECK(d.log.last_results["1"] == 0);
  CHECK(d.hear("250 Ok\n250 Ok\n250 Ok\n250 Ok\n250 Ok\n250 Ok\n250 Ok\n250 Ok\n250 Ok\n250 Ok\n") == "QUIT\n");
  CHECK(d.log.results["1"].size() == 5);
  CHECK(d.log.last_results["1"] == 1);
  CHECK(std::all_of(recipients.begin(), recipients.end(), [&](const auto& r) { return d.log.results["1"][r].outcome == Outcome::sent; }));
}

TEST_CASE("8-bit mail to a peer without 8BITMIME is converted, or refused where that would break it") {
  FakeSource source;
  source.add("1", {"a@far.example"}, "Subject: x\r\n\r\ngr\xC3\xBC\xC3\x9F\r\n");
  source.add("2", {"a@far.example"}, "Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\n\xC3\xBC\r\n--b--\r\n");
  Dialogue d(source);
  d.hear("220 far.example\n");
  const std::string converted =
      "Subject: x\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\ngr=C3=BC=C3=9F\n";
  CHECK(d.hear("250-far.example\n250-SIZE\n250 PIPELINING\n") ==
        "MAIL FROM:<alice@here.example> SIZE=" + std::to_string(converted.size() + 6) + "\nRCPT TO:<a@far.example>\nDATA\n");
  CHECK(d.hear("250 Ok\n250 Ok\n354 Go\n") == converted + ".\nRSET\n");
  CHECK(d.hear("250 Ok\n250 Ok\n") == "QUIT\n");
  CHECK(d.log.outcome("2") == Outcome::refused);
  CHECK(d.log.results["2"]["a@far.example"].enhanced == "5.6.3");
}

TEST_CASE("what the peer cannot take is refused before a byte is sent") {
  FakeSource source;
  source.add("big", {"a@far.example"}, std::string(5000, 'x') + "\r\n");
  source.add("utf8", {"\xC3\xBC@far.example", "a@far.example"}, "\r\n");
  source.add("inject", {"a@far.example>\r\nRCPT TO:<b@far.example"}, "\r\n");
  Dialogue d(source);
  d.hear("220 far.example\n");
  CHECK(d.hear("250-far.example\n250-PIPELINING\n250-8BITMIME\n250 SIZE 1000\n") ==
        "MAIL FROM:<alice@here.example> SIZE=2\nRCPT TO:<a@far.example>\nDATA\n");
  CHECK(d.log.results.empty());
  d.hear("250 Ok\n");
  CHECK(d.log.results["big"]["a@far.example"].enhanced == "5.3.4");
  CHECK(d.log.results["utf8"]["\xC3\xBC@far.example"].outcome == Outcome::refused);
  CHECK(d.log.last_results["utf8"] == 0);
  d.hear("250 Ok\n354 Go\n");
  d.hear("250 Ok\n");
  CHECK(d.log.outcome("inject") == Outcome::refused);
  CHECK(d.log.written.find("RCPT TO:<b@far.example") == std::string::npos);
}

TEST_CASE("an EHLO reply that a cut line ended too early refuses nothing") {
  for (const bool cut : {true, false}) {
    FakeSource source;
    source.add("big", {"a@far.example"}, std::string(800, 'x') + "\r\n");
    source.add("utf8", {"\xC3\xBC@far.example"}, "\r\n");
    Dialogue d(source);
    d.hear("220 far.example\n");
    // "250 SIZE 104857600" and carrier lost: the modem says so on a line of its own.
    CHECK(d.hear("250-far.example\n250 SIZE 10\n") == "NOOP\n");
    if (cut) d.client.on_closed(at(100));
    else CHECK(d.hear("250 ok\n") == "QUIT\n");
    d.log.drain(d.client);
    CHECK(d.log.finished->error.has_value() == cut);
    for (const char* id : {"big", "utf8"}) {
      CHECK(d.log.outcome(id) == (cut ? Outcome::not_tried : Outcome::refused));
      CHECK(d.log.last_results[id] == 1);
    }
  }
}

TEST_CASE("a message that cannot be read ends the session before the peer can take half of it") {
  for (const char* ehlo : {kPostfix, kSendmail}) {
    FakeSource source;
    source.add("1", {"a@far.example"}, std::string(50000, 'x') + "\r\n");
    source.add("2", {"a@far.example"}, "\r\n");
    source.unreadable = "1";
    source.largest_read = 10000;
    Dialogue d(source);
    d.hear("220 mail.far.example\n");
    d.hear(ehlo);
    d.hear("250 Ok\n250 Ok\n354 Go\n");
    REQUIRE(d.log.finished);
    CHECK(d.log.finished->error->code == Errc::io);
    CHECK(d.log.outcome("1") == Outcome::deferred);
    CHECK(d.log.written.find("\r\n.\r\n") == std::string::npos);
  }
}

TEST_CASE("a large message waits for RCPT's replies, and goes in chunks that can be refused on the way") {
  FakeSource source;
  source.add("1", {"a@far.example"}, std::string(600'000, 'x') + "\r\n");
  source.add("2", {"a@far.example"}, std::string(600'000, 'x') + "\r\n");
  Dialogue d(source);
  d.hear("220 far.example\n");
  CHECK(d.hear("250-far.example\n250-PIPELINING\n250 CHUNKING\n") == "MAIL FROM:<alice@here.example>\nRCPT TO:<a@far.example>\n");
  CHECK(d.hear("250 Ok\n550 no\n").starts_with("RSET\nMAIL FROM"));
  CHECK(d.log.outcome("1") == Outcome::refused);
  CHECK(d.hear("250 Ok\n250 Ok\n250 Ok\n").starts_with("BDAT 262144\n"));
  d.hear("452 4.3.1 disk full\n");
  for (int i = 0; i < 10; ++i) d.hear("");
  CHECK(d.log.outcome("2") == Outcome::deferred);
  CHECK(std::count(d.log.written.begin(), d.log.written.end(), 'x') == 262144 + 5);  // and five in "example"
}

TEST_CASE("stop() takes no further message") {
  FakeSource source = three_messages();
  Dialogue d(source);
  d.hear("220 far.example\n");
  d.hear(kSendmail);
  d.client.stop(at(10));
  CHECK(d.hear("250 Ok\n250 Ok\n354 Go\n") == "X: 1\n\n..\n.\nRSET\n");
  CHECK(d.hear("250 Ok\n250 Ok\n") == "QUIT\n");
  CHECK(source.given == 1);
}

TEST_CASE("no mail: EHLO and QUIT") {
  FakeSource source;
  Dialogue d(source);
  d.hear("220 far.example\n");
  CHECK(d.hear(kPostfix) == "QUIT\n");
  CHECK_FALSE(d.log.finished->error);
}
