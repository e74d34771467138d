// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <list>
#include <memory>

#include "base/text.hpp"
#include "dialogue.hpp"
#include "mail/message.hpp"
#include "sys/maildir.hpp"
#include "sys/signals.hpp"
#include "sys/smtp_receiver.hpp"
#include "sys/sockets.hpp"
#include "sys/spool.hpp"
#include "sys/system_clock.hpp"
#include "sys/tty_stream.hpp"
#include "verbs.hpp"

namespace longline::mtaq {
namespace {

// Where received messages go, opened when the first one comes.
class Storage {
 public:
  Storage(const Options& options, World& world) : options_(options), world_(world), choice_(world.config) {}

  // Wrong folders are found at the start, not when the first caller has sent its mail.
  Result<void> open() {
    if (!options_.receive.maildir.empty()) {
      LONGLINE_TRY(sys::Maildir maildir, sys::Maildir::open(options_.receive.maildir));
      maildir_.emplace(std::move(maildir));
    } else {
      LONGLINE_TRY(sys::Spool spool, sys::Spool::open(world_.paths.spool));
      spool_.emplace(std::move(spool));
    }
    return {};
  }

  Result<std::string> store(const mail::Deliver& message) {
    Result<std::string> stored = maildir_ ? maildir_->deliver(message.content, sys::wall_now()) : to_spool(message);
    Event event{stored ? "mail.received" : "mail.refused"};
    if (!stored) event = failure_event("mail.refused", std::nullopt, "", stored.error());
    if (stored && !maildir_) event.message = *stored;
    event.more.set("sender", message.sender).set("recipients", message.recipients);
    event.more.set("size", static_cast<std::int64_t>(message.content.size()));
    world_.events.emit(event);
    return stored;
  }

 private:
  Result<std::string> to_spool(const mail::Deliver& message) {
    mail::Submission submission;
    submission.sender = message.sender;
    submission.content = message.content;
    submission.eight_bit = message.eight_bit;
    submission.message_id = mail::header_field(message.content, "Message-ID").value_or("");
    submission.subject = mail::header_field(message.content, "Subject").value_or("");
    for (const std::string& recipient : message.recipients) {
      const bool local = !options_.receive.submission || choice_.choose(recipient).local;
      (local ? submission.local_recipients : submission.recipients).push_back(recipient);
    }
    return spool_->add(submission, sys::wall_now());
  }

  const Options& options_;
  World& world_;
  mail::ConnectorChoice choice_;
  std::optional<sys::Maildir> maildir_;
  std::optional<sys::Spool> spool_;
};

bool is_loopback(std::string_view host) { return host == "localhost" || host == "::1" || host.starts_with("127."); }

// What is accepted: see mtaq(1), receive. A Maildir that somebody named for one line or one host is a sink, not a relay.
std::vector<std::string> accepted_domains(const ReceiveOptions& receive, const World& world, bool trusted) {
  if (receive.submission) return {"*"};
  std::vector<std::string> domains;
  for (const std::string& domain : receive.domains) domains.push_back(to_lower(domain));
  if (domains.empty()) domains = world.config.local_domains;
  if (domains.empty() && trusted && !receive.maildir.empty()) return {"*"};
  if (domains.empty()) domains.push_back(to_lower(world.host));
  return domains;
}

mail::SmtpServerOptions server_options(const Options& options, const World& world, bool trusted) {
  mail::SmtpServerOptions out;
  out.host = world.host;
  out.local_domains = accepted_domains(options.receive, world, trusted);
  out.size_limit = static_cast<std::uint64_t>(options.receive.max_size);
  out.command_timeout = options.receive.idle;
  out.wall_at_start = sys::wall_now();
  return out;
}

sys::SmtpReceiver::Trace trace_of(const Options& options) {
  if (options.common.verbose == 0) return {};
  return [dialogue = std::make_shared<Dialogue>("client", "server")](bool received, std::string_view bytes) {
    dialogue->show(received, bytes);
  };
}

Result<ExitStatus> receive_stdio(const Options& options, World& world, Storage& storage) {
  LONGLINE_TRY(auto line, sys::TtyStream::borrow(STDIN_FILENO, STDOUT_FILENO));
  LONGLINE_TRY(sys::Signals signals, sys::Signals::open({SIGTERM, SIGINT}));
  sys::Loop loop;
  mail::SmtpServerOptions server = server_options(options, world, true);
  const std::string address = sys::peer_address(STDIN_FILENO);
  server.peer = address.empty() ? "line" : address;
  std::optional<mail::SmtpServerFinished> finished;
  sys::SmtpReceiver receiver(
      loop, std::move(line), std::move(server), [&](const mail::Deliver& m) { return storage.store(m); },
      [&](const mail::SmtpServerFinished& end) {
        finished = end;
        loop.stop();
      },
      trace_of(options));
  bool stopping = false;
  const auto watch = loop.watch(signals.fd(), POLLIN, [&](short) {
    while (signals.take()) {
      if (stopping) loop.stop();
      stopping = true;
      receiver.stop();
    }
  });
  if (!finished) LONGLINE_CHECK(loop.run());
  if (options.common.verbose > 0 && finished && !finished->quit) {
    std::fprintf(stderr, "mtaq: the session ended without QUIT: %s\n", escape(finished->reason).c_str());
  }
  return ExitStatus::ok;
}

// The sessions of --listen. A session that ended is taken out in the next turn: it must not be destroyed from inside.
class Listener {
 public:
  Listener(const Options& options, World& world, Storage& storage, sys::UniqueFd socket, bool trusted)
      : options_(options), world_(world), storage_(storage), socket_(std::move(socket)), trusted_(trusted) {}

