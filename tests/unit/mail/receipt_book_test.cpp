// SPDX-License-Identifier: MIT
#include "mail/receipt_book.hpp"

#include <doctest/doctest.h>

namespace longline::mail {
namespace {

Receipt part(std::string id, std::string address, Outcome outcome = Outcome::sent) {
  return {std::move(id), "c", "", 1, "", {{std::move(address), outcome, 250, "", ""}}, {}, {}, ""};
}

TEST_CASE("a receipt is whole when the last lane has spoken, and is given once") {
  ReceiptBook book;
  book.expect_another("1");
  CHECK_FALSE(book.add(part("1", "a"), true));
  CHECK(book.add(part("2", "x"), true));
  const auto whole = book.add(part("1", "b", Outcome::deferred), true);
  REQUIRE(whole);
  CHECK(whole->recipients.size() == 2);
  CHECK(whole->outcome() == Outcome::deferred);
  CHECK(book.rest().empty());
}

TEST_CASE("a lane that hands all of its part on says nothing") {
  ReceiptBook book;
  book.expect_another("1");
  CHECK_FALSE(book.add(part("1", "a"), true));
  CHECK(book.drop("1")->recipients.size() == 1);
  book.expect_another("2");   // the lane that it is handed to
  CHECK_FALSE(book.drop("2"));
  CHECK(book.add(part("2", "b"), true));
  CHECK_FALSE(book.drop("3"));
  CHECK(book.rest().empty());
}

TEST_CASE("recipients whom no lane serves are part of it; late mail is whole at the end") {
  ReceiptBook book;
  book.note(part("1", "nowhere", Outcome::not_tried), true);
  CHECK(book.add(part("1", "a"), true)->outcome() == Outcome::not_tried);
  CHECK_FALSE(book.add(part("late", "a"), false));
  CHECK_FALSE(book.add(part("late", "b"), false));
  book.note(part("gone", "nowhere", Outcome::not_tried), true);
  const auto rest = book.rest();
  REQUIRE(rest.size() == 2);
  CHECK(rest[0].first);
  CHECK(rest[0].second.id == "gone");
  CHECK_FALSE(rest[1].first);
  CHECK(rest[1].second.recipients.size() == 2);
}

TEST_CASE("a recipient who is tried again has the last result") {
  Receipt receipt = part("1", "a", Outcome::deferred);
  merge(receipt, part("1", "a", Outcome::sent));
  REQUIRE(receipt.recipients.size() == 1);
  CHECK(receipt.outcome() == Outcome::sent);
  merge(receipt, part("1", "a", Outcome::not_tried));
  CHECK(receipt.outcome() == Outcome::sent);
}

}  // namespace
}  // namespace longline::mail
