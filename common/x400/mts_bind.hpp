// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/secret.hpp"

namespace longline::x400 {

/// MTABind (X.411, 12.1.1; X.419): argument and result have one form and authenticate both sides, simple passwords only. In normal mode they stand
/// in the remote operations' bind, [16], [17] or [18]; readers take them without it too (X.410 mode). Readers fail with Errc::malformed, and with
/// Errc::auth_refused where the peer wants strong authentication.

struct MtsNames {
  std::string name;             ///< mTAName: IA5, at most 32 bytes from us
  Secret password;
};
/// absent: NULL, no names.
using MtsBind = std::optional<MtsNames>;

std::string encode_bind_argument(const MtsBind& bind);
std::string encode_bind_result(const MtsBind& bind);
/// Either of them. At most 256 bytes a name, 1024 a password.
Result<MtsBind> decode_bind(std::string_view bytes);

enum class BindError : std::uint8_t { busy = 0, authentication_error = 2, unacceptable_dialogue_mode = 3, unacceptable_security_context = 4 };
std::string encode_bind_error(BindError error);
Result<std::int64_t> decode_bind_error(std::string_view bytes);

/// Whether two secrets are the same, in a time that depends on the length of `given` alone.
bool same_secret(std::string_view given, std::string_view expected);

}  // namespace longline::x400
