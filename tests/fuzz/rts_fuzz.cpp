// SPDX-License-Identifier: MIT
// A hostile peer of an association that stands: SPDUs that fit, and bytes that do not. In two chunkings the same happens; segments are stored in order
// and before they are acknowledged, nothing is delivered that is not stored, and every transfer of ours has one end.
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "x400/acse.hpp"
#include "x400/ber_writer.hpp"
#include "x400/mts_bind.hpp"
#include "x400/presentation.hpp"
#include "x400/rts.hpp"
#include "x400/rtse.hpp"
#include "x400/spdu.hpp"

using namespace longline;
using namespace longline::x400;

namespace {

constexpr std::uint32_t kCheckpoint = 1;
constexpr std::uint32_t kWindow = 3;

class Host : public RtsHost {
 public:
  std::optional<OutgoingTransfer> next_transfer() override {
    if (taken == 3) return std::nullopt;
    OutgoingTransfer out{std::to_string(taken), taken == 0 ? 10u : 5000u, static_cast<TransferPriority>(taken + 1), {}};
    if (taken == 2) out.progress = OutgoingProgress{TransferKey{SessionId{"\x04\x01z", "c", ""}, "\x02\x01\x09"}, {}, kCheckpoint, 2};
    ++taken;
    ends[out.id] = 0;
    return out;
  }
  Result<std::string> read(const std::string&, std::uint64_t offset, std::size_t most) override {
    assert(most > 0 && offset + most <= 5000);
    return std::string(most, 'x');
  }
  std::optional<IncomingState> find_incoming(const TransferKey& key) override {
    const auto found = stored.find(key);
    if (found == stored.end()) return std::nullopt;
    return found->second;
  }
  Result<RtsPeer> find_peer(std::string_view) override { return peer(); }
  std::optional<Recovery> find_session(const SessionId&) override { return Recovery{peer(), "POC", kCheckpoint}; }

  static RtsPeer peer() {
    RtsPeer out;
    out.our_name = "OURS";
    out.peer_name = "POC";
    out.checkpoint_size = kCheckpoint;
    out.window = kWindow;
    return out;
  }

  int taken = 0;
  std::map<std::string, int> ends;
  std::map<TransferKey, IncomingState> stored;
};

struct Player {
  Player(bool initiator, std::size_t piece) : piece_(piece) {
    RtsOptions options;
    options.initiator = initiator;
    options.peer = Host::peer();
    options.reference = "ours";
    options.max_transfer = 20000;
    rts_.emplace(options, host_);
    rts_->start(now_);
    drain();
    bind(initiator);
  }

  void bind(bool initiator) {
    const std::vector<std::string> ber{std::string(kBerSyntax)};
    Spdu spdu;
    spdu.versions = kSessionVersion2;
    spdu.requirements = kTransferUnits;
    if (initiator) {
      feed(std::string_view("\x03\x00\x00\x0b\x06\xd0\x00\x01\x00\x02\x00", 11));
      AcceptPpdu accept;
      accept.results.assign(3, ContextResult{0, std::string(kBerSyntax), {}});
      const TransferAccept transfer{kCheckpoint, kWindow, {encode_bind_result(MtsNames{"POC", {}}), {}}};
      accept.user_data = {{1, encode_acse(AssociateResponse{std::string(kMtsTransferContext), 0, false, 0, AssociationData{3, encode_open_accept(transfer)}})}};
      spdu.kind = SpduKind::accept;
      spdu.user_data = encode_accept(accept);
    } else {
      feed(std::string_view("\x03\x00\x00\x0b\x06\xe0\x00\x00\x00\x01\x00", 11));
      ConnectPpdu connect;
      connect.contexts = {{1, std::string(kAcseSyntax), ber}, {3, std::string(kRtseSyntax), ber}, {5, std::string(kMtseSyntax), ber}};
      const TransferOpen open{kCheckpoint, kWindow, 1, {encode_bind_argument(MtsNames{"POC", {}}), {}}};
      connect.user_data = {{1, encode_acse(AssociateRequest{std::string(kMtsTransferContext), AssociationData{3, encode_open(open)}})}};
      spdu.kind = SpduKind::connect;
      spdu.references.user = "\x04\x01r";
      spdu.references.common = "c";
      spdu.user_data = encode_connect(connect);
    }
    send(spdu);
    assert(bound_);
  }

