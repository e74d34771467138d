// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <utility>

#include "base/text.hpp"
#include "x400/octet.hpp"
#include "x400/spdu.hpp"
#include "x400/spdu_table.hpp"

namespace longline::x400 {
namespace {

constexpr unsigned kLongLength = 255;

struct Field {
  std::uint8_t code = 0;
  std::string_view value;
};

/// The first code, length and value of `in`, taken off it.
Result<Field> take_field(std::string_view& in, std::string_view of) {
  const Error cut(Errc::malformed, fmt::format("the peer's {} is cut short", of));
  if (in.size() < 2) return cut;
  Field out;
  out.code = static_cast<std::uint8_t>(octet(in, 0));
  std::size_t length = octet(in, 1);
  in.remove_prefix(2);
  if (length == kLongLength) {
    if (in.size() < 2) return cut;
    length = octet(in, 0) << 8 | octet(in, 1);
    in.remove_prefix(2);
  }
  if (in.size() < length) return cut;
  out.value = in.substr(0, length);
  in.remove_prefix(length);
  return out;
}

/// Fills in one SPDU from its parameters.
class Reader {
 public:
  explicit Reader(const SpduRow& row) : row_(row) { out_.kind = row.kind; }

  Result<Spdu> read(std::string_view parameters) {
    LONGLINE_CHECK(read_group(parameters, Group::none));
    if (has(kHasSerial) && !out_.serial) return wrong("has no serial number");
    if (has(kHasActivity) && !has_activity_) return wrong("has no activity identifier");
    if (has(kHasLinking) && !(has_linking_ && has_activity_ && has_old_activity_ && out_.serial)) return wrong("does not say what it goes on with");
    if (has(kHasReasonWithData) && !out_.reason) out_.reason = 0;
    if (has(kHasLinking)) out_.resumption.serial = *std::exchange(out_.serial, std::nullopt);
    return std::move(out_);
  }

 private:
  enum class Group { none, connection_identifier, connect_accept_item, linking_information };

  bool has(SpduField field) const { return (row_.fields & field) != 0; }
  Error wrong(std::string_view what) const { return Error(Errc::malformed, fmt::format("the peer's {} {}", row_.name, what)); }
  Error wrong_length(std::string_view what, std::size_t length) const { return wrong(fmt::format("has {} octets of {}", length, what)); }

  Result<void> read_group(std::string_view fields, Group group) {
    while (!fields.empty()) {
      LONGLINE_TRY(const Field field, take_field(fields, row_.name));
      LONGLINE_CHECK(take(field, group));
    }
    return {};
  }

