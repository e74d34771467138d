// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "verbs.hpp"

namespace longline::mtaq {

/// What SMTP and X.400 have in common in `receive`.
bool has_target(const ReceiveOptions& receive);   ///< the command line says where local mail goes
config::Receive delivery_target(const ReceiveOptions& receive, const World& world);
/// "listening on 127.0.0.1:102", once callers are accepted, unless --quiet.
void tell_listening(const Options& options, const std::string& host, int port);

/// receive --x400
Result<ExitStatus> receive_x400(const Options& options, World& world);

}  // namespace longline::mtaq
