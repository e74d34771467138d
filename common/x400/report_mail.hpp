// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mail/dsn.hpp"
#include "mail/smtp_client.hpp"
#include "x400/or_name_mapping.hpp"
#include "x400/p1.hpp"
#include "x400/p1_trace.hpp"

namespace longline::x400 {

/// What became of one recipient of a message that came over X.400.
struct DeliveryOutcome {
  std::int64_t number = 1;       ///< EnvelopeRecipient::number
  bool delivered = false;
  WallTime when{};               ///< delivered at
  std::string enhanced;          ///< "5.1.1"; "" not known; only where not delivered
  std::string text;              ///< in words; for the supplementary information
};

/// The report about those outcomes that the envelope asks to hear of: non-deliveries always, unless they came from the null sender of a mail system like
/// ours; deliveries where the originator or its MTA asked for reports. nullopt: none. `id` and `now`: the report's own.
std::optional<Report> make_report(const MessageEnvelope& subject, const std::vector<DeliveryOutcome>& outcomes, const OurMta& ours, const MtsId& id,
                                  WallTime now);

/// A report that came, for the sender of its subject. `address` in the results is the recipient's as we sent it where the report tells (the intended
/// recipient), in printed form; "" where it cannot be told. sent: delivered, text says when; refused: text says why, escaped.
struct ReportNews {
  std::string queue_id;                          ///< of the subject, if it is one of ours; "" otherwise
  std::string sender;                            ///< whom it is for; "" the null sender: tell nobody
  std::vector<mail::RecipientResult> results;    ///< one a recipient
  std::vector<mail::DsnRequest> notifications;   ///< mail for the sender, as its report requests ask: failed, delivered; at most one each
};

/// `report` must outlive the notifications: they show its returned content, which is shown only where it is a mail message. `host`: our mail name;
/// `unique`: random letters and digits. Errc::malformed: the destination is no address.
Result<ReportNews> read_news(const Report& report, const AddressMapping& mapping, std::string_view reporting_mta, std::string_view host,
                             std::string_view unique, WallTime now);

}  // namespace longline::x400
