// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hpp"

namespace longline::x400 {

/// SPDUs of the session protocol (X.225, 8) that the reliable transfer service uses. Bounds of every field are X.225's.

inline constexpr std::uint8_t kSessionVersion1 = 1;
inline constexpr std::uint8_t kSessionVersion2 = 2;

/// Session user requirements (X.225, 8.3.1.16).
inline constexpr std::uint16_t kHalfDuplex = 0x0001;
inline constexpr std::uint16_t kMinorSynchronization = 0x0008;
inline constexpr std::uint16_t kActivityManagement = 0x0040;
inline constexpr std::uint16_t kCapabilityData = 0x0100;
inline constexpr std::uint16_t kExceptions = 0x0200;
/// What the reliable transfer service asks for.
inline constexpr std::uint16_t kTransferUnits = kHalfDuplex | kMinorSynchronization | kActivityManagement | kExceptions;

/// Tokens of a token item (X.225, 8.3.1.14); the turn is all three.
inline constexpr std::uint8_t kDataToken = 0x01;
inline constexpr std::uint8_t kMinorToken = 0x04;
inline constexpr std::uint8_t kMajorToken = 0x10;
inline constexpr std::uint8_t kAllTokens = kDataToken | kMinorToken | kMajorToken;

/// Transport disconnect (X.225, 8.3.6.4 and 8.3.9.4).
inline constexpr std::uint8_t kTransportReleased = 0x01;
inline constexpr std::uint8_t kUserAbort = 0x02;
inline constexpr std::uint8_t kProtocolError = 0x04;
inline constexpr std::uint8_t kNoReason = 0x08;

/// Enclosure items (X.225, 8.3.11.4): where a piece is in its SSDU.
inline constexpr std::uint8_t kBeginsSsdu = 1;
inline constexpr std::uint8_t kEndsSsdu = 2;
inline constexpr std::uint8_t kWholeSsdu = kBeginsSsdu | kEndsSsdu;

inline constexpr std::uint32_t kLastSerial = 999999;      ///< six digits
inline constexpr std::size_t kLongestSessionSelector = 16;
inline constexpr std::size_t kLongestReference = 64;
inline constexpr std::size_t kLongestAdditional = 4;
inline constexpr std::size_t kLongestActivityId = 6;
inline constexpr std::size_t kMostUserData = 65528;       ///< of version 2
inline constexpr std::size_t kMostConnectData = 10240;    ///< of a CN, version 2
inline constexpr std::size_t kMostPlainConnectData = 512; ///< of a CN, AC or RF, version 1
inline constexpr std::size_t kMostPlainAbortData = 9;     ///< of an AB, version 1

/// Connection identifier (X.225, 8.3.1.3): BER values as RTS puts them there.
struct SessionReferences {
  std::string user;                                        ///< calling or called SS-user reference; at most 64 octets
  std::string common;                                      ///< at most 64 octets
  std::string additional;                                  ///< at most 4 octets; "" none
  bool operator==(const SessionReferences&) const = default;
};

/// X.225, 8.3.24 and others, PI 50.
enum class SessionReason : std::uint8_t {
  unspecified = 0,
  receiving_jeopardized = 1,
  sequence_error = 3,
  local_user_error = 5,
  unrecoverable_procedure = 6,
  demand_data_token = 128,
};

/// Where AR goes on (X.225, 8.3.27): linking information and the new id.
struct Resumption {
  std::string id;                                          ///< of the activity from here on
  std::string old_id;
  std::uint32_t serial = 0;                                ///< last point that both have; 0 none
  std::string called_reference;                            ///< of the session in which it began; all "" when it is this one
  std::string calling_reference;
  std::string common_reference;
  std::string additional_reference;
  bool operator==(const Resumption&) const = default;
};

enum class SpduKind {
  connect, accept, refuse, finish, disconnect, abort, abort_accept,
  data, give_tokens, please_tokens, give_control, give_control_ack,
  minor_sync, minor_sync_ack, activity_start, activity_resume, activity_end, activity_end_ack,
  activity_interrupt, activity_interrupt_ack, activity_discard, activity_discard_ack,
  exception_data, exception_report,
};
std::string_view name(SpduKind kind);                      ///< "MINOR SYNC POINT"

/// One SPDU; what its kind has no parameter for is at its default. AE is the MAJOR SYNC POINT without PI 15; one with it is not spoken here.
struct Spdu {
  SpduKind kind = SpduKind::data;
  SessionReferences references{};                          ///< connect, accept
  std::optional<std::uint8_t> versions{};                  ///< connect, accept, refuse (PI 22)
  std::optional<std::uint8_t> token_setting{};             ///< connect, accept (PI 26): two bits a token
  std::optional<std::uint16_t> requirements{};             ///< connect, accept, refuse (PI 20)
  std::optional<std::uint32_t> tsdu_sizes{};               ///< connect, accept (PI 21): initiator's in the upper half, responder's in the lower; 0 any
  std::optional<std::string> calling_selector{};           ///< connect, accept (PI 51)
  std::optional<std::string> called_selector{};            ///< connect, accept (PI 52)
  std::optional<std::uint8_t> disconnect{};                ///< refuse, finish, abort (PI 17)
  std::uint8_t tokens = 0;                                 ///< give, please, accept (PI 16)
  std::optional<std::uint32_t> serial{};                   ///< sync points, ends and their answers (PI 42)
  bool explicit_answer = true;                             ///< minor_sync: PI 15 absent
  std::string activity{};                                  ///< activity_start (PI 41)
  Resumption resumption{};                                 ///< activity_resume
  std::optional<std::uint8_t> reason{};                    ///< PI 50; of refuse its first octet
  std::uint8_t enclosure = kWholeSsdu;                     ///< data (PI 25)
  std::string user_data{};                                 ///< PGI 193 or 194; of data what follows the SPDU; of refuse what is in PI 50
  bool operator==(const Spdu&) const = default;
};

/// The SPDU alone, without GT or PT. Errc::malformed if a field is out of its bounds.
Result<std::string> encode(const Spdu& spdu);
/// A TSDU with it: what is category 2 behind an empty GT, or PT where only he who has not the turn speaks it.
Result<std::string> encode_tsdu(const Spdu& spdu);

/// The one or two SPDUs of a TSDU (basic concatenation, X.225, 6.3.7). GT or PT without tokens and user data is left out before another.
/// `behind_prefix`: such a one was all of the TSDU before, and this is what it announced; only then is a leading 01 a DT. AB, AA and AI, AIA
/// share codes: behind GT or PT they are the activity's; alone AI is known by its reason (PI 50 without PI 17), and AIA comes out as
/// abort_accept: only the state tells. Parameters that are not known, or that the SPDU has no use for, are skipped.
/// Errc::protocol: an SPDU that is not spoken here. Errc::malformed: cut short, or a field out of its bounds.
Result<std::vector<Spdu>> decode_tsdu(std::string_view tsdu, bool behind_prefix = false);

}  // namespace longline::x400
