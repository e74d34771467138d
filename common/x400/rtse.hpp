// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "x400/rts_types.hpp"

namespace longline::x400 {

/// The reliable transfer APDUs (X.228, 9), each one value of the RTSE context. What is left out has X.228's defaults: checkpoint size 0, window 3,
/// monologue. Readers fail with Errc::malformed. RTTR (a segment) is presentation.hpp's encode_segment().

/// connectionData: a new association with the user's bind, or one that goes on.
struct ConnectionData {
  std::string open;                     ///< encoded bind; used where `recover` is absent
  std::optional<SessionId> recover{};
  bool operator==(const ConnectionData&) const = default;
};

struct TransferOpen {                   ///< RTORQ
  std::uint32_t checkpoint_size = 0;    ///< units of 1024 bytes
  std::uint32_t window = 3;
  std::int64_t dialogue_mode = 0;       ///< 0 monologue, 1 two-way alternate
  ConnectionData connection{};
  bool operator==(const TransferOpen&) const = default;
};
std::string encode_open(const TransferOpen& open);
Result<TransferOpen> decode_open(std::string_view bytes);

struct TransferAccept {                 ///< RTOAC
  std::uint32_t checkpoint_size = 0;
  std::uint32_t window = 3;
  ConnectionData connection{};
  bool operator==(const TransferAccept&) const = default;
};
std::string encode_open_accept(const TransferAccept& accept);
Result<TransferAccept> decode_open_accept(std::string_view bytes);

enum class RefuseReason : std::uint8_t { busy = 0, cannot_recover = 1, validation_failure = 2, unacceptable_dialogue_mode = 3 };

struct TransferRefuse {                 ///< RTORJ
  std::optional<std::int64_t> reason{}; ///< a RefuseReason
  std::string user_data;                ///< encoded bind error; "": none
  bool operator==(const TransferRefuse&) const = default;
};
std::string encode_open_refuse(const TransferRefuse& refuse);
Result<TransferRefuse> decode_open_refuse(std::string_view bytes);

/// RTTP: the priority of RT-TURN-PLEASE, 0 first. Read also without a presentation data value around it (X.410 mode).
std::string encode_turn_priority(std::int64_t priority);
Result<std::int64_t> decode_turn_priority(std::string_view bytes);

enum class AbortReason : std::uint8_t {
  local_system_problem = 0, invalid_parameter = 1, unrecognized_activity = 2, temporary_problem = 3, protocol_error = 4,
  permanent_problem = 5, user_error = 6, transfer_completed = 7,
};
/// "a temporary problem"; other numbers: "a reason that is not known".
std::string_view abort_reason_text(std::int64_t reason);

struct TransferAbort {                  ///< RTAB
  std::optional<std::int64_t> reason{}; ///< an AbortReason
  bool operator==(const TransferAbort&) const = default;
};
std::string encode_transfer_abort(const TransferAbort& abort);
Result<TransferAbort> decode_transfer_abort(std::string_view bytes);

}  // namespace longline::x400
