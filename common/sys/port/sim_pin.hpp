// SPDX-License-Identifier: MIT
#pragma once

#include "config/config.hpp"
#include "modem/gsm_machine.hpp"
#include "sys/state_paths.hpp"

namespace longline::sys {

/// The PIN of a link's SIM, read from its file or command, and the memory that keeps a refused one from being tried again, over
/// processes and reboots: StatePaths::sim_pin. It names the PIN by a salted hash (crypt(3), SHA-512). What is remembered:
///   - refused: not tried again until the PIN is another, or forget_sim_pin();
///   - tried, and no answer came (a crash, a power cut): tried once more, so that two of the SIM's three tries are spent at most.
/// It is on the disk before the PIN is sent; what cannot be remembered is not sent. Taken: forgotten.
/// An empty SimPin without a PIN in the configuration. Errc::config: unreadable, or not 4 to 8 digits.
Result<modem::SimPin> sim_pin(const config::Link& link, const StatePaths& paths);

/// By hand: the PIN may be tried once more.
void forget_sim_pin(const config::Link& link, const StatePaths& paths);

}  // namespace longline::sys
