// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <optional>
#include <utility>

#include "dialogue.hpp"
#include "sys/flush/mail_retrieval.hpp"
#include "verbs.hpp"

namespace longline::mtaq {

/// Retrieves from one connector after the other and says what came of it; of what failed the first gives the status.
class Retrieving {
 public:
  Retrieving(const Options& options, World& world, std::optional<TimePoint> deadline);
  /// Behind a flush nothing goes to stdout, where its receipts are, and a link that is down is no news unless it was named.
  void follow_flush(bool names_link);
  /// For whoever has the line, as long as a retrieval is wanted.
  void wait(std::function<bool(const config::Connector&)> still_wanted) { still_wanted_ = std::move(still_wanted); }

  Result<sys::RetrievalResult> from(const config::Connector& connector, std::optional<sys::OpenedSession> session = std::nullopt, bool keep_open = false);
  bool is_late() const;
  Result<ExitStatus> verdict() const;

 private:
  void show(const sys::RetrievalResult& result) const;

  const Options& options_;
  World& world_;
  Dialogue dialogue_{"peer", "us"};
  sys::RetrievalRun run_;
  std::function<bool(const config::Connector&)> still_wanted_;
  bool behind_flush_ = false, hides_link_down_ = false;
  std::optional<Error> first_;
};

}  // namespace longline::mtaq
