// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "base/result.hpp"
#include "base/time.hpp"
#include "sys/byte_stream.hpp"
#include "sys/unique_fd.hpp"

namespace longline::sys {

/// Connects, each address of the host in turn, until the deadline. `source`: the local address to bind, or "".
/// Non-blocking and CLOEXEC afterwards, with TCP_NODELAY and keepalive. Errc::next_hop_unreachable (refused, no route, no such
/// host, timed out), interrupted (Signals::end_is_asked() while connecting; a name is looked up to its end before), stage connect.
Result<UniqueFd> connect_tcp(const std::string& host, int port, const std::string& source, TimePoint deadline);

/// For a connection that goes on behind what the peer has acknowledged: BBR fills the line, but not the queue before it, so that after a cut
/// less goes twice. Without effect where the kernel has none, or allows it to root alone.
void keep_queue_short(int fd);

/// "HOST:PORT", "[::1]:25", ":25" (all addresses); port 0 lets the system choose. Errc::usage for another form.
struct HostPort {
  std::string host;
  int port = 0;
};
Result<HostPort> parse_host_port(std::string_view text);
Result<UniqueFd> listen_tcp(const HostPort& where);
/// The port that a listening socket really has.
Result<int> local_port(int fd);
/// "192.0.2.1:4711": the other end, for logs and Received fields.
std::string peer_address(int fd);

/// Unix sockets. The path may have at most 107 bytes: Errc::config beyond.
Result<UniqueFd> connect_unix(const std::string& path);
/// Replaces a socket file that nobody listens on; mode 0600. Errc::port_in_use when somebody does.
Result<UniqueFd> listen_unix(const std::string& path);
/// Of a TCP listener as connect_tcp() has it. An empty UniqueFd when nobody waits.
Result<UniqueFd> accept_connection(int listener);

/// A connected socket as a line. Takes the descriptor over.
Result<std::unique_ptr<ByteStream>> stream_of(UniqueFd socket);

}  // namespace longline::sys
