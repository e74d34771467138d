// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "x400/mts_bind.hpp"
#include "x400/rts_opening.hpp"

namespace longline::x400 {

/// Names, passwords and refusals in plain words: for both sides of an opening. Never holds a password.

constexpr std::array<std::string_view, 3> kContextNames = {"association control", "reliable transfer", "message transfer"};

/// What we say of ourselves.
MtsBind our_names(const RtsPeer& peer);
/// What is wrong with what the peer says of itself: Errc::auth_refused, with the name that came and the one that was expected.
std::optional<Error> judge_names(const RtsPeer& peer, const MtsBind& bind);

/// "the application context is 2.6.0.1.12 (1988 in X.410 mode); expected 2.6.0.1.6 (1988 message transfer)"
std::string wrong_application(std::string_view context_name);

/// A bind error, an RTORJ's reason.
Refusal refused_bind(const RtsPeer& peer, std::int64_t error, bool two_way);
Refusal refused_opening(std::optional<std::int64_t> reason, bool two_way, bool recovering);
Refusal other_checkpoint(std::uint32_t expected, std::uint32_t got);

}  // namespace longline::x400
