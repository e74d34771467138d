// SPDX-License-Identifier: MIT
#include "base/exit_status.hpp"

namespace longline {

std::string_view to_string(ExitStatus status) {
  switch (status) {
    case ExitStatus::ok: return "ok";
    case ExitStatus::no: return "no";
    case ExitStatus::usage: return "usage";
    case ExitStatus::data: return "data";
    case ExitStatus::no_input: return "no-input";
    case ExitStatus::unavailable: return "unavailable";
    case ExitStatus::software: return "software";
    case ExitStatus::os: return "os";
    case ExitStatus::cannot_create: return "cannot-create";
    case ExitStatus::io: return "io";
    case ExitStatus::temporary: return "temporary";
    case ExitStatus::protocol: return "protocol";
    case ExitStatus::denied: return "denied";
    case ExitStatus::config: return "config";
    case ExitStatus::deadline: return "deadline";
  }
  return "unknown";
}

}  // namespace longline
