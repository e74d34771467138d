// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "route/netlink_message.hpp"

struct mnl_socket;

namespace longline::sys {

/// An rtnetlink socket (libmnl) in the caller's network namespace. Asks the kernel for extended acknowledgements with
/// short errors and strict dumps. Every wait has a deadline of its own, though the kernel answers at once.
class Netlink {
 public:
  /// `groups`: RTMGRP_… to listen to, 0 for none.
  static Result<Netlink> open(std::uint32_t groups = 0);
  Netlink(Netlink&&) noexcept = default;
  Netlink& operator=(Netlink&&) noexcept = default;
  ~Netlink() = default;

  int fd() const;

  /// Sends a dump request, or a query with an acknowledgement, and appends the answer's messages to `out`. A dump that the kernel calls interrupted, or
  /// that overran the socket's buffer, is made again. Errc::busy when that does not end.
  Result<void> dump(std::string request, std::string& out);

  struct Refusal {
    std::size_t index = 0;      ///< of the request in the batch
    int error = 0;              ///< errno
    std::string text;           ///< the kernel's words; may be empty
  };
  /// Sends requests that lie one behind the other in `batch` and waits for the kernel's verdict; only the last one asks
  /// for an acknowledgement, the others answer only when they are refused. Returns what was refused.
  Result<std::vector<Refusal>> send(std::string& batch);

  /// For a socket with groups: appends the messages that have arrived, without waiting. false: the buffer overran, and
  /// what the caller knows of the tables is stale.
  Result<bool> receive(std::string& out);

 private:
  struct Close {
    void operator()(mnl_socket* socket) const;
  };
  explicit Netlink(mnl_socket* socket) : socket_(socket) {}
  Result<bool> dump_once(std::string& request, std::string& out);
  /// nullopt: ENOBUFS.
  Result<std::optional<std::string_view>> wait_for_bytes(TimePoint deadline);

  std::unique_ptr<mnl_socket, Close> socket_;
  std::unique_ptr<char[]> buffer_;
  std::uint32_t sequence_ = 0;
};

}  // namespace longline::sys
