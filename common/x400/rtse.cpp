// SPDX-License-Identifier: MIT
#include "x400/rtse.hpp"

#include <algorithm>

#include "x400/ber_reader.hpp"
#include "x400/ber_writer.hpp"

namespace longline::x400 {
namespace {

constexpr std::int64_t kMostCheckpoint = 1 << 20;   // 1 GiB
constexpr std::size_t kLongestSessionReference = 64;

/// One parameter of a session connection's identifier as it stands in the session protocol: a primitive element, so that the same value looks the same
/// however its length was written.
Result<std::string> reference(const BerElement& element, Tag tag) {
  LONGLINE_TRY(const std::string value, element.octets());
  if (value.size() > kLongestSessionReference) return Error(Errc::malformed, "the reference of a session is longer than 64 bytes");
  BerWriter out;
  out.primitive(tag, value);
  return out.take();
}

Result<SessionId> read_session(const BerElement& element) {
  LONGLINE_TRY(const auto parts, element.children());
  if (parts.size() < 2) return Error(Errc::malformed, "the session to recover has no calling or no common reference");
  SessionId id;
  LONGLINE_TRY(id.calling, reference(parts[0], parts[0].tag));
  LONGLINE_TRY(id.common, reference(parts[1], parts[1].tag));
  if (const BerElement* additional = find(parts, context(0))) {
    LONGLINE_TRY(id.additional, reference(*additional, tags::kT61String));
  }
  return id;
}

void write_session(BerWriter& out, const SessionId& id) {
  out.constructed(context(1), [&] {
    out.raw(id.calling);
    out.raw(id.common);
    if (id.additional.empty()) return;
    if (const auto element = BerReader::only(id.additional)) out.primitive(context(0), element->content);
  });
}

void write_connection(BerWriter& out, Tag tag, const ConnectionData& data) {
  out.constructed(tag, [&] {
    if (data.recover) {
      write_session(out, *data.recover);
    } else {
      out.constructed(context(0), [&] { out.raw(data.open); });
    }
  });
}

Result<ConnectionData> read_connection(const std::vector<BerElement>& parts, Tag tag) {
  LONGLINE_TRY(const auto outer, require(parts, tag, "the opening of reliable transfer"));
  LONGLINE_TRY(const auto choice, outer.child());
  ConnectionData data;
  if (choice.is(context(1))) {
    LONGLINE_TRY(data.recover, read_session(choice));
    return data;
  }
  if (!choice.is(context(0))) return Error(Errc::malformed, to_string(choice.tag) + " where a bind or a recovery was expected");
  LONGLINE_TRY(const auto bind, choice.child());
  data.open = bind.whole;
  return data;
}

Result<std::int64_t> number(const std::vector<BerElement>& parts, std::uint32_t tag, std::int64_t absent) {
  const BerElement* found = find(parts, context(tag));
  if (!found) return absent;
  return found->integer();
}

Result<std::uint32_t> size(const std::vector<BerElement>& parts, std::uint32_t tag, std::int64_t absent, std::string_view what) {
  LONGLINE_TRY(const std::int64_t value, number(parts, tag, absent));
  if (value < 0) return Error(Errc::malformed, "a " + std::string(what) + " below 0");
  return static_cast<std::uint32_t>(std::min(value, kMostCheckpoint));
}

/// The parts of the APDU with this tag.
Result<std::vector<BerElement>> parts_of(std::string_view bytes, std::uint32_t tag) {
  LONGLINE_TRY(const auto whole, BerReader::only(bytes));
  if (!whole.is(context(tag))) return Error(Errc::malformed, to_string(whole.tag) + " where reliable transfer has [" + std::to_string(tag) + "]");
  return whole.children();
}

Result<std::optional<std::int64_t>> given_reason(const std::vector<BerElement>& parts) {
  const BerElement* found = find(parts, context(0));
  if (!found) return std::optional<std::int64_t>();
  LONGLINE_TRY(const std::int64_t value, found->integer());
  return std::optional<std::int64_t>(value);
}

}  // namespace

std::string encode_open(const TransferOpen& open) {
  BerWriter out;
  out.constructed(context(16), [&] {
    out.integer(open.checkpoint_size, context(0));
    out.integer(open.window, context(1));
    out.integer(open.dialogue_mode, context(2));
    write_connection(out, context(3), open.connection);
  });
  return out.take();
}

Result<TransferOpen> decode_open(std::string_view bytes) {
  LONGLINE_TRY(const auto parts, parts_of(bytes, 16));
  TransferOpen open;
  LONGLINE_TRY(open.checkpoint_size, size(parts, 0, 0, "checkpoint size"));
  LONGLINE_TRY(open.window, size(parts, 1, 3, "window"));
  LONGLINE_TRY(open.dialogue_mode, number(parts, 2, 0));
  LONGLINE_TRY(open.connection, read_connection(parts, context(3)));
  return open;
}

std::string encode_open_accept(const TransferAccept& accept) {
  BerWriter out;
  out.constructed(context(17), [&] {
    out.integer(accept.checkpoint_size, context(0));
    out.integer(accept.window, context(1));
    write_connection(out, context(2), accept.connection);
  });
  return out.take();
}

Result<TransferAccept> decode_open_accept(std::string_view bytes) {
  LONGLINE_TRY(const auto parts, parts_of(bytes, 17));
  TransferAccept accept;
  LONGLINE_TRY(accept.checkpoint_size, size(parts, 0, 0, "checkpoint size"));
  LONGLINE_TRY(accept.window, size(parts, 1, 3, "window"));
  LONGLINE_TRY(accept.connection, read_connection(parts, context(2)));
  return accept;
}

std::string encode_open_refuse(const TransferRefuse& refuse) {
  BerWriter out;
  out.constructed(context(18), [&] {
    if (refuse.reason) out.integer(*refuse.reason, context(0));
    if (!refuse.user_data.empty()) out.constructed(context(1), [&] { out.raw(refuse.user_data); });
  });
  return out.take();
}

Result<TransferRefuse> decode_open_refuse(std::string_view bytes) {
  LONGLINE_TRY(const auto parts, parts_of(bytes, 18));
  TransferRefuse refuse;
  LONGLINE_TRY(refuse.reason, given_reason(parts));
  if (const BerElement* data = find(parts, context(1))) {
    LONGLINE_TRY(const auto value, data->child());
    refuse.user_data = value.whole;
  }
  return refuse;
}

std::string encode_turn_priority(std::int64_t priority) {
  BerWriter out;
  out.integer(priority);
  return out.take();
}

Result<std::int64_t> decode_turn_priority(std::string_view bytes) {
  LONGLINE_TRY(const auto element, BerReader::only(bytes));
  if (!element.is(tags::kInteger)) return Error(Errc::malformed, to_string(element.tag) + " where the priority of a turn was expected");
  return element.integer();
}

std::string_view abort_reason_text(std::int64_t reason) {
  switch (reason) {
    case 0: return "a problem of the peer's system";
    case 1: return "a parameter that the peer does not take";
    case 2: return "the peer does not know the transfer that was to go on";
    case 3: return "a temporary problem";
    case 4: return "what the peer takes for a protocol error";
    case 5: return "a permanent problem";
    case 6: return "the peer's message transfer gave up";
    case 7: return "the transfer had been completed before";
    default: return "a reason that is not known";
  }
}

std::string encode_transfer_abort(const TransferAbort& abort) {
  BerWriter out;
  out.constructed(context(22), [&] {
    if (abort.reason) out.integer(*abort.reason, context(0));
  });
  return out.take();
}

Result<TransferAbort> decode_transfer_abort(std::string_view bytes) {
  LONGLINE_TRY(const auto parts, parts_of(bytes, 22));
  TransferAbort abort;
  LONGLINE_TRY(abort.reason, given_reason(parts));
  return abort;
}

}  // namespace longline::x400
