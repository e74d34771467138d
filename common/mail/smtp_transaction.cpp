// SPDX-License-Identifier: MIT
#include "mail/smtp_transaction.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "mail/address.hpp"

namespace longline::mail {
namespace {

constexpr int kTooManyRecipients = 552;  // to RCPT it means 452; RFC 5321, 4.5.3.1.10

/// About the session, not about the message: unknown command, not implemented, bad sequence.
bool is_confused(int code) { return code == 500 || code == 502 || code == 503; }

Outcome outcome_of(const SmtpReply& reply) {
  if (reply.permanent() && !is_confused(reply.code)) return Outcome::refused;
  return reply.ok() ? Outcome::sent : Outcome::deferred;
}

RecipientResult from_reply(std::string address, const SmtpReply& reply) {
  return {std::move(address), outcome_of(reply), reply.code, reply.enhanced, reply.text()};
}

}  // namespace

std::string_view to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::sent: return "sent";
    case Outcome::deferred: return "deferred";
    case Outcome::refused: return "refused";
    case Outcome::in_doubt: return "in-doubt";
    case Outcome::not_tried: break;
  }
  return "not-tried";
}

std::size_t Transaction::accepted() const {
  return static_cast<std::size_t>(
      std::count_if(recipient_replies.begin(), recipient_replies.end(), [](const auto& r) { return r && r->ok(); }));
}

bool Transaction::recipients_answered() const {
  return recipient_replies.size() == message.recipients.size() &&
         std::all_of(recipient_replies.begin(), recipient_replies.end(), [](const auto& r) { return r.has_value(); });
}

bool Transaction::is_hopeless() const {
  if (data_reply && !data_reply->ok()) return true;
  if (mail_reply && !mail_reply->ok()) return true;
  return recipients_answered() && accepted() == 0;
}

bool Transaction::is_out_of_step() const {
  if (rset_reply && !rset_reply->ok()) return true;
  if (mail_reply && is_confused(mail_reply->code)) return true;
  const bool mail_ok = mail_reply && mail_reply->ok();
  if (mail_ok && std::any_of(recipient_replies.begin(), recipient_replies.end(),
                             [](const auto& r) { return r && is_confused(r->code); })) {
    return true;
  }
  return data_reply && is_confused(data_reply->code) && accepted() > 0;
}

void Transaction::rewind() {
  Transaction fresh;
  fresh.tries = tries;
  fresh.message = std::move(message);
  fresh.seven_bit = std::move(seven_bit);
  *this = std::move(fresh);
}

std::string mail_command(const Transaction& transaction, const SmtpPeer& peer, bool return_headers_only) {
  constexpr std::uint64_t kWorthHeadersOnly = 4096;
  const Outgoing& message = transaction.message;
  std::string command = fmt::format("MAIL FROM:<{}>", message.sender);
  if (peer.size) command += fmt::format(" SIZE={}", transaction.size());
  if (message.eight_bit && peer.eight_bit_mime) command += " BODY=8BITMIME";
  const bool utf8 = needs_smtputf8(message.sender) ||
                    std::any_of(message.recipients.begin(), message.recipients.end(), needs_smtputf8);
  if (utf8 && peer.smtputf8) command += " SMTPUTF8";
  const DsnWishes& dsn = message.dsn;
  if (peer.dsn && !dsn.envelope_id.empty()) command += " ENVID=" + dsn.envelope_id;
  if (peer.dsn && !dsn.ret.empty()) command += " RET=" + dsn.ret;
  else if (return_headers_only && peer.dsn && !message.sender.empty() && transaction.size() > kWorthHeadersOnly) command += " RET=HDRS";
  return command + "\r\n";
}

std::string recipient_command(const Transaction& transaction, const SmtpPeer& peer, std::size_t index) {
  const std::string& address = transaction.message.recipients[index];
  std::string command = fmt::format("RCPT TO:<{}>", address);
  const DsnWish wish = peer.dsn ? transaction.message.dsn.of(address) : DsnWish();
  if (!wish.notify.empty()) command += " NOTIFY=" + wish.notify;
  if (!wish.original.empty()) command += " ORCPT=" + wish.original;
  return command + "\r\n";
}

std::vector<RecipientResult> transaction_results(const Transaction& transaction, std::string_view lost) {
  std::vector<RecipientResult> results;
  results.reserve(transaction.message.recipients.size());
  for (std::size_t i = 0; i < transaction.message.recipients.size(); ++i) {
    const std::string& address = transaction.message.recipients[i];
    const auto* own = i < transaction.recipient_replies.size() ? &transaction.recipient_replies[i] : nullptr;
    const bool answered = own != nullptr && own->has_value();
    const bool taken = answered && (*own)->ok();
    const bool mail_failed = transaction.mail_reply && !transaction.mail_reply->ok();
    if (transaction.is_sent() && taken) {
      results.push_back(from_reply(address, *transaction.data_reply));
    } else if (mail_failed && transaction.mail_reply->code == kServiceClosing) {
      // The peer goes, whatever came next: that is nothing against the message.
      const SmtpReply& reply = *transaction.mail_reply;
      const std::string words = fmt::format("{} {}{}{}", kServiceClosing, reply.enhanced, reply.enhanced.empty() ? "" : " ", reply.text());
      results.push_back({address, Outcome::not_tried, 0, "", printable_at_most(words, 400)});
    } else if (mail_failed) {
      results.push_back(from_reply(address, *transaction.mail_reply));
    } else if (answered && !taken) {
      results.push_back(from_reply(address, **own));
      if ((*own)->code == kTooManyRecipients) results.back().outcome = Outcome::deferred;
    } else if (transaction.data_reply && !transaction.data_reply->ok()) {
      results.push_back(from_reply(address, *transaction.data_reply));
    } else {
      const Outcome outcome = transaction.handed_over ? Outcome::in_doubt : Outcome::not_tried;
      results.push_back({address, outcome, 0, "", printable_at_most(lost, 400)});
    }
  }
  return results;
}

std::vector<RecipientResult> same_result(const std::vector<std::string>& recipients, Outcome outcome, std::string_view enhanced,
                                         std::string_view text) {
  std::vector<RecipientResult> results;
  for (const std::string& address : recipients) {
    results.push_back({address, outcome, 0, std::string(enhanced), printable_at_most(text, 400)});
  }
  return results;
}

}  // namespace longline::mail
