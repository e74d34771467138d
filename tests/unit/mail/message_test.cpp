// SPDX-License-Identifier: MIT
#include "mail/message.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "mail/mime.hpp"

using namespace longline;
using namespace longline::mail;

namespace {

SubmissionDefaults defaults() {
  SubmissionDefaults d;
  d.sender = "alice@here.example";
  d.host = "here.example";
  d.unique = "u1";
  return d;
}

Result<StoredMessage> build(std::string_view raw, SubmissionDefaults d = defaults(), std::size_t piece = 1u << 20) {
  MessageBuilder builder(std::move(d));
  for (std::size_t i = 0; i < raw.size(); i += piece) builder.feed(raw.substr(i, piece));
  return builder.finish();
}

const std::string kAdded = "Date: Thu, 01 Jan 1970 00:00:00 +0000\r\nFrom: alice@here.example\r\nMessage-ID: <u1@here.example>\r\n";
const std::string kComplete = "Date: today\r\nFrom: a@b.example\r\nMessage-ID: <x@b.example>\r\n";

}  // namespace

TEST_CASE("missing fields are added behind those that are there; nothing else changes") {
  CHECK(build("Subject: s\n\nbody\n")->content == "Subject: s\r\n" + kAdded + "\r\nbody\r\n");
  CHECK(build(kComplete + "\r\nbody\r\n")->content == kComplete + "\r\nbody\r\n");
  CHECK(build("DATE : x\nfrom:y@z.example\nMESSAGE-Id:\n <folded@id>\n\n")->message_id == "<folded@id>");
}

TEST_CASE("odd submissions") {
  CHECK(build("")->content == kAdded + "\r\n");
  CHECK(build("\n")->content == kAdded + "\r\n");
  CHECK(build("\nbody\n")->content == kAdded + "\r\nbody\r\n");
  CHECK(build("just text\nmore: text\n")->content == kAdded + "\r\njust text\r\nmore: text\r\n");
  CHECK(build("Subject: x\nnot a field\n\nz")->content == "Subject: x\r\n" + kAdded + "\r\nnot a field\r\n\r\nz\r\n");
  CHECK(build(" starts folded\n")->content == kAdded + "\r\n starts folded\r\n");
  CHECK(build("Subject: no end")->content == "Subject: no end\r\n" + kAdded + "\r\n");
  CHECK(build(kComplete)->content == kComplete + "\r\n");
  CHECK(build("From alice Sun Nov 22 23:10:51 2026\nSubject: s\n\nx\n")->content == "Subject: s\r\n" + kAdded + "\r\nx\r\n");
  CHECK(build("From here on, text.\n")->content == kAdded + "\r\nFrom here on, text.\r\n");
}

TEST_CASE("bodies stay as they are but for line ends and CRs that end none, in pieces of any size") {
  const std::string head = kComplete + "\r\n";
  const std::string odd = std::string("a\0b\n.\n..\n\rcr\r\n\r\r\nlast\r", 22) + std::string(2000, 'l') + "\n\xFF\xFE\n";
  const std::string want = std::string("a\0b\r\n.\r\n..\r\n cr\r\n \r\nlast ", 25) + std::string(2000, 'l') + "\r\n\xFF\xFE\r\n";
  for (const std::size_t piece : {1, 2, 3, 5, 1000, 100000}) {
    const auto message = build(head + odd, defaults(), piece);
    CHECK(message->content == head + want);
    CHECK(message->eight_bit);
    CHECK(message->longest_line == 2005);
    // The first line of a headerless message takes another way.
    CHECK(build("text\r\r\nmore\r", defaults(), piece)->content == kAdded + "\r\ntext \r\nmore\r\n");
  }
}

TEST_CASE("line ends that are none") {
  const auto stray = [](std::string_view content) { return std::pair(stray_line_ends(content).cr, stray_line_ends(content).lf); };
  CHECK(stray("") == std::pair(false, false));
  CHECK(stray("a\r\n\r\nb") == std::pair(false, false));
  CHECK(stray("\n") == std::pair(false, true));
  CHECK(stray("a\r\n\nb") == std::pair(false, true));
  CHECK(stray("a\r\r\n") == std::pair(true, false));
  CHECK(stray("a\r") == std::pair(true, false));
  CHECK(stray("\n\r") == std::pair(true, true));
  std::string content = "\na\r.\r\nb\r\r\nc\n.\n\r";
  mend_line_ends(content);
  CHECK(content == "\r\na .\r\nb \r\nc\r\n.\r\n ");
}

