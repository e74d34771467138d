// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string_view>

namespace longline::x400 {

inline unsigned octet(std::string_view bytes, std::size_t at) { return static_cast<unsigned char>(bytes[at]); }

}  // namespace longline::x400
