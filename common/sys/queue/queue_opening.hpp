// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>

#include "config/config.hpp"
#include "config/queue_name.hpp"
#include "mail/queue_backend.hpp"
#include "sys/state_paths.hpp"

namespace longline::sys {

/// The queue of that name. `writes`: to change it (a spool that is only read is not created). not_found: no such mail system here.
Result<std::unique_ptr<mail::QueueBackend>> open_queue(const config::QueueName& name, const StatePaths& paths, const config::Config& config,
                                                       const std::string& host, bool writes);

}  // namespace longline::sys