TEST_CASE("a lone dot ends the message only where it is asked for") {
  SubmissionDefaults d = defaults();
  CHECK(build(kComplete + "\na\n.\nb\n")->content == kComplete + "\r\na\r\n.\r\nb\r\n");
  d.dot_ends = true;
  for (const std::size_t piece : {1, 4, 1000}) {
    CHECK(build(kComplete + "\na\n..\n.\nb\n", d, piece)->content == kComplete + "\r\na\r\n..\r\n");
    CHECK(build(kComplete + ".\n", d, piece)->content == kComplete + "\r\n");
  }
}

TEST_CASE("recipients from the header; Bcc does not leave") {
  SubmissionDefaults d = defaults();
  d.recipients_from_header = true;
  const auto message = build("To: A <a@x.example>, root\nBCC: hidden@x.example,\n  a@X.example\nCc: b@x.example\nSubject: s\n\nBcc: stays\n", d);
  REQUIRE(message);
  std::string all;
  for (const Address& address : message->recipients) all += to_string(address) + " ";
  CHECK(all == "a@x.example root@here.example hidden@x.example b@x.example ");
  CHECK(message->content.find("hidden") == std::string::npos);
  CHECK(message->content.find("Bcc: stays") != std::string::npos);
  CHECK(message->subject == "s");

  const auto resent = build("To: old@x.example\nResent-To: new@x.example\nBcc: o@x.example\n\n", d);
  REQUIRE(resent->recipients.size() == 1);
  CHECK(resent->recipients[0].local == "new");

  const auto bad = build("To: a@b@c\n\n", d);
  REQUIRE_FALSE(bad);
  CHECK(bad.error().what == "To: 'a@b@c' is not an address: it has two @");
  CHECK(build("Bcc: x@y.example\n\n")->content.starts_with("Bcc: x@y.example\r\n"));  // not ours to take without -t
}

TEST_CASE("From is made of the sender and the full name") {
  SubmissionDefaults d = defaults();
  d.full_name = "Alice Example";
  CHECK(build("", d)->content.find("From: Alice Example <alice@here.example>\r\n") != std::string::npos);
  d.full_name = "Dr. \"A\"\n";
  CHECK(build("", d)->content.find("From: \"Dr. \\\"A\\\"\" <alice@here.example>\r\n") != std::string::npos);
  d.full_name = "J\xC3\xBCrgen";
  CHECK(build("", d)->content.find("From: =?utf-8?B?SsO8cmdlbg==?= <alice@here.example>\r\n") != std::string::npos);
  d.full_name.clear();
  d.sender.clear();
  CHECK(build("", d)->content.find("From: MAILER-DAEMON@here.example\r\n") != std::string::npos);
}

TEST_CASE("50 MB in one pass") {
  MessageBuilder builder(defaults());
  builder.expect(50'000'000);
  const std::string piece(65536, 'x');
  for (int i = 0; i < 763; ++i) builder.feed(piece);
  const auto message = builder.finish();
  CHECK(message->content.size() > 50'000'000);
  CHECK(message->longest_line == 763 * 65536);
}

TEST_CASE("header fields are found, unfolded, and only in the header") {
  const std::string content = "Received: a\r\nSubject: one\r\n\ttwo\r\nreceived: b\r\nX-Empty:\r\n\r\nSubject: body\r\n";
  CHECK(*header_field(content, "subject") == "one\ttwo");
  CHECK(*header_field(content, "x-empty") == "");
  CHECK_FALSE(header_field(content, "to"));
  CHECK(count_header_fields(content, "Received") == 2);
  CHECK(body_of(content) == "Subject: body\r\n");
  CHECK(header_of("\r\nbody") == "");
  CHECK(body_of("\r\nbody") == "body");
  CHECK(header_of("A: b\r\n") == "A: b\r\n");
  CHECK(body_of("A: b\r\n") == "");
  CHECK(header_of("") == "");
}