  Result<void> take(const Field& field, Group group) {
    const std::string_view value = field.value;
    switch (group) {
      case Group::connection_identifier: return take_reference(field);
      case Group::linking_information: return take_link(field);
      case Group::none:
      case Group::connect_accept_item: break;
    }
    const bool outside = group == Group::none;
    switch (field.code) {
      case kConnectionIdentifier: return outside && has(kHasReferences) ? read_group(value, Group::connection_identifier) : Result<void>();
      case kConnectAcceptItem: return outside && has(kHasItem) ? read_group(value, Group::connect_accept_item) : Result<void>();
      case kLinkingInformation:
        if (!outside || !has(kHasLinking)) return {};
        has_linking_ = true;
        return read_group(value, Group::linking_information);
      case kSyncType: return take_sync_type(value);
      case kTokenItem: return has(kHasTokens) ? octet_into(value, "token item", out_.tokens) : Result<void>();
      case kTransportDisconnect: return has(kHasDisconnect) ? octet_into(value, "disconnect", out_.disconnect.emplace()) : Result<void>();
      case kRequirements:
        if (!has(kHasRequirements)) return {};
        return number(value, 2, "requirements", [&](unsigned v) { out_.requirements = static_cast<std::uint16_t>(v); });
      case kTsduMaximumSize: return has(kHasItem) ? number(value, 4, "TSDU size", [&](unsigned v) { out_.tsdu_sizes = v; }) : Result<void>();
      case kVersionNumber: return has(kHasItem) || has(kHasVersions) ? octet_into(value, "version", out_.versions.emplace()) : Result<void>();
      case kEnclosure: return take_enclosure(value);
      case kTokenSetting: return has(kHasItem) ? octet_into(value, "token setting", out_.token_setting.emplace()) : Result<void>();
      case kActivityIdentifier:
        if (!has(kHasActivity) && !has(kHasLinking)) return {};
        has_activity_ = true;
        return text(value, kLongestActivityId, "activity identifier", has(kHasLinking) ? out_.resumption.id : out_.activity);
      case kSerialNumber: return has(kHasSerial) ? take_serial(value) : Result<void>();
      case kReasonCode: return take_reason(value);
      case kCallingSelector: return has(kHasSelectors) ? selector(value, out_.calling_selector.emplace()) : Result<void>();
      case kCalledSelector: return has(kHasSelectors) ? selector(value, out_.called_selector.emplace()) : Result<void>();
      case kUserData: return has(kHasUserData) ? text(value, most_user_data(), "user data", out_.user_data) : Result<void>();
      case kExtendedUserData: return row_.kind == SpduKind::connect ? text(value, kMostConnectData, "user data", out_.user_data) : Result<void>();
      default: return {};
    }
  }

  std::size_t most_user_data() const { return row_.kind == SpduKind::connect ? kMostConnectData : kMostUserData; }

  template <class Take>
  Result<void> number(std::string_view value, std::size_t octets, std::string_view what, Take&& take) const {
    if (value.size() != octets) return wrong_length(what, value.size());
    std::uint32_t number = 0;
    for (std::size_t i = 0; i < octets; ++i) number = number << 8 | octet(value, i);
    take(number);
    return {};
  }

  Result<void> octet_into(std::string_view value, std::string_view what, std::uint8_t& into) const {
    return number(value, 1, what, [&](unsigned v) { into = static_cast<std::uint8_t>(v); });
  }

  Result<void> selector(std::string_view value, std::string& into) const { return text(value, kLongestSessionSelector, "selector", into); }

  Result<void> text(std::string_view value, std::size_t most, std::string_view what, std::string& into) const {
    if (value.size() > most) return wrong_length(what, value.size());
    into = value;
    return {};
  }

  Result<void> take_reference(const Field& field) {
    SessionReferences& refs = out_.references;
    switch (field.code) {
      case kCallingReference: return row_.kind == SpduKind::connect ? text(field.value, kLongestReference, "reference", refs.user) : Result<void>();
      case kCalledReference: return row_.kind == SpduKind::connect ? Result<void>() : text(field.value, kLongestReference, "reference", refs.user);
      case kCommonReference: return text(field.value, kLongestReference, "reference", refs.common);
      case kAdditionalReference: return text(field.value, kLongestAdditional, "reference", refs.additional);
      default: return {};
    }
  }

  Result<void> take_link(const Field& field) {
    Resumption& from = out_.resumption;
    switch (field.code) {
      case kCalledReference: return text(field.value, kLongestReference, "reference", from.called_reference);
      case kCallingReference: return text(field.value, kLongestReference, "reference", from.calling_reference);
      case kCommonReference: return text(field.value, kLongestReference, "reference", from.common_reference);
      case kAdditionalReference: return text(field.value, kLongestAdditional, "reference", from.additional_reference);
      case kActivityIdentifier: has_old_activity_ = true; return text(field.value, kLongestActivityId, "activity identifier", from.old_id);
      case kSerialNumber: return take_serial(field.value);
      default: return {};
    }
  }

