// SPDX-License-Identifier: MIT
#include "mail/smtp_reply.hpp"

#include <doctest/doctest.h>

using namespace longline;
using namespace longline::mail;

namespace {

/// Codes and texts of all replies, then "error" if there was one.
std::string replies(std::string_view bytes, std::size_t piece = 1u << 20, std::size_t skip = 0) {
  SmtpReplyParser parser(skip);
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += piece) {
    parser.feed(bytes.substr(i, piece));
    while (true) {
      const auto reply = parser.next();
      if (!reply) return out + "error";
      if (!*reply) break;
      out += std::to_string((*reply)->code) + "|" + (*reply)->enhanced + "|" + (*reply)->text() + "\n";
    }
  }
  return out;
}

}  // namespace

TEST_CASE("replies, split at every byte") {
  using namespace std::string_view_literals;
  const std::string_view bytes =
      "220 far ESMTP\r\n250-2.1.0 one\r\n250 2.1.0 two\r\n250\r\n550 5.7.1\r\n"
      "550 4.7.1 other class\n451-a\r\n451-\r\n451 b\0c\r\n"sv;
  const std::string want = "220||far ESMTP\n250|2.1.0|one / two\n250||\n550|5.7.1|\n550||4.7.1 other class\n451||a / b\\x00c\n";
  for (const std::size_t piece : {1, 2, 3, 7, 1000}) CHECK(replies(bytes, piece) == want);
}

TEST_CASE("what is no reply") {
  for (const char* bad : {"hello\r\n", "25 x\r\n", "250x\r\n", "199 low\r\n", "600 high\r\n", "\r\n", "250-a\r\n251 b\r\n", "250-a\r\nx\r\n", " 250 x\r\n"}) {
    CAPTURE(bad);
    CHECK(replies(bad) == "error");
    CHECK(replies(bad, 1) == "error");
  }
  CHECK(replies("250 good\r\nbad\r\n") == "250||good\nerror");
}

TEST_CASE("endless input ends in an error and takes no memory") {
  CHECK(replies(std::string(5000, '2'), 100) == "error");
  std::string endless;
  for (int i = 0; i < 300; ++i) endless += "250-x\r\n";
  CHECK(replies(endless) == "error");
  endless.clear();
  for (int i = 0; i < 30; ++i) endless += "250-" + std::string(4000, 'x') + "\r\n";
  CHECK(replies(endless) == "error");
}

TEST_CASE("junk before the greeting, in pieces of any size") {
  const std::string junk = std::string("\0\0Welcome\r\n250 not this\r\n> \r220 far\r\n250 ok\r\n", 45);
  for (const std::size_t piece : {1, 3, 1000}) CHECK(replies(junk, piece, 100) == "220||far\n250||ok\n");
  // Right behind a prompt or noise: what names a host, or SMTP.
  for (const char* prompt : {"Password: ", "login ok> ", "~", ": ", "\xFF\xFB\x01", "1220 far.example "}) {
    CAPTURE(prompt);
    CHECK(replies(std::string(prompt) + " 220 far ESMTP\r\n", 1, 100) == "220||far ESMTP\n");
    CHECK(replies(std::string(prompt) + "\x01" "220-far.example hello\r\n220 there\r\n", 7, 100) == "220||far.example hello / there\n");
  }
  for (const char* none : {"Room 220 is open", "it costs 220 dollars", "x220 far.example", "1.220 far.example", "Password:"}) {
    CAPTURE(none);
    CHECK(replies(std::string(none) + "\r\n220 far\r\n", 3, 100) == "220||far\n");
  }
  for (const std::size_t piece : {1, 3, 7000}) {
    CHECK(replies(std::string(9000, 'x') + "\r\n220 far\r\n", piece, 20000) == "220||far\n");
    CHECK(replies(std::string(9000, 'x') + "\r\n220 far\r\n", piece, 5000) == "error");
  }
  CHECK(replies("busy\r\n421 try later\r\n", 1, 100) == "421||try later\n");
}