TEST_CASE("quoted-printable") {
  CHECK(quoted_printable("a=b \r\n\tx\t\r\n") == "a=3Db=20\r\n\tx=09\r\n");
  const std::string lines = quoted_printable(std::string(500, '\xFC') + "\r\n");
  for (std::size_t from = 0, end; (end = lines.find("\r\n", from)) != std::string::npos; from = end + 2) CHECK(end - from <= 76);
  CHECK(base64_lines("Man") == "TWFu\r\n");
  CHECK(base64_lines("Ma") == "TWE=\r\n");
}

TEST_CASE("final delivery: one Return-Path, on top") {
  CHECK(with_return_path("Subject: x\r\n", "a@b.example") == "Return-Path: <a@b.example>\r\nSubject: x\r\n");
  CHECK(with_return_path("", "") == "Return-Path: <>\r\n");
  CHECK(with_return_path("Received: by x;\r\n now\r\nreturn-path: <evil@x.example>\r\nX-Return-Path: 1\r\nReturn-Path :\r\n\t<evil@y.example>\r\nTo: y\r\n",
                         "a@b.example") == "Return-Path: <a@b.example>\r\nReceived: by x;\r\n now\r\nX-Return-Path: 1\r\nTo: y\r\n");
}

TEST_CASE("mail for a peer that takes seven bits") {
  CHECK(*to_seven_bit("A: b\r\n\r\nplain\r\n") == "A: b\r\n\r\nplain\r\n");
  CHECK(*to_seven_bit("Subject:caf\xC3\xA9 is \"d\xC3\xA9j\xC3\xA0 vu\" now\r\n\r\nplain\r\n") ==
        "Subject:=?utf-8?B?Y2Fmw6k=?= is =?utf-8?B?ImTDqWrDoA==?= vu\" now\r\n\r\nplain\r\n");
  CHECK(*to_seven_bit("MIME-Version: 1.0\r\nContent-Type: application/x\r\nContent-Transfer-Encoding:\r\n binary\r\nZ: z\r\n\r\n\xFF\r\n") ==
        "MIME-Version: 1.0\r\nContent-Type: application/x\r\nZ: z\r\nContent-Transfer-Encoding: base64\r\n\r\n/w0K\r\n");
  const std::string multipart =
      "Content-Type: multipart/mixed;\r\n boundary=\"b b\"\r\nContent-Transfer-Encoding: 8bit\r\n\r\npre\xFF\r\n--b b\r\n"
      "Content-Type: text/plain; charset=latin1\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\xFC\r\n--b b\r\n\r\nplain\r\n--b b\r\n"
      "Content-Type: image/x\r\n\r\n\xFF\r\n--b b--\r\nepi\r\n";
  CHECK(*to_seven_bit(multipart) ==
        "Content-Type: multipart/mixed;\r\n boundary=\"b b\"\r\n\r\npre?\r\n--b b\r\n"
        "Content-Type: text/plain; charset=latin1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=FC\r\n--b b\r\n\r\nplain\r\n--b b\r\n"
        "Content-Type: image/x\r\nContent-Transfer-Encoding: base64\r\n\r\n/w==\r\n--b b--\r\nepi\r\n");
  const auto signed_mail = to_seven_bit("Content-Type: multipart/signed; boundary=x\r\n\r\n--x\r\n\r\n\xFC\r\n--x--\r\n");
  REQUIRE_FALSE(signed_mail);
  CHECK(signed_mail.error().code == Errc::refused);
  const std::string forwarded = "Content-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\n\xFC\r\n";
  CHECK(to_seven_bit(forwarded)->find("=FC") != std::string::npos);
}

