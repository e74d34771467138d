// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace longline::config {

enum class QueueKind { spool, postfix, exim };

/// Whose queue: "spool", "postfix", "postfix:DIR" (its configuration's folder), "exim", "exim:CONF" (its configuration).
struct QueueName {
  QueueKind kind = QueueKind::spool;
  std::string instance;   ///< DIR or CONF; "" for the machine's own
};

/// Errc::usage for anything else.
Result<QueueName> parse_queue_name(std::string_view text);

std::string_view to_string(QueueKind kind);   ///< "postfix"

}  // namespace longline::config
