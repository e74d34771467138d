// SPDX-License-Identifier: MIT
#include "receive.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <list>
#include <memory>

#include "base/text.hpp"
#include "dialogue.hpp"
#include "config/client_networks.hpp"
#include "sys/intake/received_mail.hpp"
#include "sys/signals.hpp"
#include "sys/intake/smtp_receiver.hpp"
#include "sys/sockets.hpp"
#include "sys/system_clock.hpp"
#include "sys/tty_stream.hpp"
#include "verbs.hpp"

namespace longline::mtaq {
namespace {

bool is_loopback(std::string_view host) { return host == "localhost" || host == "::1" || host.starts_with("127."); }

// What is accepted: see mtaq(1), receive. A Maildir that somebody named for one line or one host is a sink, not a relay.
std::vector<std::string> accepted_domains(const ReceiveOptions& receive, const World& world, bool trusted) {
  if (receive.submission) return {"*"};
  std::vector<std::string> domains;
  for (const std::string& domain : receive.domains) domains.push_back(to_lower(domain));
  if (domains.empty()) domains = world.config.local_domains;
  const config::Receive target = delivery_target(receive, world);
  const bool is_sink = !target.maildir.empty() || !target.lmtp.empty() || !target.command.empty();
  const bool relays = !world.config.relay_domains.empty() || !world.config.relay_from.empty();
  if (domains.empty() && trusted && is_sink && !relays) return {"*"};
  if (domains.empty()) domains.push_back(to_lower(world.host));
  return domains;
}

bool may_relay(const World& world, std::string_view peer) {
  config::ClientNetworks networks;
  for (const std::string& network : world.config.relay_from) {
    if (!networks.add(network)) return false;
  }
  std::string_view address = peer.substr(0, peer.rfind(':'));
  if (address.starts_with('[') && address.ends_with(']')) address = address.substr(1, address.size() - 2);
  return networks.contain(address);
}

sys::ReceivedMailSettings mail_settings(const Options& options, const World& world, bool trusted) {
  sys::ReceivedMailSettings out;
  out.target = delivery_target(options.receive, world);
  out.local_domains = accepted_domains(options.receive, world, trusted);
  out.submission = options.receive.submission;
  out.drops = world.drops;
  out.host = world.host;
  return out;
}

mail::SmtpServerOptions server_options(const Options& options, const World& world, bool trusted, const std::string& peer, const sys::ReceivedMail& mail) {
  mail::SmtpServerOptions out;
  out.host = world.host;
  out.local_domains = accepted_domains(options.receive, world, trusted);
  if (mail.has_spool() && !options.receive.submission) {
    out.relay_domains = world.config.relay_domains;
    out.relays_all = may_relay(world, peer);
  }
  out.dsn = mail.has_spool();
  out.peer = peer;
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

Result<ExitStatus> receive_stdio(const Options& options, World& world) {
  LONGLINE_TRY(auto line, sys::TtyStream::borrow(STDIN_FILENO, STDOUT_FILENO));
  LONGLINE_TRY(sys::Signals signals, sys::Signals::open({SIGTERM, SIGINT}));
  sys::Loop loop;
  LONGLINE_TRY(const auto mail, sys::ReceivedMail::open(loop, world.config, world.paths, world.events, mail_settings(options, world, true)));
  const std::string address = sys::peer_address(STDIN_FILENO);
  std::optional<mail::SmtpServerFinished> finished;
  sys::SmtpReceiver receiver(
      loop, std::move(line), server_options(options, world, true, address.empty() ? "line" : address, *mail),
      [&](mail::Deliver&& m, sys::SmtpReceiver::Answer answer) { mail->take(std::move(m), std::move(answer)); },
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
  // Whoever asked has gone; that it was delivered is remembered all the same.
  while (mail->under_way() > 0 && !stopping) LONGLINE_CHECK(loop.run_once());
  if (options.common.verbose > 0 && finished && !finished->quit) {
    std::fprintf(stderr, "%s: the session ended without QUIT: %s\n", options.called.c_str(), escape(finished->reason).c_str());
  }
  return ExitStatus::ok;
}

// The sessions of --listen. A session that ended is taken out in the next turn: it must not be destroyed from inside.
class Listener {
 public:
  Listener(const Options& options, World& world, sys::UniqueFd socket, bool trusted)
      : options_(options), world_(world), socket_(std::move(socket)), trusted_(trusted) {}

  Result<void> open() {
    LONGLINE_TRY(mail_, sys::ReceivedMail::open(loop_, world_.config, world_.paths, world_.events, mail_settings(options_, world_, trusted_)));
    return {};
  }

  Result<ExitStatus> run() {
    LONGLINE_TRY(sys::Signals signals, sys::Signals::open({SIGTERM, SIGINT}));
    accepting_ = loop_.watch(socket_.get(), POLLIN, [this](short) { accept_all(); });
    const auto watch = loop_.watch(signals.fd(), POLLIN, [&](short) {
      while (signals.take()) stop();
    });
    while (!stopping_ || !sessions_.empty() || mail_->under_way() > 0) {
      LONGLINE_CHECK(loop_.run_once(give_up_at_));
      sessions_.remove_if([](const Session& s) { return s.ended; });
      if (give_up_at_ && loop_.now() >= *give_up_at_) break;
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
    while (true) {
      Result<sys::UniqueFd> client = sys::accept_connection(socket_.get());
      if (!client || !*client) return;
      if (!room()) {
        constexpr std::string_view kFull = "421 4.3.2 too many connections\r\n";
        (void)::send(client->get(), kFull.data(), kFull.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        continue;
      }
      const std::string peer = sys::peer_address(client->get());
      Result<std::unique_ptr<sys::ByteStream>> line = sys::stream_of(std::move(*client));
      if (!line) continue;
      Session& session = sessions_.emplace_back();
      session.receiver = std::make_unique<sys::SmtpReceiver>(
          loop_, std::move(*line), server_options(options_, world_, trusted_, peer, *mail_),
          [this](mail::Deliver&& m, sys::SmtpReceiver::Answer answer) { mail_->take(std::move(m), std::move(answer)); },
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
  sys::UniqueFd socket_;
  bool trusted_;
  sys::Loop loop_;
  std::unique_ptr<sys::ReceivedMail> mail_;
  std::list<Session> sessions_;
  sys::Loop::Registration accepting_;
  std::optional<TimePoint> give_up_at_;
  bool stopping_ = false;
};

}  // namespace

bool has_target(const ReceiveOptions& receive) { return !receive.maildir.empty() || !receive.lmtp.empty() || !receive.command.empty(); }

config::Receive delivery_target(const ReceiveOptions& receive, const World& world) {
  if (!has_target(receive)) return world.config.receive;
  config::Receive target{receive.maildir, receive.lmtp, {}};
  for (const std::string_view word : split(receive.command, ' ')) {
    if (!word.empty()) target.command.emplace_back(word);
  }
  return target;
}

void tell_listening(const Options& options, const std::string& host, int port) {
  if (options.common.quiet) return;
  const bool six = host.find(':') != std::string::npos;
  std::fprintf(stderr, "listening on %s%s%s:%d\n", six ? "[" : "", host.c_str(), six ? "]" : "", port);
}

Result<ExitStatus> run_receive(const Options& options, World& world) {
  const ReceiveOptions& receive = options.receive;
  if (receive.stdio == !receive.listen.empty()) return Error(Errc::usage, "say either --stdio or --listen HOST:PORT");
  if (receive.x400) return receive_x400(options, world);
  if (receive.stdio) return receive_stdio(options, world);
  LONGLINE_TRY(const sys::HostPort where, sys::parse_host_port(receive.listen));
  LONGLINE_TRY(sys::UniqueFd socket, sys::listen_tcp(where));
  LONGLINE_TRY(const int port, sys::local_port(socket.get()));
  Listener listener(options, world, std::move(socket), is_loopback(where.host));
  LONGLINE_CHECK(listener.open());
  tell_listening(options, where.host, port);
  return listener.run();
}

}  // namespace longline::mtaq
