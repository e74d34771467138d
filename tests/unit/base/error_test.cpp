// SPDX-License-Identifier: MIT
#include "base/error.hpp"

#include <doctest/doctest.h>

#include <cerrno>

#include "base/event.hpp"
#include "base/result.hpp"

using namespace longline;

TEST_CASE("what scripts rely on: names, statuses and RAS numbers") {
  CHECK(to_string(Errc::line_busy) == "line-busy");
  CHECK(ras_code(Errc::line_busy) == 676);
  CHECK(ras_code(Errc::voice_answer) == 677);
  CHECK(ras_code(Errc::no_answer) == 678);
  CHECK(ras_code(Errc::no_carrier) == 679);
  CHECK(ras_code(Errc::no_dial_tone) == 680);
  CHECK(ras_code(Errc::port_in_use) == 633);
  CHECK(exit_status(Errc::line_busy) == ExitStatus::temporary);
  CHECK(exit_status(Errc::no_dial_tone) == ExitStatus::unavailable);
  CHECK(exit_status(Errc::port_in_use) == ExitStatus::temporary);
  CHECK(exit_status(Errc::config) == ExitStatus::config);
  CHECK(is_temporary(Errc::line_dropped));
  CHECK_FALSE(is_temporary(Errc::no_dial_tone));
}

TEST_CASE("every code has a name of its own that reads back") {
  for (int i = 0; i <= static_cast<int>(Errc::interrupted); ++i) {
    const auto code = static_cast<Errc>(i);
    CHECK(errc_from_name(to_string(code)) == code);
  }
}

TEST_CASE("an error gathers nouns on its way up and goes through JSON unharmed") {
  Error e = system_error(ENOSPC, "write").context("spool.db").in_stage(Stage::queue).in_stage(Stage::dial);
  CHECK(e.code == Errc::disk_full);
  CHECK(e.message() == "spool.db: write: No space left on device");
  const JsonObject o = error_object("mtaq", e);
  CHECK(o.dump() ==
        R"({"error":{"tool":"mtaq","stage":"queue","code":"disk-full","ras":null,"temporary":true,"status":74,)"
        R"("message":"spool.db: write: No space left on device","hint":""}})");
  const std::optional<Error> back = error_from_object(*parse_json_object(o.dump()));
  REQUIRE(back);
  CHECK(back->code == Errc::disk_full);
  CHECK(back->stage == Stage::queue);
}

namespace {
Result<int> half(int n) {
  if (n % 2 != 0) return Error(Errc::malformed, "odd");
  return n / 2;
}
Result<int> quarter(int n) {
  LONGLINE_TRY(const int h, half(n));
  LONGLINE_CHECK(half(h));
  return h / 2;
}
}  // namespace

TEST_CASE("LONGLINE_TRY and LONGLINE_CHECK hand the error on") {
  CHECK(*quarter(8) == 2);
  CHECK(quarter(7).error().what == "odd");
  CHECK(quarter(6).error().what == "odd");
}

TEST_CASE("JSON from a stranger: depth, types, bad UTF-8") {
  CHECK_FALSE(parse_json_object(std::string(100'000, '[')));
  CHECK_FALSE(parse_json_object("[1]"));
  CHECK_FALSE(parse_json_object("{\"a\":"));
  CHECK(JsonObject().set("s", "\xff").dump() == "{\"s\":\"\xef\xbf\xbd\"}");
  const JsonObject o = *parse_json_object(R"({"n":1,"s":"x","list":[{"a":true}]})");
  CHECK(o.integer("n") == 1);
  CHECK_FALSE(o.string("n"));
  CHECK(o.objects("list").at(0).boolean("a") == true);
}
