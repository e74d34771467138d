// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mail/queue_backend.hpp"
#include "sys/log_tail.hpp"

namespace longline::sys {

/// Postfix's queue, through its own commands: postqueue -j, -f and -i, postsuper, postcat, postconf. Next attempts are the
/// times of the files in `deferred`, which root alone can see. What became of messages is told by its log, where there is one to read.
class PostfixQueue : public mail::QueueBackend {
 public:
  /// `config_folder`: of another instance than the machine's own; "" for that.
  static Result<std::unique_ptr<PostfixQueue>> open(std::string config_folder);

  std::string_view name() const override { return "postfix"; }
  Result<void> visit(const Visitor& visitor) override;
  Result<mail::QueuedMessage> find(const std::string& id) override;
  Result<void> read(const std::string& id, const Sink& sink) override;
  Result<std::vector<Result<void>>> change(mail::QueueChange change, const std::vector<mail::SeenMessage>& as_seen) override;
  Result<void> trigger(const std::vector<std::string>& ids) override;
  Result<void> remind(const std::vector<std::string>& ids) override;
  /// What is in `incoming` is taken by the queue manager's next look.
  bool goes_by_itself(const mail::QueuedMessage& message) const override {
    return message.state == mail::MessageState::sending || message.state == mail::MessageState::ready;
  }
  bool is_down() const override { return down_; }
  bool tells_fates() const override { return log_ && log_->readable(); }
  Result<std::vector<mail::Fate>> new_fates() override;

 private:
  explicit PostfixQueue(std::string postqueue, std::string config_folder)
      : postqueue_(std::move(postqueue)), config_folder_(std::move(config_folder)) {}
  std::vector<std::string> command(std::string program, std::vector<std::string> arguments) const;
  Result<void> read_settings();
  std::optional<WallTime> next_attempt(const std::string& id) const;
  Result<void> ask(std::vector<std::string> arguments) const;
  Result<void> kick(mail::QueueChange change, const std::vector<std::string>& ids);

  std::string postqueue_;
  std::string config_folder_;
  bool settings_read_ = false;
  bool down_ = false;               // as the last listing said
  std::string deferred_;            // its folder
  int hash_depth_ = 0;
  std::string log_file_;
  std::optional<LogTail> log_;
};

}  // namespace longline::sys
