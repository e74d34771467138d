// SPDX-License-Identifier: MIT
#include "mail/dsn.hpp"

#include <doctest/doctest.h>

using namespace longline;
using namespace longline::mail;

namespace {

DsnRequest request() {
  DsnRequest r;
  r.original_sender = "alice@here.example";
  r.original_content = "Subject: offer\r\nMessage-ID: <1@here.example>\r\n\r\nsecret body\r\n";
  r.failed = {{"bob@far.example", 550, "5.1.1", "no such user", "mail.far.example"}, {"carol@far.example", 0, "", "expired after 5d", ""}};
  r.host = "here.example";
  r.unique = "u1";
  return r;
}

}  // namespace

TEST_CASE("a notification names every recipient, the peer's words, and the original's header only") {
  const auto dsn = make_dsn(request());
  REQUIRE(dsn);
  const std::string& c = dsn->content;
  CHECK(*header_field(c, "To") == "<alice@here.example>");
  CHECK(*header_field(c, "Auto-Submitted") == "auto-replied");
  CHECK(*header_field(c, "References") == "<1@here.example>");
  CHECK(header_field(c, "Content-Type")->starts_with("multipart/report; report-type=delivery-status"));
  CHECK(c.find("<bob@far.example>: mail.far.example says: 550 5.1.1 no such user\r\n") != std::string::npos);
  CHECK(c.find("\r\nFinal-Recipient: rfc822; bob@far.example\r\nAction: failed\r\nStatus: 5.1.1\r\nRemote-MTA: dns; mail.far.example\r\n"
               "Diagnostic-Code: smtp; 550 5.1.1 no such user\r\n\r\nFinal-Recipient: rfc822; carol@far.example\r\nAction: failed\r\nStatus: 5.0.0\r\n") !=
        std::string::npos);
  CHECK(c.find("Subject: offer\r\n") != std::string::npos);
  CHECK(c.find("secret body") == std::string::npos);
  CHECK(c.ends_with("--=_u1--\r\n"));
  CHECK_FALSE(dsn->eight_bit);
  for (std::size_t i = 0; i < c.size(); ++i) {
    if (c[i] == '\n') CHECK(c[i - 1] == '\r');
  }
}

TEST_CASE("no notification about a notification") {
  DsnRequest r = request();
  r.original_sender.clear();
  CHECK_FALSE(make_dsn(r));
}

TEST_CASE("large and odd headers are bounded") {
  DsnRequest r = request();
  std::string huge = "Subject: x\r\nX-Big: " + std::string(100'000, 'y') + "\r\nX-Last: z\r\n\r\n";
  r.original_content = huge;
  const auto dsn = make_dsn(r);
  CHECK(dsn->content.size() < 20'000);
  CHECK(dsn->content.find("Subject: x\r\n") != std::string::npos);
  CHECK(dsn->content.find("yyy") == std::string::npos);
  r.original_content = "";
  CHECK(make_dsn(r));
  r.original_content = "Subject: \xFC\r\nMessage-ID: <evil\r\n injected>\r\n\r\n";
  const auto eight = make_dsn(r);
  CHECK(eight->eight_bit);
  CHECK_FALSE(header_field(eight->content, "References"));
  CHECK(eight->content.find("Content-Type: text/rfc822-headers\r\nContent-Transfer-Encoding: 8bit\r\n") != std::string::npos);
}

TEST_CASE("notices of success and delay, with what the sender calls message and recipient") {
  DsnRequest r = request();
  r.action = DsnAction::delivered;
  r.failed = {{"bob@far.example", 0, "", "", "", "rfc822;Bob+2Bx@example.com"}};
  r.envelope_id = "E+2B1";
  const auto dsn = make_dsn(r);
  CHECK(dsn->subject == "Successful Mail Delivery Report");
  CHECK(dsn->content.find("\r\nOriginal-Envelope-Id: E+1\r\nReporting-MTA: ") != std::string::npos);
  CHECK(dsn->content.find("Original-Recipient: rfc822;Bob+x@example.com\r\nFinal-Recipient: rfc822; bob@far.example\r\n"
                          "Action: delivered\r\nStatus: 2.0.0\r\n") != std::string::npos);
  r.action = DsnAction::delayed;
  r.failed[0].enhanced = "5.1.1";
  r.retry_until = WallTime(Duration(86'400'000));
  const auto delayed = make_dsn(r);
  CHECK(delayed->content.find("Action: delayed\r\nStatus: 4.0.0\r\nWill-Retry-Until: Fri, 02 Jan 1970") != std::string::npos);
}

TEST_CASE("what is over has no time at which it will be given up") {
  DsnRequest r = request();
  r.retry_until = WallTime(Duration(86'400'000));
  for (const DsnAction action : {DsnAction::failed, DsnAction::delayed, DsnAction::delivered, DsnAction::relayed}) {
    r.action = action;
    const auto dsn = make_dsn(r);
    const bool still_tried = action == DsnAction::delayed;
    CHECK((dsn->content.find("Will-Retry-Until: Fri, 02 Jan 1970") != std::string::npos) == still_tried);
    CHECK((dsn->content.find("It will be given up on Fri, 02 Jan 1970") != std::string::npos) == still_tried);
  }
}

TEST_CASE("a whole message goes back where that was asked for and is cheap") {
  DsnRequest r = request();
  r.return_full = true;
  CHECK(make_dsn(r)->content.find("secret body") != std::string::npos);
  CHECK(make_dsn(r)->content.find("Content-Type: message/rfc822\r\n") != std::string::npos);
  const std::string large = "Subject: s\r\n\r\n" + std::string(60'000, 'x');
  r.original_content = large;
  CHECK(make_dsn(r)->content.find("xxxx") == std::string::npos);
  r.action = DsnAction::delivered;
  r.original_content = "Subject: s\r\n\r\nsecret body\r\n";
  CHECK(make_dsn(r)->content.find("secret body") == std::string::npos);
}
