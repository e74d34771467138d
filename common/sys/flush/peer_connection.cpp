// SPDX-License-Identifier: MIT
#include "sys/flush/peer_connection.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "sys/link/link_client.hpp"
#include "sys/secret_file.hpp"
#include "sys/sockets.hpp"
#include "sys/system_clock.hpp"
#include "sys/tls/tls_library.hpp"
#include "sys/tls/tls_tickets.hpp"

namespace longline::sys {
namespace {

constexpr Duration kConnectPatience(60'000);   // two SYN retries more than a thin line needs
constexpr std::size_t kJunkBeforeGreeting = 64 * 1024;
constexpr Duration kGreetingOnLine{60'000};    // RFC 5321's five minutes are for loaded servers, not for a login that led nowhere

mail::StartTlsUse starttls_use(config::TlsMode mode) {
  switch (mode) {
    case config::TlsMode::opportunistic: return mail::StartTlsUse::if_offered;
    case config::TlsMode::required: return mail::StartTlsUse::required;
    case config::TlsMode::none:
    case config::TlsMode::implicit: break;
  }
  return mail::StartTlsUse::never;
}

}  // namespace

PeerAddress peer_address(const config::Connector& connector) { return {connector.host, connector.port}; }

std::string to_string(const PeerAddress& address) {
  if (address.host == "line") return "line";
  const bool v6 = address.host.find(':') != std::string::npos && address.host.front() != '[';
  return fmt::format("{}{}{}:{}", v6 ? "[" : "", address.host, v6 ? "]" : "", address.port);
}

Result<void> check_link_up(const config::Config& config, const StatePaths& paths, const config::Connector& connector) {
  if (connector.link.empty()) return {};
  const config::Link* link = config.find_link(connector.link);
  if (link != nullptr && link_status(paths, *link).string("state") == "up") return {};
  return Error(Errc::link_down, fmt::format("link '{}' is down", connector.link), Stage::connect)
      .with_hint(fmt::format("bring it up: dialctl run {} -- …", connector.link));
}

Result<std::unique_ptr<ByteStream>> connect_peer(const config::Config& config, const StatePaths& paths, const config::Connector& connector,
                                                 const PeerAddress& address, TimePoint deadline) {
  if (address.host == "line") return connect_line(paths, connector.link);
  LONGLINE_CHECK(check_link_up(config, paths, connector));
  const std::string& host = address.address.empty() ? address.host : address.address;
  LONGLINE_TRY(UniqueFd fd, connect_tcp(host, address.port, connector.source_address, std::min(steady_now() + kConnectPatience, deadline)));
  if (connector.protocol == config::Protocol::x400) keep_queue_short(fd.get());
  return stream_of(std::move(fd));
}

Result<mail::SmtpOpeningOptions> opening_options(const config::Connector& connector, const PeerAddress& address, const std::string& our_name) {
  const bool on_line = address.host == "line";
  mail::SmtpOpeningOptions out;
  out.helo = connector.helo.empty() ? our_name : connector.helo;
  out.peer_name = connector.peer_name;
  out.starttls = starttls_use(connector.tls);
  out.encrypted = connector.tls == config::TlsMode::implicit;
  if (on_line) {
    out.skip_before_greeting = kJunkBeforeGreeting;
    out.timeouts.greeting = kGreetingOnLine;
  }
  if (connector.user.empty()) return out;
  mail::SmtpLogin login;
  login.user = connector.user;
  LONGLINE_TRY(login.password, read_secret(connector.password));
  login.allow_clear = connector.allow_plain_auth || on_line;   // a line has two ends, and no one between them
  login.hmac_md5 = hmac_md5;
  out.login = std::move(login);
  return out;
}

TlsSettings tls_settings(const StatePaths& paths, const config::Connector& connector, const PeerAddress& address) {
  const bool must = connector.tls == config::TlsMode::required || connector.tls == config::TlsMode::implicit;
  TlsSettings out;
  out.name = !connector.peer_name.empty() ? connector.peer_name : address.host == "line" ? "" : address.host;
  out.verify = must && connector.tls_verify;
  out.ca_file = connector.tls_ca_file;
  out.certificate = connector.tls_certificate;
  out.key = connector.tls_key;
  // A session stands for the checks that were made when it began.
  out.session_key = fmt::format("{} {} {} {} {} {}", connector.name, to_string(address), out.name, out.verify ? "verified" : "any", out.ca_file,
                                out.certificate);
  std::replace(out.session_key.begin(), out.session_key.end(), '\n', ' ');
  out.session_file = ticket_file(paths, connector.name, out.session_key);
  return out;
}

}  // namespace longline::sys
