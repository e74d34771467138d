// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>

#include "x400/spdu.hpp"

namespace longline::x400 {

/// Codes of parameters and parameter groups (X.225, 8.3), in the order in which an SPDU has them.
enum SpduParameter : std::uint8_t {
  kConnectionIdentifier = 1,     // group
  kConnectAcceptItem = 5,        // group
  kCalledReference = 9,
  kCallingReference = 10,
  kCommonReference = 11,
  kAdditionalReference = 12,
  kSyncType = 15,
  kTokenItem = 16,
  kTransportDisconnect = 17,
  kProtocolOptions = 19,
  kRequirements = 20,
  kTsduMaximumSize = 21,
  kVersionNumber = 22,
  kEnclosure = 25,
  kTokenSetting = 26,
  kLinkingInformation = 33,      // group
  kActivityIdentifier = 41,
  kSerialNumber = 42,
  kReasonCode = 50,
  kCallingSelector = 51,
  kCalledSelector = 52,
  kUserData = 193,
  kExtendedUserData = 194,
};

/// Fields of an Spdu that a kind has, as bits.
enum SpduField : std::uint32_t {
  kHasReferences = 1u << 0,
  kHasItem = 1u << 1,            // connect/accept item: versions, token setting, TSDU sizes
  kHasSyncType = 1u << 2,
  kHasTokens = 1u << 3,
  kHasDisconnect = 1u << 4,
  kHasRequirements = 1u << 5,
  kHasVersions = 1u << 6,        // by themselves
  kHasEnclosure = 1u << 7,
  kHasLinking = 1u << 8,
  kHasActivity = 1u << 9,
  kHasSerial = 1u << 10,
  kHasReason = 1u << 11,
  kHasReasonWithData = 1u << 12, // user data within PI 50
  kHasSelectors = 1u << 13,
  kHasUserData = 1u << 14,
};

/// How a kind stands in a TSDU (X.225, 6.3.7).
enum class SpduPlace : std::uint8_t {
  prefix,        // category 0: alone, or before one of category 2
  alone,         // category 1
  behind_give,   // category 2, from the owner of the turn
  behind_please, // category 2, from the other
};

struct SpduRow {
  SpduKind kind;
  std::uint8_t code;
  SpduPlace place;
  std::uint32_t fields;
  std::string_view name;
};

const SpduRow& row_of(SpduKind kind);
/// `prefixed`: behind a GT or PT. Null for a code that is not spoken here.
const SpduRow* row_of_code(std::uint8_t code, bool prefixed);

}  // namespace longline::x400
