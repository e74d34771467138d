// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <set>
#include <vector>

#include "retrieving.hpp"
#include "sys/flush/queue_flush.hpp"
#include "verbs.hpp"

namespace longline::mtaq {

/// The retrievals that are due in a flush: those that can be asked for in a session of its own, and behind it the others, each in one of
/// its own.
class DueRetrievals : public sys::SessionHeir {
 public:
  /// `before_words`: called before anything is printed.
  DueRetrievals(const Options& options, World& world, std::function<void()> before_words);

  bool wants(const config::Connector& connector) override;
  Result<std::optional<sys::OpenedSession>> take(const config::Connector& connector, sys::OpenedSession session, bool another) override;
  /// When the flush is over: what is left, unless that line is gone. The status of both: the flush's where that is not 0.
  Result<ExitStatus> finish(Result<ExitStatus> flushed);

 private:
  bool is_due(const config::Connector& connector) const;
  bool is_in_scope(const config::Connector& connector) const;
  Result<std::vector<const config::Connector*>> due() const;

  const Options& options_;
  World& world_;
  Retrieving retrieving_;
  std::set<const config::Connector*> asked_;   // who wanted a session
  std::set<const config::Connector*> tried_;
  std::function<void()> before_words_;
};

}  // namespace longline::mtaq
