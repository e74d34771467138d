// SPDX-License-Identifier: MIT
#include "mail/dsn_parameters.hpp"

#include <doctest/doctest.h>

#include "mail/dsn.hpp"

using namespace longline;
using namespace longline::mail;

TEST_CASE("what RFC 3461 allows is kept, in one form") {
  DsnWishes wishes;
  CHECK(*take_mail_parameter("ret=hdrs", wishes));
  CHECK(*take_mail_parameter("ENVID=QQ314+2Bx", wishes));
  CHECK_FALSE(*take_mail_parameter("SIZE=5", wishes));
  CHECK(wishes.ret == "HDRS");
  CHECK(wishes.envelope_id == "QQ314+2Bx");
  DsnWish wish;
  CHECK(*take_recipient_parameter("notify=Delay,SUCCESS", wish));
  CHECK(*take_recipient_parameter("ORCPT=rfc822;Bob+2Bx@Example.com", wish));
  CHECK(wish.notify == "SUCCESS,DELAY");
  CHECK(wish.wants_success());
  CHECK_FALSE(wish.wants_failure());
  CHECK(wish.wants_delay());
  CHECK(wish.original == "rfc822;Bob+2Bx@Example.com");
  CHECK(DsnWish{}.wants_failure());
  CHECK_FALSE(DsnWish{"NEVER", ""}.wants_failure());
}

TEST_CASE("what it does not allow is refused") {
  for (const char* bad : {"RET=", "RET=BODY", "ENVID=", "ENVID=a=b", "ENVID=a+2", "ENVID=+2b", "ENVID=a\x80"}) {
    CAPTURE(bad);
    DsnWishes wishes;
    CHECK_FALSE(take_mail_parameter(bad, wishes));
  }
  for (const char* bad : {"NOTIFY=", "NOTIFY=NEVER,SUCCESS", "NOTIFY=SUCCESS,SUCCESS", "NOTIFY=SUCCESS,", "NOTIFY=ALWAYS", "ORCPT=bob@example.com", "ORCPT=;x",
                          "ORCPT=rfc822;", "ORCPT=rfc822;a b"}) {
    CAPTURE(bad);
    DsnWish wish;
    CHECK_FALSE(take_recipient_parameter(bad, wish));
  }
  DsnWishes twice;
  CHECK(take_mail_parameter("RET=FULL", twice));
  CHECK_FALSE(take_mail_parameter("RET=FULL", twice));
  CHECK_FALSE(take_mail_parameter("ENVID=" + std::string(301, 'x'), twice));
}

TEST_CASE("xtext is taken back") {
  CHECK(decode_xtext("a+2Bb+3D") == "a+b=");
  CHECK(decode_xtext("a+2") == "a+2");
  CHECK(decode_xtext("+") == "+");
  CHECK(decode_xtext("+zz") == "+zz");
}
