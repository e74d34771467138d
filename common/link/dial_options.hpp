// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "config/config.hpp"
#include "modem/dial_machine.hpp"

namespace longline::link {

/// How a number of a link is dialled; without the SIM's PIN.
modem::DialOptions dial_options_of(const config::Link& link, const std::string& number);

}  // namespace longline::link
