// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "x400/rts.hpp"
#include "x400/session.hpp"

namespace longline::x400 {

/// How an association begins: RT-OPEN in A-ASSOCIATE in P-CONNECT (X.228, 8.1; X.227; X.226), and the bind of message transfer. What the machine
/// says and how it judges what the peer says; no state.

/// Presentation contexts in force, by number.
struct Contexts {
  std::int64_t acse = 1;
  std::int64_t rtse = 3;
};

/// An association that stands.
struct Agreement {
  Bound bound{};
  Contexts contexts{};
};

/// Why none stands.
struct Refusal {
  Error error;
  bool recovery_refused = false;
  int reason = 2;                ///< for Session::refuse()
  std::string user_data{};       ///< likewise
};

/// The identifier as it is compared: parameters that are BER in their shortest form.
SessionId session_id(std::string_view calling, std::string_view common, std::string_view additional);

// The initiator
ConnectRequest connect_request(const RtsOptions& options);
std::variant<Agreement, Refusal> judge_accept(const RtsOptions& options, std::string_view user_data);
/// What a refusal means; `end.end` is SessionEnd::refused.
Refusal judge_refusal(const RtsOptions& options, const SessionFinished& end);

// The responder
struct Acceptance {
  Agreement agreement;
  std::string user_data;         ///< for Session::accept()
  bool secret = false;
};
std::variant<Acceptance, Refusal> judge_request(RtsHost& host, const SessionConnected& request);

}  // namespace longline::x400
