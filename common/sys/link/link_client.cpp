// SPDX-License-Identifier: MIT
#include "sys/link/link_client.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/event.hpp"
#include "link/link_state.hpp"
#include "sys/link/call_gate.hpp"
#include "sys/link/link_record.hpp"
#include "sys/sockets.hpp"
#include "sys/system_clock.hpp"

namespace longline::sys {
namespace {

constexpr Duration kAnswer{2'000};

/// The first message of a kind, waiting a bounded time.
std::optional<JsonObject> wait_for(JsonChannel& channel, std::string_view kind) {
  const TimePoint end = steady_now() + kAnswer;
  while (steady_now() < end) {
    pollfd waiting{channel.fd(), POLLIN, 0};
    if (::poll(&waiting, 1, static_cast<int>((end - steady_now()).count())) <= 0) continue;
    const Result<std::vector<JsonObject>> messages = channel.read();
    if (!messages) return std::nullopt;
    for (const JsonObject& message : *messages) {
      if (message.string("msg") == kind) return message;
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<JsonChannel> connect_supervisor(const StatePaths& paths, const std::string& link) {
  Result<UniqueFd> fd = connect_unix(paths.control_socket(link));
  if (!fd) return std::nullopt;
  return JsonChannel(std::move(*fd));
}

Result<std::unique_ptr<ByteStream>> connect_line(const StatePaths& paths, const std::string& link) {
  Result<UniqueFd> fd = connect_unix(paths.line_socket(link));
  if (!fd) {
    return Error(Errc::link_down, fmt::format("link '{}' is down", link), Stage::connect)
        .with_hint(fmt::format("bring it up: dialctl run {} -- …", link));
  }
  const int small = 4096;
  ::setsockopt(fd->get(), SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
  return stream_of(std::move(*fd));
}

JsonObject link_status(const StatePaths& paths, const config::Link& link) {
  if (std::optional<JsonChannel> channel = connect_supervisor(paths, link.name)) {
    channel->send(JsonObject().set("op", "status"));
    if (const std::optional<JsonObject> answer = wait_for(*channel, "status")) {
      if (const std::optional<JsonObject> status = answer->object("status")) return *status;
    }
  }
  const std::optional<LinkRecord> record = read_link_record(paths, link.name);
  JsonObject out;
  const link::Standing standing = link_standing(paths, link).standing;
  out.set("link", link.name).set("state", to_string(standing.unreachable ? link::LinkState::unreachable : link::LinkState::down));
  out.set("since", record ? std::optional(format_iso8601(record->ended)) : std::nullopt);
  out.set("network", link.network == config::Network::stream ? "stream" : "ppp");
  out.set_null("interface").set_null("local").set_null("remote").set_null("line");
  out.set("holders", std::vector<JsonObject>()).set_null("call");
  if (record && record->error) out.set("last_error", *error_object("dialctl", *record->error).object("error"));
  else out.set_null("last_error");
  out.set("unreachable_until", standing.unreachable_until ? std::optional(format_iso8601(*standing.unreachable_until)) : std::nullopt);
  // Hours and budget go before the backoff in a refusal; a state that says unreachable tells why it is that.
  const link::Standing::Reason reason = standing.unreachable ? link::Standing::Reason::backoff : standing.reason;
  if (reason == link::Standing::Reason::none) out.set_null("reason");
  else out.set("reason", to_string(reason));
  return out;
}

TransferReport::TransferReport(const StatePaths& paths, const std::string& link) {
  if (!link.empty()) channel_ = connect_supervisor(paths, link);
  if (channel_) channel_->send(JsonObject().set("op", "transfer"));
}

void TransferReport::finish(std::int64_t due, std::int64_t moved, const std::string& connector) {
  if (!channel_) return;
  channel_->send(JsonObject().set("op", "report").set("due", due).set("moved", moved).set("connector", connector));
  channel_->drain(static_cast<int>(kAnswer.count()));
}

}  // namespace longline::sys
