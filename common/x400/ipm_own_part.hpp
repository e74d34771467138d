// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

namespace longline::x400 {

/// How a bilaterally-defined body part of ours begins. Behind it: the header of the message whose body is the IA5Text part before; or a whole message.
constexpr std::string_view kHeaderMarker = "longline-header 1\r\n";
constexpr std::string_view kMessageMarker = "longline-message 1\r\n";

}  // namespace longline::x400
