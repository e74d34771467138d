// SPDX-License-Identifier: MIT
#include "sys/spool/sender_notice.hpp"

#include <utility>

#include "sys/random_name.hpp"
#include "sys/system_clock.hpp"

namespace longline::sys {

Result<std::optional<mail::Submission>> sender_notice(Spool& spool, mail::ConnectorChoice& choice, const std::string& host,
                                                      const mail::QueuedMessage& message, SenderNotice notice) {
  if (notice.recipients.empty() || message.sender.empty()) return std::optional<mail::Submission>();
  constexpr std::size_t kHeader = 64 * 1024;
  for (mail::DsnRecipient& recipient : notice.recipients) recipient.original = notice.wishes.of(recipient.address).original;
  LONGLINE_TRY(SpoolBody body, spool.open_body(message.id));
  LONGLINE_TRY(const std::string content, body.read(0, kHeader));
  mail::DsnRequest request;
  request.action = notice.action;
  request.envelope_id = notice.wishes.envelope_id;
  request.return_full = notice.wishes.ret == "FULL" && static_cast<std::size_t>(message.size) == content.size();
  request.retry_until = notice.retry_until;
  request.original_sender = message.sender;
  request.original_content = content;
  request.arrived = message.arrived;
  request.failed = std::move(notice.recipients);
  request.host = host;
  request.now = wall_now();
  request.unique = random_name();
  std::optional<mail::StoredMessage> dsn = mail::make_dsn(request);
  if (!dsn) return std::optional<mail::Submission>();
  mail::Submission submission;
  (choice.choose(message.sender).local ? submission.local_recipients : submission.recipients) = {message.sender};
  submission.content = std::move(dsn->content);
  submission.eight_bit = dsn->eight_bit;
  submission.message_id = dsn->message_id;
  submission.subject = dsn->subject;
  return std::optional<mail::Submission>(std::move(submission));
}

}  // namespace longline::sys
