// SPDX-License-Identifier: MIT
#include "sys/x400/incoming_transfers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "config/client_networks.hpp"
#include "mail/address.hpp"
#include "mail/message.hpp"
#include "sys/random_name.hpp"
#include "sys/system_clock.hpp"
#include "sys/tls/tls_library.hpp"
#include "sys/x400/transfer_names.hpp"
#include "x400/ipm.hpp"
#include "x400/outgoing_envelope.hpp"
#include "x400/p1_reader.hpp"
#include "x400/report_mail.hpp"

namespace longline::sys {
namespace {

bool matches(const std::vector<std::string>& patterns, std::string_view domain) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) { return mail::match_domain(pattern, domain).has_value(); });
}

bool may_relay(const config::Config& config, std::string_view address) {
  config::ClientNetworks networks;
  for (const std::string& network : config.relay_from) {
    if (!networks.add(network)) return false;
  }
  return !address.empty() && networks.contain(address);
}

}  // namespace

IncomingMailSettings incoming_mail_settings(const config::Config& config, const config::Connector& connector, const std::string& host,
                                            const std::string& address) {
  IncomingMailSettings out;
  out.mail.target = config.receive;
  out.mail.local_domains = connector.x400.local_domains.empty() ? config.local_domains : connector.x400.local_domains;
  if (out.mail.local_domains.empty()) out.mail.local_domains.push_back(to_lower(host));
  out.mail.host = host;
  out.mail.connector = connector.name;
  out.relay_domains = config.relay_domains;
  out.relays_all = may_relay(config, address);
  if (connector.max_size) out.largest = *connector.max_size;
  return out;
}

/// A message on its way in.
struct IncomingTransfers::Taking {
  x400::MessageEnvelope envelope;
  mail::Deliver deliver;
  std::vector<x400::IncomingMail::Recipient> recipients;   // of the envelope
  std::vector<x400::DeliveryOutcome> refused;
};

IncomingTransfers::IncomingTransfers(Spool& spool, const config::Config& config, EventSink& events, const config::Connector& connector,
                                     IncomingMailSettings settings)
    : spool_(spool), events_(events), connector_(connector), settings_(std::move(settings)), ours_(x400::our_mta(connector, settings_.mail.host)),
      mapping_(x400::address_mapping(connector, settings_.mail.host)), choice_(config) {
  bounds_.partial_for = connector.expire;
}

Result<std::unique_ptr<IncomingTransfers>> IncomingTransfers::open(Loop& loop, Spool& spool, const config::Config& config, const StatePaths& paths,
                                                                   EventSink& events, const config::Connector& connector,
                                                                   IncomingMailSettings settings) {
  std::unique_ptr<IncomingTransfers> out(new IncomingTransfers(spool, config, events, connector, std::move(settings)));
  LONGLINE_TRY(out->mail_, ReceivedMail::open(loop, config, paths, events, out->settings_.mail));
  return out;
}

// ---- segments

Result<std::optional<x400::IncomingState>> IncomingTransfers::find(const x400::TransferKey& key) {
  LONGLINE_CHECK(settle());
  LONGLINE_TRY(const auto stored, spool_.incoming_transfer(session_.peer, stored_name(key)));
  if (!stored) return std::optional<x400::IncomingState>();
  return std::optional<x400::IncomingState>({stored->completed, static_cast<std::uint32_t>(stored->serial), static_cast<std::uint64_t>(stored->bytes)});
}

Result<void> IncomingTransfers::carry_out(x400::StoreSegment&& segment) {
  LONGLINE_CHECK(settle());
  waiting_ = std::move(segment);
  return {};
}

Result<void> IncomingTransfers::settle() {
  if (!waiting_) return {};
  const x400::StoreSegment segment = std::move(*std::exchange(waiting_, std::nullopt));
  LONGLINE_TRY(transfer_, spool_.store_segment({stored_name(segment.key), segment.serial, segment.bytes, segment.first, number(segment.key)}, session_,
                                               wall_now(), bounds_));
  key_ = segment.key;
  return {};
}

Result<void> IncomingTransfers::carry_out(const x400::ResumeIncoming& resumed) {
  LONGLINE_CHECK(settle());
  LONGLINE_TRY(transfer_, spool_.resume_incoming(stored_name(resumed.key), stored_name(resumed.also), resumed.serial, session_));
  key_ = resumed.key;
  return {};
}

