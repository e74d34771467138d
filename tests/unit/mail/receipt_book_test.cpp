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
  book.expect("1");
  book.expect("1");
  book.expect("2");
  CHECK_FALSE(book.add(part("1", "a")));
  CHECK(book.add(part("2", "x")));
  const auto whole = book.add(part("1", "b", Outcome::deferred));
  REQUIRE(whole);
  CHECK(whole->recipients.size() == 2);
  CHECK(whole->outcome() == Outcome::deferred);
  CHECK(book.rest().empty());
}

TEST_CASE("a lane that hands all of its part on says nothing") {
  ReceiptBook book;
  book.expect("1");
  book.expect("1");
  CHECK_FALSE(book.add(part("1", "a")));
  CHECK(book.drop("1")->recipients.size() == 1);
  book.expect("2");
  book.expect("2");
  CHECK_FALSE(book.drop("2"));
  CHECK(book.add(part("2", "b")));
}

TEST_CASE("recipients whom no lane serves are part of it; late mail is whole at the end") {
  ReceiptBook book;
  book.expect("1");
  book.note(part("1", "nowhere", Outcome::not_tried));
  CHECK(book.add(part("1", "a"))->outcome() == Outcome::not_tried);
  CHECK_FALSE(book.add(part("late", "a")));
  CHECK_FALSE(book.add(part("late", "b")));
  const auto rest = book.rest();
  REQUIRE(rest.size() == 1);
  CHECK_FALSE(rest[0].first);
  CHECK(rest[0].second.recipients.size() == 2);
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
