// SPDX-License-Identifier: MIT
#include "link/explanation.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace longline;
using namespace longline::link;

namespace {

std::vector<Errc> all_codes() {
  std::vector<Errc> out;
  for (int i = 0; i <= static_cast<int>(Errc::interrupted); ++i) out.push_back(static_cast<Errc>(i));
  return out;
}

bool has(const std::vector<std::string>& list, std::string_view item) { return std::find(list.begin(), list.end(), item) != list.end(); }

}  // namespace

TEST_CASE("every code is explained, with what to look at, and so is its RAS number and its exit status") {
  for (const Errc code : all_codes()) {
    CAPTURE(to_string(code));
    const std::optional<Explanation> found = explain(to_string(code));
    REQUIRE(found);
    CHECK(found->kind == Explanation::Kind::code);
    CHECK(found->meaning.size() > 10);
    CHECK_FALSE(found->look_at.empty());
    CHECK(found->status == static_cast<int>(exit_status(code)));
    CHECK(found->ras == ras_code(code));
    const std::optional<Explanation> status = explain("status " + std::to_string(*found->status));
    REQUIRE(status);
    CHECK(has(status->codes, to_string(code)));
    if (!found->ras) continue;
    const std::optional<Explanation> ras = explain(std::to_string(*found->ras));
    REQUIRE(ras);
    CHECK(ras->kind == Explanation::Kind::ras);
    CHECK(has(ras->codes, to_string(code)));
    CHECK_FALSE(ras->look_at.empty());
  }
}

TEST_CASE("every RAS number from 600 to 870 has its name and meaning") {
  for (int number = 600; number <= 870; ++number) {
    CAPTURE(number);
    const std::optional<Explanation> found = explain(std::to_string(number));
    REQUIRE(found);
    CHECK(found->kind == Explanation::Kind::ras);
    CHECK(found->ras == number);
    const std::optional<Explanation> named = explain(found->name);
    REQUIRE(named);
    CHECK(named->code == found->code);
  }
  CHECK_FALSE(explain("599"));
  CHECK_FALSE(explain("871"));
  CHECK(explain("line_busy")->code == "676");
}

TEST_CASE("two codes with one RAS number are both told") {
  const std::optional<Explanation> found = explain("RAS 638");
  CHECK(has(found->codes, "dial-timeout"));
  CHECK(has(found->codes, "login-timeout"));
}

TEST_CASE("the events of the articles") {
  for (const char* number : {"289", "1294", "4106", "9301", "9311", "9316"}) {
    CAPTURE(number);
    const std::optional<Explanation> found = explain(number);
    REQUIRE(found);
    CHECK(found->kind == Explanation::Kind::event_id);
    CHECK_FALSE(found->look_at.empty());
    CHECK(explain("event " + std::string(number)));
  }
}

TEST_CASE("our events by name, in any case; exit statuses by number and name") {
  CHECK(explain("link.nothing-moved")->kind == Explanation::Kind::event);
  CHECK(explain("Link.Nothing-Moved")->code == "link.nothing-moved");
  CHECK(explain("nothing-moved")->code == "link.nothing-moved");
  CHECK(explain("75")->name == "temporary");
  CHECK(explain("status 0")->name == "ok");
  CHECK(explain(" Exit  temporary ")->code == "75");
  CHECK(explain("no-input")->code == "66");
}

TEST_CASE("a kind in front narrows the question") {
  CHECK_FALSE(explain("status 676"));
  CHECK_FALSE(explain("ras 75"));
  CHECK_FALSE(explain("event line-busy"));
  CHECK_FALSE(explain("bogus 676"));
  CHECK_FALSE(explain(""));
  CHECK_FALSE(explain("99999999999999999999999"));
}

TEST_CASE("names can be found by the nearest one") {
  const std::vector<std::string> names = explained_names();
  CHECK(has(names, "line-busy"));
  CHECK(has(names, "ERROR_LINE_BUSY"));
  CHECK(has(names, "4106"));
  CHECK(has(names, "link.down"));
}
