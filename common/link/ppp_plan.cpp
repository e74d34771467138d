// SPDX-License-Identifier: MIT
#include "link/ppp_plan.hpp"

namespace longline::link {
namespace {

/// A word of pppd's option and secrets files (options.c, getword): in double quotes only \ and " need help; a line end would be a new line.
std::string word(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string secret_line(const std::string& client, const std::string& server, const Secret& secret, const std::string& addresses) {
  return client + " " + server + " " + word(secret.reveal()) + " " + addresses + "\n";
}

}  // namespace

PppPlan plan_ppp(const config::Link& link, const PppRole& role, const Secret& password) {
  PppPlan plan;
  plan.authenticates_peer = role.answering || link.authenticate_peer;
  // The line is a pseudo-terminal: it has no modem wires, and its speed means nothing.
  plan.argv = {"pppd", "nodetach", "local", "nocrtscts", "logfd", "2"};
  const auto add = [&](std::initializer_list<std::string> words) { plan.argv.insert(plan.argv.end(), words); };
  // Both ends are ready at about the same time: a first frame that is lost costs one second, not three; patience as by default.
  add({"lcp-restart", "1", "lcp-max-configure", "30"});
  // Nothing while traffic flows; a dead line that looks alive is found out in two minutes.
  add({"lcp-echo-interval", "30", "lcp-echo-failure", "4", "lcp-echo-adaptive"});
  add({"asyncmap", "0", "noipv6", "nodefaultroute"});
  if (!role.local.empty() || !role.remote.empty()) add({role.local + ":" + role.remote});
  if (role.local.empty()) add({"noipdefault", "ipcp-accept-local"});
  if (role.remote.empty()) add({"ipcp-accept-remote"});
  if (link.dns && !role.answering) add({"usepeerdns"});
  if (plan.authenticates_peer) {
    // Our name in the challenge is the host's: so a secret for those who log in to us is never taken for our own.
    add({"auth", "require-chap", "require-pap", "name", role.host});
  } else {
    add({"noauth"});
  }
  const std::string user = link.user.empty() ? link.name : link.user;
  add({"user", user});
  plan.argv.insert(plan.argv.end(), link.ppp_options.begin(), link.ppp_options.end());

  std::string secrets;
  for (const PppCaller& caller : role.callers) {
    secrets += secret_line(word(caller.name), word(role.host), caller.password, role.remote.empty() ? "*" : role.remote);
  }
  // Who knows our own password may not log in to us with it: it goes with no address.
  if (!password.empty()) secrets += secret_line(word(user), "*", password, "");
  plan.files = {{"options", ""}, {"pap-secrets", secrets}, {"chap-secrets", secrets}};
  // Before the interface carries its first packet: that of the other end may be on its way already.
  if (link.forward) plan.files.push_back({"ip-pre-up", "#!/bin/sh\necho 1 > /proc/sys/net/ipv4/conf/$1/forwarding\n"});
  return plan;
}

}  // namespace longline::link