Result<void> IncomingTransfers::carry_out(const x400::DiscardIncoming& discarded) {
  LONGLINE_CHECK(settle());
  return drop(discarded.key);
}

Result<void> IncomingTransfers::drop(const x400::TransferKey& key) {
  const std::int64_t transfer = number(key);
  transfer_ = 0;
  return transfer == 0 ? Result<void>() : spool_.drop_incoming(transfer);
}

/// Those that are stored, and the one that waits.
Result<std::string> IncomingTransfers::content_of(const x400::TransferComplete& transfer) {
  std::string bytes;
  const bool is_last = waiting_ && waiting_->key == transfer.key;
  if (waiting_ && !is_last) LONGLINE_CHECK(settle());
  if (!is_last || !waiting_->first) {
    LONGLINE_TRY(bytes, spool_.incoming_content(number(transfer.key), session_.session, std::int64_t{transfer.segments} - (is_last ? 1 : 0)));
  }
  if (is_last) bytes += waiting_->bytes;
  return bytes;
}

/// It is taken in: from here on that is remembered.
Result<void> IncomingTransfers::finish(const x400::TransferKey& key) {
  ++received_;
  const bool is_last = waiting_ && waiting_->key == key;
  if (is_last && waiting_->first) {
    // Nothing of it is stored, and its bytes need not be.
    const x400::StoreSegment segment = std::move(*std::exchange(waiting_, std::nullopt));
    return spool_.note_completed(stored_name(segment.key), session_, wall_now(), bounds_);
  }
  if (is_last) waiting_.reset();
  return spool_.complete_incoming(std::exchange(transfer_, 0), wall_now());
}

void IncomingTransfers::complete(const x400::TransferComplete& transfer, Done done) {
  const x400::TransferKey key = transfer.key;
  const auto malformed = [&](Error why) {
    // The peer would send the same again and again behind its last checkpoint.
    waiting_.reset();
    if (auto dropped = drop(key); !dropped) return done(std::move(dropped));
    done(std::move(why).context("what the peer transferred").in_stage(Stage::transfer));
  };
  x400::P1Reader reader;
  std::string content, digest;
  {
    Result<std::string> bytes = content_of(transfer);
    if (!bytes) return done(std::move(bytes).error());
    if (auto fed = reader.feed(*bytes); !fed) return malformed(std::move(fed).error());
    if (auto ended = reader.finish(); !ended) return malformed(std::move(ended).error());
    content = reader.take_content();
    digest = sha256_hex(*bytes).value_or("");
  }
  if (reader.report() != nullptr) {
    Result<void> taken = take_report(*reader.report());
    return done(taken ? finish(key) : std::move(taken));
  }
  if (reader.message() == nullptr) return malformed(Error(Errc::malformed, "is neither a message nor a report"));
  Result<std::shared_ptr<Taking>> read = read_message(*reader.message(), std::move(content));
  if (!read) return malformed(std::move(read).error());
  const std::shared_ptr<Taking> taking = *read;
  if (taking->deliver.recipients.empty()) {
    Result<void> answered = answer(*taking);
    return done(answered ? finish(key) : std::move(answered));
  }
  // A name may come again, of another message: of one that came whole before its bytes are the same.
  const TransferName name = stored_name(key);
  const std::string id = connector_.name + '\0' + name.session + name.activity + digest;
  // Without a digest rather twice than never.
  if (!digest.empty()) taking->deliver.transfer = "x400 " + sha256_hex(id).value_or(id);
  mail::Deliver deliver = std::move(taking->deliver);
  mail_->take(std::move(deliver), [this, taking, key, done = std::move(done)](Result<std::string> stored) {
    if (!stored && stored.error().code != Errc::refused) return done(std::move(stored).error());
    if (!stored) refuse_all(*taking, "5.0.0", stored.error().what);
    Result<void> answered = answer(*taking);
    done(answered ? finish(key) : std::move(answered));
  });
}

// ---- messages

bool IncomingTransfers::is_local(const std::string& mailbox) const {
  const std::string_view domain = mail::domain_of(mailbox);
  return iequals(domain, settings_.mail.host) || matches(settings_.mail.local_domains, domain);
}