  void play(std::string_view input) {
    while (!input.empty()) {
      const auto op = static_cast<unsigned char>(input[0]);
      input.remove_prefix(1);
      const std::size_t take = std::min<std::size_t>(input.empty() ? 0 : static_cast<unsigned char>(input[0]), input.size());
      Spdu spdu;
      spdu.serial = take % 16;
      switch (op % 20) {
        case 0: spdu.kind = SpduKind::activity_start, spdu.activity = std::string("\x02\x01") + static_cast<char>(take % 4); break;
        case 1:
          spdu.kind = SpduKind::activity_resume;
          spdu.resumption.id = "\x02\x01\x40";
          spdu.resumption.old_id = std::string("\x02\x01") + static_cast<char>(take % 4);
          spdu.resumption.serial = static_cast<std::uint32_t>(take / 4 % 4);
          break;
        case 2: spdu.kind = SpduKind::data, spdu.user_data = encode_segment(3, std::string(take * 8, 'd')); break;
        case 3: spdu.kind = SpduKind::minor_sync; break;
        case 4: spdu.kind = SpduKind::activity_end; break;
        case 5: spdu.kind = SpduKind::minor_sync_ack; break;
        case 6: spdu.kind = SpduKind::activity_end_ack; break;
        case 7:
          spdu.kind = SpduKind::please_tokens, spdu.tokens = kDataToken, spdu.user_data = encode_turn_priority(static_cast<std::int64_t>(take % 4));
          break;
        case 8: spdu.kind = SpduKind::give_control; break;
        case 9: spdu.kind = SpduKind::give_control_ack; break;
        case 10: spdu.kind = SpduKind::activity_interrupt; break;
        case 11: spdu.kind = SpduKind::activity_discard; break;
        case 12: spdu.kind = SpduKind::activity_interrupt_ack; break;
        case 13: spdu.kind = SpduKind::activity_discard_ack; break;
        case 14: spdu.kind = SpduKind::exception_data, spdu.reason = static_cast<std::uint8_t>(take % 8); break;
        case 15: spdu.kind = SpduKind::finish; break;
        case 16: spdu.kind = SpduKind::data, spdu.user_data = input.substr(0, take), input.remove_prefix(take); break;
        case 17: spdu.kind = SpduKind::abort, spdu.disconnect = std::uint8_t{2}, spdu.user_data = input.substr(0, take), input.remove_prefix(take); break;
        case 18:
          if (const auto due = rts_->deadline()) now_ = std::max(now_, *due);
          rts_->on_time(now_);
          drain();
          continue;
        default:
          feed(input.substr(0, take));
          input.remove_prefix(take);
          continue;
      }
      send(spdu);
    }
  }

  std::string end() {
    rts_->on_closed(now_);
    drain();
    assert(finished_ && !rts_->deadline());
    for (const auto& [id, ends] : host_.ends) assert(ends == 1);
    return std::move(seen_);
  }

 private:
  void send(const Spdu& spdu) {
    const auto tsdu = encode_tsdu(spdu);
    if (!tsdu || tsdu->size() > 60000) return;
    std::string packet("\x03\x00\x00\x00\x02\xf0\x80", 7);
    const std::size_t size = tsdu->size() + 7;
    packet[2] = static_cast<char>(size >> 8);
    packet[3] = static_cast<char>(size & 0xff);
    feed(packet + *tsdu);
  }
  void feed(std::string_view bytes) {
    for (std::size_t i = 0; i < bytes.size(); i += piece_) {
      rts_->on_bytes(bytes.substr(i, piece_), now_);
      drain();
    }
  }
  void drain() {
    while (auto action = rts_->next_action()) {
      assert(!finished_);
      seen_ += static_cast<char>('A' + action->index());
      std::visit([this](const auto& one) { take(one); }, *action);
    }
  }
  void take(const Write& write) {
    seen_ += write.bytes;
    rts_->on_writable(65536, now_);
  }
  void take(const Bound&) { bound_ = true; }
  void take(const TransferStarted& started) { assert(host_.ends.at(started.id) == 0); }
  void take(const TransferConfirmed& confirmed) { assert(host_.ends.at(confirmed.id) == 0 && confirmed.bytes < 5000); }
  void take(const TransferSent& sent) { ++host_.ends.at(sent.id); }
  void take(const TransferFailed& failed) { ++host_.ends.at(failed.id); }
  void take(const StoreSegment& store) {
    IncomingState& state = host_.stored[store.key];
    if (store.first) state = {};
    assert(!state.completed && store.serial == state.serial + 1 && store.bytes.size() <= kCheckpoint * 1024 + 1024);
    state.serial = store.serial;
    state.bytes += store.bytes.size();
  }
  void take(const ResumeIncoming& resume) {
    IncomingState& state = host_.stored.at(resume.key);
    assert(!state.completed && resume.serial <= state.serial);
    state.serial = resume.serial;
  }
  void take(const TransferComplete& complete) {
    IncomingState& state = host_.stored.at(complete.key);
    assert(!state.completed && state.serial == complete.segments && complete.segments > 0);
    state.completed = true;
  }
  void take(const DiscardIncoming& discard) { host_.stored.erase(discard.key); }
  void take(const RtsFinished& finished) {
    finished_ = true;
    if (finished.error) seen_ += finished.error->what;
  }

  Host host_;
  std::size_t piece_;
  std::optional<Rts> rts_;
  TimePoint now_{};
  std::string seen_;
  bool bound_ = false;
  bool finished_ = false;
};

std::string run(std::string_view input, bool initiator, std::size_t piece) {
  Player player(initiator, piece);
  player.play(input);
  return player.end();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1 || size > 512) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data + 1), size - 1);
  const bool initiator = (data[0] & 1) != 0;
  const std::string whole = run(input, initiator, 65536);
  assert(run(input, initiator, 1 + (data[0] >> 1) % 16) == whole);
  return 0;
}
