// SPDX-License-Identifier: MIT
#include "x400/transport.hpp"

#include <doctest/doctest.h>

#include "unit/x400/octets.hpp"

using namespace longline;
using namespace longline::x400;
using namespace longline::x400::test;

namespace {

TimePoint at_time(std::int64_t milliseconds) { return TimePoint(Duration(milliseconds)); }

struct TransportSide {
  explicit TransportSide(TransportOptions options) : transport(std::move(options)) {
    transport.start(at_time(0));
    drain();
  }
  void drain() {
    while (auto action = transport.next_action()) {
      REQUIRE_FALSE(closed);
      if (auto* write = std::get_if<Write>(&*action)) {
        CHECK(write->bytes.size() <= 65535 + 1);
        written += write->bytes;
      } else if (auto* open = std::get_if<TransportOpened>(&*action)) {
        opened = *open;
      } else if (auto* tsdu = std::get_if<TsduArrived>(&*action)) {
        tsdus.push_back(tsdu->bytes);
      } else {
        closed = std::get<TransportClosed>(*action);
      }
    }
  }
  void hear(std::string_view bytes) {
    transport.on_bytes(bytes, at_time(1));
    drain();
  }
  void end() {
    transport.on_closed(at_time(2));
    drain();
  }
  std::string error() const { return closed && closed->error ? closed->error->what : ""; }

  Transport transport;
  std::string written;
  std::vector<std::string> tsdus;
  std::optional<TransportOpened> opened;
  std::optional<TransportClosed> closed;
};

TransportOptions calling_side() {
  TransportOptions out;
  out.called_selector = "mta";
  out.calling_selector = "us";
  return out;
}

TransportOptions called_side() {
  TransportOptions out;
  out.initiator = false;
  return out;
}

/// What the one wrote since the last time goes to the other, until both are silent.
void pump(TransportSide& a, TransportSide& b) {
  while (!a.written.empty() || !b.written.empty()) {
    b.hear(std::exchange(a.written, {}));
    a.hear(std::exchange(b.written, {}));
  }
}

}  // namespace

