// SPDX-License-Identifier: MIT
#include "sys/queue/queue_opening.hpp"

#include "sys/queue/exim_queue.hpp"
#include "sys/queue/postfix_queue.hpp"
#include "sys/queue/spool_queue.hpp"

namespace longline::sys {

Result<std::unique_ptr<mail::QueueBackend>> open_queue(const config::QueueName& name, const StatePaths& paths, const config::Config& config,
                                                       const std::string& host, bool writes) {
  using Opened = std::unique_ptr<mail::QueueBackend>;
  if (name.kind == config::QueueKind::postfix) {
    LONGLINE_TRY(Opened queue, PostfixQueue::open(name.instance));
    return queue;
  }
  if (name.kind == config::QueueKind::exim) {
    LONGLINE_TRY(Opened queue, EximQueue::open(name.instance));
    return queue;
  }
  LONGLINE_TRY(Spool spool, writes ? Spool::open(paths.spool) : Spool::open_read_only(paths.spool));
  return Opened(std::make_unique<SpoolQueue>(std::move(spool), config, host));
}

}  // namespace longline::sys
