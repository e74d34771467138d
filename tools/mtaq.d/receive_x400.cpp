// SPDX-License-Identifier: MIT
// receive --x400: MTAs that call us, on a line or an address.
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <list>
#include <map>
#include <memory>

#include "base/text.hpp"
#include "receive.hpp"
#include "sys/intake/received_mail.hpp"
#include "sys/signals.hpp"
#include "sys/sockets.hpp"
#include "sys/system_clock.hpp"
#include "sys/tty_stream.hpp"
#include "sys/x400/x400_responder.hpp"
#include "verbs.hpp"

namespace longline::mtaq {
namespace {

constexpr std::size_t kMostOfConnector = 10;   // Exchange's limit: nine and an urgent one
constexpr std::size_t kMostUnbound = 100;      // callers who have not said yet who they are
constexpr int kMostATurn = 16;                 // or who calls all the time keeps the others from being heard
constexpr Duration kTryAgain(1'000);           // to accept, where descriptors ran out

std::string host_of(std::string_view address) {
  address = address.substr(0, address.rfind(':'));
  if (address.starts_with('[') && address.ends_with(']')) address = address.substr(1, address.size() - 2);
  return std::string(address);
}

/// A Unix socket, a pipe or a terminal has no IP address: it is a line.
sys::X400Caller caller_of(const std::string& address) {
  const std::string host = host_of(address);
  if (host.find_first_of(".:") == std::string::npos) return {"", "the line"};
  return {host, address};
}

sys::X400Responder::Settings settings_for(const Options& options, const World& world, const std::string& address) {
  sys::X400Responder::Settings out;
  out.caller = caller_of(address);
  out.host = world.host;
  out.adjust = [&options, &world](sys::IncomingMailSettings& settings) {
    const ReceiveOptions& receive = options.receive;
    if (has_target(receive)) settings.mail.target = delivery_target(receive, world);
    if (!receive.domains.empty()) {
      settings.mail.local_domains.clear();
      for (const std::string& domain : receive.domains) settings.mail.local_domains.push_back(to_lower(domain));
    }
    settings.largest = std::min(settings.largest, receive.max_size);
  };
  // The usual one is no shorter than the lifetime that peers give an idle association.
  if (options.receive.idle < ReceiveOptions().idle) out.idle = options.receive.idle;
  if (options.common.verbose > 0) out.note = [](const std::string& note) { std::fprintf(stderr, "mtaq: %s\n", note.c_str()); };
  return out;
}

Result<void> check_connectors(const World& world) {
  const auto is_x400 = [](const config::Connector& connector) { return connector.protocol == config::Protocol::x400; };
  if (std::any_of(world.config.connectors.begin(), world.config.connectors.end(), is_x400)) return {};
  return Error(Errc::config, "no connector has protocol = \"x400\": nobody could call").with_hint("mtaq receive without --x400 takes SMTP");
}

/// What cannot be stored is found before a caller has sent it.
Result<void> check_store(const Options& options, World& world) {
  sys::Loop loop;
  sys::ReceivedMailSettings settings;
  settings.target = has_target(options.receive) ? delivery_target(options.receive, world) : world.config.receive;
  settings.host = world.host;
  LONGLINE_CHECK(sys::ReceivedMail::open(loop, world.config, world.paths, world.events, std::move(settings)));
  return sys::Spool::open(world.paths.spool).map([](const sys::Spool&) {});
}

Result<ExitStatus> answer_stdio(const Options& options, World& world) {
  LONGLINE_TRY(auto line, sys::TtyStream::borrow(STDIN_FILENO, STDOUT_FILENO));
  LONGLINE_TRY(sys::Signals signals, sys::Signals::open({SIGTERM, SIGINT}));
  sys::Loop loop;
  std::optional<x400::RtsFinished> finished;
  sys::X400Responder responder(loop, world.config, world.paths, world.events, std::move(line),
                               settings_for(options, world, sys::peer_address(STDIN_FILENO)), [&](const x400::RtsFinished& end) {
                                 finished = end;
                                 loop.stop();
                               });
  bool stopping = false;
  const auto watch = loop.watch(signals.fd(), POLLIN, [&](short) {
    while (signals.take()) {
      if (stopping) loop.stop();
      stopping = true;
      responder.stop();
    }
  });
  responder.start();
  if (!finished) LONGLINE_CHECK(loop.run());
  if (!finished || !finished->error) return ExitStatus::ok;
  if (!finished->bound) return *finished->error;
  if (options.common.verbose > 0) std::fprintf(stderr, "mtaq: the association ended: %s\n", printable_at_most(finished->error->message(), 1000).c_str());
  return ExitStatus::ok;
}

// The associations of --listen. One that ended is taken out in the next turn: it must not be destroyed from inside.
class AssociationListener {
 public:
  AssociationListener(const Options& options, World& world, sys::UniqueFd socket) : options_(options), world_(world), socket_(std::move(socket)) {}

  Result<ExitStatus> run() {
    LONGLINE_TRY(sys::Signals signals, sys::Signals::open({SIGTERM, SIGINT}));
    accepting_ = loop_.watch(socket_.get(), POLLIN, [this](short) { accept_some(); });
    const auto watch = loop_.watch(signals.fd(), POLLIN, [&](short) {
      while (signals.take()) stop();
    });
    while (!stopping_ || !callers_.empty()) {
      LONGLINE_CHECK(loop_.run_once(give_up_at_));
      callers_.remove_if([](const Caller& caller) { return caller.ended; });
      if (give_up_at_ && loop_.now() >= *give_up_at_) break;
    }
    return ExitStatus::ok;
  }

 private:
  struct Caller {
    std::string host;
    std::unique_ptr<sys::X400Responder> responder{};
    bool ended = false;

    bool stands() const { return !ended && responder && responder->is_bound(); }
    bool is_unbound() const { return !ended && responder && !responder->is_bound(); }
  };

  /// Only those count that gave a name and a password: nobody else keeps a peer out.
  std::optional<Error> why_busy(const config::Connector& connector) const {
    const auto all = std::count_if(callers_.begin(), callers_.end(), [](const Caller& c) { return c.stands(); });
    if (all >= options_.receive.sessions) return Error(Errc::busy, fmt::format("{} associations stand, no more are taken", all), Stage::connect);
    const auto same = std::count_if(callers_.begin(), callers_.end(), [&](const Caller& c) { return c.stands() && c.responder->connector() == &connector; });
    if (static_cast<std::size_t>(same) < kMostOfConnector) return std::nullopt;
    return Error(Errc::busy, fmt::format("connector {} has its {} associations", connector.name, kMostOfConnector), Stage::connect);
  }

  /// A newcomer takes the place of whoever has waited longest without a bind, of the host that has most of these: a flood drives out itself.
  void make_room() {
    std::map<std::string_view, std::size_t> unbound;
    std::size_t all = 0;
    for (const Caller& caller : callers_) {
      if (caller.is_unbound()) ++all, ++unbound[caller.host];
    }
    if (all < kMostUnbound) return;
    const auto most = std::max_element(unbound.begin(), unbound.end(), [](const auto& a, const auto& b) { return a.second < b.second; })->second;
    const auto oldest = std::find_if(callers_.begin(), callers_.end(), [&](const Caller& c) { return c.is_unbound() && unbound.at(c.host) == most; });
    oldest->responder->abort(Error(Errc::busy, fmt::format("{} callers have not bound; this one made room for another", all), Stage::connect));
    callers_.erase(oldest);
  }

  void accept_some() {
    for (int n = 0; n < kMostATurn; ++n) {
      Result<sys::UniqueFd> client = sys::accept_connection(socket_.get());
      if (!client) {
        accepting_.set_events(0);
        accepting_again_ = loop_.at(loop_.now() + kTryAgain, [this] { accepting_.set_events(POLLIN); });
        return;
      }
      if (!*client) return;
      // Those who go on with a session ask for no place; but there is an end.
      if (callers_.size() >= kMostUnbound + 2 * static_cast<std::size_t>(options_.receive.sessions)) continue;
      sys::keep_queue_short(client->get());
      const std::string address = sys::peer_address(client->get());
      Result<std::unique_ptr<sys::ByteStream>> line = sys::stream_of(std::move(*client));
      if (!line || address.empty()) continue;
      make_room();
      Caller& caller = callers_.emplace_back(Caller{host_of(address)});
      sys::X400Responder::Settings settings = settings_for(options_, world_, address);
      settings.why_busy = [this](const config::Connector& connector) { return why_busy(connector); };
      caller.responder = std::make_unique<sys::X400Responder>(loop_, world_.config, world_.paths, world_.events, std::move(*line), std::move(settings),
                                                              [&caller](const x400::RtsFinished&) { caller.ended = true; });
      caller.responder->start();
    }
  }

  void stop() {
    constexpr Duration kPatience(10'000);
    accepting_.reset();
    accepting_again_.reset();
    give_up_at_ = stopping_ ? loop_.now() : loop_.now() + kPatience;
    stopping_ = true;
    for (Caller& caller : callers_) {
      if (caller.is_unbound()) caller.responder->abort(Error(Errc::interrupted, "we take no more", Stage::connect));
      else if (!caller.ended) caller.responder->stop();
    }
  }

  const Options& options_;
  World& world_;
  sys::UniqueFd socket_;
  sys::Loop loop_;
  std::list<Caller> callers_;
  sys::Loop::Registration accepting_;
  sys::Loop::Registration accepting_again_;
  std::optional<TimePoint> give_up_at_;
  bool stopping_ = false;
};

}  // namespace

Result<ExitStatus> receive_x400(const Options& options, World& world) {
  LONGLINE_CHECK(check_connectors(world));
  LONGLINE_CHECK(check_store(options, world));
  const ReceiveOptions& receive = options.receive;
  if (receive.stdio) return answer_stdio(options, world);
  LONGLINE_TRY(const sys::HostPort where, sys::parse_host_port(receive.listen));
  LONGLINE_TRY(sys::UniqueFd socket, sys::listen_tcp(where));
  LONGLINE_TRY(const int port, sys::local_port(socket.get()));
  tell_listening(options, where.host, port);
  return AssociationListener(options, world, std::move(socket)).run();
}

}  // namespace longline::mtaq