bool IncomingTransfers::accepts(const std::string& mailbox) const {
  return is_local(mailbox) || settings_.relays_all || matches(settings_.relay_domains, mail::domain_of(mailbox));
}

void IncomingTransfers::refuse_all(Taking& taking, const std::string& enhanced, const std::string& why) {
  for (const x400::IncomingMail::Recipient& r : taking.recipients) {
    const auto known = [&](const x400::DeliveryOutcome& outcome) { return outcome.number == r.number; };
    if (std::any_of(taking.refused.begin(), taking.refused.end(), known)) continue;
    taking.refused.push_back({r.number, false, {}, enhanced, why});
  }
}

/// Errors: what cannot even be answered.
Result<std::shared_ptr<IncomingTransfers::Taking>> IncomingTransfers::read_message(const x400::MessageEnvelope& envelope, std::string content) {
  auto taking = std::make_shared<Taking>();
  taking->envelope = envelope;
  mail::Deliver& deliver = taking->deliver;
  Result<x400::IncomingMail> mail = x400::read_incoming(envelope, ours_, mapping_);
  if (!mail) {
    for (const x400::EnvelopeRecipient& r : envelope.recipients) taking->recipients.push_back({r.number, ""});
    refuse_all(*taking, mail.error().what.starts_with("mail loop") ? "5.4.6" : "5.6.0", mail.error().what);
    return taking;
  }
  deliver.sender = mail->sender;
  deliver.priority = mail->priority;
  deliver.dsn = mail->wishes;
  taking->recipients = mail->recipients;
  const auto size = static_cast<std::int64_t>(content.size());
  const std::int64_t type = envelope.content_type.built_in;
  const bool is_ipm = envelope.content_type.oid.empty() && (type == x400::kP2Content || type == x400::kP22Content);
  const bool is_mail = envelope.content_type.oid.empty() && type == x400::kUnidentifiedContent;
  if (!is_ipm && !is_mail) refuse_all(*taking, "5.6.1", "contents of type " + to_string(envelope.content_type) + " are not known here");
  if (size > settings_.largest) {
    refuse_all(*taking, "5.3.4", fmt::format("the message has {}, {} are allowed", format_size(size), format_size(settings_.largest)));
  }
  if (is_ipm && taking->refused.empty()) {
    Result<std::string> made = x400::mail_from_ipm(content, envelope, mapping_, random_name());
    if (made) content = std::move(*made);
    else refuse_all(*taking, "5.6.0", "the interpersonal message cannot be read: " + escape_at_most(made.error().what, 300));
  }
  if (!taking->refused.empty()) return taking;
  for (const x400::IncomingMail::Recipient& r : mail->recipients) {
    if (r.mailbox.empty()) taking->refused.push_back({r.number, false, {}, "5.1.1", r.why});
    else if (!accepts(r.mailbox)) taking->refused.push_back({r.number, false, {}, "5.7.1", "mail to this domain is not taken here"});
    else if (std::find(deliver.recipients.begin(), deliver.recipients.end(), r.mailbox) == deliver.recipients.end()) deliver.recipients.push_back(r.mailbox);
  }
  deliver.content = x400::in_stored_form(std::move(content));
  deliver.eight_bit = std::any_of(deliver.content.begin(), deliver.content.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
  deliver.helo = session_.mta;
  add_received_field(*taking);
  return taking;
}

/// Only on mail that is passed on, which may go over SMTP: what is delivered here stays as it was sent, byte for byte.
void IncomingTransfers::add_received_field(Taking& taking) {
  mail::Deliver& deliver = taking.deliver;
  if (std::all_of(deliver.recipients.begin(), deliver.recipients.end(), [this](const std::string& r) { return is_local(r); })) return;
  const std::string field = fmt::format("Received: from {} by {} with X400; {}\r\n", settings_.from, settings_.mail.host, format_rfc5322(wall_now()));
  mail::mend_line_ends(deliver.content);
  deliver.content.insert(0, field);
  deliver.added = field.size();
  constexpr std::size_t kMostHops = 100;
  if (mail::count_header_fields(deliver.content, "Received") <= kMostHops) return;
  deliver.recipients.clear();
  refuse_all(taking, "5.4.6", "mail loop: it came through too many systems");
}

/// A report for those who will not get it, to go back over this connector; who is reached otherwise gets a notification of ours.
Result<void> IncomingTransfers::answer(const Taking& taking) {
  if (taking.refused.empty()) return {};
  for (const x400::DeliveryOutcome& outcome : taking.refused) {
    const auto who = std::find_if(taking.recipients.begin(), taking.recipients.end(), [&](const auto& r) { return r.number == outcome.number; });
    Event event{"mail.refused"};
    event.connector = connector_.name;
    event.text = escape_at_most(outcome.text, 400);
    event.more.set("sender", taking.deliver.sender).set("recipient", who == taking.recipients.end() ? "" : who->mailbox);
    events_.emit(event);
  }
  const WallTime now = wall_now();
  const std::string unique = random_name();
  const auto report = x400::make_report(taking.envelope, taking.refused, ours_, {ours_.domain, unique}, now);
  if (!report) return {};
  Result<std::string> originator = x400::to_mailbox(taking.envelope.originator, mapping_);
  if (!originator || originator->empty()) return {};
  mail::DsnRequest request;
  request.original_sender = *originator;
  request.original_content = taking.deliver.content;
  request.arrived = request.now = now;
  request.host = settings_.mail.host;
  request.unique = unique;
  for (const x400::DeliveryOutcome& outcome : taking.refused) {
    const auto who = std::find_if(taking.recipients.begin(), taking.recipients.end(), [&](const auto& r) { return r.number == outcome.number; });
    const std::string address = who == taking.recipients.end() || who->mailbox.empty() ? "unknown" : who->mailbox;
    request.failed.push_back({address, 0, outcome.enhanced, escape_at_most(outcome.text, 400), settings_.mail.host, ""});
  }
  std::optional<mail::StoredMessage> notice = mail::make_dsn(request);
  if (!notice) return {};
  mail::Submission submission;
  (choice_.choose(*originator).local ? submission.local_recipients : submission.recipients) = {*originator};
  submission.content = std::move(notice->content);
  submission.eight_bit = notice->eight_bit;
  submission.message_id = notice->message_id;
  submission.subject = notice->subject;
  LONGLINE_TRY(const std::string id, spool_.add(submission, now));
  answered_ = true;
  if (submission.recipients.empty()) return {};
  OutgoingTransfer transfer;
  transfer.id = id;
  transfer.recipients = submission.recipients;
  transfer.prefix = x400::encode_report(*report);
  transfer.with_body = false;
  transfer.size = static_cast<std::int64_t>(transfer.prefix.size());
  transfer.latest.peer = connector_.name;
  transfer.changed = now;
  return spool_.put_outgoing(transfer);
}

// ---- reports

Result<void> IncomingTransfers::take_report(const x400::Report& report) {
  Result<x400::ReportNews> news = x400::read_news(report, mapping_, session_.mta, settings_.mail.host, random_name(), wall_now());
  Event event{"mail.reported"};
  event.connector = connector_.name;
  if (!news) {
    event.text = "a report that is for nobody: " + escape_at_most(news.error().what, 300);
    events_.emit(event);
    return {};
  }
  event.message = news->queue_id;
  for (const mail::RecipientResult& result : news->results) {
    event.text = fmt::format("{}{}: {}", result.outcome == mail::Outcome::sent ? "delivered to " : "not delivered to ",
                             result.address.empty() ? "a recipient" : escape(result.address), result.text);
    events_.emit(event);
  }
  for (const mail::DsnRequest& request : news->notifications) {
    std::optional<mail::StoredMessage> notice = mail::make_dsn(request);
    if (!notice) continue;
    mail::Submission submission;
    const bool local = choice_.choose(news->sender).local || is_local(news->sender);
    (local ? submission.local_recipients : submission.recipients) = {news->sender};
    submission.content = std::move(notice->content);
    submission.eight_bit = notice->eight_bit;
    submission.message_id = notice->message_id;
    submission.subject = notice->subject;
    LONGLINE_CHECK(spool_.add(submission, wall_now()).map([](const std::string&) {}));
  }
  return {};
}

}  // namespace longline::sys
