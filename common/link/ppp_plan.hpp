// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.hpp"
#include "config/config.hpp"

namespace longline::link {

/// Who may log in to us over this line, when we answer: a link's name, and what its caller must know.
struct PppCaller {
  std::string name;
  Secret password;
};

/// The part that we play on a PPP line.
struct PppRole {
  bool answering = false;              ///< the peer called: it must authenticate itself, and we give it its address
  std::string host;                    ///< what we are called when the peer authenticates to us
  std::string local, remote;           ///< addresses that we insist on; empty: the peer gives us ours
  std::vector<PppCaller> callers{};    ///< who may authenticate to us: callers, or the router that we called (authenticate-peer)
};

/// A file of pppd's private /etc/ppp.
struct PppFile {
  std::string name;
  std::string text;                    ///< holds secrets: never shown
};

/// How pppd 2.4 and 2.5 are started for a link: with the line as stdin (a terminal), its log on stderr, and an /etc/ppp of its own, so
/// that neither the host's options nor its scripts matter, and no secret is on a command line or on a disk.
///
/// The supervisor watches the carrier, idleness and time; routes and name servers are its own business, too: pppd
/// versions differ in them (2.5.3 only ever adds a default route).
struct PppPlan {
  std::vector<std::string> argv;
  std::vector<PppFile> files;          ///< options, pap-secrets, chap-secrets
  bool authenticates_peer = false;     ///< the peer must prove who it is
};

PppPlan plan_ppp(const config::Link& link, const PppRole& role, const Secret& password);

}  // namespace longline::link
