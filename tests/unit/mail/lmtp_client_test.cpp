// SPDX-License-Identifier: MIT
#include "mail/lmtp_client.hpp"

#include <doctest/doctest.h>

#include "unit/mail/smtp_world.hpp"

using namespace longline;
using namespace longline::mail;
using namespace longline::mail::test;

namespace {

constexpr std::string_view kContent = "Subject: x\r\n\r\n.dot\r\n..two\r\nend\r\n";
constexpr std::string_view kStuffed = "Subject: x\r\n\r\n..dot\r\n...two\r\nend\r\n.\r\n";
constexpr std::string_view kServer =
    "220 store LMTP\r\n250-store\r\n250 8BITMIME\r\n250 ok\r\n250 ok\r\n550 5.1.1 no such user\r\n250 ok\r\n354 go\r\n"
    "250 2.1.5 stored\r\n452 4.2.2 over quota\r\n221 bye\r\n";

LmtpOptions lmtp_options() {
  LmtpOptions out;
  out.host = "here.example";
  out.sender = "a@b.example";
  out.recipients = {"bob@here.example", "nobody@here.example", "eve@here.example"};
  out.content = kContent;
  return out;
}

struct LmtpTalk {
  explicit LmtpTalk(LmtpOptions o = lmtp_options(), std::size_t room = 65536) : client(std::move(o)), free(room) {
    client.start(at(0));
    drain();
  }
  void drain() {
    for (int i = 0; i < 1000; ++i) {
      client.on_writable(free, at(1));
      auto action = client.next_action();
      if (!action) return;
      REQUIRE(!finished);
      if (auto* write = std::get_if<Write>(&*action)) {
        REQUIRE(write->bytes.size() <= std::max<std::size_t>(free, 512));
        written += write->bytes;
      } else {
        finished = std::get<LmtpFinished>(*action);
      }
    }
    FAIL("endless");
  }
  void hear(std::string_view bytes) {
    client.on_bytes(bytes, at(1));
    drain();
  }
  LmtpClient client;
  std::size_t free;
  std::string written;
  std::optional<LmtpFinished> finished;
};

}  // namespace

TEST_CASE("a message for three has three answers") {
  LmtpTalk t;
  CHECK(t.written.empty());
  for (std::string_view rest = kServer; !rest.empty();) {
    const std::size_t end = rest.find('\n') + 1;
    t.hear(rest.substr(0, end));
    rest.remove_prefix(end);
  }
  CHECK(t.written == "LHLO here.example\r\nMAIL FROM:<a@b.example> BODY=8BITMIME\r\nRCPT TO:<bob@here.example>\r\nRCPT TO:<nobody@here.example>\r\n"
                     "RCPT TO:<eve@here.example>\r\nDATA\r\n" + std::string(kStuffed) + "QUIT\r\n");
  REQUIRE(t.finished);
  REQUIRE(t.finished->results.size() == 3);
  CHECK(t.finished->results[0].outcome == Outcome::sent);
  CHECK(t.finished->results[1].outcome == Outcome::refused);
  CHECK(t.finished->results[1].enhanced == "5.1.1");
  CHECK(t.finished->results[2].outcome == Outcome::deferred);
  CHECK(t.finished->results[2].code == 452);
  CHECK_FALSE(t.client.deadline());
}

TEST_CASE("the message leaves in pieces of any size, dots and all") {
  for (const std::size_t room : {16, 17, 23, 40, 100}) {
    LmtpTalk t(lmtp_options(), room);
    t.hear("220 x\r\n250 x\r\n250 ok\r\n250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n");
    CHECK(t.written.ends_with("DATA\r\n" + std::string(kStuffed)));
  }
}

TEST_CASE("a line that ends after any byte leaves only answers that came") {
  for (std::size_t k = 0; k <= kServer.size(); ++k) {
    LmtpTalk t;
    for (std::size_t i = 0; i < k; ++i) t.hear(kServer.substr(i, 1));
    t.client.on_closed(at(2));
    t.drain();
    REQUIRE(t.finished);
    const bool bob = k >= kServer.find("stored\r\n") + 8;
    CHECK((t.finished->results[0].outcome == Outcome::sent) == bob);
    CHECK((t.finished->results[0].outcome == Outcome::deferred) == !bob);
    CHECK(t.finished->results.size() == 3);
  }
}

TEST_CASE("servers that refuse, chatter or fall silent") {
  const auto outcome = [](std::string_view said) {
    LmtpTalk t;
    t.hear(said);
    REQUIRE(t.finished);
    for (const RecipientResult& r : t.finished->results) CHECK(r.outcome == t.finished->results[0].outcome);
    return t.finished->results[0].outcome;
  };
  CHECK(outcome("554 go away\r\n") == Outcome::deferred);
  CHECK(outcome("220 x\r\n500 no LHLO\r\n") == Outcome::deferred);
  CHECK(outcome("220 x\r\n250 x\r\n550 bad sender\r\n") == Outcome::refused);
  CHECK(outcome("220 x\r\n250 x\r\n451 later\r\n") == Outcome::deferred);
  CHECK(outcome("220 x\r\n250 x\r\n250 ok\r\n550 a\r\n550 b\r\n550 c\r\n") == Outcome::refused);
  CHECK(outcome("nonsense\r\n") == Outcome::deferred);
  LmtpTalk silent;
  silent.client.on_time(at(299'000));
  silent.drain();
  CHECK_FALSE(silent.finished);
  silent.client.on_time(at(300'001));
  silent.drain();
  CHECK(silent.finished);
}
