// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "config/config.hpp"
#include "x400/rts.hpp"

namespace longline::sys {

/// Names, passwords (read now) and sizes of a connector. Errc::config: a password that cannot be read, or is longer than one may be.
Result<x400::RtsPeer> rts_peer(const config::Connector& connector, const std::string& host);
/// What both sides of an association have from their connector; the rest is each one's own.
x400::RtsOptions rts_options(const config::Connector& connector);

/// Who called: an address, or a line (""), which has no address and is known by its names alone.
struct X400Caller {
  std::string address;     ///< "192.0.2.7"; "" for a line
  std::string shown;       ///< for people: "192.0.2.7:4711", "the line"
};
/// The connectors whose peer may call from there: those whose `host` has this address (looked up, blocking); from a line those whose host is "line", and
/// all where there are none such.
std::vector<const config::Connector*> callers_connectors(const config::Config& config, const X400Caller& caller);

/// Why a caller is not let in. Errors: caller_refused (another connector's peer has the name, and its address is not the caller's; both are named; or no
/// connector has the address), auth_refused (no connector for this address has the name).
struct X400Refusal {
  Error error;
  int id = 0;              ///< Exchange's event number: 9301 for the address, 51 for the name
};
/// Among the connectors that may call the one for an MTA of this name: whose `peer-mta-name` it is, else one that takes any.
struct X400Match {
  const config::Connector* connector = nullptr;
  std::optional<X400Refusal> refusal{};
};
X400Match match_caller(const config::Config& config, const std::vector<const config::Connector*>& may_call, const X400Caller& caller, std::string_view name);

/// The IP addresses of a host, "192.0.2.7"; none when it cannot be looked up. Blocks as long as the resolver does.
std::vector<std::string> addresses_of(const std::string& host);

}  // namespace longline::sys
