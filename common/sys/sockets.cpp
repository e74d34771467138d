// SPDX-License-Identifier: MIT
#include "sys/sockets.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <memory>

#include "base/text.hpp"
#include "sys/signals.hpp"
#include "sys/system_clock.hpp"
#include "sys/tty_stream.hpp"

namespace longline::sys {
namespace {

struct AddressList {
  explicit AddressList(addrinfo* list) : head(list, &::freeaddrinfo) {}
  std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> head;
};

Result<AddressList> resolve(const std::string& host, int port, int flags) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const int failure = ::getaddrinfo(host.empty() ? nullptr : host.c_str(), std::to_string(port).c_str(), &hints, &list);
  if (failure != 0) {
    return Error(Errc::next_hop_unreachable, fmt::format("{}: {}", host, ::gai_strerror(failure)), Stage::connect);
  }
  return AddressList(list);
}

Result<void> bind_source(int fd, const std::string& source, int family) {
  LONGLINE_TRY(const AddressList addresses, resolve(source, 0, AI_NUMERICHOST));
  for (const addrinfo* a = addresses.head.get(); a != nullptr; a = a->ai_next) {
    if (a->ai_family != family) continue;
    if (::bind(fd, a->ai_addr, a->ai_addrlen) == 0) return {};
    return system_error(errno, "source address " + source, Errc::next_hop_unreachable).in_stage(Stage::connect);
  }
  return Error(Errc::next_hop_unreachable, "source address " + source + " is of another family", Stage::connect);
}

Result<sockaddr_un> unix_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return Error(Errc::config, fmt::format("{}: a socket's path has at most {} bytes", path, sizeof address.sun_path - 1))
        .with_hint("choose a shorter --root or run folder");
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

const sockaddr* generic(const sockaddr_un& address) { return reinterpret_cast<const sockaddr*>(&address); }

/// For a dialogue over TCP; without effect on a Unix socket.
void prepare(int fd) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  // Little waits in the kernel unsent: what a sender has written is then nearly what has left.
  const int unsent = 8192;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent);
  // Acknowledgements wait for what we say next and go with it. Not sooner than here: the handshake's own must not wait.
  const int off = 0;
  ::setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &off, sizeof off);
}

}  // namespace

Result<UniqueFd> connect_tcp(const std::string& host, int port, const std::string& source, TimePoint deadline) {
  LONGLINE_TRY(const AddressList addresses, resolve(host, port, AI_ADDRCONFIG));
  const std::string name = fmt::format("{} port {}", host, port);
  const UniqueFd end_is_asked = Signals::end_is_asked();
  Error last(Errc::next_hop_unreachable, name + ": no address", Stage::connect);
  for (const addrinfo* a = addresses.head.get(); a != nullptr; a = a->ai_next) {
    UniqueFd fd(::socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd) continue;
    if (!source.empty()) {
      if (Result<void> bound = bind_source(fd.get(), source, a->ai_family); !bound) {
        last = std::move(bound).error();
        continue;
      }
    }
    int failure = ::connect(fd.get(), a->ai_addr, a->ai_addrlen) == 0 ? 0 : errno;
    while (failure == EINPROGRESS) {
      pollfd waiting[] = {{fd.get(), POLLOUT, 0}, {end_is_asked.get(), POLLIN, 0}};
      const auto left = std::clamp<std::int64_t>((deadline - steady_now()).count(), 0, 3'600'000);
      const int ready = ::poll(waiting, std::size(waiting), static_cast<int>(left));
      if (ready < 0 && errno == EINTR) continue;
      if (waiting[1].revents != 0) return Error(Errc::interrupted, name + ": interrupted while connecting", Stage::connect);
      failure = ETIMEDOUT;
      if (ready > 0) {
        socklen_t size = sizeof failure;
        ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &failure, &size);
      }
    }
    if (failure == 0) {
      prepare(fd.get());
      return fd;
    }
    last = Error(Errc::next_hop_unreachable, name, Stage::connect);
    last.sys_errno = failure;
  }
  return last;
}

