// SPDX-License-Identifier: MIT
#include "mail/resuming_source.hpp"

#include <utility>

namespace longline::mail {
namespace {

bool is_unanswered(const RecipientResult& result) { return result.outcome == Outcome::in_doubt || result.outcome == Outcome::not_tried; }

}  // namespace

std::optional<Outgoing> ResumingSource::next_message() {
  std::optional<Outgoing> next;
  if (!again_.empty()) {
    next = std::move(again_.front().message);
    again_.pop_front();
  } else {
    next = source_.next_message();
  }
  if (next) given_.insert_or_assign(next->id, *next);
  return next;
}

Result<std::string> ResumingSource::read_body(const std::string& id, std::uint64_t offset, std::size_t most) {
  return source_.read_body(id, offset, most);
}

std::vector<MessageResult> ResumingSource::keep_unanswered(const std::vector<MessageResult>& results) {
  std::vector<MessageResult> answered;
  for (const MessageResult& result : results) {
    MessageResult rest{result.id, {}, result.last, result.peer_notifies};
    for (const RecipientResult& r : result.recipients) {
      if (is_unanswered(r)) unanswered_[result.id].push_back(r);
      else rest.recipients.push_back(r);
    }
    rest.last = result.last && !unanswered_.contains(result.id);
    if (rest.last) given_.erase(result.id);
    if (!rest.recipients.empty()) answered.push_back(std::move(rest));
  }
  return answered;
}

void ResumingSource::offer_again() {
  for (auto& [id, results] : unanswered_) {
    const auto found = given_.find(id);
    if (found == given_.end()) continue;
    Outgoing message = found->second;
    message.recipients.clear();
    for (const RecipientResult& r : results) message.recipients.push_back(r.address);
    again_.push_back({std::move(message), std::move(results)});
  }
  unanswered_.clear();
}

std::vector<MessageResult> ResumingSource::take_unanswered() {
  std::vector<MessageResult> out;
  for (auto& [id, results] : unanswered_) out.push_back({id, std::move(results), true});
  for (Again& again : again_) out.push_back({again.message.id, std::move(again.results), true});
  unanswered_.clear();
  again_.clear();
  return out;
}

}  // namespace longline::mail
