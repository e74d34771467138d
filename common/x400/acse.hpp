// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.hpp"

namespace longline::x400 {

/// The association control APDUs (X.227, 9), each one value of the ACSE context. Titles and invocation identifiers are skipped: message
/// transfer names itself in its bind. Readers fail with Errc::malformed.

constexpr std::string_view kMtsTransferContext = "2.6.0.1.6";        ///< application context: 1988 message transfer, normal mode (X.419)
constexpr std::string_view kMtsTransferProtocol = "2.6.0.1.12";      ///< 1988 over X.410 mode
constexpr std::string_view kMtsTransferProtocol1984 = "2.6.0.1.13";

/// One value of another context in an APDU's user information.
struct AssociationData {
  std::int64_t context = 0;
  std::string value;            ///< encoded
  bool operator==(const AssociationData&) const = default;
};

struct AssociateRequest {       ///< AARQ
  std::string context_name;
  std::optional<AssociationData> data{};
};

struct AssociateResponse {      ///< AARE
  std::string context_name;
  std::int64_t result = 0;      ///< 0 accepted, 1 rejected for good, 2 for now
  bool by_provider = false;     ///< whose the diagnostic is
  std::int64_t diagnostic = 0;  ///< of the user: 0 none, 1 no reason, 2 application context not supported …
  std::optional<AssociationData> data{};
};

struct ReleaseRequest {         ///< RLRQ
  std::int64_t reason = 0;      ///< 0 normal, 1 urgent, 30 user's
};
struct ReleaseResponse {        ///< RLRE
  std::int64_t reason = 0;
};

struct AssociationAbort {       ///< ABRT
  bool by_provider = false;
  std::optional<AssociationData> data{};
};

using AcseApdu = std::variant<AssociateRequest, AssociateResponse, ReleaseRequest, ReleaseResponse, AssociationAbort>;

std::string encode_acse(const AcseApdu& apdu);
Result<AcseApdu> decode_acse(std::string_view bytes);

/// What an AARE's diagnostic means: "the application context is not supported".
std::string_view diagnostic_text(bool by_provider, std::int64_t diagnostic);

}  // namespace longline::x400