TEST_CASE("two sides open a connection and hand units over in order") {
  TransportSide a(calling_side());
  TransportSide b(called_side());
  CHECK(hex(a.written) == "03 00 00 17 12 e0 00 00 00 01 00 c0 01 0b c1 02 75 73 c2 03 6d 74 61");
  pump(a, b);
  REQUIRE(a.opened);
  REQUIRE(b.opened);
  CHECK(b.opened->calling_selector == "us");
  CHECK(b.opened->called_selector == "mta");
  CHECK(a.opened->tpdu_size == 2048);
  CHECK_FALSE(a.transport.deadline());
  CHECK_FALSE(b.transport.deadline());

  std::vector<std::string> units;
  for (const std::size_t size : {0, 1, 2044, 2045, 2046, 4090, 4091, 200'000}) {
    units.push_back(std::string(size, 'x') + "");
    a.transport.send(units.back());
  }
  b.transport.send("back");
  a.drain();
  b.drain();
  pump(a, b);
  CHECK(b.tsdus == units);
  CHECK(a.tsdus == std::vector<std::string>{"back"});
  a.end();
  REQUIRE(a.closed);
  CHECK_FALSE(a.closed->error);
}

TEST_CASE("the size of a TPDU is the smaller of both; without a word it is what was proposed, or 65531") {
  const auto agreed = [](std::size_t ours, std::string_view answer) {
    TransportOptions options = calling_side();
    options.tpdu_size = ours;
    TransportSide a(options);
    a.hear(octets(answer));
    REQUIRE(a.opened);
    return a.opened->tpdu_size;
  };
  CHECK(agreed(2048, "03 00 00 0e 09 d0 00 01 00 07 00 c0 01 07") == 128);
  CHECK(agreed(2048, "03 00 00 0b 06 d0 00 01 00 07 00") == 2048);
  CHECK(agreed(kLongestTpdu, "03 00 00 0b 06 d0 00 01 00 07 00") == kLongestTpdu);
  CHECK(agreed(128, "03 00 00 0e 09 d0 00 01 00 07 00 c0 01 0b") == 128);

  const auto granted = [](std::size_t most, std::string_view request) {
    TransportOptions options = called_side();
    options.tpdu_size = most;
    TransportSide b(options);
    b.hear(octets(request));
    REQUIRE(b.opened);
    return std::to_string(b.opened->tpdu_size) + ": " + hex(b.written);
  };
  CHECK(granted(2048, "03 00 00 0e 09 e0 00 00 08 5a 00 c0 01 0b") == "2048: 03 00 00 0e 09 d0 08 5a 00 01 00 c0 01 0b");
  CHECK(granted(2048, "03 00 00 0e 09 e0 00 00 08 5a 00 c0 01 08") == "256: 03 00 00 0e 09 d0 08 5a 00 01 00 c0 01 08");
  CHECK(granted(2048, "03 00 00 0b 06 e0 00 00 08 5a 00") == "2048: 03 00 00 0e 09 d0 08 5a 00 01 00 c0 01 0b");
  CHECK(granted(kLongestTpdu, "03 00 00 0b 06 e0 00 00 08 5a 00") == "65531: 03 00 00 0b 06 d0 08 5a 00 01 00");
}

TEST_CASE("data in pieces of any size come together, at every split") {
  const std::string stream = octets("03 00 00 0b 06 e0 00 00 08 5a 00") +
                             octets("03 00 00 09 02 f0 00 'ab' 03 00 00 07 02 f0 00 03 00 00 08 02 f0 80 'c' 03 00 00 07 02 f0 80");
  for (std::size_t k = 0; k <= stream.size(); ++k) {
    TransportSide b(called_side());
    b.hear(stream.substr(0, k));
    b.hear(stream.substr(k));
    CHECK(b.tsdus == std::vector<std::string>{"abc", ""});
    CHECK(b.transport.pending() == 0);
  }
  for (std::size_t k = 0; k <= stream.size(); ++k) {
    TransportSide b(called_side());
    for (std::size_t i = 0; i < k; ++i) b.hear(stream.substr(i, 1));
    b.end();
    REQUIRE(b.closed);
    CHECK_FALSE(b.transport.deadline());
    // Between two units the end of the line is the end of the connection, anywhere else it is a loss.
    const bool between = k == 11 || k == stream.size() - 7 || k == stream.size();
    CHECK(b.closed->error.has_value() != between);
    if (!between) CHECK(b.closed->error->code == Errc::line_dropped);
    b.hear("more");
  }
}

TEST_CASE("a unit is bounded, however many pieces it has") {
  TransportOptions options = called_side();
  options.longest_tsdu = 1000;
  TransportSide b(options);
  b.hear(octets("03 00 00 0b 06 e0 00 00 08 5a 00"));
  const std::string piece = tpkt(encode(CotpData{std::string(100, 'x'), false}));
  for (int i = 0; i < 10; ++i) b.hear(piece);
  CHECK_FALSE(b.closed);
  CHECK(b.transport.pending() == 1000);
  b.hear(tpkt(encode(CotpData{"x", false})));
  CHECK(b.error() == "the peer sends a unit of more than 1000 octets");
  CHECK(b.transport.pending() == 0);
}

TEST_CASE("a selector that is not ours is refused with a word") {
  TransportOptions options = called_side();
  options.called_selector = "mta";
  TransportSide b(options);
  b.hear(octets("03 00 00 10 0b e0 00 00 00 07 00 c2 03 'm' 1b 'a'"));
  CHECK(hex(b.written) == "03 00 00 0b 06 80 00 07 00 00 03");
  CHECK(b.error() == "the caller asks for transport selector 'm\\x1Ba', expected 'mta'");
  CHECK(b.closed->error->code == Errc::caller_refused);
  TransportSide bare(options);
  bare.hear(octets("03 00 00 0b 06 e0 00 00 00 07 00"));
  CHECK(bare.closed);
  TransportSide right(options);
  right.hear(octets("03 00 00 10 0b e0 00 00 00 07 00 c2 03 'mta'"));
  CHECK(right.opened);
}

TEST_CASE("refusals, errors and nonsense end the connection in plain words") {
  const auto heard = [](TransportOptions options, std::string_view bytes) {
    TransportSide side(std::move(options));
    side.hear(octets(bytes));
    REQUIRE(side.closed);
    REQUIRE(side.closed->error);
    return std::string(to_string(side.closed->error->code)) + ": " + side.closed->error->what;
  };
  CHECK(heard(calling_side(), "03 00 00 0b 06 80 00 01 00 00 03") ==
        "next-hop-unreachable: the peer refuses the transport connection: it knows no such transport selector (reason 3)");
  CHECK(heard(calling_side(), "03 00 00 0b 06 80 00 01 00 00 01") == "busy: the peer refuses the transport connection: congestion (reason 1)");
  CHECK(heard(calling_side(), "03 00 00 09 04 70 00 01 02") == "protocol: the peer did not understand a TPDU of ours (cause 2)");
  CHECK(heard(calling_side(), "03 00 00 07 02 f0 80") == "protocol: the peer sends data before there is a connection");
  CHECK(heard(calling_side(), "03 00 00 0b 06 e0 00 00 00 07 00") == "protocol: the peer asks for a connection twice");
  CHECK(heard(calling_side(), "03 00 00 0b 06 d0 00 01 00 07 40") == "protocol: the peer answers with transport class 4");
  CHECK(heard(called_side(), "03 00 00 0b 06 d0 00 01 00 07 00") == "protocol: the peer confirms a connection that nobody asked for");
  CHECK(heard(called_side(), "03 00 00 0b 06 e0 00 00 00 07 20") == "protocol: the caller asks for transport class 2; over TCP it is 0");
  CHECK(heard(called_side(), "03 00 00 0b 06 e0 00 00 00 07 00 03 00 00 0b 06 e0 00 00 00 07 00") == "protocol: the peer asks for a connection twice");
  CHECK(heard(called_side(), "'GET / HTTP/1.0'") == "protocol: the peer does not speak RFC 1006: its packet begins with 0x47, not 0x03");
}

TEST_CASE("the opening has a deadline on both sides, however slowly the bytes trickle") {
  for (TransportOptions options : {calling_side(), called_side()}) {
    TransportSide side(options);
    REQUIRE(side.transport.deadline() == at_time(60'000));
    side.hear("\x03");
    side.transport.on_time(at_time(59'999));
    side.drain();
    CHECK_FALSE(side.closed);
    side.transport.on_time(at_time(60'000));
    side.drain();
    REQUIRE(side.closed);
    CHECK(side.closed->error->code == Errc::deadline);
    CHECK_FALSE(side.transport.deadline());
  }
}

TEST_CASE("whoever closes is silent from then on, but what was written still goes") {
  TransportSide a(calling_side());
  a.hear(octets("03 00 00 0b 06 d0 00 01 00 07 00"));
  a.written.clear();
  a.transport.send("x", true);
  a.transport.close();
  const auto last = a.transport.next_action();
  REQUIRE(last);
  CHECK(std::get<Write>(*last).secret);
  a.transport.send("y");
  a.hear(octets("03 00 00 07 02 f0 80"));
  a.end();
  CHECK(a.written.empty());
  CHECK_FALSE(a.closed);
}
