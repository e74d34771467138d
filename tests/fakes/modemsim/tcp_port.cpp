// SPDX-License-Identifier: MIT
#include "tcp_port.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace modemsim {
namespace {

struct AddressList {
  addrinfo* first = nullptr;
  ~AddressList() {
    if (first != nullptr) ::freeaddrinfo(first);
  }
};

bool resolve(const std::string& address, AddressList& list) {
  const std::size_t colon = address.rfind(':');
  if (colon == std::string::npos) return false;
  std::string host = address.substr(0, colon);
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  return ::getaddrinfo(host.empty() ? nullptr : host.c_str(), address.c_str() + colon + 1, &hints, &list.first) == 0;
}

std::string describe(int listener) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  char host[NI_MAXHOST], port[NI_MAXSERV];
  if (::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length) != 0) return {};
  if (::getnameinfo(reinterpret_cast<sockaddr*>(&address), length, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return {};
  }
  const bool v6 = address.ss_family == AF_INET6;
  return std::string("tcp:") + (v6 ? "[" : "") + host + (v6 ? "]:" : ":") + port;
}

}  // namespace

std::unique_ptr<TcpPort> TcpPort::open(const std::string& address) {
  AddressList list;
  if (!resolve(address, list)) {
    errno = EADDRNOTAVAIL;
    return nullptr;
  }
  const addrinfo& at = *list.first;
  UniqueFd listener(::socket(at.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int yes = 1;
  if (!listener) return nullptr;
  ::setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (::bind(listener.get(), at.ai_addr, at.ai_addrlen) != 0 || ::listen(listener.get(), 4) != 0) return nullptr;
  std::string name = describe(listener.get());
  return std::unique_ptr<TcpPort>(new TcpPort(std::move(listener), std::move(name)));
}

std::vector<DtePort::Change> TcpPort::update() {
  std::vector<Change> changes;
  if (peer_) {
    // A peer that has gone is gone, even while the line is full and nothing is read from it.
    pollfd poll{peer_.get(), POLLRDHUP, 0};
    if (::poll(&poll, 1, 0) > 0) {
      char buffer[4096];
      ssize_t count = 0;
      while ((count = ::recv(peer_.get(), buffer, sizeof buffer, 0)) > 0 && rest_.size() < 65536) {
        rest_.append(buffer, static_cast<std::size_t>(count));
      }
      peer_.reset();
      changes.push_back(Change::closed);
      return changes;
    }
  }
  UniqueFd next(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!next || peer_) return changes;
  const int yes = 1;
  ::setsockopt(next.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  peer_ = std::move(next);
  rest_.clear();
  changes.push_back(Change::opened);
  return changes;
}

std::string TcpPort::read(std::size_t most) {
  if (!rest_.empty()) {
    std::string bytes = rest_.substr(0, most);
    rest_.erase(0, bytes.size());
    return bytes;
  }
  std::string bytes(std::min<std::size_t>(most, 4096), '\0');
  const ssize_t count = !peer_ || bytes.empty() ? 0 : ::recv(peer_.get(), bytes.data(), bytes.size(), 0);
  bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  return bytes;
}

std::size_t TcpPort::write(std::string_view bytes) {
  if (!peer_) return bytes.size();
  const ssize_t count = ::send(peer_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  return count > 0 ? static_cast<std::size_t>(count) : 0;
}

void TcpPort::add_polls(std::vector<pollfd>& polls, bool wants_to_read, bool wants_to_write) const {
  polls.push_back({listener_.get(), POLLIN, 0});
  if (!peer_) return;
  const int events = POLLRDHUP | (wants_to_read ? POLLIN : 0) | (wants_to_write ? POLLOUT : 0);
  polls.push_back({peer_.get(), static_cast<short>(events), 0});
}

}  // namespace modemsim
