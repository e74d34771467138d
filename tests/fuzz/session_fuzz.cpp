// SPDX-License-Identifier: MIT
// A peer, and a user, that do anything in any order. The first octet: 1 the initiator, 2 the opening is left to the input, and the pieces
// in which bytes come. Then records: an octet below 32 is something that the user asks for, any other the length (less 32) of a TSDU from the peer.
#include <algorithm>
#include <cassert>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "x400/session.hpp"

using namespace longline;
using namespace longline::x400;

namespace {

constexpr std::size_t kLongestSsdu = 300;
constexpr unsigned char kUnit = 32;

/// Whatever we write, a peer can read.
void check_output(std::string_view stream) {
  TpktReader reader;
  std::string tsdu;
  while (!stream.empty()) {
    auto packet = reader.next(stream);
    assert(packet && *packet);
    auto tpdu = decode_cotp(**packet);
    assert(tpdu);
    const auto* data = std::get_if<CotpData>(&*tpdu);
    if (data == nullptr) continue;
    tsdu += data->bytes;
    if (!data->last) continue;
    assert(decode_tsdu(tsdu));
    tsdu.clear();
  }
}

struct World {
  World(bool initiator, std::size_t piece_) : session(options(initiator)), piece(piece_) {
    session.start(TimePoint{});
    if (initiator) (void)session.connect({{"u", "c", "a"}, true, "bind", true});
    drain();
  }

  static SessionOptions options(bool initiator) {
    SessionOptions out;
    out.transport.initiator = initiator;
    out.longest_ssdu = kLongestSsdu;
    return out;
  }

  void drain() {
    while (const auto action = session.next_action()) {
      assert(!finished);
      if (const auto* write = std::get_if<Write>(&*action)) {
        written += write->bytes;
        continue;
      }
      seen += static_cast<char>('a' + static_cast<char>(action->index()));
      if (const auto* data = std::get_if<DataArrived>(&*action)) {
        assert(data->bytes.size() <= kLongestSsdu);
        seen += data->bytes;
      } else if (const auto* last = std::get_if<SessionFinished>(&*action)) {
        finished = true;
        seen += last->user_data + (last->error ? last->error->what : "");
      }
    }
    // An SSDU in pieces, a TSDU, a packet.
    assert(session.pending() <= kLongestSsdu + 65539 + 65535);
  }

  void hear(std::string_view bytes) {
    for (std::size_t i = 0; i < bytes.size(); i += piece) {
      session.on_bytes(bytes.substr(i, piece), TimePoint{});
      drain();
    }
  }

  bool ask(unsigned char what) {
    const TimePoint now{};
    switch (what) {
      case 0: return session.accept({"m", "c", ""}, "bound").has_value();
      case 1: return session.refuse(2, "no", now).has_value();
      case 2: return session.start_activity("act").has_value();
      case 3: return session.resume_activity({"new", "old", 3, "", "u", "c", ""}).has_value();
      case 4: return session.send_data("some data that may have to go in pieces, if the peer wants them small").has_value();
      case 5: return session.minor_sync().has_value();
      case 6: return session.end_activity().has_value();
      case 7: return session.stop_activity(false, SessionReason::local_user_error).has_value();
      case 8: return session.stop_activity(true, std::nullopt).has_value();
      case 9: return session.give_turn().has_value();
      case 10: return session.release("bye", now).has_value();
      case 11: return session.confirm_minor(session.next_serial() - 1).has_value();
      case 12: return session.confirm_minor(1).has_value();
      case 13: return session.confirm_end().has_value();
      case 14: return session.confirm_stop().has_value();
      case 15: return session.report_exception(SessionReason::sequence_error, "x").has_value();
      case 16: return session.ask_turn("2").has_value();
      case 17: return session.confirm_release("bye", now).has_value();
      case 18: return session.abort("why", now).has_value();
      default: return false;
    }
  }

  Session session;
  std::size_t piece;
  std::string seen;
  std::string written;
  bool finished = false;
};

std::string unit(std::string_view tsdu) { return tpkt(encode(CotpData{std::string(tsdu), true})); }

std::string run(std::string_view input, bool initiator, bool scripted, std::size_t piece) {
  World world(initiator, piece);
  CotpConnect connect;
  connect.confirms = initiator;
  connect.source = 7;
  world.hear(tpkt(encode(connect)));
  if (scripted) {
    Spdu opening;
    opening.kind = initiator ? SpduKind::accept : SpduKind::connect;
    opening.versions = initiator ? kSessionVersion2 : 3;
    opening.requirements = kTransferUnits;
    world.hear(unit(*encode(opening)));
    if (!initiator) world.ask(0);
    world.drain();
  }
  while (!input.empty()) {
    const auto op = static_cast<unsigned char>(input.front());
    input.remove_prefix(1);
    if (op < kUnit) {
      // What is refused changes nothing.
      const bool turn = world.session.turn();
      const std::uint32_t serial = world.session.next_serial();
      const bool done = world.ask(op);
      assert(done || (turn == world.session.turn() && serial == world.session.next_serial()));
      assert(!done || !world.finished);
      world.drain();
    } else {
      const std::string_view tsdu = input.substr(0, op - kUnit);
      input.remove_prefix(tsdu.size());
      world.hear(unit(tsdu));
    }
  }
  world.session.on_closed(TimePoint{});
  world.drain();
  assert(world.finished && world.session.finished() && !world.session.deadline());
  check_output(world.written);
  return world.seen + world.written;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data + 1), size - 1);
  const bool initiator = (data[0] & 1) != 0;
  const bool scripted = (data[0] & 2) == 0;
  assert(run(input, initiator, scripted, 1u << 20) == run(input, initiator, scripted, data[0] / 4 % 16 + 1u));
  return 0;
}
