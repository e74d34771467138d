// SPDX-License-Identifier: MIT
// demand: an interface that stands for a link while it is down. What is decided is decided in link/demand_machine.*.
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <deque>
#include <random>

#include "base/text.hpp"
#include "dialctl.d/hold.hpp"
#include "link/demand_machine.hpp"
#include "route/address.hpp"
#include "sys/child_process.hpp"
#include "sys/config_file.hpp"
#include "sys/event_log.hpp"
#include "sys/link/link_client.hpp"
#include "sys/loop.hpp"
#include "sys/network/forwarding.hpp"
#include "sys/network/packet_sender.hpp"
#include "sys/network/route_table.hpp"
#include "sys/network/tun.hpp"
#include "sys/process.hpp"
#include "sys/sibling_tool.hpp"
#include "sys/system_clock.hpp"

namespace longline::tools::dialctl {
namespace {

constexpr Duration kLook{1'000};            ///< for a supervisor that somebody else has started
constexpr Duration kAsk{10'000};            ///< whether the link may be called
constexpr Duration kRouteadd{15'000};
constexpr Duration kUntilRoutes{3'000};     ///< after "up": the routes are there already, but for a routeadd that is late
constexpr Duration kSendAgain{100};
constexpr Duration kCallAgain{50};          ///< when the call that was closing is gone

route::IpAddress address_of(const link::PacketFacts& packet, const std::array<std::uint8_t, 16>& bytes) {
  route::IpAddress out;
  out.family = packet.version == 4 ? route::Family::ipv4 : route::Family::ipv6;
  std::copy_n(bytes.begin(), out.byte_count(), out.bytes.begin());
  return out;
}

/// "tcp 10.1.0.5 -> 192.168.100.2 port 25": why the telephone bill is what it is.
std::string describe(const link::PacketFacts& packet) {
  const std::string protocol = packet.protocol == 6    ? "tcp"
                               : packet.protocol == 17 ? "udp"
                               : packet.protocol == 1 || packet.protocol == 58 ? "icmp"
                                                       : fmt::format("protocol {}", packet.protocol);
  const std::string port = packet.destination_port ? fmt::format(" port {}", *packet.destination_port) : "";
  return fmt::format("{} {} -> {}{}", protocol, to_string(address_of(packet, packet.source)),
                     to_string(address_of(packet, packet.destination)), port);
}

class Demand {
 public:
  Demand(const World& world, const config::Link& link, sys::Tun tun, sys::PacketSender sender, sys::Signals signals)
      : world_(world), link_(link), tun_(std::move(tun)), sender_(std::move(sender)), signals_(std::move(signals)),
        machine_({rounds(link), link.interval}), events_(world.paths.events), random_(std::random_device{}()) {}

  Result<ExitStatus> run();

 private:
  /// `attempts` are counted over all numbers; each of our calls goes once through them.
  static int rounds(const config::Link& link) {
    const int numbers = std::max(1, static_cast<int>(link.numbers.size()));
    return std::max(1, (link.attempts + numbers - 1) / numbers);
  }

  Result<void> on_packets();
  void drain();
  void rearm();
  void look();
  void ask();
  void call(bool last_round);
  void connect(sys::JsonChannel channel);
  void on_channel();
  void on_message(const JsonObject& message);
  void on_end(std::optional<Error> error);
  void send_waiting();
  Result<void> routeadd(const std::vector<std::string>& words);
  bool routes_are_ours() const;
  void tell(const char* name, const std::string& text);

  const World& world_;
  const config::Link& link_;
  sys::Loop loop_;
  sys::Tun tun_;
  sys::PacketSender sender_;
  sys::Signals signals_;
  link::DemandMachine machine_;
  sys::EventLog events_;
  sys::Forwarding forwarding_;
  std::minstd_rand random_;
  std::optional<sys::JsonChannel> channel_;
  bool ended_ = false;                       ///< this channel has told the end
  bool closing_ = false;                     ///< what we wanted to join is closing: call when it is gone
  bool last_round_ = false;
  TimePoint asked_{};
  std::deque<std::pair<std::string, TimePoint>> outgoing_;   ///< and until when it is tried
  std::optional<Error> failure_;
  bool stopped_ = false;
  sys::Loop::Registration tun_watch_, signal_watch_, channel_watch_, timer_, look_timer_, send_timer_, again_timer_;
};

Result<ExitStatus> Demand::run() {
  LONGLINE_CHECK(sys::ensure_folder(world_.paths.run_dir));
  if (link_.forward) forwarding_ = sys::Forwarding::between(tun_.name());
  tun_watch_ = loop_.watch(tun_.fd(), POLLIN, [this](short) {
    if (Result<void> read = on_packets(); !read) failure_ = std::move(read).error();
  });
  signal_watch_ = loop_.watch(signals_.fd(), POLLIN, [this](short) {
    while (signals_.take()) stopped_ = true;
  });
  machine_.start();
  // The first time it must work: a file of routes with an error, no right to change them.
  while (std::optional<link::DemandAction> action = machine_.next_action()) LONGLINE_CHECK(routeadd({"up", link_.name, tun_.name()}));
  tell("demand.ready", fmt::format("traffic to the routes of the link comes to the interface {} and makes it call", tun_.name()));
  look();
  while (!stopped_ && !failure_) {
    LONGLINE_CHECK(loop_.run_once());
  }
  channel_watch_.reset();
  channel_.reset();
  if (machine_.routes_here()) static_cast<void>(routeadd({"down", link_.name}).has_value());
  if (failure_) return *failure_;
  tell("demand.ended", "traffic to the routes of the link makes it call no longer");
  return ExitStatus::ok;
}

void Demand::tell(const char* name, const std::string& text) {
  Event event{name};
  event.link = link_.name;
  event.text = text;
  event.more.set("interface", tun_.name());
  events_.emit(event);
  say(world_, fmt::format("{}: {}", link_.name, text));
}

Result<void> Demand::on_packets() {
  constexpr int kAtOnce = 256;
  for (int i = 0; i < kAtOnce; ++i) {
    LONGLINE_TRY(const std::optional<std::string> packet, tun_.read());
    if (!packet) break;
    machine_.on_packet(*packet, loop_.now());
  }
  drain();
  return {};
}

void Demand::drain() {
  while (std::optional<link::DemandAction> action = machine_.next_action()) {
    if (std::holds_alternative<link::ShowRoutes>(*action)) {
      if (const Result<void> done = routeadd({"up", link_.name, tun_.name()}); !done) tell("route.failed", done.error().message());
    } else if (const auto* hide = std::get_if<link::HideRoutes>(&*action)) {
      tell("demand.hidden", "the link cannot be reached, its routes are hidden: " + hide->reason);
      if (const Result<void> done = routeadd({"down", link_.name}); !done) tell("route.failed", done.error().message());
    } else if (const auto* wanted = std::get_if<link::CallLink>(&*action)) {
      if (wanted->packet) tell("demand.call", describe(*wanted->packet));
      call(wanted->last_round);
    } else if (auto* packet = std::get_if<link::SendOn>(&*action)) {
      outgoing_.emplace_back(std::move(packet->packet), loop_.now() + kUntilRoutes);
    }
  }
  send_waiting();
  rearm();
}

void Demand::rearm() {
  timer_.reset();
  if (const std::optional<TimePoint> when = machine_.deadline()) {
    timer_ = loop_.at(*when, [this] {
      machine_.on_time(loop_.now());
      drain();
    });
  }
}

/// Once a second: has somebody else brought the link up, are the routes where they belong, may the link be called?
void Demand::look() {
  look_timer_ = loop_.at(loop_.now() + kLook, [this] { look(); });
  if (channel_) return;
  if (std::optional<sys::JsonChannel> channel = sys::connect_supervisor(world_.paths, link_.name)) {
    channel->send(JsonObject().set("op", "status"));
    connect(std::move(*channel));
    machine_.on_link_coming();
  } else {
    if (machine_.routes_here() && !routes_are_ours()) static_cast<void>(routeadd({"up", link_.name, tun_.name()}).has_value());
    if (loop_.now() >= asked_ + kAsk) ask();
  }
  drain();
}

void Demand::ask() {
  asked_ = loop_.now();
  const JsonObject status = sys::link_status(world_.paths, link_);
  std::optional<std::string> reason = status.string("reason");
  if (!reason && status.string("state") == "unreachable") reason = "unreachable";
  machine_.on_unreachable(std::move(reason));
}

/// RUN/LINK.interface, which routeadd writes: others may have called it meanwhile.
bool Demand::routes_are_ours() const {
  constexpr std::size_t kMost = 4096;
  const Result<std::string> text = sys::read_file(world_.paths.link_interface(link_.name), kMost);
  return text && trim(*text) == fmt::format("{} {} {}", tun_.name(), tun_.index(), sys::boot_id());
}

void Demand::call(bool last_round) {
  last_round_ = last_round;
  JsonObject join;
  join.set("op", "join").set("kind", "demand").set("pid", std::int64_t{::getpid()}).set("command", "dialctl demand");
  bool joined = false;
  if (!channel_) {
    std::optional<sys::JsonChannel> channel = sys::connect_supervisor(world_.paths, link_.name);
    if (!channel) {
      Result<sys::JsonChannel> started = start_supervisor(world_, link_, last_round ? Calls::last_round : Calls::round, join);
      joined = true;
      if (!started) {
        on_end(std::move(started).error());
        return;
      }
      channel.emplace(std::move(*started));
    }
    connect(std::move(*channel));
  }
  if (!joined) channel_->send(join);
  channel_watch_.set_events(static_cast<short>(POLLIN | (channel_->wants_to_write() ? POLLOUT : 0)));
}

void Demand::connect(sys::JsonChannel channel) {
  channel_.emplace(std::move(channel));
  ended_ = closing_ = false;
  channel_watch_ = loop_.watch(channel_->fd(), POLLIN, [this](short revents) {
    if ((revents & POLLOUT) != 0) channel_->write();
    on_channel();
  });
}

void Demand::on_channel() {
  const Result<std::vector<JsonObject>> messages = channel_->read();
  if (messages) {
    channel_watch_.set_events(static_cast<short>(POLLIN | (channel_->wants_to_write() ? POLLOUT : 0)));
    for (const JsonObject& message : *messages) on_message(message);
    drain();
    return;
  }
  channel_watch_.reset();
  channel_.reset();
  if (!ended_) on_end(std::nullopt);
  if (closing_ && machine_.is_calling()) {
    again_timer_ = loop_.at(loop_.now() + kCallAgain, [this] {
      call(last_round_);
      drain();
    });
  }
  ask();
  drain();
}

void Demand::on_message(const JsonObject& message) {
  const std::string kind = message.string("msg").value_or("");
  if (kind == "up") {
    machine_.on_link_up(loop_.now());
  } else if (kind == "status") {
    const std::optional<JsonObject> status = message.object("status");
    if (status && status->string("state") == "up") machine_.on_link_up(loop_.now());
  } else if (kind == "closing") {
    closing_ = true;
  } else if (kind == "end") {
    ended_ = true;
    on_end(error_from_object(message));
  }
}

/// The call is over, or could not be made.
void Demand::on_end(std::optional<Error> error) {
  if (!machine_.is_calling()) {
    machine_.on_link_down(loop_.now());
    return;
  }
  // What we wanted to join was on its way down: the next call is ours.
  if (closing_) return;
  if (!error) error = Error(Errc::link_down, "the supervisor ended without a word", Stage::dial);
  const double jitter = std::uniform_real_distribution<double>(0, 1)(random_);
  say(world_, fmt::format("{}: {}", link_.name, error->message()));
  machine_.on_call_failed(*error, jitter, loop_.now());
}

void Demand::send_waiting() {
  send_timer_.reset();
  std::deque<std::pair<std::string, TimePoint>> later;
  for (auto& [packet, until] : outgoing_) {
    const std::optional<link::PacketFacts> facts = link::read_packet(packet);
    if (!facts || loop_.now() > until) continue;
    const Result<sys::Lookup> way = sys::lookup_route(address_of(*facts, facts->destination), {});
    // Back to us it must not go.
    if (way && way->error == 0 && way->way.interface != tun_.index()) static_cast<void>(sender_.send(packet).has_value());
    else later.emplace_back(std::move(packet), until);
  }
  outgoing_ = std::move(later);
  if (outgoing_.empty()) return;
  send_timer_ = loop_.at(loop_.now() + kSendAgain, [this] { send_waiting(); });
}

Result<void> Demand::routeadd(const std::vector<std::string>& words) {
  constexpr std::size_t kMostOutput = 1 << 20;
  Result<std::string> done = sys::run_and_read(sys::routeadd_command(tool_options(world_), words), kRouteadd, kMostOutput);
  if (done) return {};
  return std::move(done).error().in_stage(Stage::route);
}

}  // namespace

Result<ExitStatus> demand(const World& world) {
  LONGLINE_TRY(const config::Link* link, named_link(world));
  if (link->network != config::Network::ppp) {
    return Error(Errc::config, fmt::format("link '{}' is a stream: it has no interface, and no traffic to wait for", link->name), Stage::ppp)
        .with_hint("network = \"ppp\", or dialctl run");
  }
  LONGLINE_CHECK(login_script(*link));
  const std::string name = world.options.interface.empty() ? sys::interface_name(link->name) : world.options.interface;
  LONGLINE_TRY(sys::Signals signals, sys::Signals::open({SIGINT, SIGTERM, SIGHUP}));
  LONGLINE_TRY(sys::PacketSender sender, sys::PacketSender::open());
  LONGLINE_TRY(sys::Tun tun, sys::Tun::create(name));
  Demand demand(world, *link, std::move(tun), std::move(sender), std::move(signals));
  return demand.run();
}

}  // namespace longline::tools::dialctl
