// SPDX-License-Identifier: MIT
#include "mail/dropped_message.hpp"

#include <doctest/doctest.h>

#include "mail/message.hpp"

using namespace longline;
using namespace longline::mail;

namespace {

DropOrigin origin() {
  DropOrigin out;
  out.user_id = 1000;
  out.user = "alice";
  out.host = "site7.example";
  out.unique = "u1";
  return out;
}

Submission submission() {
  Submission out;
  out.sender = "alice@site7.example";
  out.recipients = {"bob@example.com", "\"two words\"@example.com"};
  out.content = "Subject: s\r\nMessage-ID: <1@x>\r\nDate: d\r\nFrom: f\r\n\r\ntext\r\n";
  out.priority = 4;
  return out;
}

}  // namespace

TEST_CASE("what one writes the other reads, and says whose it is") {
  const auto read = read_dropped(format_dropped(submission()), origin());
  REQUIRE(read);
  CHECK(read->sender == "alice@site7.example");
  CHECK(read->recipients == submission().recipients);
  CHECK(read->priority == 4);
  CHECK(read->message_id == "<1@x>");
  CHECK(read->subject == "s");
  CHECK(read->content == "Received: by site7.example (longline, from userid 1000); Thu, 01 Jan 1970 00:00:00 +0000\r\n" + submission().content);
}

TEST_CASE("what the sender wants to be told is for each recipient") {
  Submission wishes = submission();
  wishes.dsn.ret = "HDRS";
  wishes.dsn.envelope_id = "a+2Bb";
  wishes.dsn.recipients[wishes.recipients[0]] = {"SUCCESS,DELAY", "rfc822;a+2Bb@c.example"};
  wishes.dsn.recipients[wishes.recipients[1]] = {"NEVER", ""};
  const std::string file = format_dropped(wishes);
  const auto read = read_dropped(file, origin());
  REQUIRE(read);
  CHECK(read->dsn == wishes.dsn);
  for (std::size_t k = 0; k < file.size(); ++k) CHECK_FALSE(read_dropped(std::string_view(file).substr(0, k), origin()));
  const auto with = [](std::string_view line, std::string_view before) {
    std::string evil = format_dropped(submission());
    return evil.insert(evil.find(before), line);
  };
  for (const std::string_view bad :
       {"wish RET=SOME\n", "wish ENVID=a=b\n", "wish \n", "wish NOTIFY=DELAY\n", "wish RET=HDRS\nwish RET=HDRS\n", "wish SIZE=1\n"}) {
    CAPTURE(bad);
    CHECK_FALSE(read_dropped(with(bad, "recipient"), origin()));
  }
  for (const std::string_view bad :
       {"wish NOTIFY=NEVER,DELAY\n", "wish NOTIFY=\n", "wish ORCPT=x\n", "wish RET=HDRS\n", "wish NOTIFY=DELAY\nwish NOTIFY=DELAY\n"}) {
    CAPTURE(bad);
    CHECK_FALSE(read_dropped(with(bad, "content"), origin()));
  }
}

TEST_CASE("another sender than the file's owner is said, but to root everything is allowed") {
  Submission other = submission();
  other.sender = "boss@site7.example";
  const std::string file = format_dropped(other);
  CHECK(*header_field(read_dropped(file, origin())->content, "X-Authentication-Warning") ==
        "site7.example: alice set sender to <boss@site7.example> using -f");
  DropOrigin root = origin();
  root.user_id = 0;
  CHECK_FALSE(header_field(read_dropped(file, root)->content, "X-Authentication-Warning"));
  DropOrigin odd = origin();
  odd.user = "evil\r\nX-Fake: yes";
  CHECK(header_field(read_dropped(file, odd)->content, "X-Authentication-Warning")->find("uid1000 set") != std::string::npos);
  CHECK_FALSE(header_field(read_dropped(file, odd)->content, "X-Fake"));
}

TEST_CASE("missing fields and wrong line ends of a file by hand") {
  const auto read = read_dropped("longline drop 1\nsender \npriority 0\nrecipient b@c.example\ncontent 5\na\nb\n\n", origin());
  REQUIRE(read);
  CHECK(read->sender.empty());
  CHECK(read->message_id == "<u1@site7.example>");
  CHECK(body_of(read->content) == "a\r\nb\r\n\r\n");
}

TEST_CASE("no file that was cut anywhere is taken for a message") {
  const std::string file = format_dropped(submission());
  for (std::size_t k = 0; k < file.size(); ++k) CHECK_FALSE(read_dropped(std::string_view(file).substr(0, k), origin()));
  CHECK_FALSE(read_dropped(file + "x", origin()));
}

TEST_CASE("a mail loop and too many recipients are refused") {
  Submission loop = submission();
  for (int i = 0; i < 101; ++i) loop.content.insert(0, "Received: x\r\n");
  CHECK(read_dropped(format_dropped(loop), origin()).error().code == Errc::refused);
  Submission many = submission();
  many.recipients.assign(kMostDroppedRecipients + 1, "b@c.example");
  CHECK(read_dropped(format_dropped(many), origin()).error().code == Errc::malformed);
}
