// SPDX-License-Identifier: MIT
#include "sys/x400/x400_peers.hpp"

#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <memory>

#include "base/text.hpp"
#include "sys/secret_file.hpp"

namespace longline::sys {
namespace {

constexpr int kUnknownMta = 51, kUnknownAddress = 9301;   // Exchange's event numbers

Result<Secret> password(const config::SecretSource& source, std::string_view key) {
  LONGLINE_TRY(Secret secret, read_secret(source));
  if (secret.reveal().size() > config::X400::kLongestPassword) {
    return Error(Errc::config, fmt::format("{}: a password has at most {} characters", key, config::X400::kLongestPassword), Stage::auth);
  }
  return secret;
}

bool takes(const config::Connector& connector, std::string_view name) {
  return connector.x400.peer_mta_name.empty() || iequals(connector.x400.peer_mta_name, name);
}

std::string expected_addresses(const config::Connector& connector) {
  if (connector.host == "line") return "the line of link " + connector.link;
  std::string out;
  for (const std::string& address : addresses_of(connector.host)) out += (out.empty() ? "" : ", ") + address;
  return out.empty() ? escape(connector.host) + ", which has no address" : out;
}

}  // namespace

std::vector<std::string> addresses_of(const std::string& host) {
  std::string_view plain = host;
  if (plain.starts_with('[') && plain.ends_with(']')) plain = plain.substr(1, plain.size() - 2);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  std::vector<std::string> out;
  if (::getaddrinfo(std::string(plain).c_str(), nullptr, &hints, &found) != 0) return out;
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> all(found, ::freeaddrinfo);
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    char text[NI_MAXHOST];
    if (::getnameinfo(one->ai_addr, one->ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST) == 0) out.emplace_back(text);
  }
  return out;
}

Result<x400::RtsPeer> rts_peer(const config::Connector& connector, const std::string& host) {
  x400::RtsPeer out;
  out.our_name = (connector.x400.mta_name.empty() ? host : connector.x400.mta_name).substr(0, config::X400::kLongestName);
  LONGLINE_TRY(out.our_password, password(connector.x400.password, "mta-password"));
  out.peer_name = connector.x400.peer_mta_name;
  LONGLINE_TRY(out.peer_password, password(connector.x400.peer_password, "peer-password"));
  out.checkpoint_size = static_cast<std::uint32_t>(connector.x400.checkpoint_size);
  out.window = static_cast<std::uint32_t>(connector.x400.window);
  return out;
}

x400::RtsOptions rts_options(const config::Connector& connector) {
  const config::X400& x400 = connector.x400;
  x400::RtsOptions out;
  out.calling_selector = x400.t_selector;
  out.called_selector = x400.peer_t_selector;
  out.lifetime = x400.lifetime;
  out.disconnect = x400.disconnect;
  out.timeout_per_k[0] = x400.timeout_urgent;
  out.timeout_per_k[1] = x400.timeout_normal;
  out.timeout_per_k[2] = x400.timeout_non_urgent;
  out.max_transfer_retries = connector.max_transfer_retries;
  out.transfer_interval = connector.transfer_interval;
  return out;
}

std::vector<const config::Connector*> callers_connectors(const config::Config& config, const X400Caller& caller) {
  std::vector<const config::Connector*> all, out;
  for (const config::Connector& connector : config.connectors) {
    if (connector.protocol != config::Protocol::x400) continue;
    all.push_back(&connector);
    if (caller.address.empty()) {
      if (connector.host == "line") out.push_back(&connector);
      continue;
    }
    const std::vector<std::string> addresses = connector.host == "line" ? std::vector<std::string>() : addresses_of(connector.host);
    // An IPv4 caller on a socket for both families.
    const std::string_view plain = std::string_view(caller.address).starts_with("::ffff:") ? std::string_view(caller.address).substr(7) : caller.address;
    if (std::find(addresses.begin(), addresses.end(), plain) != addresses.end()) out.push_back(&connector);
  }
  return caller.address.empty() && out.empty() ? all : out;
}

X400Match match_caller(const config::Config& config, const std::vector<const config::Connector*>& may_call, const X400Caller& caller, std::string_view name) {
  const config::Connector* any = nullptr;
  for (const config::Connector* connector : may_call) {
    if (!connector->x400.peer_mta_name.empty() && iequals(connector->x400.peer_mta_name, name)) return {connector};
    if (connector->x400.peer_mta_name.empty() && any == nullptr) any = connector;
  }
  if (any != nullptr) return {any};
  const std::string shown = name.empty() ? "an MTA without a name" : "MTA " + escape_at_most(name, 64);
  for (const config::Connector& connector : config.connectors) {
    if (connector.protocol != config::Protocol::x400 || !takes(connector, name)) continue;
    Error why(Errc::caller_refused, fmt::format("{} calls from {}; connector {} expects it from {}", shown, caller.shown, connector.name,
                                                expected_addresses(connector)), Stage::auth);
    return {nullptr, X400Refusal{std::move(why), kUnknownAddress}};
  }
  std::string expected;
  for (const config::Connector* connector : may_call) expected += (expected.empty() ? "" : ", ") + escape(connector->x400.peer_mta_name);
  if (expected.empty()) {
    Error why(Errc::caller_refused, fmt::format("{} calls from {}, which is the address of no X.400 connector", shown, caller.shown), Stage::auth);
    return {nullptr, X400Refusal{std::move(why), kUnknownAddress}};
  }
  Error why(Errc::auth_refused, fmt::format("{} calls from {}, where {} is expected", shown, caller.shown, expected), Stage::auth);
  return {nullptr, X400Refusal{std::move(why), kUnknownMta}};
}

}  // namespace longline::sys
