// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>

#include "base/result.hpp"
#include "base/time.hpp"
#include "config/config.hpp"
#include "mail/smtp_opening.hpp"
#include "sys/byte_stream.hpp"
#include "sys/state_paths.hpp"
#include "sys/tls/tls_stream.hpp"

namespace longline::sys {

/// The host of a connector that is called: its own, or one of the exchangers that DNS names.
struct PeerAddress {
  std::string host;        ///< "line": the byte stream of the connector's link
  int port = 25;
  std::string address{};   ///< where the host was looked up already: its IP address
};
/// Whether the connector's link, if it has one, is up. Errc::link_down, stage connect.
Result<void> check_link_up(const config::Config& config, const StatePaths& paths, const config::Connector& connector);
PeerAddress peer_address(const config::Connector& connector);
std::string to_string(const PeerAddress& address);   ///< "mail.example.com:25", "[::1]:25", "line"

/// The line to a peer: the link's byte stream, or TCP from the connector's source address. A minute at most, and never beyond
/// `deadline`. Errc::link_down, next_hop_unreachable, interrupted, stage connect.
Result<std::unique_ptr<ByteStream>> connect_peer(const config::Config& config, const StatePaths& paths, const config::Connector& connector,
                                                 const PeerAddress& address, TimePoint deadline);

/// How a session with this peer begins: names, STARTTLS, AUTH with the connector's user and password (read now), patience.
/// Errc::config when the password cannot be read.
Result<mail::SmtpOpeningOptions> opening_options(const config::Connector& connector, const PeerAddress& address, const std::string& our_name);

/// How TLS begins with this peer, where it is used.
TlsSettings tls_settings(const StatePaths& paths, const config::Connector& connector, const PeerAddress& address);

}  // namespace longline::sys
