// SPDX-License-Identifier: MIT
#include "sys/flush/peer_session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "sys/system_clock.hpp"

namespace longline::sys {
namespace {

using mail::MessageResult;

constexpr Duration kNoSessionDeadline(24 * 3'600'000);

}  // namespace

PeerSession::PeerSession(Loop& loop, Spool& spool, const config::Config& config, const StatePaths& paths, EventSink& events, std::string our_name,
                         const config::Connector& connector, PeerAddress hop, SmtpSender::Journal journal, Observer observer)
    : loop_(loop), spool_(spool), config_(config), paths_(paths), events_(events), our_name_(std::move(our_name)), connector_(connector),
      hop_(std::move(hop)), journal_(std::move(journal)), observer_(std::move(observer)) {}

Result<std::uint64_t> PeerSession::known_size_limit() {
  LONGLINE_TRY(const mail::PeerMemory memory, spool_.peer_memory(connector_.name, to_string(hop_), wall_now()));
  return memory.size_limit;
}

Result<void> PeerSession::open(std::optional<TimePoint> deadline) {
  deadline_ = deadline;
  LONGLINE_TRY(mail::SmtpOpeningOptions opening, opening_options(connector_, hop_, our_name_));
  static_cast<mail::SmtpOpeningOptions&>(options_) = std::move(opening);
  options_.pipelining = connector_.pipelining;
  options_.chunking = connector_.chunking;
  options_.stream = hop_.host == "line";
  if (const auto window = spool_.peer_window(connector_.name); window && *window) options_.window = **window;
  LONGLINE_TRY(memory_, spool_.peer_memory(connector_.name, to_string(hop_), wall_now()));
  mail::apply(memory_, options_);
  return connect();
}

Result<void> PeerSession::connect() {
  LONGLINE_TRY(line_, connect_peer(config_, paths_, connector_, hop_, deadline_.value_or(steady_now() + kNoSessionDeadline)));
  ++connections_;
  return {};
}

Result<mail::SmtpFinished> PeerSession::run(mail::MessageSource& source) {
  mail::ResumingSource resuming(source);
  const mail::SendWindow window_before = options_.window;
  Result<mail::SmtpFinished> finished = run_once(resuming);
  if (!finished) return finished;
  if (avoid(*finished)) {
    const mail::SmtpLessons first = finished->lessons;
    // Where the peer is gone now, the first end is the one to tell of.
    if (const Result<void> again = connect(); again) {
      resuming.offer_again();
      options_.window = finished->window;
      finished = run_once(resuming);
      if (!finished) return finished;
      if (finished->lessons.tried > 0) blame(first);
    }
  } else if (!finished->error || finished->lessons.said_so) {
    blame(finished->lessons);
  }
  if (const auto left = resuming.take_unanswered(); !left.empty()) LONGLINE_CHECK(journal_.record(left));
  if (finished->window != window_before) LONGLINE_CHECK(spool_.set_peer_window(connector_.name, finished->window, wall_now()));
  remember(*finished);
  // Not worth failing for: what was sent is recorded.
  (void)spool_.count_line(connector_.name, bytes_out_, bytes_in_, wall_now());
  return finished;
}

Result<mail::SmtpFinished> PeerSession::run_once(mail::ResumingSource& source) {
  SmtpSender::Journal journal{journal_.mark_in_doubt, [&](const std::vector<MessageResult>& results) -> Result<void> {
    const std::vector<MessageResult> answered = source.keep_unanswered(results);
    return answered.empty() ? Result<void>() : journal_.record(answered);
  }};
  sender_.emplace(loop_, std::move(line_), options_, source, std::move(journal), observer_.trace, tls_settings(paths_, connector_, hop_));
  Result<mail::SmtpFinished> finished = sender_->run();
  peer_ = sender_->peer();
  tls_ = sender_->tls();
  bytes_out_ += sender_->bytes_out();
  bytes_in_ += sender_->bytes_in();
  if (finished && finished->open) opened_ = sender_->release();
  sender_.reset();
  if (tls_ && observer_.note) {
    observer_.note(fmt::format("{}, {}{}{}", tls_->version, tls_->cipher, tls_->resumed ? ", resumed" : "",
                               tls_->doubt.empty() ? "" : "; " + tls_->doubt));
  }
  return finished;
}

/// Another connection may do better: sets the options for it.
bool PeerSession::avoid(const mail::SmtpFinished& finished) {
  const mail::SmtpLessons& lessons = finished.lessons;
  if (!finished.error || ending_) return false;
  const bool tls = lessons.tls_failed && options_.starttls == mail::StartTlsUse::if_offered;
  const bool on_line = hop_.host == "line";
  if (tls) {
    Event event = failure_event("mail.tls-failed", std::nullopt, connector_.link, *finished.error);
    event.connector = connector_.name;
    event.text = fmt::format("{}; {} in clear text", event.text, on_line ? "the next call goes" : "again");
    events_.emit(event);
    if (observer_.note) observer_.note(event.text);
    if (on_line) blame(lessons);
    options_.starttls = mail::StartTlsUse::never;
  }
  // What cut a line in its first flight was most likely the line.
  if (on_line) return false;
  if (lessons.pipelining_failed) options_.pipelining = options_.chunking = false;
  if (lessons.chunking_failed) options_.chunking = false;
  return tls || lessons.pipelining_failed || lessons.chunking_failed;
}

void PeerSession::blame(const mail::SmtpLessons& lessons) {
  if (!lessons.pipelining_failed && !lessons.chunking_failed && !lessons.tls_failed) return;
  memory_.lock_step = memory_.lock_step || lessons.pipelining_failed;
  memory_.no_chunking = memory_.no_chunking || lessons.chunking_failed;
  memory_.no_tls = memory_.no_tls || lessons.tls_failed;
  memory_.blamed = wall_now();
}

/// A memory that cannot be kept (full disk) is only a slower next call.
void PeerSession::remember(const mail::SmtpFinished& finished) {
  if (!peer_.ehlo_name.empty()) memory_ = mail::learn(memory_, peer_, finished.lessons, wall_now());
  if (!peer_.ehlo_name.empty() || memory_.no_tls) (void)spool_.set_peer_memory(connector_.name, to_string(hop_), memory_);
}

void PeerSession::stop() {
  ending_ = true;
  if (sender_) sender_->stop();
}

void PeerSession::abort() {
  ending_ = true;
  if (sender_) sender_->abort();
}

JsonObject PeerSession::facts() const {
  JsonObject out;
  if (tls_) {
    out.set("tls", tls_->version).set("tls_resumed", tls_->resumed);
    if (!tls_->doubt.empty()) out.set("tls_doubt", tls_->doubt);
  }
  if (connections_ > 1) out.set("connections", connections_);
  return out;
}

}  // namespace longline::sys
