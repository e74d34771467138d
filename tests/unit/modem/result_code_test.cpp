// SPDX-License-Identifier: MIT
#include "modem/result_code.hpp"

#include <doctest/doctest.h>

using namespace longline;
using namespace longline::modem;

TEST_CASE("every result code of the facts page has its meaning") {
  CHECK(parse_result_code("OK") == ResultCode::ok);
  CHECK(parse_result_code("CONNECT") == ResultCode::connect);
  CHECK(parse_result_code("CONNECT 115200/ARQ/V42BIS") == ResultCode::connect);
  CHECK(parse_result_code("CONNECT/ARQ") == ResultCode::connect);
  CHECK(parse_result_code("RING") == ResultCode::ring);
  CHECK(parse_result_code("RINGING") == ResultCode::progress);
  CHECK(parse_result_code("NO CARRIER") == ResultCode::no_carrier);
  CHECK(parse_result_code("NO DIALTONE") == ResultCode::no_dial_tone);
  CHECK(parse_result_code("NO DIAL TONE") == ResultCode::no_dial_tone);
  CHECK(parse_result_code("BUSY") == ResultCode::busy);
  CHECK(parse_result_code("NO ANSWER") == ResultCode::no_answer);
  CHECK(parse_result_code("VOICE") == ResultCode::voice);
  CHECK(parse_result_code("FAX") == ResultCode::voice);
  CHECK(parse_result_code("DELAYED 02:30") == ResultCode::delayed);
  CHECK(parse_result_code("BLACKLISTED") == ResultCode::blacklisted);
  CHECK(parse_result_code("BLACKLIST FULL") == ResultCode::blacklisted);
  CHECK(parse_result_code("DIAL LOCKED") == ResultCode::dial_locked);
  CHECK(parse_result_code("LINE IN USE") == ResultCode::line_in_use);
  CHECK(parse_result_code("ERROR") == ResultCode::error);
  CHECK(parse_result_code("+CME ERROR: 30") == ResultCode::error);
  CHECK(parse_result_code("CARRIER 28800") == ResultCode::progress);
  CHECK(parse_result_code("PROTOCOL: LAPM") == ResultCode::progress);
  CHECK(parse_result_code("COMPRESSION: V.42BIS") == ResultCode::progress);
  CHECK(parse_result_code("+MCR: V34") == ResultCode::progress);
  CHECK(parse_result_code("busy") == ResultCode::busy);
}

TEST_CASE("text is no result code") {
  for (const char* text : {"", "ATDT5551234", "CONNECTED", "OKAY", "ERRORS", "BUSYBODY", "login:", "9", "NO CARRIERS", "100"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_result_code(text));
  }
}

TEST_CASE("digits are V0 codes") {
  CHECK(parse_result_code("0") == ResultCode::ok);
  CHECK(parse_result_code("3") == ResultCode::no_carrier);
  CHECK(parse_result_code("7") == ResultCode::busy);
  CHECK(parse_result_code("10") == ResultCode::connect);
}