  Result<void> take_sync_type(std::string_view value) {
    // With it the MAJOR SYNC POINT is no end of an activity.
    if (row_.kind == SpduKind::activity_end) return Error(Errc::protocol, "the peer sets a major synchronization point within an activity");
    if (!has(kHasSyncType)) return {};
    return number(value, 1, "sync type", [&](unsigned v) { out_.explicit_answer = (v & 1u) == 0; });
  }

  Result<void> take_enclosure(std::string_view value) {
    unsigned item = 0;
    LONGLINE_CHECK(number(value, 1, "enclosure", [&](unsigned v) { item = v & 3u; }));
    if (has(kHasEnclosure)) {
      out_.enclosure = static_cast<std::uint8_t>(item);
    } else if (item != 3) {
      return Error(Errc::protocol, fmt::format("the peer sends its {} in pieces", row_.name));
    }
    return {};
  }

  Result<void> take_serial(std::string_view value) {
    const auto serial = value.size() <= 6 ? parse_integer(value) : std::nullopt;
    if (!serial || *serial < 0 || value.find_first_not_of("0123456789") != std::string_view::npos) {
      return wrong(fmt::format("has a serial number that is none: '{}'", escape_at_most(value, 20)));
    }
    out_.serial = static_cast<std::uint32_t>(*serial);
    return {};
  }

  Result<void> take_reason(std::string_view value) {
    if (!has(kHasReason) && !has(kHasReasonWithData)) return {};
    if (value.empty() || value.size() > (has(kHasReasonWithData) ? kMostUserData : 1)) return wrong_length("reason", value.size());
    out_.reason = static_cast<std::uint8_t>(octet(value, 0));
    if (has(kHasReasonWithData)) out_.user_data = value.substr(1);
    return {};
  }

  const SpduRow& row_;
  Spdu out_;
  bool has_linking_ = false;
  bool has_activity_ = false;
  bool has_old_activity_ = false;
};

/// AB says what becomes of the transport connection, AI does not; AI says why.
bool has_parameter(std::string_view parameters, std::uint8_t code) {
  while (!parameters.empty()) {
    const auto field = take_field(parameters, "");
    if (!field) return false;
    if (field->code == code) return true;
  }
  return false;
}

const SpduRow* row_for(const Field& spdu, bool in_tsdu_with_prefix, bool behind_prefix) {
  const bool abort_code = spdu.code == row_of(SpduKind::abort).code;
  if (abort_code && !in_tsdu_with_prefix) {
    const bool interrupt = !has_parameter(spdu.value, kTransportDisconnect) && (behind_prefix || has_parameter(spdu.value, kReasonCode));
    return row_of_code(spdu.code, interrupt);
  }
  if (in_tsdu_with_prefix) return row_of_code(spdu.code, true);
  return row_of_code(spdu.code, behind_prefix && spdu.code == row_of(SpduKind::data).code);
}

}  // namespace

Result<std::vector<Spdu>> decode_tsdu(std::string_view tsdu, bool behind_prefix) {
  std::vector<Spdu> out;
  bool in_tsdu_with_prefix = false;
  do {
    LONGLINE_TRY(const Field field, take_field(tsdu, "session data"));
    const SpduRow* row = row_for(field, in_tsdu_with_prefix, behind_prefix);
    if (row == nullptr) return Error(Errc::protocol, fmt::format("the peer sent an SPDU that is not used here: {}", field.code));
    LONGLINE_TRY(Spdu spdu, Reader(*row).read(field.value));
    if (spdu.kind == SpduKind::data) spdu.user_data = std::exchange(tsdu, {});
    const bool prefix = row->place == SpduPlace::prefix;
    if (!tsdu.empty() && !prefix) return Error(Errc::protocol, fmt::format("the peer sent more behind its {}", row->name));
    const bool empty = prefix && spdu.tokens == 0 && spdu.user_data.empty();
    if (!empty || tsdu.empty()) out.push_back(std::move(spdu));
    in_tsdu_with_prefix = true;
  } while (!tsdu.empty());
  return out;
}

}  // namespace longline::x400
