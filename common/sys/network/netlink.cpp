// SPDX-License-Identifier: MIT
#include "sys/network/netlink.hpp"

#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "sys/system_clock.hpp"

namespace longline::sys {
namespace {

constexpr std::size_t kBufferSize = 64 * 1024;
constexpr int kReceiveBuffer = 4 * 1024 * 1024;
constexpr Duration kKernelPatience{10'000};   // the kernel answers at once; this only keeps a bug from hanging us
constexpr int kDumpAttempts = 10;

Error netlink_error(const char* what) { return system_error(errno, std::string("rtnetlink: ") + what, Errc::os).in_stage(Stage::route); }

void set_sequence(std::string& batch, std::size_t at, std::uint32_t sequence, bool acknowledge) {
  auto* header = reinterpret_cast<nlmsghdr*>(batch.data() + at);
  header->nlmsg_seq = sequence;
  if (acknowledge) header->nlmsg_flags |= NLM_F_ACK;
}

}  // namespace

void Netlink::Close::operator()(mnl_socket* socket) const { mnl_socket_close(socket); }

Result<Netlink> Netlink::open(std::uint32_t groups) {
  mnl_socket* socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
  if (socket == nullptr) return netlink_error("socket");
  Netlink netlink(socket);
  if (mnl_socket_bind(socket, groups, MNL_SOCKET_AUTOPID) < 0) return netlink_error("bind");
  int on = 1;
  // Kernels before 4.12 and 4.20 know none of these; then there are fewer words in an error, no more.
  mnl_socket_setsockopt(socket, NETLINK_EXT_ACK, &on, sizeof on);
  mnl_socket_setsockopt(socket, NETLINK_CAP_ACK, &on, sizeof on);
  mnl_socket_setsockopt(socket, NETLINK_GET_STRICT_CHK, &on, sizeof on);
  const int size = kReceiveBuffer;
  if (::setsockopt(netlink.fd(), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0) {
    ::setsockopt(netlink.fd(), SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  }
  netlink.buffer_ = std::make_unique<char[]>(kBufferSize);
  return netlink;
}

int Netlink::fd() const { return mnl_socket_get_fd(socket_.get()); }

Result<std::optional<std::string_view>> Netlink::wait_for_bytes(TimePoint deadline) {
  while (true) {
    const ssize_t got = ::recv(fd(), buffer_.get(), kBufferSize, MSG_DONTWAIT);
    if (got >= 0) return std::optional(std::string_view(buffer_.get(), static_cast<std::size_t>(got)));
    if (errno == ENOBUFS) return std::optional<std::string_view>();
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) return netlink_error("receive");
    const auto left = (deadline - steady_now()).count();
    if (left <= 0) return Error(Errc::os, "rtnetlink: the kernel does not answer", Stage::route);
    pollfd readable{fd(), POLLIN, 0};
    if (::poll(&readable, 1, static_cast<int>(left)) < 0 && errno != EINTR) return netlink_error("poll");
  }
}

Result<void> Netlink::dump(std::string request, std::string& out) {
  const std::size_t before = out.size();
  for (int attempt = 0; attempt < kDumpAttempts; ++attempt) {
    LONGLINE_TRY(const bool whole, dump_once(request, out));
    if (whole) return {};
    out.resize(before);
    LONGLINE_TRY(*this, open());  // what is still on its way belongs to the dump that failed
  }
  return Error(Errc::busy, "rtnetlink: the tables change faster than they can be read", Stage::route);
}

Result<bool> Netlink::dump_once(std::string& request, std::string& out) {
  const std::uint32_t sequence = ++sequence_;
  set_sequence(request, 0, sequence, false);
  if (mnl_socket_sendto(socket_.get(), request.data(), request.size()) < 0) return netlink_error("send");
  const TimePoint deadline = steady_now() + kKernelPatience;
  bool interrupted = false;
  while (true) {
    LONGLINE_TRY(const std::optional<std::string_view> bytes, wait_for_bytes(deadline));
    if (!bytes) return false;
    std::string_view rest = *bytes;
    while (const std::optional<route::NetlinkMessage> message = route::next_message(rest)) {
      if (message->sequence != sequence) continue;
      interrupted = interrupted || (message->flags & route::nl::kFlagDumpInterrupted) != 0;
      if (message->type == NLMSG_DONE) return !interrupted;
      if (const std::optional<route::NetlinkAck> ack = route::decode_ack(*message)) {
        if (ack->error == 0) return !interrupted;
        Error error = system_error(ack->error, ack->text.empty() ? "rtnetlink" : "rtnetlink: " + ack->text, Errc::os);
        return std::move(error).in_stage(Stage::route);
      }
      const char* begin = message->payload.data() - route::nl::kHeaderSize;
      out.append(begin, message->payload.size() + route::nl::kHeaderSize);
      out.append((4 - out.size() % 4) % 4, '\0');
    }
  }
}

Result<std::vector<Netlink::Refusal>> Netlink::send(std::string& batch) {
  std::vector<Refusal> refused;
  const std::uint32_t first = sequence_ + 1;
  std::size_t at = 0;
  while (at + sizeof(nlmsghdr) <= batch.size()) {
    const std::uint32_t length = reinterpret_cast<const nlmsghdr*>(batch.data() + at)->nlmsg_len;
    const std::size_t next = at + ((length + 3) & ~std::size_t{3});
    set_sequence(batch, at, ++sequence_, next >= batch.size());
    at = next;
  }
  if (sequence_ + 1 == first) return refused;
  if (mnl_socket_sendto(socket_.get(), batch.data(), batch.size()) < 0) return netlink_error("send");
  const TimePoint deadline = steady_now() + kKernelPatience;
  while (true) {
    LONGLINE_TRY(const std::optional<std::string_view> bytes, wait_for_bytes(deadline));
    if (!bytes) return Error(Errc::os, "rtnetlink: the kernel's answers overran the socket's buffer", Stage::route);
    std::string_view rest = *bytes;
    while (const std::optional<route::NetlinkMessage> message = route::next_message(rest)) {
      std::optional<route::NetlinkAck> ack = route::decode_ack(*message);
      if (!ack || ack->sequence < first || ack->sequence > sequence_) continue;
      if (ack->error != 0) refused.push_back({ack->sequence - first, ack->error, std::move(ack->text)});
      if (ack->sequence == sequence_) return refused;
    }
  }
}

Result<bool> Netlink::receive(std::string& out) {
  bool whole = true;
  while (true) {
    const ssize_t got = ::recv(fd(), buffer_.get(), kBufferSize, MSG_DONTWAIT);
    if (got >= 0) {
      out.append(buffer_.get(), static_cast<std::size_t>(got));
      out.append((4 - out.size() % 4) % 4, '\0');
    } else if (errno == ENOBUFS) {
      whole = false;
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      return whole;
    } else if (errno != EINTR) {
      return netlink_error("receive");
    }
  }
}

}  // namespace longline::sys
