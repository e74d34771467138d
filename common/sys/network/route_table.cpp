// SPDX-License-Identifier: MIT
#include "sys/network/route_table.hpp"

#include <fmt/format.h>
#include <linux/rtnetlink.h>
#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "sys/network/netlink.hpp"

namespace longline::sys {
namespace {

constexpr std::size_t kBatch = 256;   // measured: more a send gains nothing

/// SIGINT, SIGTERM and SIGHUP wait while this lives: half a transaction helps nobody.
class SignalsWait {
 public:
  SignalsWait() {
    sigset_t set;
    sigemptyset(&set);
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) sigaddset(&set, number);
    sigprocmask(SIG_BLOCK, &set, &before_);
  }
  SignalsWait(const SignalsWait&) = delete;
  SignalsWait& operator=(const SignalsWait&) = delete;
  ~SignalsWait() { sigprocmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

/// Deleting what is not there, adding back what is there: the aim is reached.
bool harmless(const route::Step& step, int error) { return step.add ? error == EEXIST : error == ESRCH; }

struct Sent {
  std::size_t count = 0;      ///< steps that the kernel may have carried out
  std::vector<Netlink::Refusal> refused;   ///< indices of steps
};

Result<Sent> send_all(Netlink& netlink, const std::vector<route::Step>& steps, bool stop_when_refused, std::size_t& count) {
  Sent sent;
  std::string batch;
  while (sent.count < steps.size()) {
    const std::size_t end = std::min(steps.size(), sent.count + kBatch);
    batch.clear();
    for (std::size_t i = sent.count; i < end; ++i) route::encode(batch, steps[i]);
    const std::size_t base = sent.count;
    count = sent.count = end;
    LONGLINE_TRY(const std::vector<Netlink::Refusal> refused, netlink.send(batch));
    for (const Netlink::Refusal& refusal : refused) {
      const std::size_t index = base + refusal.index;
      if (!steps[index].add && refusal.error == ESRCH) continue;
      sent.refused.push_back({index, refusal.error, refusal.text});
    }
    if (stop_when_refused && !sent.refused.empty()) break;
  }
  return sent;
}

/// Empty when everything is as it was.
std::string put_back(const std::vector<route::Step>& steps, std::size_t count) {
  const std::vector<route::Step> back = route::undo(steps, count);
  Result<Netlink> netlink = Netlink::open();   // a fresh one: nothing is on its way in it
  if (!netlink) return netlink.error().message();
  std::size_t sent_count = 0;
  const Result<Sent> sent = send_all(*netlink, back, false, sent_count);
  if (!sent) return sent.error().message();
  for (const Netlink::Refusal& refusal : sent->refused) {
    const route::Step& step = back[refusal.index];
    if (harmless(step, refusal.error)) continue;
    return fmt::format("{} {}: {}", step.add ? "adding back" : "removing", to_string(step.route->to),
                       refusal.text.empty() ? std::strerror(refusal.error) : refusal.text);
  }
  return "";
}

void decode_routes(std::string_view bytes, route::Family family, std::vector<route::KernelRoute>& out) {
  while (const std::optional<route::NetlinkMessage> message = route::next_message(bytes)) {
    const std::optional<route::KernelRoute> decoded = route::decode_route(*message);
    // A kernel without IPv6 answers its dump with every family it has.
    if (!decoded || decoded->to.address.family != family || decoded->cloned || decoded->table == RT_TABLE_LOCAL) continue;
    out.push_back(*decoded);
  }
}

}  // namespace

Result<route::KernelState> read_kernel_state() {
  LONGLINE_TRY(Netlink netlink, Netlink::open());
  route::KernelState state;
  std::string links;
  LONGLINE_CHECK(netlink.dump(route::encode_interface_dump(), links));
  std::string_view rest = links;
  while (const std::optional<route::NetlinkMessage> message = route::next_message(rest)) {
    if (std::optional<route::Interface> interface = route::decode_interface(*message)) state.interfaces.add(std::move(*interface));
  }
  LONGLINE_CHECK(netlink.dump(route::encode_route_dump(route::Family::ipv4), state.buffer));
  const std::size_t ipv4_end = state.buffer.size();
  LONGLINE_CHECK(netlink.dump(route::encode_route_dump(route::Family::ipv6), state.buffer));
  const std::string_view all = state.buffer;
  constexpr std::size_t kUsualMessage = 60;   // bytes
  state.routes.reserve(all.size() / kUsualMessage);
  decode_routes(all.substr(0, ipv4_end), route::Family::ipv4, state.routes);
  decode_routes(all.substr(ipv4_end), route::Family::ipv6, state.routes);
  return state;
}

Result<std::vector<route::InterfaceAddress>> read_addresses() {
  LONGLINE_TRY(Netlink netlink, Netlink::open());
  std::string bytes;
  LONGLINE_CHECK(netlink.dump(route::encode_address_dump(), bytes));
  std::vector<route::InterfaceAddress> addresses;
  std::string_view rest = bytes;
  while (const std::optional<route::NetlinkMessage> message = route::next_message(rest)) {
    if (const std::optional<route::InterfaceAddress> address = route::decode_address(*message)) addresses.push_back(*address);
  }
  return addresses;
}

Result<Lookup> lookup_route(const route::IpAddress& address, const route::IpAddress& from) {
  LONGLINE_TRY(Netlink netlink, Netlink::open());
  Lookup lookup;
  const auto ask = [&](bool matched) -> Result<std::optional<route::KernelRoute>> {
    std::string bytes;
    Result<void> answered = netlink.dump(route::encode_route_query(address, from, matched), bytes);
    if (!answered) {
      const int error = answered.error().sys_errno;
      if (error != ENETUNREACH && error != EHOSTUNREACH && error != EACCES && error != EINVAL) return std::move(answered).error();
      lookup.error = error;
      return std::optional<route::KernelRoute>();
    }
    std::string_view rest = bytes;
    const std::optional<route::NetlinkMessage> message = route::next_message(rest);
    std::optional<route::KernelRoute> decoded = message ? route::decode_route(*message) : std::nullopt;
    if (decoded) decoded->raw = {};
    return decoded;
  };
  LONGLINE_TRY(const std::optional<route::KernelRoute> way, ask(false));
  if (!way) return lookup;
  lookup.way = *way;
  LONGLINE_TRY(lookup.entry, ask(true));
  lookup.error = 0;  // what cannot be matched can still go
  return lookup;
}

Result<std::vector<Verdict>> try_routes(const std::vector<const route::KernelRoute*>& routes) {
  LONGLINE_TRY(Netlink netlink, Netlink::open());
  std::vector<Verdict> out;
  std::string batch;
  for (std::size_t base = 0; base < routes.size(); base += kBatch) {
    batch.clear();
    const std::size_t end = std::min(routes.size(), base + kBatch);
    for (std::size_t i = base; i < end; ++i) route::encode_trial(batch, *routes[i]);
    LONGLINE_TRY(const std::vector<Netlink::Refusal> refused, netlink.send(batch));
    for (const Netlink::Refusal& refusal : refused) {
      if (refusal.error == EPERM) return std::vector<Verdict>();
      const bool accepted = refusal.error == EEXIST || refusal.error == ENOENT;
      if (!accepted) out.push_back({base + refusal.index, refusal.error, refusal.text});
    }
  }
  return out;
}

Result<std::optional<RefusedStep>> commit(const std::vector<route::Step>& steps) {
  const SignalsWait wait;
  LONGLINE_TRY(Netlink netlink, Netlink::open());
  std::size_t count = 0;
  Result<Sent> sent = send_all(netlink, steps, true, count);
  if (!sent) {
    const std::string not_restored = put_back(steps, count);
    Error error = std::move(sent).error();
    if (!not_restored.empty()) error.hint = "the table could not be put back whole: " + not_restored;
    return error;
  }
  if (sent->refused.empty()) return std::optional<RefusedStep>();
  const Netlink::Refusal& first = sent->refused.front();
  RefusedStep refused{&steps[first.index], first.error, first.text, ""};
  if (first.error != EPERM) refused.not_restored = put_back(steps, count);
  return std::optional<RefusedStep>(std::move(refused));
}

Result<std::vector<StepRefusal>> commit_each(const std::vector<route::Step>& steps) {
  LONGLINE_TRY(Netlink netlink, Netlink::open());
  std::size_t count = 0;
  LONGLINE_TRY(const Sent sent, send_all(netlink, steps, false, count));
  std::vector<StepRefusal> out;
  for (const Netlink::Refusal& refusal : sent.refused) out.push_back({refusal.index, refusal.error, refusal.text});
  return out;
}

}  // namespace longline::sys
