// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace longline::sys {

/// The address of the host from which the operator is logged in over ssh, as sshd wrote it: SSH_CONNECTION (or SSH_CLIENT) of
/// this process, or of the nearest process above it that has one, since sudo(8) and su(1) take it away. "" when there is none.
std::string login_peer();

}  // namespace longline::sys
