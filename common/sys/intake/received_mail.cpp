// SPDX-License-Identifier: MIT
#include "sys/intake/received_mail.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "mail/address.hpp"
#include "mail/dropped_message.hpp"
#include "mail/dsn.hpp"
#include "mail/message.hpp"
#include "sys/intake/drop_folder.hpp"
#include "sys/random_name.hpp"
#include "sys/system_clock.hpp"
#include "sys/tls/tls_library.hpp"

namespace longline::sys {
namespace {

using mail::Outcome;
using mail::RecipientResult;

std::string_view domain_of(std::string_view address) { return address.substr(std::min(address.rfind('@') + 1, address.size())); }

}  // namespace

// A message on its way, shared with a delivery that answers later.
struct ReceivedMail::Work {
  std::shared_ptr<const mail::Deliver> message;
  Done done;
  std::string digest;                     // of what the peer sent, without the fields that we put on top; "" where OpenSSL is not there
  bool has_message_id = false;
  std::vector<std::string> known;         // recipients that have it already
  std::vector<std::string> local, remote;
  std::string queued;                     // the copy for `remote`, where it was stored before a local delivery
  std::vector<RecipientResult> results;   // of a local delivery
  std::string remark;                     // for the event

  // `digest` is there, so the library is.
  std::string key(const std::string& recipient) const {
    return sha256_hex(digest + '\0' + message->sender + '\0' + recipient).value_or(digest + recipient);
  }
  bool is_waited_for() const {
    return std::any_of(results.begin(), results.end(), [](const RecipientResult& r) { return r.outcome == Outcome::deferred; });
  }
  /// Without a Message-ID two messages may well be the same; only one of which a part must come again is remembered.
  bool by_bytes() const { return has_message_id || is_waited_for(); }
  /// What it is known by, for one recipient: the bytes, and the transfer that it came in.
  std::vector<std::string> keys(const std::string& recipient, bool by_bytes) const {
    std::vector<std::string> out;
    if (by_bytes && !digest.empty()) out.push_back(key(recipient));
    if (!message->transfer.empty()) out.push_back(message->transfer + '\0' + recipient);
    return out;
  }
};

Result<std::unique_ptr<ReceivedMail>> ReceivedMail::open(Loop& loop, const config::Config& config, const StatePaths& paths, EventSink& events,
                                                         ReceivedMailSettings settings) {
  std::unique_ptr<ReceivedMail> out(new ReceivedMail(loop, config, paths, events, std::move(settings)));
  const ReceivedMailSettings& s = out->settings_;
  if (s.drops) return out;
  if (s.submission) {
    out->aliases_ = read_aliases(paths);
  } else {
    LONGLINE_TRY(out->delivery_, make_local_delivery(loop, s.target, s.host));
  }
  if (auto opened = out->open_spool(); !opened && !out->delivery_) return std::move(opened).error();
  return out;
}

Result<void> ReceivedMail::open_spool() {
  LONGLINE_TRY(Spool spool, Spool::open(paths_.spool));
  spool_.emplace(std::move(spool));
  return {};
}

bool ReceivedMail::is_local(const std::string& recipient) {
  if (settings_.submission) return false;   // aliases first: route_submission() finds out
  const std::string_view domain = domain_of(recipient);
  if (iequals(domain, settings_.host)) return true;
  return std::any_of(settings_.local_domains.begin(), settings_.local_domains.end(),
                     [&](const std::string& pattern) { return mail::match_domain(pattern, domain).has_value(); });
}

void ReceivedMail::take(mail::Deliver&& message, Done done) {
  auto work = std::make_shared<Work>();
  work->message = std::make_shared<const mail::Deliver>(std::move(message));
  work->done = std::move(done);
  ++under_way_;
  if (settings_.drops) return finish(work, drop(*work));
  if (!spool_) {
    // What kept it from us may be over. A disk that is still full is not: see prepare().
    if (auto opened = open_spool(); !opened && opened.error().code == Errc::disk_full) return finish(work, std::move(opened).error());
  }
  if (auto sorted = sort_out(*work); !sorted) return finish(work, std::move(sorted).error());
  if (work->local.empty() && work->remote.empty()) return finish(work, std::string());
  if (work->local.empty() || !delivery_) return finish(work, store_once(*work));
  if (auto prepared = prepare(*work); !prepared) return finish(work, std::move(prepared).error());
  delivery_->deliver(work->message, work->local, [this, work](std::vector<RecipientResult> results) { on_delivered(work, std::move(results)); });
}

namespace {

Error taken_meanwhile() { return Error(Errc::busy, "the same message comes in over another connection", Stage::lock); }

}  // namespace

/// Who has it already, who is local, who is not.
Result<void> ReceivedMail::sort_out(Work& work) {
  const mail::Deliver& message = *work.message;
  if (spool_ && !settings_.submission) work.digest = sha256_hex(std::string_view(message.content).substr(message.added)).value_or("");
  work.has_message_id = mail::header_field(message.content, "Message-ID").has_value();
  for (const std::string& recipient : message.recipients) {
    bool known = false;
    for (const std::string& key : spool_ ? work.keys(recipient, true) : std::vector<std::string>()) {
      LONGLINE_TRY(const bool this_way, spool_->was_received(key, wall_now()));
      known = known || this_way;
    }
    if (known) {
      work.known.push_back(recipient);
      continue;
    }
    (is_local(recipient) ? work.local : work.remote).push_back(recipient);
  }
  if (!work.remote.empty() && !spool_) return Error(Errc::busy, "no spool to pass mail on from", Stage::queue);
  return {};
}

/// Before a delivery that cannot be taken back: what can fail behind it is done now, or has its room.
Result<void> ReceivedMail::prepare(Work& work) {
  if (!spool_) return {};
  LONGLINE_CHECK(spool_->prepare_note());
  if (work.remote.empty()) return {};
  ReceivedBatch batch;
  batch.submissions.push_back(submission_of(*work.message));
  batch.submissions.back().recipients = work.remote;
  for (const std::string& recipient : work.remote) {
    for (std::string& key : work.keys(recipient, true)) batch.keys.push_back(std::move(key));
  }
  LONGLINE_TRY(const auto ids, spool_->take_received(batch, wall_now()));
  if (!ids) return taken_meanwhile();
  work.queued = ids->front();
  return {};
}

void ReceivedMail::on_delivered(const std::shared_ptr<Work>& work, std::vector<RecipientResult> results) {
  work->results = std::move(results);
  const auto first_with = [&](Outcome outcome) {
    return std::find_if(work->results.begin(), work->results.end(), [&](const RecipientResult& r) { return r.outcome == outcome; });
  };
  const auto deferred = first_with(Outcome::deferred), refused = first_with(Outcome::refused), none = work->results.end();
  const bool any_sent = first_with(Outcome::sent) != none;
  if (!any_sent && deferred == none && work->remote.empty() && work->known.empty()) {
    return finish(work, Error(Errc::refused, refused == none ? "not delivered" : refused->text, Stage::queue));
  }
  // Also where some must wait: who has it is remembered, and gets it once when the peer sends it again.
  Result<std::string> noted = note(*work);
  if (deferred == none) return finish(work, std::move(noted));
  finish(work, Error(deferred->enhanced == "4.3.1" ? Errc::disk_full : Errc::busy, deferred->text, Stage::queue));
}

mail::Submission ReceivedMail::submission_of(const mail::Deliver& message) const {
  mail::Submission out;
  out.sender = message.sender;
  out.content = message.content;
  out.eight_bit = message.eight_bit;
  out.message_id = mail::header_field(message.content, "Message-ID").value_or("");
  out.subject = mail::header_field(message.content, "Subject").value_or("");
  out.dsn = message.dsn;
  out.priority = message.priority;
  return out;
}

/// What a user's own program submits gets the fields that it lacks; what other MTAs send stays as it is.
Result<void> ReceivedMail::complete(mail::Submission& submission) const {
  mail::SubmissionDefaults defaults;
  defaults.sender = submission.sender;
  defaults.host = settings_.host;
  defaults.now = wall_now();
  defaults.unique = random_name();
  LONGLINE_TRY(mail::StoredMessage message, mail::complete_message(submission.content, std::move(defaults)));
  submission.content = std::move(message.content);
  submission.eight_bit = message.eight_bit;
  submission.message_id = std::move(message.message_id);
  submission.subject = std::move(message.subject);
  return {};
}

/// A notice to the sender: who has it, or who will not get it.
void ReceivedMail::add_notice(const Work& work, bool success, ReceivedBatch& batch) {
  const mail::Deliver& message = *work.message;
  mail::DsnRequest request;
  for (const RecipientResult& result : work.results) {
    const mail::DsnWish wish = message.dsn.of(result.address);
    const bool wanted = success ? result.outcome == Outcome::sent && wish.wants_success() : result.outcome == Outcome::refused && wish.wants_failure();
    // In a notice of success the words of the store, such as the name of a file in a Maildir, are nobody's business.
    if (wanted && success) request.failed.push_back({result.address, 0, "2.0.0", "", "", wish.original});
    else if (wanted) request.failed.push_back({result.address, result.code, result.enhanced, result.text, settings_.host, wish.original});
  }
  if (request.failed.empty()) return;
  request.action = success ? mail::DsnAction::delivered : mail::DsnAction::failed;
  request.original_sender = message.sender;
  request.original_content = message.content;
  request.envelope_id = message.dsn.envelope_id;
  request.return_full = message.dsn.ret == "FULL";
  request.arrived = request.now = wall_now();
  request.host = settings_.host;
  request.unique = random_name();
  std::optional<mail::StoredMessage> dsn = mail::make_dsn(request);
  if (!dsn) return;
  mail::Submission submission;
  (choice_.choose(message.sender).local ? submission.local_recipients : submission.recipients) = {message.sender};
  submission.content = std::move(dsn->content);
  submission.eight_bit = dsn->eight_bit;
  submission.message_id = dsn->message_id;
  submission.subject = dsn->subject;
  batch.submissions.push_back(std::move(submission));
}

/// By what it is known when it comes again.
void ReceivedMail::add_keys(const Work& work, ReceivedBatch& batch) const {
  for (const RecipientResult& result : work.results) {
    if (result.outcome != Outcome::sent && result.outcome != Outcome::refused) continue;
    for (std::string& key : work.keys(result.address, work.by_bytes())) batch.keys.push_back(std::move(key));
  }
}

void ReceivedMail::add_traffic(const Work& work, ReceivedBatch& batch) const {
  if (settings_.submission) return;
  batch.traffic.emplace();
  batch.traffic->connector = settings_.connector;
  batch.traffic->sender = work.message->sender;
  batch.traffic->messages_in = 1;
  batch.traffic->bytes_in = static_cast<std::int64_t>(work.message->content.size() - work.message->added);
}

/// As store(). Where another process has taken the same message in since it was sorted, it is sorted again.
Result<std::string> ReceivedMail::store_once(Work& work) {
  Result<std::string> id = store(work);
  if (id || id.error().stage != Stage::lock) return id;
  work.known.clear();
  work.local.clear();
  work.remote.clear();
  work.results.clear();
  LONGLINE_CHECK(sort_out(work));
  if (work.local.empty() && work.remote.empty()) return std::string();
  return store(work);
}

/// Of mail that is delivered nowhere else.
Result<std::string> ReceivedMail::store(Work& work) {
  ReceivedBatch batch;
  mail::Submission submission = submission_of(*work.message);
  submission.recipients = work.remote;
  if (settings_.submission) {
    LONGLINE_CHECK(complete(submission));
    mail::route_submission(submission, aliases_, choice_, settings_.host);
  }
  if (!delivery_) {
    submission.local_recipients.insert(submission.local_recipients.end(), work.local.begin(), work.local.end());
    for (const std::string& recipient : submission.local_recipients) work.results.push_back({recipient, Outcome::sent, 250, "2.0.0", ""});
  }
  batch.submissions.push_back(std::move(submission));
  add_keys(work, batch);
  for (const std::string& recipient : work.remote) {
    for (std::string& key : work.keys(recipient, work.by_bytes())) batch.keys.push_back(std::move(key));
  }
  add_traffic(work, batch);
  add_notice(work, true, batch);
  LONGLINE_TRY(const auto ids, spool_->take_received(batch, wall_now()));
  if (!ids) return taken_meanwhile();
  return ids->front();
}

/// What became of a local delivery. Its mail is where it belongs: only a sender who would not hear that it is not is a reason to have it sent again.
Result<std::string> ReceivedMail::note(Work& work) {
  if (!spool_) return std::string();
  ReceivedBatch batch;
  add_keys(work, batch);
  if (!work.queued.empty() && !work.by_bytes() && !work.digest.empty()) {
    for (const std::string& recipient : work.remote) batch.forgotten.push_back(work.key(recipient));
  }
  const bool sent = std::any_of(work.results.begin(), work.results.end(), [](const RecipientResult& r) { return r.outcome == Outcome::sent; });
  if (sent || !work.queued.empty()) add_traffic(work, batch);
  add_notice(work, true, batch);
  const std::size_t good_news = batch.submissions.size();
  add_notice(work, false, batch);
  const bool owes_notice = batch.submissions.size() > good_news;
  if (batch.submissions.empty() && batch.keys.empty() && batch.forgotten.empty() && !batch.traffic) return work.queued;
  auto noted = spool_->note_delivered(batch, wall_now());
  // A single error of the disk may be its last.
  if (!noted && noted.error().code == Errc::io) noted = spool_->note_delivered(batch, wall_now());
  if (noted) return work.queued;
  if (owes_notice) return std::move(noted).error();
  work.remark = "if it comes again, it is taken in again: " + escape_at_most(noted.error().message(), 300);
  return work.queued;
}

/// An ordinary user's `sendmail -bs`.
Result<std::string> ReceivedMail::drop(const Work& work) {
  mail::Submission submission = submission_of(*work.message);
  submission.recipients = work.message->recipients;
  LONGLINE_CHECK(leave_in_drop_folder(paths_.drop, mail::format_dropped(submission)));
  return std::string();
}

void ReceivedMail::finish(const std::shared_ptr<Work>& work, Result<std::string> outcome) {
  --under_way_;
  const mail::Deliver& message = *work->message;
  const auto about_message = [&](Event event) {
    event.connector = settings_.connector;
    event.more.set("sender", message.sender).set("recipients", message.recipients);
    event.more.set("size", static_cast<std::int64_t>(message.content.size()));
    events_.emit(event);
  };
  if (!work->known.empty()) {
    Event event{"mail.duplicate"};
    event.text = fmt::format("{} of {} recipients had it", work->known.size(), message.recipients.size());
    event.more.set("message_id", mail::header_field(message.content, "Message-ID").value_or(""));
    about_message(std::move(event));
  }
  if (!outcome) {
    about_message(failure_event("mail.refused", std::nullopt, "", outcome.error()));
  } else if (work->known.size() < message.recipients.size()) {
    Event event{"mail.received"};
    event.message = *outcome;
    event.text = work->remark;
    about_message(std::move(event));
  }
  const Done done = std::move(work->done);
  done(std::move(outcome));
}

}  // namespace longline::sys
