// SPDX-License-Identifier: MIT
#include "sys/x400/outgoing_transfers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "sys/system_clock.hpp"
#include "sys/x400/transfer_names.hpp"
#include "x400/incoming_mail.hpp"
#include "x400/ipm.hpp"
#include "x400/outgoing_envelope.hpp"

namespace longline::sys {
namespace {

constexpr std::size_t kPiece = 1 << 20;

bool same_recipients(std::vector<std::string> a, std::vector<std::string> b) {
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  return a == b;
}

x400::TransferPriority transfer_priority(int priority) {
  if (priority >= mail::kUrgent) return x400::TransferPriority::urgent;
  return priority <= mail::kLow ? x400::TransferPriority::non_urgent : x400::TransferPriority::normal;
}

/// What ends an association says nothing about the transfer under way.
bool is_of_association(Errc code) {
  return code == Errc::line_dropped || code == Errc::messages_left || code == Errc::interrupted || code == Errc::deadline || code == Errc::idle_timeout ||
         code == Errc::io || code == Errc::disk_full;
}

}  // namespace

OutgoingTransfers::OutgoingTransfers(Spool& spool, FlushBatch& batch, EventSink& events, const config::Connector& connector, const std::string& host)
    : spool_(spool), batch_(batch), events_(events), connector_(connector), ours_(x400::our_mta(connector, host)),
      mapping_(x400::address_mapping(connector, host)) {}

std::optional<Error> OutgoingTransfers::failure() const { return failure_ ? failure_ : batch_.source_failure(); }

std::optional<x400::OutgoingTransfer> OutgoingTransfers::next() {
  while (!failure()) {
    std::optional<mail::Outgoing> message = batch_.next_message();
    if (!message) return std::nullopt;
    Result<std::optional<x400::OutgoingTransfer>> prepared = prepare(std::move(*message));
    if (!prepared) failure_ = prepared.error();
    else if (*prepared) return std::move(*prepared);
  }
  return std::nullopt;
}

/// nullopt: none of its recipients can be reached; that is recorded.
Result<std::optional<x400::OutgoingTransfer>> OutgoingTransfers::prepare(mail::Outgoing message) {
  LONGLINE_TRY(const mail::QueuedMessage queued, spool_.find(message.id));
  LONGLINE_TRY(std::optional<OutgoingTransfer> known, spool_.outgoing_transfer(message.id, connector_.name));
  if (known && !same_recipients(known->recipients, message.recipients)) known.reset();
  if (!known) {
    LONGLINE_TRY(known, make_transfer(message, queued.priority, queued.arrived));
    if (message.recipients.empty()) return std::optional<x400::OutgoingTransfer>();
  }
  x400::OutgoingTransfer out;
  out.id = message.id;
  out.size = static_cast<std::uint64_t>(known->size);
  out.priority = transfer_priority(queued.priority);
  if (!known->name.session.empty()) {
    out.progress.emplace(x400::OutgoingProgress{transfer_key(known->name), session_id(known->latest.session),
                                                static_cast<std::uint32_t>(known->latest.checkpoint_size), static_cast<std::uint32_t>(known->serial)});
  }
  std::string id = message.id;
  entries_.insert_or_assign(std::move(id), Entry{std::move(message), std::move(*known)});
  return std::optional<x400::OutgoingTransfer>(std::move(out));
}

/// Leaves those recipients in the message that can be reached.
Result<OutgoingTransfer> OutgoingTransfers::make_transfer(mail::Outgoing& message, int priority, WallTime arrived) {
  x400::OutgoingMail mail{message.id, arrived, message.sender, message.recipients, priority, message.dsn, {}};
  OutgoingTransfer out;
  out.id = message.id;
  out.latest.peer = connector_.name;
  out.size = static_cast<std::int64_t>(message.size);
  std::string content;
  if (connector_.x400.content == config::X400::Content::ipm) {
    LONGLINE_TRY(const std::string body, body_of(message));
    x400::IpmLayout layout = x400::layout_ipm(body, message.sender, mapping_);
    content = std::move(layout.before);
    content.append(body, static_cast<std::size_t>(layout.from), static_cast<std::size_t>(layout.size)).append(layout.after);
    mail.content_type.built_in = x400::kP22Content;
    out.with_body = false;
    out.size = static_cast<std::int64_t>(content.size());
  }
  Result<x400::OutgoingEnvelope> made = x400::make_envelope(mail, ours_, mapping_);
  std::vector<mail::RecipientResult> refused;
  if (!made) {
    const std::string why = "its sender cannot stand in an X.400 envelope: " + escape_at_most(made.error().what, 300);
    for (const std::string& address : message.recipients) refused.push_back({address, mail::Outcome::refused, 0, "5.1.7", why});
    message.recipients.clear();
  } else {
    refused = std::move(made->refused);
    message.recipients = made->recipients;
  }
  if (!refused.empty()) {
    const bool last = message.recipients.empty();
    LONGLINE_CHECK(batch_.record_tried({mail::MessageResult{message.id, std::move(refused), last}}));
    if (last) return out;
  }
  out.recipients = message.recipients;
  out.prefix = x400::message_prefix(made->envelope, static_cast<std::uint64_t>(out.size));
  out.size += static_cast<std::int64_t>(out.prefix.size());
  out.prefix += content;
  return out;
}

Result<std::string> OutgoingTransfers::body_of(const mail::Outgoing& message) {
  std::string body;
  body.reserve(message.size);
  while (body.size() < message.size) {
    LONGLINE_TRY(const std::string piece, batch_.read_body(message.id, body.size(), kPiece));
    if (piece.empty()) return Error(Errc::io, "message " + message.id + " is shorter than it was", Stage::queue);
    body += piece;
  }
  return body;
}

Result<std::string> OutgoingTransfers::read(const std::string& id, std::uint64_t offset, std::size_t most) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return Error(Errc::software, "no such transfer", Stage::queue);
  const OutgoingTransfer& transfer = found->second.transfer;
  if (offset < transfer.prefix.size()) return transfer.prefix.substr(static_cast<std::size_t>(offset), most);
  return batch_.read_body(id, offset - transfer.prefix.size(), most);
}

