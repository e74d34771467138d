// SPDX-License-Identifier: MIT
#include "mail/peer_words.hpp"

#include <doctest/doctest.h>

#include <vector>

namespace longline::mail {
namespace {

RecipientResult account(const std::string& text) {
  RecipientResult out;
  take_account(out, text);
  return out;
}

TEST_CASE("a reply on one line") {
  const auto reply = read_reply_text("250 2.0.0 Ok: queued as 4NTNyd");
  REQUIRE(reply);
  CHECK(reply->code == 250);
  CHECK(reply->enhanced == "2.0.0");
  CHECK(reply->text == "Ok: queued as 4NTNyd");
  CHECK(read_reply_text("451")->text.empty());
  CHECK(read_reply_text("550-5.7.1 a 550 5.7.1 b")->enhanced == "5.7.1");
  CHECK(read_reply_text("250 5.1.1 of another class")->enhanced.empty());
  CHECK(read_reply_text("250 2.0 x")->enhanced.empty());
  CHECK(read_reply_text("250 2..0 x")->enhanced.empty());
  for (const char* no : {"", "25", "2500 x", "199 x", "999 x", "x250", "delivered to maildir"}) {
    CAPTURE(no);
    CHECK_FALSE(read_reply_text(no));
  }
}

TEST_CASE("Postfix's and Exim's accounts of a peer's reply") {
  for (const std::string& text : std::vector<std::string>{
           "host h[192.0.2.1] said: 451 4.7.1 come back later (in reply to RCPT TO command)", "host h[192.0.2.1] said: 451 4.7.1 come back later",
           "delivery temporarily suspended: host h[192.0.2.1] refused to talk to me: 451 4.7.1 come back later",
           "SMTP error from remote mail server after RCPT TO:<a@b>: 451 4.7.1 come back later",
           "LMTP error from remote mail server after end of data: 451 4.7.1 come back later"}) {
    CAPTURE(text);
    const RecipientResult result = account(text);
    CHECK(result.code == 451);
    CHECK(result.enhanced == "4.7.1");
    CHECK(result.text == "come back later");
  }
}

TEST_CASE("what quotes nobody stays as it is") {
  for (const std::string& text : std::vector<std::string>{
           "", "connect to h[192.0.2.1]:25: Connection refused", "lost connection with h while sending message body", "host h said: nothing",
           "somebody said: 451 later", "Unrouteable address", "retry timeout exceeded: 451"}) {
    CAPTURE(text);
    CHECK(account(text).code == 0);
    CHECK(account(text).text == text);
  }
  CHECK(account("host h said: 451 a\x1b[2J").text == "a\\x1B[2J");
  CHECK(account("host h said: 451 " + std::string(10'000, 'x')).text.size() <= 410);
}

}  // namespace
}  // namespace longline::mail