TEST_CASE("header fields in seven bits: names, comments, parameters, folds") {
  const auto field = [](const std::string& text) {
    const Result<std::string> out = to_seven_bit(text + "\r\n\r\nplain\r\n");
    return out ? out->substr(0, out->find("\r\n\r\n")) : "error: " + out.error().what;
  };
  CHECK(field("From: J\xC3\xBCrgen M <j@x.example> (gr\xC3\xBC\xC3\x9F\x65)") ==
        "From: =?utf-8?B?SsO8cmdlbg==?= M <j@x.example> (=?utf-8?B?Z3LDvMOfZQ==?=)");
  CHECK(field("To: \"M\xC3\xBCller, \\\"J\\\"\"<j@x.example>,plain@x.example, \xC3\xBC <b@x>") ==
        "To: =?utf-8?B?TcO8bGxlciwgIkoi?= <j@x.example>,plain@x.example,\r\n =?utf-8?B?w7w=?= <b@x>");
  CHECK(field("Resent-Cc: <j\xC3\xBC@x.example>") == "error: the peer takes no 8-bit mail (no 8BITMIME), and an address in its header is not ASCII");
  CHECK(field("Content-Disposition: attachment; size=5; filename=\"gr\xC3\xBC\xC3\x9F; e.txt\"; x=y") ==
        "Content-Disposition: attachment; size=5;\r\n filename*=utf-8''gr%C3%BC%C3%9F%3B%20e.txt; x=y");
  CHECK(field("Content-Type: text/plain; name=\xFC.txt") == "Content-Type: text/plain; name*=unknown-8bit''%FC.txt");
  CHECK(field("Subject: \xC3\xBC\r\n  \xC3\xBC\r\n\tz") == "Subject: =?utf-8?B?w7wgIMO8?=\tz");   // the blanks between two words are not lost
  CHECK(field("X-\xC3\xBC: y") == "X-??: y");
  CHECK(field("Subject: plain\r\n stays folded\r\nX: \xC3\xBC") == "Subject: plain\r\n stays folded\r\nX: =?utf-8?B?w7w=?=");
  std::string words = "Subject:";
  for (int i = 0; i < 40; ++i) words += " gr\xC3\xBC\xC3\x9F\x65";
  const std::string folded = field(words);
  for (std::size_t from = 0; from < folded.size();) {
    const std::size_t end = std::min(folded.find("\r\n", from), folded.size());
    CHECK(end - from <= 76);
    CHECK((from == 0 || folded[from] == ' '));
    from = end + 2;
  }
}

TEST_CASE("parts in parts, and what cannot be changed") {
  const std::string nested =
      "Content-Type: multipart/mixed; boundary=outer\r\n\r\n--outer\r\nContent-Type: multipart/alternative; boundary=inner\r\n\r\n"
      "--inner\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\xC3\xBC\r\n--inner\r\n"
      "Content-Type: text/html\r\n\r\n<p>plain</p>\r\n--inner--\r\n--outer\r\nContent-Type: message/rfc822\r\n\r\n"
      "Subject: \xC3\xBC\r\n\r\n\xC3\xBC\r\n--outer--\r\n";
  CHECK(*to_seven_bit(nested) ==
        "Content-Type: multipart/mixed; boundary=outer\r\n\r\n--outer\r\nContent-Type: multipart/alternative; boundary=inner\r\n\r\n"
        "--inner\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=C3=BC\r\n--inner\r\n"
        "Content-Type: text/html\r\n\r\n<p>plain</p>\r\n--inner--\r\n--outer\r\nContent-Type: message/rfc822\r\n\r\n"
        "Subject: =?utf-8?B?w7w=?=\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n=C3=BC\r\n--outer--\r\n");
  for (const char* kept : {"multipart/encrypted; boundary=x", "message/partial", "multipart/mixed", "multipart/mixed; boundary=\"\xC3\xBC\""}) {
    CAPTURE(kept);
    CHECK_FALSE(to_seven_bit("Content-Type: " + std::string(kept) + "\r\n\r\n--x\r\n\r\n\xFC\r\n--x--\r\n"));
  }
  CHECK_FALSE(to_seven_bit("Content-Transfer-Encoding: base64\r\n\r\n\xFC\r\n"));
  std::string deep = "\xFC\r\n";
  for (int i = 0; i < 40; ++i) deep = "Content-Type: message/rfc822\r\n\r\n" + deep;
  CHECK_FALSE(to_seven_bit(deep));
  CHECK(to_seven_bit("Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\n\xFC")->find("=FC") != std::string::npos);   // never closed
}
