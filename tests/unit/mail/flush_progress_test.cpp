// SPDX-License-Identifier: MIT
#include "mail/flush_progress.hpp"

#include <doctest/doctest.h>

namespace longline::mail {
namespace {

TEST_CASE("the bar, the rate and the time left") {
  CHECK(to_text(FlushProgress{3, 10, 60'000, 120'000, 1'000}) == "[======>     ] 3/10 messages, 60.0 kB of 120.0 kB, 1.0 kB/s, 1m left");
  CHECK(to_text(FlushProgress{0, 2, 0, 5'000, 0}) == "[>           ] 0/2 messages, 0 B of 5.0 kB");
  CHECK(to_text(FlushProgress{2, 2, 5'000, 5'000, 100}) == "[============] 2/2 messages, 5.0 kB of 5.0 kB, 100 B/s");
}

TEST_CASE("no figures make it break its line") {
  CHECK(to_text(FlushProgress{0, 0, 0, 0, 0}).starts_with("[>"));
  CHECK(to_text(FlushProgress{5, 1, 900, 100, 1}).starts_with("[============]"));
  CHECK(to_text(FlushProgress{2'000'000'000, 2'000'000'000, 1LL << 60, 1LL << 62, 1}).size() <= 79);
}

}  // namespace
}  // namespace longline::mail
