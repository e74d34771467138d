// SPDX-License-Identifier: MIT
#include "mail/flush_order.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

namespace longline::mail {
namespace {

const WallTime kOrderedAt(Duration(1'800'000'000'000));
constexpr Duration kHour{3'600'000};

QueuedMessage ordered_message(std::int64_t size, int priority = kNormal, Duration age = Duration(0), std::string id = "0000001") {
  QueuedMessage m;
  m.id = std::move(id);
  m.size = size;
  m.priority = priority;
  m.arrived = kOrderedAt - age;
  return m;
}

QueuedMessage waits(QueuedMessage m, std::optional<Duration> until) {
  m.recipients.emplace_back();
  m.recipients.back().address = "a@b.example";
  if (until) {
    m.recipients.back().state = RecipientState::deferred;
    m.recipients.back().next_attempt = kOrderedAt + *until;
  }
  return m;
}

bool before(const QueuedMessage& a, const QueuedMessage& b) { return flush_place(a, kOrderedAt) < flush_place(b, kOrderedAt); }

TEST_CASE("what was put off to a later time goes behind what was not, within its priority") {
  const QueuedMessage ready = waits(ordered_message(1'000'000), std::nullopt), again = waits(ordered_message(2'000'000), -kHour);
  const QueuedMessage later = waits(ordered_message(10), kHour);
  CHECK(before(ready, later));
  CHECK(before(again, later));
  CHECK(before(ready, again));
  CHECK(before(waits(ordered_message(10, kUrgent), kHour), ready));
  QueuedMessage both = waits(later, std::nullopt);   // one of two was not put off
  CHECK(before(both, ready));
}

TEST_CASE("urgent, then priority, then small before large, then the older") {
  CHECK(before(ordered_message(1'000'000, kUrgent), ordered_message(10, kNormal)));
  CHECK(before(ordered_message(1'000'000, 1), ordered_message(10, 0)));
  CHECK(before(ordered_message(10), ordered_message(11)));
  CHECK(before(ordered_message(10, 0, Duration(0), "0000001"), ordered_message(10, 0, Duration(0), "0000002")));
  CHECK_FALSE(before(ordered_message(10), ordered_message(10)));
  CHECK(before(ordered_message(0), ordered_message(2)));
}

TEST_CASE("waiting halves the size that counts, hour by hour, and never beats priority") {
  CHECK_FALSE(before(ordered_message(4'000, 0, kHour), ordered_message(1'900)));
  CHECK(before(ordered_message(4'000, 0, kHour), ordered_message(2'100)));
  CHECK_FALSE(before(ordered_message(10, kLow, 1000 * kHour), ordered_message(1'000'000, kNormal)));
  // Arrived in the future: the clock was put back.
  CHECK_FALSE(before(ordered_message(10), ordered_message(10, 0, -1000 * kHour)));
}

TEST_CASE("no message is starved: after a day and a half it goes before all that just came") {
  std::mt19937 random(20261126);
  for (int i = 0; i < 2'000; ++i) {
    const std::int64_t large = 1 + static_cast<std::int64_t>(random() % 2'147'483'647U), small = 1 + static_cast<std::int64_t>(random() % 100'000);
    CHECK(before(ordered_message(large, 0, 36 * kHour), ordered_message(small)));
  }
}

TEST_CASE("it is an order: no message before itself, none both before and behind another, transitive") {
  std::mt19937 random(1);
  std::vector<QueuedMessage> all;
  for (int i = 0; i < 60; ++i) {
    all.push_back(ordered_message(static_cast<std::int64_t>(1ULL << (random() % 31)), static_cast<int>(random() % 5) - 2,
                          Duration(static_cast<std::int64_t>(random() % 5) * kHour), format_id(static_cast<std::int64_t>(random() % 40))));
  }
  for (const auto& a : all) {
    CHECK_FALSE(before(a, a));
    for (const auto& b : all) {
      CHECK_FALSE((before(a, b) && before(b, a)));
      for (const auto& c : all) {
        if (before(a, b) && before(b, c)) CHECK(before(a, c));
      }
    }
  }
  // Sorted: priorities never rise; within one, of two that arrived together the smaller goes first.
  std::sort(all.begin(), all.end(), before);
  for (std::size_t i = 1; i < all.size(); ++i) {
    CHECK(all[i - 1].priority >= all[i].priority);
    if (all[i - 1].priority == all[i].priority && all[i - 1].arrived == all[i].arrived) CHECK(all[i - 1].size <= all[i].size);
  }
}

}  // namespace
}  // namespace longline::mail