Result<void> OutgoingTransfers::carry_out(const x400::TransferStarted& started) {
  const auto found = entries_.find(started.id);
  if (found == entries_.end()) return {};
  OutgoingTransfer& transfer = found->second.transfer;
  const bool resumes = started.progress.serial > 0;
  transfer.name = stored_name(started.progress.key);
  transfer.latest = session_;
  transfer.latest.session = stored_session(started.progress.latest);
  transfer.latest.checkpoint_size = started.progress.checkpoint_size;
  transfer.serial = started.progress.serial;
  if (!resumes) transfer.bytes = 0;
  transfer.changed = wall_now();
  LONGLINE_CHECK(spool_.put_outgoing(transfer));
  if (!resumes) return {};
  Event event{"mail.resumed"};
  event.link = connector_.link;
  event.connector = connector_.name;
  event.message = started.id;
  event.text = fmt::format("goes on behind checkpoint {}: {} of {} were there", transfer.serial, format_size(transfer.bytes), format_size(transfer.size));
  event.more.set("checkpoint", transfer.serial).set("bytes_done", transfer.bytes).set("size", transfer.size);
  events_.emit(event);
  return {};
}

Result<void> OutgoingTransfers::carry_out(const x400::TransferConfirmed& confirmed) {
  const auto found = entries_.find(confirmed.id);
  if (found == entries_.end()) return {};
  moved_ = true;
  OutgoingTransfer& transfer = found->second.transfer;
  transfer.serial = confirmed.serial;
  transfer.bytes = static_cast<std::int64_t>(confirmed.bytes);
  std::int64_t& most = confirmed_[confirmed.id];
  most = std::max(most, transfer.bytes);
  return spool_.confirm_outgoing(confirmed.id, connector_.name, transfer.serial, transfer.bytes, wall_now());
}

Result<void> OutgoingTransfers::settle(const std::string& id, mail::Outcome outcome, const std::string& enhanced, const std::string& text) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return {};
  mail::MessageResult result;
  result.id = id;
  result.peer_notifies = true;   // the envelope says which reports are wanted
  for (const std::string& address : found->second.message.recipients) result.recipients.push_back({address, outcome, 0, enhanced, text});
  entries_.erase(found);
  return batch_.record_tried({std::move(result)});
}

Result<void> OutgoingTransfers::carry_out(const x400::TransferSent& sent) {
  moved_ = true;
  ++sent_;
  return settle(sent.id, mail::Outcome::sent, "2.0.0", session_.mta.empty() ? "the peer has it" : session_.mta + " has it");
}

Result<void> OutgoingTransfers::carry_out(const x400::TransferFailed& failed) {
  const auto found = entries_.find(failed.id);
  if (found == entries_.end()) return {};
  OutgoingTransfer& transfer = found->second.transfer;
  if (!failed.resumable && !transfer.name.session.empty()) {
    transfer.name = {};
    transfer.latest = {};
    transfer.latest.peer = connector_.name;
    transfer.serial = transfer.bytes = 0;
    LONGLINE_CHECK(spool_.put_outgoing(transfer));
  }
  if (is_of_association(failed.error.code)) {
    entries_.erase(found);
    return {};
  }
  return settle(failed.id, mail::Outcome::deferred, "4.4.2", printable_at_most(failed.error.message(), 400));
}

}  // namespace longline::sys