void keep_queue_short(int fd) {
  constexpr std::string_view kBbr = "bbr";
  ::setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, kBbr.data(), static_cast<socklen_t>(kBbr.size()));
}

Result<HostPort> parse_host_port(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  HostPort out;
  std::int64_t port = -1;
  if (colon != std::string_view::npos) {
    port = parse_integer(text.substr(colon + 1)).value_or(-1);
    std::string_view host = text.substr(0, colon);
    if (host.size() >= 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
    else if (host.find(':') != std::string_view::npos) port = -1;
    out.host = std::string(host);
  }
  if (port < 0 || port > 65535) {
    return Error(Errc::usage, fmt::format("'{}' is not an address like 127.0.0.1:25, [::1]:25 or :25", escape(text)));
  }
  out.port = static_cast<int>(port);
  return out;
}

Result<UniqueFd> listen_tcp(const HostPort& where) {
  LONGLINE_TRY(const AddressList addresses, resolve(where.host, where.port, AI_PASSIVE));
  Error last(Errc::no_device, where.host + ": no address to listen on", Stage::port);
  for (const addrinfo* a = addresses.head.get(); a != nullptr; a = a->ai_next) {
    UniqueFd fd(::socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd) continue;
    const int on = 1;
    ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (::bind(fd.get(), a->ai_addr, a->ai_addrlen) == 0 && ::listen(fd.get(), 64) == 0) return fd;
    last = system_error(errno, fmt::format("{} port {}", where.host, where.port),
                        errno == EADDRINUSE ? Errc::port_in_use : Errc::no_device)
               .in_stage(Stage::port);
  }
  return last;
}

Result<int> local_port(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return system_error(errno, "getsockname", Errc::os);
  if (address.ss_family == AF_INET6) return int{ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port)};
  return int{ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port)};
}

std::string peer_address(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return "";
  char host[NI_MAXHOST], port[NI_MAXSERV];
  if (::getnameinfo(reinterpret_cast<sockaddr*>(&address), size, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return "";
  }
  const bool six = std::strchr(host, ':') != nullptr;
  return six ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

Result<UniqueFd> connect_unix(const std::string& path) {
  LONGLINE_TRY(const sockaddr_un address, unix_address(path));
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return system_error(errno, "socket", Errc::os);
  if (::connect(fd.get(), generic(address), sizeof address) == 0) return fd;
  if (errno == EAGAIN) return system_error(errno, path, Errc::busy);
  return system_error(errno, path, Errc::link_down);
}

Result<UniqueFd> listen_unix(const std::string& path) {
  LONGLINE_TRY(const sockaddr_un address, unix_address(path));
  if (const Result<UniqueFd> other = connect_unix(path)) return Error(Errc::port_in_use, path + ": somebody listens there");
  ::unlink(path.c_str());
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return system_error(errno, "socket", Errc::os);
  if (::fchmod(fd.get(), 0600) != 0) return system_error(errno, path, Errc::os);
  if (::bind(fd.get(), generic(address), sizeof address) != 0) return system_error(errno, path, Errc::cannot_create);
  ::chmod(path.c_str(), 0600);
  if (::listen(fd.get(), 64) != 0) return system_error(errno, path, Errc::cannot_create);
  return fd;
}

Result<UniqueFd> accept_connection(int listener) {
  UniqueFd fd(::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!fd && errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) return system_error(errno, "accept", Errc::os);
  if (fd) prepare(fd.get());
  return fd;
}

Result<std::unique_ptr<ByteStream>> stream_of(UniqueFd socket) {
  LONGLINE_TRY(std::unique_ptr<TtyStream> stream, TtyStream::adopt(std::move(socket)));
  return std::unique_ptr<ByteStream>(std::move(stream));
}

}  // namespace longline::sys
