// SPDX-License-Identifier: MIT
#include "x400/spdu.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "x400/spdu_table.hpp"

namespace longline::x400 {
namespace {

constexpr std::uint32_t kConnectFields = kHasReferences | kHasItem | kHasRequirements | kHasSelectors | kHasUserData;

using Kind = SpduKind;
using Place = SpduPlace;
constexpr std::array kTable = {
    SpduRow{Kind::connect, 13, Place::alone, kConnectFields, "CONNECT"},
    SpduRow{Kind::accept, 14, Place::alone, kConnectFields | kHasTokens, "ACCEPT"},
    SpduRow{Kind::refuse, 12, Place::alone, kHasDisconnect | kHasRequirements | kHasVersions | kHasReasonWithData, "REFUSE"},
    SpduRow{Kind::finish, 9, Place::alone, kHasDisconnect | kHasUserData, "FINISH"},
    SpduRow{Kind::disconnect, 10, Place::alone, kHasUserData, "DISCONNECT"},
    SpduRow{Kind::abort, 25, Place::alone, kHasDisconnect | kHasUserData, "ABORT"},
    SpduRow{Kind::abort_accept, 26, Place::alone, 0, "ABORT ACCEPT"},
    SpduRow{Kind::give_tokens, 1, Place::prefix, kHasTokens | kHasUserData, "GIVE TOKENS"},
    SpduRow{Kind::please_tokens, 2, Place::prefix, kHasTokens | kHasUserData, "PLEASE TOKENS"},
    SpduRow{Kind::data, 1, Place::behind_give, kHasEnclosure, "DATA TRANSFER"},
    SpduRow{Kind::give_control, 21, Place::alone, kHasUserData, "GIVE TOKENS CONFIRM"},
    SpduRow{Kind::give_control_ack, 22, Place::alone, kHasUserData, "GIVE TOKENS ACK"},
    SpduRow{Kind::minor_sync, 49, Place::behind_give, kHasSyncType | kHasSerial | kHasUserData, "MINOR SYNC POINT"},
    SpduRow{Kind::minor_sync_ack, 50, Place::behind_please, kHasSerial | kHasUserData, "MINOR SYNC ACK"},
    SpduRow{Kind::activity_start, 45, Place::behind_give, kHasActivity | kHasUserData, "ACTIVITY START"},
    SpduRow{Kind::activity_resume, 29, Place::behind_give, kHasLinking | kHasUserData, "ACTIVITY RESUME"},
    SpduRow{Kind::activity_end, 41, Place::behind_give, kHasSerial | kHasUserData, "ACTIVITY END"},
    SpduRow{Kind::activity_end_ack, 42, Place::behind_please, kHasSerial | kHasUserData, "ACTIVITY END ACK"},
    SpduRow{Kind::activity_interrupt, 25, Place::behind_give, kHasReason | kHasUserData, "ACTIVITY INTERRUPT"},
    SpduRow{Kind::activity_interrupt_ack, 26, Place::behind_please, kHasUserData, "ACTIVITY INTERRUPT ACK"},
    SpduRow{Kind::activity_discard, 57, Place::behind_give, kHasReason | kHasUserData, "ACTIVITY DISCARD"},
    SpduRow{Kind::activity_discard_ack, 58, Place::behind_please, kHasUserData, "ACTIVITY DISCARD ACK"},
    SpduRow{Kind::exception_data, 48, Place::behind_please, kHasReason | kHasUserData, "EXCEPTION DATA"},
    SpduRow{Kind::exception_report, 0, Place::behind_please, 0, "EXCEPTION REPORT"},
};

}  // namespace

const SpduRow& row_of(SpduKind kind) {
  for (const SpduRow& row : kTable) {
    if (row.kind == kind) return row;
  }
  return kTable.front();
}

const SpduRow* row_of_code(std::uint8_t code, bool prefixed) {
  const SpduRow* found = nullptr;
  for (const SpduRow& row : kTable) {
    if (row.code != code) continue;
    const bool second = row.place == Place::behind_give || row.place == Place::behind_please;
    if (second == prefixed) return &row;
    // A category 2 SPDU that comes alone is taken; one of category 1 behind another is not.
    if (second && found == nullptr) found = &row;
  }
  return found;
}

std::string_view name(SpduKind kind) { return row_of(kind).name; }

}  // namespace longline::x400
