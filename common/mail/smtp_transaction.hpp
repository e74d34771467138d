// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "mail/smtp_client.hpp"
#include "mail/smtp_reply.hpp"

namespace longline::mail {

/// One MAIL … end of data, as the client machine writes it and hears about it. A message with more recipients than the
/// peer takes at once needs several.
struct Transaction {
  enum class Step { rset, mail, rcpt, data, await_354, body, end, rset_behind, written };

  Outgoing message;                       ///< with the recipients of this transaction only
  int tries = 0;                          ///< how often it was answered out of step; then nothing else may be under way
  std::shared_ptr<const std::string> seven_bit;  ///< the content to send instead of the source's

  Step step = Step::mail;
  std::size_t next_recipient = 0;
  std::uint64_t offset = 0;               ///< bytes of the content that are written
  std::uint64_t chunk_end = 0;            ///< BDAT: the offset at which the chunk under way ends
  bool at_line_start = true;
  char last_byte = '\n';                  ///< of the content that is written
  bool handed_over = false;               ///< the last byte is in a Write
  bool body_started = false;
  bool has_rset_behind = false;           ///< its reply confirms data_reply: see SmtpClient::Impl::write_rset_behind()

  std::size_t pending = 0;                ///< replies that are due
  std::optional<SmtpReply> rset_reply;
  std::optional<SmtpReply> mail_reply;
  std::vector<std::optional<SmtpReply>> recipient_replies;
  std::optional<SmtpReply> data_reply;    ///< of the end of data, or of what failed before it (DATA, a BDAT chunk)

  TimePoint started{};
  std::uint64_t answered_before = 0;      ///< bytes answered in this session when it started

  std::uint64_t size() const { return seven_bit ? seven_bit->size() : message.size; }
  std::size_t accepted() const;
  bool recipients_answered() const;
  /// Nothing that is still to be written can have an effect.
  bool is_hopeless() const;
  bool is_sent() const { return handed_over && data_reply && data_reply->ok(); }
  /// The peer has lost track of where we are (500, 502, 503), or RSET failed.
  bool is_out_of_step() const;
  /// Puts everything back as before the first byte.
  void rewind();
};

std::string recipient_command(const Transaction& transaction, const SmtpPeer& peer, std::size_t index);
std::string mail_command(const Transaction& transaction, const SmtpPeer& peer, bool return_headers_only);

/// What became of every recipient. `lost`: why no more replies will come; "" while all of them have come.
std::vector<RecipientResult> transaction_results(const Transaction& transaction, std::string_view lost);

/// A result that we decide without asking the peer.
std::vector<RecipientResult> same_result(const std::vector<std::string>& recipients, Outcome outcome, std::string_view enhanced,
                                         std::string_view text);

}  // namespace longline::mail
