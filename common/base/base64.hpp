// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace longline {

/// RFC 4648, 4: one line, padded.
std::string to_base64(std::string_view bytes);
/// The way back; nullopt for anything else than one padded line of it.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace longline
