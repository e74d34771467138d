// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "mail/queue.hpp"
#include "mail/smtp_client.hpp"
#include "x400/or_name_mapping.hpp"
#include "x400/p1.hpp"
#include "x400/p1_trace.hpp"

namespace longline::x400 {

/// The three classes (RFC 6710, appendix C).
P1Priority to_p1_priority(int priority);
int to_queue_priority(P1Priority priority);

/// A message of the queue on its way to an X.400 peer.
struct OutgoingMail {
  std::string id;                        ///< of the queue
  WallTime arrived{};                    ///< at us
  std::string sender;                    ///< "" the null sender
  std::vector<std::string> recipients;   ///< printed form
  int priority = mail::kNormal;
  mail::DsnWishes dsn{};
  ContentType content_type{};
  std::uint64_t size = 0;                ///< bytes; 0: not known
};

struct OutgoingEnvelope {
  MessageEnvelope envelope;                     ///< without recipients if none is left: send nothing
  std::vector<mail::RecipientResult> refused;   ///< whose address cannot go over X.400
  std::vector<std::string> recipients;          ///< the others, in the order of their numbers: number 1 is the first
};

/// The same input gives the same envelope, so that a transfer can go on where it was cut. Report requests follow NOTIFY (RFC 3461): SUCCESS asks for
/// reports, FAILURE and the default for non-delivery reports, NEVER and the null sender for none; RET=FULL asks for the content
/// back where it has at most 50 kB: a notification shows no more, and somebody pays for the line.
/// Errc::refused: the sender's address cannot go.
Result<OutgoingEnvelope> make_envelope(const OutgoingMail& mail, const OurMta& ours, const AddressMapping& mapping);

/// "0000042.261122231051.HUB", at most 32 characters, and the queue's id in it ("" when it is none of ours).
std::string make_local_id(std::string_view queue_id, WallTime arrived, std::string_view mta);
std::string queue_id_of(std::string_view local_id);

}  // namespace longline::x400
