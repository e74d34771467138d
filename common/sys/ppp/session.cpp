// SPDX-License-Identifier: MIT
#include "sys/ppp/session.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <csignal>

#include "base/text.hpp"
#include "link/traffic.hpp"

namespace longline::sys {
namespace {

constexpr std::size_t kMostPppdLog = 65536;
constexpr Duration kLookAgainAtPppd{20};
constexpr std::size_t kLargestPacket = 16384;   // pppd's largest MRU

/// Link and address events of this namespace: they only say that it is time to look.
Result<UniqueFd> open_events() {
  UniqueFd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR;
  if (!fd || ::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    return system_error(errno, "rtnetlink", Errc::os).in_stage(Stage::ppp);
  }
  return fd;
}

std::string address_of(int socket, const std::string& name, unsigned long request) {
  ifreq query{};
  name.copy(query.ifr_name, IFNAMSIZ - 1);
  if (::ioctl(socket, request, &query) != 0) return "";
  sockaddr_in address{};
  static_assert(sizeof address <= sizeof query.ifr_addr);
  std::memcpy(&address, &query.ifr_addr, sizeof address);
  char text[INET_ADDRSTRLEN];
  if (address.sin_addr.s_addr == 0 || ::inet_ntop(AF_INET, &address.sin_addr, text, sizeof text) == nullptr) return "";
  return text;
}

/// Fills in what the kernel says; false while the interface does not run or has no address.
bool ask_kernel(PppInterface& interface) {
  const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq query{};
  interface.name.copy(query.ifr_name, IFNAMSIZ - 1);
  constexpr int kRuns = IFF_UP | IFF_RUNNING;
  if (!socket || ::ioctl(socket.get(), SIOCGIFFLAGS, &query) != 0 || (query.ifr_flags & kRuns) != kRuns) return false;
  interface.local = address_of(socket.get(), interface.name, SIOCGIFADDR);
  interface.remote = address_of(socket.get(), interface.name, SIOCGIFDSTADDR);
  interface.index = ::if_nametoindex(interface.name.c_str());
  return !interface.local.empty() && interface.index != 0;
}

std::vector<std::string> name_servers(const std::string& resolv_conf) {
  std::vector<std::string> out;
  for (const std::string_view line : split(resolv_conf, '\n')) {
    in_addr address{};
    const std::string server(line.starts_with("nameserver ") ? trim(line.substr(11)) : std::string_view());
    if (out.size() < 2 && ::inet_pton(AF_INET, server.c_str(), &address) == 1) out.push_back(server);
  }
  return out;
}

/// Everything that goes through one interface; what nobody collects is dropped when its buffer is full.
UniqueFd open_packets(unsigned index) {
  UniqueFd fd(::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = static_cast<int>(index);
  if (fd && ::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) fd.reset();
  return fd;
}

}  // namespace

Result<std::unique_ptr<PppSession>> PppSession::start(Loop& loop, link::PppPlan plan, const std::string& ip_down, Handlers handlers) {
  const bool authenticates = plan.authenticates_peer;
  LONGLINE_TRY(UniqueFd events, open_events());
  LONGLINE_TRY(Pppd pppd, start_pppd(std::move(plan), ip_down));
  std::unique_ptr<PppSession> session(new PppSession(loop, std::move(pppd), authenticates, std::move(handlers)));
  session->netlink_ = std::move(events);
  LONGLINE_CHECK(session->watch());
  return session;
}

PppSession::PppSession(Loop& loop, Pppd pppd, bool authenticates, Handlers handlers)
    : loop_(loop), pppd_(std::move(pppd)), authenticates_(authenticates), handlers_(std::move(handlers)) {}

PppSession::~PppSession() {
  // With its line gone it has nothing to say goodbye to.
  line_watch_.reset();
  pppd_.line.reset();
}

Result<void> PppSession::watch() {
  line_watch_ = loop_.watch(pppd_.line.get(), POLLIN, [this](short revents) { on_line(revents); });
  log_watch_ = loop_.watch(pppd_.log.get(), POLLIN, [this](short) { on_log(); });
  exit_watch_ = loop_.watch(pppd_.child.pidfd(), POLLIN, [this](short) { on_exit(); });
  netlink_watch_ = loop_.watch(netlink_.get(), POLLIN, [this](short) {
    std::array<char, 16384> ignored;
    while (::recv(netlink_.get(), ignored.data(), ignored.size(), MSG_DONTWAIT) > 0 || errno == ENOBUFS) {
    }
    look();
  });
  return {};
}

void PppSession::deliver(std::string_view bytes) {
  // Beyond the bound the peer ignores our flow control: PPP's checksums find what is missing.
  to_pppd_.append(bytes.substr(0, 2 * kMostPppdLog - std::min(2 * kMostPppdLog, to_pppd_.size())));
  write_line();
}

bool PppSession::full() const { return to_pppd_.size() >= kMostPppdLog; }

void PppSession::hold(bool hold) {
  if (held_ == hold) return;
  held_ = hold;
  write_line();
}

void PppSession::write_line() {
  if (line_gone_) return;
  const bool was_full = full();
  while (log_.facts().speaks && !to_pppd_.empty()) {
    const ssize_t put = ::write(pppd_.line.get(), to_pppd_.data(), to_pppd_.size());
    if (put <= 0) break;
    to_pppd_.erase(0, static_cast<std::size_t>(put));
  }
  line_watch_.set_events(static_cast<short>((held_ ? 0 : POLLIN) | (log_.facts().speaks && !to_pppd_.empty() ? POLLOUT : 0)));
  if (was_full && !full()) handlers_.has_room();
}

void PppSession::on_line(short revents) {
  if ((revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
    std::string bytes(4096, '\0');
    const ssize_t got = ::read(pppd_.line.get(), bytes.data(), bytes.size());
    if (got > 0) {
      bytes.resize(static_cast<std::size_t>(got));
      handlers_.to_line(std::move(bytes));
      return;
    }
    if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
      // It has closed its terminal: its end follows.
      line_gone_ = true;
      line_watch_.reset();
      return;
    }
  }
  write_line();
}

void PppSession::on_log() {
  std::array<char, 4096> bytes;
  while (true) {
    const ssize_t got = ::read(pppd_.log.get(), bytes.data(), bytes.size());
    if (got > 0) {
      log_.feed({bytes.data(), static_cast<std::size_t>(got)});
      continue;
    }
    if (got == 0) log_watch_.reset();
    break;
  }
  write_line();
  look();
}

void PppSession::look() {
  if (up_ || stopping_) return;
  interface_.name = log_.facts().interface;
  if (interface_.name.empty() || !ask_kernel(interface_)) return;
  // Both files are written before the kernel is told of the address; the name by a script, which may still be at it.
  interface_.dns = name_servers(read_of_pppd(pid(), kResolvConf));
  if (authenticates_) interface_.peer = read_of_pppd(pid(), kPeerName);
  if (authenticates_ && interface_.peer.empty()) {
    peer_timer_ = loop_.at(loop_.now() + kLookAgainAtPppd, [this] { look(); });
    return;
  }
  up_ = true;
  netlink_watch_.reset();
  netlink_.reset();
  packets_ = open_packets(interface_.index);
  handlers_.up();
}

bool PppSession::take_traffic() {
  if (!packets_) return true;   // who cannot tell must not hang up
  bool any = false;
  std::array<char, kLargestPacket> packet;
  while (true) {
    const ssize_t size = ::recv(packets_.get(), packet.data(), packet.size(), MSG_DONTWAIT);
    if (size < 0 && errno == ENETDOWN) continue;
    if (size < 0) break;
    any = any || link::is_real_traffic({packet.data(), static_cast<std::size_t>(size)});
  }
  tpacket_stats lost{};
  socklen_t length = sizeof lost;
  if (::getsockopt(packets_.get(), SOL_PACKET, PACKET_STATISTICS, &lost, &length) == 0 && lost.tp_drops > 0) any = true;
  return any;
}

void PppSession::stop() {
  if (stopping_) return;
  stopping_ = true;
  pppd_.child.signal(SIGTERM);
}

void PppSession::hang_up() {
  line_watch_.reset();
  line_gone_ = true;
  pppd_.line.reset();
}

void PppSession::on_exit() {
  on_log();
  const std::optional<int> status = pppd_.child.try_wait();
  if (!status) return;
  exit_watch_.reset();
  std::optional<Error> error;
  if (!stopping_) {
    error = log_.error(*status);
    if (!error) error = Error(Errc::line_dropped, "pppd was ended by somebody else", Stage::ppp);
  }
  // The last act: the handler may end us.
  const auto ended = std::move(handlers_.ended);
  ended(std::move(error));
}

}  // namespace longline::sys
