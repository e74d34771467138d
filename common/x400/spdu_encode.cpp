// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <utility>

#include "x400/spdu.hpp"
#include "x400/spdu_table.hpp"

namespace longline::x400 {
namespace {

constexpr std::size_t kLongForm = 255;           // lengths from here on have three octets
constexpr std::size_t kLongestParameter = 65535;

std::string octet(unsigned value) { return std::string(1, static_cast<char>(value)); }
std::string pair(unsigned value) { return octet(value >> 8 & 0xffu) + octet(value & 0xffu); }

/// A code, a length and a value; the first that is too long is the error of the whole.
class Fields {
 public:
  void add(unsigned code, std::string_view value, std::size_t most, std::string_view what) {
    if (value.size() > most && !error_) {
      error_ = Error(Errc::malformed, fmt::format("the session's {} has {} octets; {} are the most", what, value.size(), most));
    }
    if (error_) return;
    bytes_ += octet(code);
    bytes_ += value.size() < kLongForm ? octet(static_cast<unsigned>(value.size())) : octet(kLongForm) + pair(static_cast<unsigned>(value.size()));
    bytes_ += value;
  }
  void add(unsigned code, std::string_view value) { add(code, value, kLongestParameter, "parameter"); }
  /// Nothing for an empty group.
  void add_group(unsigned code, Fields group) {
    if (group.error_ && !error_) error_ = std::move(group.error_);
    if (!group.bytes_.empty()) add(code, group.bytes_);
  }
  Result<std::string> take() {
    if (error_) return std::move(*error_);
    return std::move(bytes_);
  }

 private:
  std::string bytes_;
  std::optional<Error> error_;
};

void add_unless_empty(Fields& out, unsigned code, const std::string& value, std::size_t most, std::string_view what) {
  if (!value.empty()) out.add(code, value, most, what);
}

void add_serial(Fields& out, std::uint32_t serial) { out.add(kSerialNumber, std::to_string(serial), 6, "serial number"); }

Fields references(const Spdu& spdu) {
  Fields out;
  const SessionReferences& refs = spdu.references;
  add_unless_empty(out, spdu.kind == SpduKind::connect ? kCallingReference : kCalledReference, refs.user, kLongestReference, "reference");
  add_unless_empty(out, kCommonReference, refs.common, kLongestReference, "common reference");
  add_unless_empty(out, kAdditionalReference, refs.additional, kLongestAdditional, "additional reference");
  return out;
}

Fields connect_accept_item(const Spdu& spdu) {
  Fields out;
  out.add(kProtocolOptions, octet(0));   // no extended concatenation
  if (spdu.tsdu_sizes) out.add(kTsduMaximumSize, pair(*spdu.tsdu_sizes >> 16) + pair(*spdu.tsdu_sizes));
  if (spdu.versions) out.add(kVersionNumber, octet(*spdu.versions));
  if (spdu.token_setting) out.add(kTokenSetting, octet(*spdu.token_setting));
  return out;
}

Fields linking_information(const Resumption& from) {
  Fields out;
  add_unless_empty(out, kCalledReference, from.called_reference, kLongestReference, "reference");
  add_unless_empty(out, kCallingReference, from.calling_reference, kLongestReference, "reference");
  add_unless_empty(out, kCommonReference, from.common_reference, kLongestReference, "common reference");
  add_unless_empty(out, kAdditionalReference, from.additional_reference, kLongestAdditional, "additional reference");
  out.add(kActivityIdentifier, from.old_id, kLongestActivityId, "activity identifier");
  add_serial(out, from.serial);
  return out;
}

void add_user_data(Fields& out, const Spdu& spdu) {
  if (spdu.user_data.empty()) return;
  if (spdu.kind == SpduKind::connect && spdu.user_data.size() > kMostPlainConnectData) {
    out.add(kExtendedUserData, spdu.user_data, kMostConnectData, "user data");
  } else {
    out.add(kUserData, spdu.user_data, kMostUserData, "user data");
  }
}

}  // namespace

Result<std::string> encode(const Spdu& spdu) {
  const SpduRow& row = row_of(spdu.kind);
  const auto has = [&](SpduField field) { return (row.fields & field) != 0; };
  Fields out;
  if (has(kHasReferences)) out.add_group(kConnectionIdentifier, references(spdu));
  if (has(kHasItem)) out.add_group(kConnectAcceptItem, connect_accept_item(spdu));
  if (has(kHasSyncType) && !spdu.explicit_answer) out.add(kSyncType, octet(1));
  if (has(kHasTokens) && spdu.tokens != 0) out.add(kTokenItem, octet(spdu.tokens));
  if (has(kHasDisconnect) && spdu.disconnect) out.add(kTransportDisconnect, octet(*spdu.disconnect));
  if (has(kHasRequirements) && spdu.requirements) out.add(kRequirements, pair(*spdu.requirements));
  if (has(kHasVersions) && spdu.versions) out.add(kVersionNumber, octet(*spdu.versions));
  if (has(kHasEnclosure) && spdu.enclosure != kWholeSsdu) out.add(kEnclosure, octet(spdu.enclosure));
  if (has(kHasLinking)) {
    out.add_group(kLinkingInformation, linking_information(spdu.resumption));
    out.add(kActivityIdentifier, spdu.resumption.id, kLongestActivityId, "activity identifier");
  }
  if (has(kHasActivity)) out.add(kActivityIdentifier, spdu.activity, kLongestActivityId, "activity identifier");
  if (has(kHasSerial)) add_serial(out, spdu.serial.value_or(0));
  if (has(kHasReason) && spdu.reason) out.add(kReasonCode, octet(*spdu.reason));
  if (has(kHasReasonWithData)) out.add(kReasonCode, octet(spdu.reason.value_or(0)) + spdu.user_data, kMostUserData, "reason");
  if (has(kHasSelectors)) {
    if (spdu.calling_selector) out.add(kCallingSelector, *spdu.calling_selector, kLongestSessionSelector, "selector");
    if (spdu.called_selector) out.add(kCalledSelector, *spdu.called_selector, kLongestSessionSelector, "selector");
  }
  if (has(kHasUserData)) add_user_data(out, spdu);
  LONGLINE_TRY(const std::string parameters, out.take());
  Fields whole;
  whole.add(row.code, parameters, kLongestParameter, "SPDU");
  LONGLINE_TRY(std::string bytes, whole.take());
  if (spdu.kind == SpduKind::data) bytes += spdu.user_data;
  return bytes;
}

Result<std::string> encode_tsdu(const Spdu& spdu) {
  LONGLINE_TRY(std::string bytes, encode(spdu));
  switch (row_of(spdu.kind).place) {
    case SpduPlace::behind_give: return octet(row_of(SpduKind::give_tokens).code) + octet(0) + bytes;
    case SpduPlace::behind_please: return octet(row_of(SpduKind::please_tokens).code) + octet(0) + bytes;
    case SpduPlace::prefix:
    case SpduPlace::alone: break;
  }
  return bytes;
}

}  // namespace longline::x400
