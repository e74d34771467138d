// SPDX-License-Identifier: MIT
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "mail/smtp_client.hpp"

namespace longline::mail {

/// The messages of one peer, over one connection after another where that helps: what a broken session left without an answer
/// is offered again.
class ResumingSource : public MessageSource {
 public:
  explicit ResumingSource(MessageSource& source) : source_(source) {}
  std::optional<Outgoing> next_message() override;
  Result<std::string> read_body(const std::string& id, std::uint64_t offset, std::size_t most) override;

  /// Keeps back what has no answer; returns the rest.
  std::vector<MessageResult> keep_unanswered(const std::vector<MessageResult>& results);
  /// Offers what was kept back.
  void offer_again();
  std::vector<MessageResult> take_unanswered();

 private:
  struct Again {
    Outgoing message;
    std::vector<RecipientResult> results;   // of the session before
  };
  MessageSource& source_;
  std::map<std::string, Outgoing> given_;   // and not finished
  std::map<std::string, std::vector<RecipientResult>> unanswered_;
  std::deque<Again> again_;
};

}  // namespace longline::mail
