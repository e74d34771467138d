// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "base/time.hpp"

namespace longline::modem {

/// How long a cellular modem may take to answer a command, by the command: "AT+CPIN?" is a question to the SIM, "AT+CFUN=1,1" a
/// restart. From the makers' AT manuals (Telit, u-blox, SIMCom) and 3GPP TS 27.007, with room to spare.
Duration command_limit(std::string_view command);

}  // namespace longline::modem
