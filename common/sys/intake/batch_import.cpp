// SPDX-License-Identifier: MIT
#include "sys/intake/batch_import.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "mail/message.hpp"
#include "sys/system_clock.hpp"
#include "sys/tls/tls_library.hpp"

namespace longline::sys {
namespace {

// SHA-256 of sender, recipients in order of their names, and bytes.
Result<std::string> digest_of(const mail::Deliver& message, std::string_view content) {
  std::vector<std::string> recipients = message.recipients;
  std::sort(recipients.begin(), recipients.end());
  std::string all = message.sender + '\0';
  for (const std::string& recipient : recipients) all += recipient + '\0';
  all += content;
  return sha256_hex(all);
}

// The bytes as they stand in the batch: the server machine has put its Received field on top, and this is no hop.
std::string_view without_trace(std::string_view content) {
  if (!content.starts_with("Received:")) return content;
  std::size_t end = content.find("\r\n");
  while (end != std::string_view::npos && end + 2 < content.size() && (content[end + 2] == ' ' || content[end + 2] == '\t')) {
    end = content.find("\r\n", end + 2);
  }
  return end == std::string_view::npos ? content : content.substr(end + 2);
}

}  // namespace

Result<BatchImport> BatchImport::open(Spool spool, const config::Config& config) {
  BatchImport out(std::move(spool), config);
  for (const Box box : {Box::queue, Box::inbox}) {
    LONGLINE_CHECK(out.spool_.visit(box, [&](mail::QueuedMessage&& message) {
      Known known{message.id, message.size, {}};
      for (mail::Recipient& r : message.recipients) known.recipients.push_back(std::move(r.address));
      out.known_.emplace(std::move(message.message_id), std::move(known));
      return true;
    }));
  }
  return out;
}

Result<bool> BatchImport::has_same_bytes(const std::string& id, std::string_view content) {
  constexpr std::size_t kPiece = 1 << 20;
  Result<SpoolBody> body = spool_.open_body(id);
  if (!body && body.error().code == Errc::not_found) return false;
  if (!body) return std::move(body).error();
  for (std::int64_t offset = 0; offset < body->size();) {
    LONGLINE_TRY(const std::string piece, body->read(offset, kPiece));
    if (piece.empty() || content.substr(0, piece.size()) != piece) return false;
    content.remove_prefix(piece.size());
    offset += static_cast<std::int64_t>(piece.size());
  }
  return content.empty();
}

Result<std::vector<std::string>> BatchImport::without_known(const std::string& message_id, std::string_view content,
                                                            std::vector<std::string> recipients) {
  const auto [first, last] = known_.equal_range(message_id);
  for (auto known = first; known != last && !recipients.empty(); ++known) {
    if (known->second.size != static_cast<std::int64_t>(content.size())) continue;
    LONGLINE_TRY(const bool same, has_same_bytes(known->second.id, content));
    if (!same) continue;
    std::erase_if(recipients, [&](const std::string& r) {
      return std::find(known->second.recipients.begin(), known->second.recipients.end(), r) != known->second.recipients.end();
    });
  }
  return recipients;
}

Result<BatchImport::Outcome> BatchImport::store(mail::Deliver&& message) {
  const std::string content(without_trace(message.content));
  LONGLINE_TRY(const std::string digest, digest_of(message, content));
  mail::Submission submission;
  submission.message_id = mail::header_field(content, "Message-ID").value_or("");
  submission.subject = mail::header_field(content, "Subject").value_or("");
  Outcome outcome{"", submission.message_id, message.recipients};
  LONGLINE_TRY(const bool imported, spool_.was_imported(digest));
  if (imported) return outcome;
  LONGLINE_TRY(const std::vector<std::string> missing, without_known(submission.message_id, content, message.recipients));
  if (missing.empty()) return outcome;
  submission.sender = std::move(message.sender);
  submission.eight_bit = message.eight_bit;
  submission.dsn = std::move(message.dsn);
  for (const std::string& recipient : missing) {
    (choice_.choose(recipient).local ? submission.local_recipients : submission.recipients).push_back(recipient);
  }
  submission.content = content;
  LONGLINE_TRY(outcome.id, spool_.import(submission, digest, wall_now()));
  if (outcome.id.empty()) return outcome;
  outcome.recipients = missing;
  known_.emplace(submission.message_id, Known{outcome.id, static_cast<std::int64_t>(content.size()), missing});
  return outcome;
}

}  // namespace longline::sys
