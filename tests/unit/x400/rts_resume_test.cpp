// SPDX-License-Identifier: MIT
// The line is cut wherever it can be cut, and either side dies behind everything that it does: delivered once, byte for byte, and no more sent again
// than the window allows.
#include <doctest/doctest.h>

#include "unit/x400/rts_world.hpp"

using namespace longline;
using namespace longline::x400;
using namespace longline::x400::test;

namespace {

constexpr std::size_t kSize = 300 * 1024;
constexpr std::size_t kStep = 97;
// Of these, every fourth under the sanitizers, which take eight times as long; the suite cli has a program that walks them all.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr std::size_t kStride = 4 * kStep;
#else
constexpr std::size_t kStride = kStep;
#endif
#else
constexpr std::size_t kStride = kStep;
#endif

const std::string& big() {
  static const std::string content = content_of(kSize);
  return content;
}

/// Site 7 calls the hub. Which of them sends is the case's.
struct World {
  explicit World(int sender = 0, std::size_t size = kSize) : sender_(sender) {
    a.expects(b);
    b.expects(a);
    sending().add("big", size == kSize ? big() : content_of(size));
  }
  Site& sending() { return sender_ == 0 ? a : b; }
  Site& receiving() { return sender_ == 0 ? b : a; }

  Association& call(Association::Flow flow = Association::Flow::by_write) {
    if (association) sent += association->user_bytes(sender_);
    association.emplace(a, b, ++calls, flow, [this](RtsOptions& options) { options.lifetime = lifetime; });
    return *association;
  }
  /// Calls again until it is there, as a driver does.
  void finish(Association::Flow flow = Association::Flow::by_write) {
    for (int i = 0; i < 4 && !sending().outgoing.at("big").sent; ++i) {
      call(flow).run();
      if (a.finished && a.finished->recovery_refused) a.forget_progress(), a.forget_incoming();
      if (b.finished && b.finished->recovery_refused) b.forget_progress();
    }
    sent += association->user_bytes(sender_);
    association.reset();
  }
  /// Delivered once, and as it was; `sent` bytes went.
  bool delivered_once() {
    return receiving().delivered.size() == 1 && receiving().delivered[0] == sending().outgoing.at("big").content && sending().outgoing.at("big").sent &&
           !receiving().misordered;
  }
  std::uint64_t sent_again() { return sent - sending().outgoing.at("big").content.size(); }
  std::uint64_t allowed() const { return (a.peer.window + 1) * a.peer.checkpoint_size * 1024; }

  Site a{"SITE7"};
  Site b{"HUB"};
  int calls = 0;
  std::uint64_t sent = 0;
  Duration lifetime{};
  std::optional<Association> association;

 private:
  int sender_;
};

/// Bytes that each side writes in a call that is not cut, and where its Writes end.
struct Uncut {
  std::uint64_t bytes[2];
  std::vector<std::uint64_t> boundaries[2];
  int actions[2];
};
Uncut uncut(int sender, Association::Flow flow, std::size_t size = kSize) {
  World w(sender, size);
  Association& call = w.call(flow);
  call.run();
  REQUIRE(w.delivered_once());
  Uncut out;
  for (const int side : {0, 1}) {
    out.bytes[side] = call.written(side);
    out.boundaries[side] = call.boundaries(side);
    out.actions[side] = call.actions(side);
  }
  return out;
}

void cut_at(int sender, Association::Flow flow, int side, std::uint64_t where) {
  World w(sender);
  Association& first = w.call(flow);
  first.cut_behind(side, where);
  first.run();
  if (!first.was_cut()) {
    // The cut lies behind the last byte that mattered.
    w.finish(flow);
    REQUIRE(w.delivered_once());
    return;
  }
  w.finish(flow);
  INFO("cut behind byte " << where << " of side " << side << ", sent by " << sender);
  REQUIRE(w.delivered_once());
  REQUIRE(w.sent_again() <= w.allowed());
}

}  // namespace

TEST_CASE("rts: the line is cut at every SPDU boundary") {
  for (const int sender : {0, 1}) {
    for (const auto flow : {Association::Flow::by_write, Association::Flow::all_at_once}) {
      const Uncut whole = uncut(sender, flow);
      for (const int side : {0, 1}) {
        for (const std::uint64_t where : whole.boundaries[side]) cut_at(sender, flow, side, where);
      }
    }
  }
}

TEST_CASE("rts: the line is cut at every 97th byte") {
  for (const int sender : {0, 1}) {
    const Uncut whole = uncut(sender, Association::Flow::by_write);
    for (const int side : {0, 1}) {
      for (std::uint64_t where = side + 1; where < whole.bytes[side]; where += kStride) cut_at(sender, Association::Flow::by_write, side, where);
    }
  }
}

TEST_CASE("rts: either side dies behind each of its actions") {
  constexpr std::size_t kFew = 50 * 1024;
  for (const int sender : {0, 1}) {
    for (const auto flow : {Association::Flow::by_write, Association::Flow::all_at_once}) {
      const Uncut whole = uncut(sender, flow, kFew);
      for (const int side : {0, 1}) {
        for (int n = 2; n < 2 * whole.actions[side]; ++n) {
          World w(sender, kFew);
          Association& first = w.call(flow);
          first.crash_behind(side, n / 2, n % 2 == 1);
          first.run();
          w.finish(flow);
          INFO("side " << side << " dies behind action " << n / 2 << ", sent by " << sender);
          REQUIRE(w.delivered_once());
          REQUIRE(w.sent_again() <= w.allowed());
        }
      }
    }
  }
}

TEST_CASE("rts: a line that is cut again and again, in short calls") {
  for (const int sender : {0, 1}) {
    World w(sender);
    int cuts = 0;
    while (!w.sending().outgoing.at("big").sent) {
      Association& call = w.call();
      // Three segments a call, and a byte more each time: what was confirmed stays confirmed.
      call.cut_behind(sender, 3 * 15 * 1024 + 2000 + static_cast<std::uint64_t>(cuts));
      call.run();
      if (!call.was_cut()) break;
      REQUIRE(++cuts < 40);
    }
    w.finish();
    CHECK(cuts >= 6);
    CHECK(w.delivered_once());
    CHECK(w.sent_again() <= static_cast<std::uint64_t>(cuts) * w.allowed());
    // Each call went on from where the one before was.
    for (std::size_t i = 1; i < w.sending().confirmations.size(); ++i) {
      CHECK(w.sending().confirmations[i].serial == w.sending().confirmations[i - 1].serial + 1);
    }
  }
}
