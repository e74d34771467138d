// SPDX-License-Identifier: MIT
#include "sys/flush/mx_lookup.hpp"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/text.hpp"
#include "mail/dns_answer.hpp"
#include "sys/system_clock.hpp"

namespace longline::sys {
namespace {

constexpr int kTriesOfLookup = 2;

/// libresolv's state: its own, so that the process's is left alone.
class Resolver {
 public:
  static Result<std::unique_ptr<Resolver>> open(const std::optional<config::NameServer>& server, Duration patience) {
    std::unique_ptr<Resolver> resolver(new Resolver);
    if (::res_ninit(&resolver->state_) != 0) return Error(Errc::next_hop_unreachable, "name service: the resolver cannot be set up", Stage::connect);
    resolver->open_ = true;
    if (server) LONGLINE_CHECK(resolver->use(*server));
    struct __res_state& state = resolver->state_;
    state.retry = kTriesOfLookup;
    const std::int64_t servers = std::max(state.nscount, 1);
    state.retrans = static_cast<int>(std::clamp<std::int64_t>(patience.count() / 1000 / kTriesOfLookup / servers, 1, 10));
    state.options &= ~static_cast<unsigned long>(RES_DEFNAMES | RES_DNSRCH);
    return resolver;
  }
  ~Resolver() {
    if (open_) ::res_nclose(&state_);
  }
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  enum class Outcome { answer, no_such_domain, no_data };
  struct Reply {
    Outcome outcome = Outcome::answer;
    mail::DnsAnswer answer{};
  };
  Result<Reply> ask(const std::string& name, int type) {
    // More than a TCP answer can have does not come.
    std::vector<unsigned char> buffer(65'536);
    const TimePoint asked = steady_now();
    errno = 0;
    const int size = ::res_nquery(&state_, (name + ".").c_str(), ns_c_in, type, buffer.data(), static_cast<int>(buffer.size()));
    if (size < 0) {
      const int cause = errno;
      if (state_.res_h_errno == HOST_NOT_FOUND) return Reply{Outcome::no_such_domain};
      if (state_.res_h_errno == NO_DATA) return Reply{Outcome::no_data};
      Error error(Errc::next_hop_unreachable, fmt::format("name service: no answer about {}", escape_at_most(name, 100)), Stage::connect);
      // ETIMEDOUT at once: a server answered that it cannot tell.
      const bool waited = steady_now() - asked >= Duration(std::int64_t{state_.retrans} * 1000);
      if (cause == ECONNREFUSED || (cause == ETIMEDOUT && waited)) error.sys_errno = cause;
      return error;
    }
    const std::string_view bytes(reinterpret_cast<const char*>(buffer.data()), std::min(static_cast<std::size_t>(size), buffer.size()));
    Result<mail::DnsAnswer> answer = mail::parse_dns_answer(bytes);
    if (answer) return Reply{Outcome::answer, std::move(*answer)};
    return Error(Errc::next_hop_unreachable, fmt::format("name service: {} ({})", answer.error().what, escape_at_most(name, 100)), Stage::connect);
  }
  /// IPv4 first: a thin link rarely has more.
  Result<std::vector<std::string>> addresses_of(const std::string& host) {
    std::vector<std::string> out;
    for (const int type : {ns_t_a, ns_t_aaaa}) {
      Result<Reply> reply = ask(host, type);
      if (!reply && out.empty()) return std::move(reply).error();
      if (reply) out.insert(out.end(), reply->answer.addresses.begin(), reply->answer.addresses.end());
    }
    return out;
  }

 private:
  Resolver() = default;
  Result<void> use(const config::NameServer& server) {
    for (int i = 0; i < state_.nscount; ++i) std::memset(&state_.nsaddr_list[i], 0, sizeof state_.nsaddr_list[i]);
    sockaddr_in four{};
    four.sin_family = AF_INET;
    four.sin_port = htons(static_cast<std::uint16_t>(server.port));
    sockaddr_in6 six{};
    six.sin6_family = AF_INET6;
    six.sin6_port = four.sin_port;
    if (::inet_pton(AF_INET, server.address.c_str(), &four.sin_addr) == 1) {
      state_.nsaddr_list[0] = four;
    } else if (::inet_pton(AF_INET6, server.address.c_str(), &six.sin6_addr) == 1) {
      // res_nclose() frees it.
      auto* copy = static_cast<sockaddr_in6*>(std::malloc(sizeof six));
      if (copy == nullptr) return Error(Errc::os, "no memory");
      *copy = six;
      std::free(state_._u._ext.nsaddrs[0]);
      state_._u._ext.nsaddrs[0] = copy;
      state_.nsaddr_list[0].sin_family = 0;
    } else {
      return Error(Errc::config, "nameserver '" + escape_at_most(server.address, 64) + "' is no IP address", Stage::connect);
    }
    state_.nscount = 1;
    return {};
  }

  struct __res_state state_{};
  bool open_ = false;
};

std::optional<PeerAddress> address_literal(const std::string& domain, int port) {
  if (!domain.starts_with('[') || !domain.ends_with(']')) return std::nullopt;
  std::string inside = domain.substr(1, domain.size() - 2);
  if (to_lower(inside).starts_with("ipv6:")) inside.erase(0, 5);
  return PeerAddress{inside, port};
}

Exchangers refused(std::string enhanced, std::string text) { return {{}, Exchangers::Refusal{std::move(enhanced), std::move(text)}}; }

}  // namespace

Result<Exchangers> find_exchangers(const config::Connector& connector, const std::string& domain, const std::string& our_name, Duration patience) {
  const std::string shown = escape_at_most(domain, 100);
  if (const auto literal = address_literal(domain, connector.port)) return Exchangers{{*literal}};
  const bool ascii = std::all_of(domain.begin(), domain.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  if (domain.empty() || domain.size() > 253 || !ascii) return refused("5.1.2", fmt::format("'{}' is no name that DNS has", shown));
  LONGLINE_TRY(const std::unique_ptr<Resolver> resolver, Resolver::open(connector.nameserver, patience));
  LONGLINE_TRY(Resolver::Reply reply, resolver->ask(domain, ns_t_mx));
  if (reply.outcome == Resolver::Outcome::no_such_domain) return refused("5.1.2", fmt::format("domain not found: {}", shown));
  Exchangers out;
  mail::MailRoute route = mail::mail_route(reply.answer.exchangers, our_name);
  if (route.takes_no_mail) return refused("5.1.10", fmt::format("domain {} takes no mail (null MX)", shown));
  if (route.is_ours) return refused("5.4.6", fmt::format("mail for {} is ours by DNS: it would come back to us", shown));
  const bool implicit = route.hosts.empty();
  if (implicit) route.hosts.push_back(domain);
  std::optional<Error> trouble;
  for (const std::string& host : route.hosts) {
    const auto known = reply.answer.additional.find(host);
    if (known != reply.answer.additional.end()) {
      for (const std::string& address : known->second) out.addresses.push_back({host, connector.port, address});
    } else if (!implicit && !connector.nameserver) {
      out.addresses.push_back({host, connector.port});   // the system knows more sources of names than DNS
    } else {
      Result<std::vector<std::string>> addresses = resolver->addresses_of(host);
      if (!addresses) trouble = std::move(addresses).error();
      else for (const std::string& address : *addresses) out.addresses.push_back({host, connector.port, address});
    }
  }
  if (!out.addresses.empty()) return out;
  if (trouble) return std::move(*trouble);
  if (implicit) return refused("5.4.4", fmt::format("domain {} has neither mail exchanger nor address", shown));
  return Error(Errc::next_hop_unreachable, fmt::format("name service: no mail exchanger of {} has an address", shown), Stage::connect);
}

}  // namespace longline::sys
