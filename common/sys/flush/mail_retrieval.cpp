// SPDX-License-Identifier: MIT
#include "sys/flush/mail_retrieval.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <memory>
#include <utility>
#include <variant>

#include "base/text.hpp"
#include "sys/child_process.hpp"
#include "sys/flush/line_lease.hpp"
#include "sys/flush/peer_connection.hpp"
#include "sys/intake/received_mail.hpp"
#include "sys/intake/smtp_receiver.hpp"
#include "sys/line_pump.hpp"
#include "sys/link/link_client.hpp"
#include "sys/loop.hpp"
#include "sys/signals.hpp"
#include "sys/spool/spool.hpp"
#include "sys/system_clock.hpp"

namespace longline::sys {
namespace {

using By = config::Retrieve::By;

constexpr int kAtrnPort = 366;                 // RFC 2645, 5
constexpr Duration kQuitPatience(5'000);
constexpr std::size_t kLongestShown = 1000;
constexpr Duration kSoftEnd(10'000);
constexpr Duration kPatienceBehindSignal(5'000);     // dialctl kills 10 s after its SIGTERM
constexpr Duration kLongestRetrieval(24 * 3'600'000);
// As long as the peer needs to find its mail; a line that costs money is not held for RFC 5321's five minutes twice.
constexpr Duration kClientPatience(5 * 60'000);

std::string_view name_of(By by) {
  switch (by) {
    case By::atrn: return "atrn";
    case By::turn: return "turn";
    case By::command: return "command";
    case By::etrn: break;
  }
  return "etrn";
}

/// One session: asks, and serves the line when it has turned round.
class Session {
 public:
  /// `encrypted`: TLS comes before the peer's first word.
  Session(Loop& loop, std::unique_ptr<ByteStream> line, mail::Retrieval machine, bool encrypted, TlsSettings tls, ReceivedMail* mail,
          mail::SmtpServerOptions server, const RetrievalRun& run)
      : loop_(loop), encrypted_(encrypted), machine_(std::move(machine)), tls_settings_(std::move(tls)), mail_(mail), server_(std::move(server)),
        run_(run),
        pump_(loop, std::move(line),
              {[this](std::string_view bytes) {
                 trace(true, bytes);
                 machine_.on_bytes(bytes, loop_.now());
                 drain();
               },
               [this](const Error& why) {
                 if (tls_begun_ && !secured_) machine_.on_tls_failed(why, loop_.now());
                 machine_.on_closed(loop_.now());
                 drain();
                 over_ = true;
               },
               [this] { drain(); }}) {}

  Result<void> go(TimePoint end) {
    machine_.start(loop_.now());
    if (encrypted_) start_tls();
    drain();
    while (!over_ && !turned_) LONGLINE_CHECK(step(end));
    if (turned_) LONGLINE_CHECK(serve(end));
    return {};
  }
  void stop(Errc cause) {
    if (!ended_by_) ended_by_ = cause;
    if (cause == Errc::interrupted && !last_) last_ = loop_.now() + kPatienceBehindSignal;
    if (receiver_) return receiver_->stop();
    machine_.on_closed(loop_.now());
    over_ = true;
  }

  std::optional<OpenedSession> take_open() {
    if (!finished_ || !finished_->open || ended_by_ || pump_.closed()) return std::nullopt;
    return OpenedSession{pump_.release(), machine_.take_parser(), machine_.peer()};
  }
  std::vector<mail::RetrievalAnswer> answers() const { return machine_.answers(); }
  std::uint64_t bytes_out() const { return served_out_ + pump_.bytes_out(); }
  std::uint64_t bytes_in() const { return served_in_ + pump_.bytes_in(); }
  std::uint64_t messages() const { return *taken_; }
  std::optional<Error> error() const {
    if (served_ && served_->quit) return std::nullopt;   // that was all, however late
    if (ended_by_) return Error(*ended_by_, *ended_by_ == Errc::deadline ? "the time ran out" : "interrupted", Stage::transfer);
    if (served_) return Error(Errc::line_dropped, "the peer had not said that this was all: " + escape(served_->reason), Stage::transfer);
    return finished_ ? finished_->error : std::nullopt;
  }

 private:
  Result<void> step(TimePoint end) {
    LONGLINE_CHECK(loop_.run_once(end));
    if (loop_.now() >= end) stop(Errc::deadline);
    return {};
  }

  void trace(bool received, std::string_view bytes) {
    if (run_.trace) run_.trace(received, bytes);
  }

  void start_tls() {
    tls_begun_ = true;
    const Result<void> wrapped = pump_.wrap([this](std::unique_ptr<ByteStream> line) -> Result<std::unique_ptr<ByteStream>> {
      LONGLINE_TRY(std::unique_ptr<TlsStream> stream, TlsStream::start(std::move(line), tls_settings_, [this](const TlsInfo&) {
        secured_ = true;
        if (!encrypted_) machine_.on_secured(loop_.now());
        drain();
      }));
      return std::unique_ptr<ByteStream>(std::move(stream));
    });
    if (wrapped) return;
    machine_.on_tls_failed(wrapped.error(), loop_.now());
    machine_.on_closed(loop_.now());
    over_ = true;
  }

  void drain() {
    if (std::exchange(draining_, true)) return;
    while (auto action = machine_.next_action()) {
      if (auto* write = std::get_if<Write>(&*action)) {
        trace(false, write->secret ? "********\r\n" : write->bytes);
        pump_.write(write->bytes, write->secret);
      } else if (std::holds_alternative<mail::StartTls>(*action)) {
        start_tls();
      } else if (std::holds_alternative<mail::TurnRound>(*action)) {
        turned_ = true;
        pump_.set_reading(false);
      } else {
        finished_ = std::get<mail::RetrievalFinished>(std::move(*action));
      }
    }
    draining_ = false;
    timer_.reset();
    if (finished_) {
      if (pump_.idle() || pump_.closed() || finished_->error || finished_->open) over_ = true;
      else timer_ = loop_.at(loop_.now() + kQuitPatience, [this] { over_ = true; });
    } else if (const auto deadline = machine_.deadline()) {
      timer_ = loop_.at(*deadline, [this] {
        machine_.on_time(loop_.now());
        drain();
      });
    }
  }

  Result<void> serve(TimePoint end) {
    timer_.reset();
    SmtpReceiver::Trace trace;
    if (run_.trace) trace = run_.trace;
    receiver_.emplace(loop_, pump_.release(), std::move(server_),
                      [this](mail::Deliver&& message, SmtpReceiver::Answer answer) {
                        mail_->take(std::move(message), [answer = std::move(answer), taken = taken_](Result<std::string> id) {
                          *taken += id ? 1 : 0;
                          answer(std::move(id));
                        });
                      },
                      [this](const mail::SmtpServerFinished& finished) { served_ = finished; }, std::move(trace));
    // As in a flush, the last tenth begins nothing: the client hears 421 at its next command. At the end the line is closed, whatever it is at.
    const TimePoint soft = end - std::min((end - loop_.now()) / 10, kSoftEnd);
    timer_ = loop_.at(soft, [this] { stop(Errc::deadline); });
    const auto last = [&] { return std::min(end, last_.value_or(end)); };
    while (!served_ && loop_.now() < last()) LONGLINE_CHECK(loop_.run_once(last()));
    if (!served_) stop(Errc::deadline);
    timer_.reset();
    served_out_ = receiver_->bytes_out();
    served_in_ = receiver_->bytes_in();
    receiver_.reset();
    while (mail_->under_way() > 0 && loop_.now() < last()) LONGLINE_CHECK(loop_.run_once(last()));
    return {};
  }

  Loop& loop_;
  bool encrypted_;
  mail::Retrieval machine_;
  TlsSettings tls_settings_;
  ReceivedMail* mail_;
  mail::SmtpServerOptions server_;
  const RetrievalRun& run_;
  std::optional<SmtpReceiver> receiver_;
  std::optional<mail::RetrievalFinished> finished_;
  std::optional<mail::SmtpServerFinished> served_;
  std::optional<Errc> ended_by_;
  std::optional<TimePoint> last_;   // behind a signal
  std::shared_ptr<std::uint64_t> taken_ = std::make_shared<std::uint64_t>(0);
  std::uint64_t served_out_ = 0, served_in_ = 0;
  bool tls_begun_ = false, secured_ = false;
  bool draining_ = false, turned_ = false, over_ = false;
  Loop::Registration timer_;
  LinePump pump_;
};

/// What a program's status says: those that we have ourselves stay, all others are "later".
Errc meaning_of(int status) {
  static constexpr std::pair<ExitStatus, Errc> kMeanings[] = {
      {ExitStatus::usage, Errc::usage},          {ExitStatus::data, Errc::refused},
      {ExitStatus::no_input, Errc::not_found},   {ExitStatus::unavailable, Errc::next_hop_unreachable},
      {ExitStatus::software, Errc::software},    {ExitStatus::os, Errc::os},
      {ExitStatus::io, Errc::io},                {ExitStatus::cannot_create, Errc::cannot_create},
      {ExitStatus::protocol, Errc::protocol},    {ExitStatus::denied, Errc::auth_refused},
      {ExitStatus::config, Errc::config},        {ExitStatus::deadline, Errc::deadline},
  };
  for (const auto& [known, code] : kMeanings) {
    if (static_cast<int>(known) == status) return code;
  }
  return Errc::busy;
}

/// A program of the operator's. Its words are for people: stdout is ours, and read by programs.
std::optional<Error> run_command(const config::Retrieve& retrieve, TimePoint end) {
  SpawnOptions spawn;
  spawn.argv = retrieve.command;
  spawn.stdout_fd = STDERR_FILENO;
  spawn.new_process_group = true;
  Result<ChildProcess> child = ChildProcess::spawn(spawn);
  if (!child) return std::move(child).error();
  Loop loop;
  const TimePoint began = loop.now();
  std::optional<int> status;
  const auto watch = loop.watch(child->pidfd(), POLLIN, [&](short) { status = child->try_wait(); });
  const TimePoint limit = std::min(end, began + retrieve.deadline);
  while (!status && loop.now() < limit) {
    if (auto ran = loop.run_once(limit); !ran) return std::move(ran).error();
  }
  const std::string& name = retrieve.command.front();
  if (!status) {
    return Error(Errc::deadline, fmt::format("{} was not done after {}", escape_at_most(name, 100), format_duration(limit - began)), Stage::transfer);
  }
  if (*status == 0) return std::nullopt;
  // 128 and the signal, as a shell says it.
  const std::string signal = *status > 128 ? fmt::format(" (signal {})", *status - 128) : "";
  return Error(meaning_of(*status), fmt::format("{} ended with status {}{}", escape_at_most(name, 100), *status, signal), Stage::transfer);
}

config::Connector at_port(const config::Connector& connector) {
  config::Connector out = connector;
  if (connector.retrieve->port != 0) out.port = connector.retrieve->port;
  else if (connector.retrieve->by == By::atrn) out.port = kAtrnPort;
  return out;
}

Result<void> talk(const config::Config& config, const StatePaths& paths, EventSink& events, const config::Connector& connector, const RetrievalRun& run,
                  TimePoint end, std::optional<OpenedSession> opened, RetrievalResult& result) {
  const config::Retrieve& retrieve = *connector.retrieve;
  const config::Connector there = at_port(connector);
  const PeerAddress address = peer_address(there);
  Result<mail::SmtpOpeningOptions> opening = opening_options(there, address, run.host);
  if (!opening) return std::move(opening).error();
  Loop loop;
  std::unique_ptr<ReceivedMail> mail;
  mail::SmtpServerOptions server;
  if (retrieve.by != By::etrn) {
    ReceivedMailSettings settings;
    settings.target = config.receive;
    settings.local_domains = config.local_domains;
    settings.host = run.host;
    settings.connector = connector.name;
    // Before the call: mail that could not be stored is not asked for.
    LONGLINE_TRY(mail, ReceivedMail::open(loop, config, paths, events, settings));
    server.host = run.host;
    server.local_domains = config.local_domains;
    if (server.local_domains.empty()) server.local_domains.push_back(to_lower(run.host));
    if (mail->has_spool()) server.relay_domains = config.relay_domains;
    server.dsn = mail->has_spool();
    server.peer = address.host == "line" ? "line" : to_string(address);
    server.command_timeout = kClientPatience;
    server.wall_at_start = wall_now();
  }
  const bool encrypted = opening->encrypted && !opened;
  mail::RetrievalOptions options{retrieve.by, retrieve.domains, std::move(*opening), run.keep_open};
  std::optional<mail::Retrieval> machine;
  std::unique_ptr<ByteStream> line;
  if (opened) {
    machine.emplace(std::move(options), std::move(opened->peer), std::move(opened->parser));
    line = std::move(opened->line);
  } else {
    Result<std::unique_ptr<ByteStream>> connected = connect_peer(config, paths, there, address, end);
    if (!connected) {
      result.error = std::move(connected).error();
      return {};
    }
    machine.emplace(std::move(options));
    line = std::move(*connected);
  }
  LONGLINE_TRY(Signals signals, Signals::open({SIGTERM, SIGINT, SIGHUP}));
  Session session(loop, std::move(line), std::move(*machine), encrypted, tls_settings(paths, there, address), mail.get(), std::move(server), run);
  const auto watch = loop.watch(signals.fd(), POLLIN, [&](short) {
    while (signals.take()) session.stop(Errc::interrupted);
  });
  LONGLINE_CHECK(session.go(end));
  result.answers = session.answers();
  result.messages = session.messages();
  result.bytes_out = session.bytes_out();
  result.bytes_in = session.bytes_in();
  result.error = session.error();
  result.open = session.take_open();
  return {};
}

}  // namespace

bool retrieves_in_session(const config::Connector& connector) {
  if (!connector.retrieve || connector.retrieve->by == By::command || connector.protocol != config::Protocol::smtp || connector.host == "mx") return false;
  return connector.host == "line" || at_port(connector).port == connector.port;
}

bool RetrievalResult::mail_comes() const {
  return std::any_of(answers.begin(), answers.end(), [](const mail::RetrievalAnswer& a) { return a.mail_comes; });
}

JsonObject to_json(const RetrievalResult& result) {
  JsonObject out;
  out.set("connector", result.connector);
  if (result.link.empty()) out.set_null("link");
  else out.set("link", result.link);
  out.set("by", name_of(result.by));
  const bool fetches = result.by == By::atrn || result.by == By::turn;
  const bool nothing = result.by != By::command && !result.mail_comes();
  out.set("result", result.error ? "failed" : nothing ? "nothing" : fetches ? "fetched" : "asked");
  if (fetches) out.set("messages", static_cast<std::int64_t>(result.messages));
  else out.set_null("messages");
  std::vector<JsonObject> answers;
  for (const mail::RetrievalAnswer& answer : result.answers) {
    JsonObject one;
    if (answer.domain.empty()) one.set_null("domain");
    else one.set("domain", answer.domain);
    answers.push_back(one.set("code", answer.code).set("text", answer.text));
  }
  out.set("answers", answers);
  if (result.error) out.set("code", to_string(result.error->code)).set("reason", result.error->message());
  else out.set_null("code").set_null("reason");
  return out;
}

std::string to_text(const RetrievalResult& result) {
  std::string out = fmt::format("{}: ", escape(result.connector));
  if (result.error) return out + printable_at_most(result.error->message(), kLongestShown);
  if (result.by == By::command) return out + "the command is done";
  if (!result.mail_comes()) return out + "no mail waits there";
  if (result.by == By::etrn) return out + "the peer sends what it has";
  return out + fmt::format("{} message{} fetched", result.messages, result.messages == 1 ? "" : "s");
}

Result<RetrievalResult> retrieve_mail(const config::Config& config, const StatePaths& paths, EventSink& events, const config::Connector& connector,
                                      const RetrievalRun& run, std::optional<OpenedSession> session) {
  const config::Retrieve& retrieve = *connector.retrieve;
  RetrievalResult result;
  result.connector = connector.name;
  result.link = connector.link;
  result.by = retrieve.by;
  const TimePoint end = run.deadline.value_or(steady_now() + kLongestRetrieval);
  LONGLINE_TRY(Spool spool, Spool::open(paths.spool));
  std::optional<LineLease> lease;
  // A command of the operator's may well be one that flushes.
  if (!session && retrieve.by != By::command) {
    lease.emplace(spool, connector);
    LONGLINE_TRY(result.error, lease->take(run.wait, end));
    if (result.error) return result;
    result.done_elsewhere = lease->has_waited() && run.still_wanted && !run.still_wanted();
    if (result.done_elsewhere) return result;
  }
  TransferReport report(paths, connector.link);
  if (retrieve.by == By::command) {
    result.error = run_command(retrieve, end);
  } else {
    LONGLINE_CHECK(talk(config, paths, events, connector, run, end, std::move(session), result));
  }
  Event event{"mail.retrieved"};
  if (result.error) event = failure_event("mail.retrieve-failed", std::nullopt, connector.link, *result.error);
  event.link = connector.link;
  event.connector = connector.name;
  event.more.set("by", name_of(retrieve.by)).set("messages", static_cast<std::int64_t>(result.messages));
  event.more.set("bytes_out", static_cast<std::int64_t>(result.bytes_out)).set("bytes_in", static_cast<std::int64_t>(result.bytes_in));
  events.emit(event);
  // A call for nothing is one whose retrieval failed, not one that found no mail.
  const bool was_up = !result.error || result.error->code != Errc::link_down;
  if (was_up) report.finish(1, result.error ? 0 : 1, connector.name);
  if (result.bytes_out + result.bytes_in > 0) LONGLINE_CHECK(spool.count_line(connector.name, result.bytes_out, result.bytes_in, wall_now()));
  // A call to hear the same again is money for nothing. Whoever never heard us has said nothing.
  const ExitStatus status = result.error ? exit_status(result.error->code) : ExitStatus::ok;
  const bool for_good = status == ExitStatus::data || status == ExitStatus::denied;
  const Duration rest = !result.error || for_good ? retrieve.every : std::min(retrieve.every, connector.open_interval);
  const bool counts = !result.error || (was_up && result.error->code != Errc::interrupted && result.error->code != Errc::deadline);
  if (counts) LONGLINE_CHECK(spool.set_retrieved(connector.name, wall_now() - retrieve.every + rest));
  return result;
}

}  // namespace longline::sys
