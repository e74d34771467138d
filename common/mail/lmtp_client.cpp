// SPDX-License-Identifier: MIT
#include "mail/lmtp_client.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "mail/address.hpp"

namespace longline::mail {
namespace {

constexpr std::size_t kContentPiece = 64 * 1024;

RecipientResult result_of(const std::string& address, const SmtpReply& reply) {
  const Outcome outcome = reply.ok() ? Outcome::sent : reply.permanent() ? Outcome::refused : Outcome::deferred;
  return {address, outcome, reply.code, reply.enhanced, reply.text()};
}

}  // namespace

LmtpClient::LmtpClient(LmtpOptions options) : options_(std::move(options)), results_(options_.recipients.size()) {}

void LmtpClient::start(TimePoint now) {
  step_ = Step::greeting;
  started_ = last_progress_ = now;
}

void LmtpClient::send(std::string line) { actions_.emplace_back(Write{std::move(line) + "\r\n"}); }

bool LmtpClient::any_accepted() const {
  return std::any_of(results_.begin(), results_.end(), [](const auto& r) { return !r; });
}

void LmtpClient::all_get(Outcome outcome, int code, std::string enhanced, std::string text) {
  for (std::size_t i = 0; i < results_.size(); ++i) {
    if (!results_[i]) results_[i] = RecipientResult{options_.recipients[i], outcome, code, enhanced, text};
  }
  finish();
}

void LmtpClient::finish() {
  if (step_ == Step::finished) return;
  step_ = Step::finished;
  LmtpFinished finished;
  for (std::size_t i = 0; i < results_.size(); ++i) {
    finished.results.push_back(results_[i].value_or(
        RecipientResult{options_.recipients[i], Outcome::deferred, 0, "4.4.2", "the LMTP session ended before the reply"}));
  }
  actions_.emplace_back(std::move(finished));
}

void LmtpClient::on_bytes(std::string_view in, TimePoint now) {
  if (step_ == Step::idle || step_ == Step::finished) return;
  replies_.feed(in);
  take_replies(now);
}

/// What comes while the message leaves waits until it has left: the same bytes give the same answers however they arrive.
void LmtpClient::take_replies(TimePoint now) {
  while (step_ != Step::finished && step_ != Step::body) {
    auto reply = replies_.next();
    if (!reply) return all_get(Outcome::deferred, 0, "4.5.0", reply.error().what);
    if (!*reply) return;
    last_progress_ = now;
    take(**reply);
  }
}

/// The next recipient to ask about, or DATA behind the last.
void LmtpClient::next_recipient() {
  if (at_ < options_.recipients.size()) {
    step_ = Step::recipient;
    return send(fmt::format("RCPT TO:<{}>", options_.recipients[at_]));
  }
  if (!any_accepted()) {
    send("QUIT");
    return finish();
  }
  step_ = Step::data;
  send("DATA");
}

void LmtpClient::take(const SmtpReply& reply) {
  const auto give_up = [&] {
    // A 5xx to LHLO or MAIL is about the server or the sender; a store that refuses us altogether is a matter for its operator.
    const bool final = reply.permanent() && (step_ == Step::mail || step_ == Step::data);
    send("QUIT");
    all_get(final ? Outcome::refused : Outcome::deferred, reply.code, reply.enhanced, reply.text());
  };
  switch (step_) {
    case Step::greeting:
      if (reply.code != 220) return give_up();
      step_ = Step::lhlo;
      return send("LHLO " + options_.host);
    case Step::lhlo: {
      if (!reply.ok()) return give_up();
      const bool eight_bit = std::any_of(reply.lines.begin(), reply.lines.end(), [](const std::string& line) { return iequals(trim(line), "8BITMIME"); });
      const bool smtputf8 = std::any_of(reply.lines.begin(), reply.lines.end(), [](const std::string& line) { return iequals(trim(line), "SMTPUTF8"); });
      const auto odd = [](const std::string& address) { return needs_smtputf8(address); };
      const bool wants = odd(options_.sender) || std::any_of(options_.recipients.begin(), options_.recipients.end(), odd);
      step_ = Step::mail;
      return send(fmt::format("MAIL FROM:<{}>{}{}", options_.sender, eight_bit ? " BODY=8BITMIME" : "", wants && smtputf8 ? " SMTPUTF8" : ""));
    }
    case Step::mail:
      if (!reply.ok()) return give_up();
      return next_recipient();
    case Step::recipient:
      if (!reply.ok()) results_[at_] = result_of(options_.recipients[at_], reply);
      ++at_;
      return next_recipient();
    case Step::data:
      if (reply.code != 354) return give_up();
      step_ = Step::body;
      return;
    case Step::verdicts:
      while (results_[at_]) ++at_;
      results_[at_] = result_of(options_.recipients[at_], reply);
      if (any_accepted()) return;
      send("QUIT");
      return finish();
    case Step::idle:
    case Step::body:
    case Step::finished: return;
  }
}

void LmtpClient::on_writable(std::size_t free, TimePoint now) {
  while (step_ == Step::body && free >= 16) {
    last_progress_ = now;
    std::string out;
    const std::size_t most = std::min(free, kContentPiece);
    while (sent_ < options_.content.size() && out.size() + 2 < most) {
      if (line_start_ && options_.content[sent_] == '.') out += '.';
      const std::size_t end = options_.content.find('\n', sent_);
      const std::size_t room = most - out.size() - 1;
      const std::size_t length = std::min(room, (end == std::string_view::npos ? options_.content.size() : end + 1) - sent_);
      out += options_.content.substr(sent_, length);
      sent_ += length;
      line_start_ = out.ends_with('\n');
    }
    if (sent_ == options_.content.size() && out.size() + 5 <= most) {
      out += options_.content.ends_with("\r\n") ? ".\r\n" : "\r\n.\r\n";
      step_ = Step::verdicts;
      at_ = 0;
    }
    free -= std::min(free, out.size());
    if (out.empty()) return;
    actions_.emplace_back(Write{std::move(out)});
    if (step_ == Step::verdicts) take_replies(now);
  }
}

void LmtpClient::on_closed(TimePoint) {
  if (step_ != Step::idle) finish();
}

void LmtpClient::on_time(TimePoint now) {
  const auto until = deadline();
  if (until && now >= *until) all_get(Outcome::deferred, 0, "4.4.2", "the LMTP server does not answer");
}

std::optional<TimePoint> LmtpClient::deadline() const {
  if (step_ == Step::idle || step_ == Step::finished) return std::nullopt;
  return std::min(last_progress_ + options_.reply_timeout, started_ + options_.session_limit);
}

std::optional<LmtpAction> LmtpClient::next_action() { return take_first(actions_); }

}  // namespace longline::mail