  Result<ExitStatus> run() {
    LONGLINE_TRY(sys::Signals signals, sys::Signals::open({SIGTERM, SIGINT}));
    accepting_ = loop_.watch(socket_.get(), POLLIN, [this](short) { accept_all(); });
    const auto watch = loop_.watch(signals.fd(), POLLIN, [&](short) {
      while (signals.take()) stop();
    });
    while (!stopping_ || !sessions_.empty()) {
      LONGLINE_CHECK(loop_.run_once(give_up_at_));
      sessions_.remove_if([](const Session& s) { return s.ended; });
      if (give_up_at_ && loop_.now() >= *give_up_at_) break;
      if (!stopping_) accepting_.set_events(room() ? POLLIN : 0);
    }
    return ExitStatus::ok;
  }

 private:
  struct Session {
    std::unique_ptr<sys::SmtpReceiver> receiver;
    bool ended = false;
  };

  bool room() const { return sessions_.size() < static_cast<std::size_t>(options_.receive.sessions); }

  void accept_all() {
    while (room()) {
      Result<sys::UniqueFd> client = sys::accept_connection(socket_.get());
      if (!client || !*client) return;
      const std::string peer = sys::peer_address(client->get());
      Result<std::unique_ptr<sys::ByteStream>> line = sys::stream_of(std::move(*client));
      if (!line) continue;
      mail::SmtpServerOptions server = server_options(options_, world_, trusted_);
      server.peer = peer;
      Session& session = sessions_.emplace_back();
      session.receiver = std::make_unique<sys::SmtpReceiver>(
          loop_, std::move(*line), std::move(server), [this](const mail::Deliver& m) { return storage_.store(m); },
          [&session](const mail::SmtpServerFinished&) { session.ended = true; }, trace_of(options_));
    }
  }

  void stop() {
    constexpr Duration kPatience(10'000);
    accepting_.reset();
    give_up_at_ = stopping_ ? loop_.now() : loop_.now() + kPatience;
    stopping_ = true;
    for (Session& session : sessions_) {
      if (!session.ended) session.receiver->stop();
    }
  }

  const Options& options_;
  World& world_;
  Storage& storage_;
  sys::UniqueFd socket_;
  bool trusted_;
  sys::Loop loop_;
  std::list<Session> sessions_;
  sys::Loop::Registration accepting_;
  std::optional<TimePoint> give_up_at_;
  bool stopping_ = false;
};

}  // namespace

Result<ExitStatus> run_receive(const Options& options, World& world) {
  const ReceiveOptions& receive = options.receive;
  if (receive.stdio == !receive.listen.empty()) return Error(Errc::usage, "say either --stdio or --listen HOST:PORT");
  Storage storage(options, world);
  LONGLINE_CHECK(storage.open());
  if (receive.stdio) return receive_stdio(options, world, storage);
  LONGLINE_TRY(const sys::HostPort where, sys::parse_host_port(receive.listen));
  LONGLINE_TRY(sys::UniqueFd socket, sys::listen_tcp(where));
  LONGLINE_TRY(const int port, sys::local_port(socket.get()));
  if (!options.common.quiet) {
    const bool six = where.host.find(':') != std::string::npos;
    std::fprintf(stderr, "listening on %s%s%s:%d\n", six ? "[" : "", where.host.c_str(), six ? "]" : "", port);
  }
  return Listener(options, world, storage, std::move(socket), is_loopback(where.host)).run();
}

}  // namespace longline::mtaq
