// SPDX-License-Identifier: MIT
#include "mail/config_check.hpp"

#include <fmt/format.h>

#include <map>
#include <utility>

#include "base/text.hpp"
#include "mail/connector_choice.hpp"

namespace longline::mail {
namespace {

using config::Config;
using config::Connector;
using config::Retrieve;

class Check {
 public:
  Check(const Config& config, const std::string& host) : config_(config), host_(host) {}

  std::vector<ConfigFinding> run() {
    general();
    for (const Connector& connector : config_.connectors) {
      if (connector.protocol == config::Protocol::x400) associations(connector);
      else names(connector);
      reach(connector);
      if (connector.retrieve) retrieval(connector, *connector.retrieve);
    }
    doubles();
    return std::move(findings_);
  }

 private:
  void find(Severity severity, std::string code, const Connector* connector, std::string message, std::string advice) {
    findings_.push_back({severity, std::move(code), connector == nullptr ? Where{config_.file} : connector->where,
                         connector == nullptr ? "" : connector->name, std::move(message), std::move(advice)});
  }

  void general() {
    for (const std::string& network : config_.relay_from) {
      if (!network.ends_with("/0")) continue;
      find(Severity::error, "open-relay", nullptr, fmt::format("relay-from has {}: anybody may send mail to anybody over this host", network),
           "name the networks of your own hosts");
    }
    for (const std::string& domain : config_.relay_domains) {
      if (domain != "*") continue;
      find(Severity::error, "open-relay", nullptr, "relay-domains has *: anybody may send mail to anybody over this host", "name the domains that you serve");
    }
    if (!config_.connectors.empty() && host_.find('.') == std::string::npos) {
      find(Severity::warning, "short-host-name", nullptr, fmt::format("this host calls itself '{}', without a domain; many peers refuse that", escape(host_)),
           "give the host its full name (hostname -f), or each connector its 'helo'");
    }
  }

  void names(const Connector& connector) {
    if (connector.helo.empty() || iequals(connector.helo, host_)) return;
    find(Severity::warning, "helo-not-host", &connector,
         fmt::format("helo is '{}', this host is '{}': a peer that compares them refuses us (KB Q158279)", escape(connector.helo), escape(host_)),
         "leave 'helo' out, or make sure that the peer expects this very name");
  }

  void reach(const Connector& connector) {
    const config::Link* link = config_.find_link(connector.link);
    if (link != nullptr && link->network == config::Network::stream && connector.host != "line") {
      find(Severity::error, "no-network", &connector,
           fmt::format("host is '{}', but link '{}' is a stream: no host is reached over it", escape(connector.host), link->name),
           "host = \"line\", or network = \"ppp\" for the link");
    }
  }

  /// Both MTAs compare names, passwords and addresses when they bind (X.411, 12.1.1; KB Q158279, Q193380).
  void associations(const Connector& connector) {
    const config::X400& x400 = connector.x400;
    if (x400.mta_name.empty() && host_.size() > config::X400::kLongestName) {
      find(Severity::error, "mta-name-too-long", &connector,
           fmt::format("this host's name, '{}', is longer than the {} characters that the name of an MTA has", escape(host_), config::X400::kLongestName),
           "give the connector an 'mta-name'");
    }
    if (x400.peer_mta_name.empty()) {
      const bool secret = !x400.peer_password.empty();
      find(Severity::warning, "any-peer", &connector, fmt::format("any MTA is taken for the peer{}", secret ? " that knows the password" : ""),
           "peer-mta-name = \"HUB\"");
    }
    if (x400.checkpoint_size == 0) {
      find(Severity::warning, "no-checkpoints", &connector, "without checkpoints a message that is cut starts again from zero", "checkpoint-size = 15");
    }
    if (config_.local_domains.empty() && x400.local_domains.empty()) {
      find(Severity::warning, "no-local-domains", &connector,
           "the peer sends in the same association, but no domain is local: it is refused unless it is for this host's own name",
           "local-domains = [\"site7.example.com\"]");
    }
  }

  void retrieval(const Connector& connector, const Retrieve& retrieve) {
    if (config_.local_domains.empty() && retrieve.by != Retrieve::By::command) {
      find(Severity::warning, "no-local-domains", &connector, "mail is retrieved, but no domain is local: it is refused unless it is for this host's own name",
           "local-domains = [\"site7.example.com\"]");
    }
    const bool secured = connector.tls == config::TlsMode::required || connector.tls == config::TlsMode::implicit;
    if (retrieve.by == Retrieve::By::turn && (connector.user.empty() || !secured)) {
      find(Severity::error, "unsafe-turn", &connector, "TURN is only used after a login over TLS: without, anybody's mail goes to anybody",
           "'user', a password and tls = \"required\"; or ATRN, or ETRN");
    }
    if (retrieve.by == Retrieve::By::atrn && connector.user.empty()) {
      find(Severity::error, "no-login", &connector, "ATRN needs a login (RFC 2645), and the connector has no user", "'user' and 'password-file'");
    }
    if (retrieve.by == Retrieve::By::etrn && connector.host == "line") {
      find(Severity::error, "etrn-on-line", &connector, "ETRN makes the peer connect to us, which it cannot over a stream link", "by = \"atrn\"");
    }
  }

  void doubles() {
    std::map<std::pair<std::string, int>, const Connector*> seen;
    for (const Connector& connector : config_.connectors) {
      for (const std::string& domain : connector.domains) {
        const auto [first, fresh] = seen.emplace(std::pair(domain, connector.cost), &connector);
        if (fresh || first->second == &connector) continue;
        find(Severity::warning, "same-cost", &connector,
             fmt::format("'{}' has the same cost as in connector '{}', which comes first and takes all of it", escape(domain), first->second->name),
             "give them different costs");
      }
    }
  }

  const Config& config_;
  const std::string& host_;
  std::vector<ConfigFinding> findings_;
};

}  // namespace

std::vector<ConfigFinding> check_config(const Config& config, const std::string& host) { return Check(config, host).run(); }

}  // namespace longline::mail
