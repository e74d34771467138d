// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace longline::x400 {

/// The presentation protocol (X.226, 8.2 and 8.4): PPDUs are the user data of session primitives. Transfer syntax is BER alone. Readers take what
/// BER allows, skip what they do not know, and fail with Errc::malformed.

constexpr std::string_view kBerSyntax = "2.1.1";
constexpr std::string_view kAcseSyntax = "2.2.1.0.1";
constexpr std::string_view kRtseSyntax = "2.6.0.2.12";   ///< RTSE with the bind and unbind of message transfer (X.419)
constexpr std::string_view kMtseSyntax = "2.6.0.2.7";    ///< message transfer (X.419)

/// A context that the initiator proposes.
struct PresentationContext {
  std::int64_t id = 0;
  std::string abstract_syntax;
  std::vector<std::string> transfer_syntaxes;
  bool operator==(const PresentationContext&) const = default;
};

/// The answer to one, in the order of the proposals.
struct ContextResult {
  std::int64_t result = 0;             ///< 0 accepted, 1 rejected by the user, 2 by the provider
  std::string transfer_syntax;         ///< where accepted
  std::optional<std::int64_t> reason{};   ///< of the provider: 1 abstract syntax, 2 transfer syntaxes, 3 local limit
  bool operator==(const ContextResult&) const = default;
};

/// A presentation data value: one encoded ASN.1 value and the context that says of which type.
struct Pdv {
  std::int64_t context = 0;
  std::string value;
  bool operator==(const Pdv&) const = default;
};

/// User data: of P-DATA, P-RELEASE and P-TOKEN-PLEASE they are all of the session's user data. Fully encoded; simply encoded data are refused.
std::string encode_user_data(const std::vector<Pdv>& values);
Result<std::vector<Pdv>> decode_user_data(std::string_view bytes);

/// The user data of one P-DATA whose value is the OCTET STRING `segment` (RTTR), without a copy in between; and back.
std::string encode_segment(std::int64_t context, std::string_view segment);
struct Segment {
  std::int64_t context = 0;
  std::string bytes;
};
Result<Segment> decode_segment(std::string_view bytes);

/// CP.
struct ConnectPpdu {
  bool normal_mode = true;        ///< false: X.410-1984 mode; nothing else is read then
  std::string calling_selector;
  std::string called_selector;
  std::vector<PresentationContext> contexts;
  std::vector<Pdv> user_data;
};
std::string encode_connect(const ConnectPpdu& connect);
Result<ConnectPpdu> decode_connect(std::string_view bytes);

/// CPA.
struct AcceptPpdu {
  bool normal_mode = true;
  std::vector<ContextResult> results;
  std::vector<Pdv> user_data;
};
std::string encode_accept(const AcceptPpdu& accept);
Result<AcceptPpdu> decode_accept(std::string_view bytes);

/// CPR. In X.410 mode it holds the reason of an RTORJ and nothing else.
struct RefusePpdu {
  bool normal_mode = true;
  std::optional<std::int64_t> x410_reason{};
  std::vector<ContextResult> results;
  std::optional<std::int64_t> provider_reason{};
  std::vector<Pdv> user_data;
};
std::string encode_refuse(const RefusePpdu& refuse);
Result<RefusePpdu> decode_refuse(std::string_view bytes);
/// "the presentation address is not known there": what a provider-reason means.
std::string_view provider_reason_text(std::int64_t reason);

/// ARU and ARP.
struct AbortPpdu {
  bool by_provider = false;
  std::optional<std::int64_t> reason{};   ///< of the provider, or in X.410 mode that of an RTAB
  std::vector<Pdv> user_data;             ///< of the user
};
std::string encode_abort(const AbortPpdu& abort);
Result<AbortPpdu> decode_abort(std::string_view bytes);

}  // namespace longline::x400
