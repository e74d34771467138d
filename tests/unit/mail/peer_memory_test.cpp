// SPDX-License-Identifier: MIT
#include "mail/peer_memory.hpp"

#include <doctest/doctest.h>

using namespace longline;
using namespace longline::mail;

namespace {

constexpr WallTime kAsked(Duration(1'795'000'000'000));
constexpr Duration kDay(24 * 3'600'000);

}  // namespace

TEST_CASE("the probability of a refusal follows what the peer does, and forgets") {
  PeerMemory memory;
  CHECK(memory.rejection() == doctest::Approx(0.02));
  SmtpLessons lessons;
  lessons.tried = 50;
  memory = learn(memory, {}, lessons, kAsked);
  CHECK(memory.rejection() == doctest::Approx(0.01));
  lessons.rejected = 50;
  for (int i = 0; i < 50; ++i) memory = learn(memory, {}, lessons, kAsked);
  CHECK(memory.rejection() > 0.8);
  CHECK(memory.tried <= 400);
  lessons.rejected = 0;
  for (int i = 0; i < 50; ++i) memory = learn(memory, {}, lessons, kAsked);
  CHECK(memory.rejection() < 0.01);
}

TEST_CASE("a size limit counts for a week, and is replaced by each session") {
  SmtpPeer peer;
  peer.size_limit = 1000;
  SmtpLessons answered;
  answered.tried = 1;
  const PeerMemory memory = learn({}, peer, answered, kAsked);
  CHECK(learn({}, peer, {}, kAsked).size_limit == 0);   // cut behind EHLO, perhaps within the number
  CHECK(recall(memory, kAsked + kDay * 6).size_limit == 1000);
  CHECK(recall(memory, kAsked + kDay * 7).size_limit == 0);
  CHECK(recall(memory, kAsked - kDay).size_limit == 0);   // the clock was ahead
  CHECK(learn(memory, {}, answered, kAsked).size_limit == 0);
}

TEST_CASE("a rate that small messages showed on a fast line is the least it has, and takes the place of no other") {
  SmtpLessons small, telling;
  small.rate = 10'000;
  small.rate_is_least = true;
  telling.rate = 3'000;
  PeerMemory memory = learn({}, {}, small, kAsked);
  CHECK(memory.rate == 10'000);   // for a plan
  CHECK(memory.known_rate() == 0);
  memory = learn(memory, {}, telling, kAsked);
  CHECK(memory.known_rate() == 3'000);
  small.rate = 2'000;
  CHECK(learn(memory, {}, small, kAsked).known_rate() == 3'000);
  small.rate = 20'000;
  CHECK(learn(memory, {}, small, kAsked).known_rate() == 20'000);
  telling.rate = 1'000;
  CHECK(learn(memory, {}, telling, kAsked).known_rate() == 1'000);
}

TEST_CASE("blame changes how the next session begins, for a while") {
  PeerMemory memory;
  memory.lock_step = memory.no_tls = true;
  memory.blamed = kAsked;
  SmtpClientOptions options;
  options.starttls = StartTlsUse::if_offered;
  apply(recall(memory, kAsked), options);
  CHECK_FALSE(options.pipelining);
  CHECK_FALSE(options.chunking);
  CHECK(options.starttls == StartTlsUse::never);

  SmtpClientOptions strict;
  strict.starttls = StartTlsUse::required;
  apply(recall(memory, kAsked + kDay * 2), strict);
  CHECK_FALSE(strict.pipelining);
  CHECK(strict.starttls == StartTlsUse::required);

  SmtpClientOptions later;
  later.starttls = StartTlsUse::if_offered;
  apply(recall(memory, kAsked + kDay * 31), later);
  CHECK(later.pipelining);
  CHECK(later.starttls == StartTlsUse::if_offered);
}

TEST_CASE("TLS that is required is never skipped") {
  PeerMemory memory;
  memory.no_tls = true;
  memory.blamed = kAsked;
  SmtpClientOptions options;
  options.starttls = StartTlsUse::required;
  apply(memory, options);
  CHECK(options.starttls == StartTlsUse::required);
}
