// SPDX-License-Identifier: MIT
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mail/queue_backend.hpp"
#include "sys/child_process.hpp"
#include "sys/log_tail.hpp"

namespace longline::sys {

/// Exim's queue, through exim's own options: -bp, -Mvc, -Mf, -Mt, -Mrm, -Mg, -M, -qqf. Why messages wait stands in their
/// logs (`msglog`), what became of them in the main log; both are read where that is allowed.
class EximQueue : public mail::QueueBackend {
 public:
  /// `config`: for -C; "" for Exim's own.
  static Result<std::unique_ptr<EximQueue>> open(std::string config);
  /// A queue run that goes on is left alone.
  ~EximQueue() override;

  std::string_view name() const override { return "exim"; }
  Result<void> visit(const Visitor& visitor) override;
  Result<mail::QueuedMessage> find(const std::string& id) override;
  Result<void> read(const std::string& id, const Sink& sink) override;
  std::optional<std::string> why_not(mail::QueueChange change) const override;
  Result<std::vector<Result<void>>> change(mail::QueueChange change, const std::vector<mail::SeenMessage>& as_seen) override;
  Result<void> trigger(const std::vector<std::string>& ids) override;
  std::optional<bool> run_is_over() override;
  bool tells_fates() const override { return log_ && log_->readable(); }
  Result<std::vector<mail::Fate>> new_fates() override;

 private:
  explicit EximQueue(std::string exim, std::string config) : exim_(std::move(exim)), config_(std::move(config)) {}
  std::vector<std::string> command(const std::vector<std::string>& arguments) const;
  void read_settings();
  void add_reasons(mail::QueuedMessage& message) const;
  Result<void> visit_plain(const Visitor& visitor);   // without reasons: no file is read
  Result<std::vector<std::string>> without_frozen(std::vector<std::string> ids);
  Result<void> start_next();

  std::string exim_;
  std::string config_;
  bool settings_read_ = false;
  std::string spool_;              // its folder; "" when it is not told
  std::string log_file_;
  std::optional<LogTail> log_;
  std::optional<ChildProcess> run_;
  std::deque<std::vector<std::string>> runs_to_come_;   // their ids, as many as fit one command line; none: a run through the queue
};

}  // namespace longline::sys
