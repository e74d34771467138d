// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "config/config.hpp"
#include "mail/connector_state.hpp"
#include "mail/patience.hpp"
#include "mail/queue.hpp"

namespace longline::mail {

/// Where mail for one recipient goes: through a connector, into our own inbox, or nowhere (neither is set).
struct Destination {
  const config::Connector* connector = nullptr;
  bool local = false;
  bool operator==(const Destination&) const = default;
};

/// The most specific domain wins, then the lowest cost, then the order of the configuration; a connector whose retries are spent comes
/// after the others that are as specific. A local domain wins over patterns that are less specific than itself. Each connector decides
/// for itself: that a LAN connector serves some domain changes nothing for the mail of a dial-up one (Q230051). Keeps what it found
/// out, by domain; the Config must outlive it.
class ConnectorChoice {
 public:
  explicit ConnectorChoice(const config::Config& config, ConnectorStates states = {}, WallTime now = {})
      : config_(&config), states_(std::move(states)), now_(now) {}
  Destination choose(std::string_view address);
  /// From now on expires() counts only the time within hours.
  void count_usable_time(LocalClock clock) { patience_.emplace(*config_, std::move(clock)); }
  /// When a message that arrived then will be given up; nullopt: not in the next ten years.
  std::optional<WallTime> expires(const config::Connector& connector, WallTime arrived);
  /// mail::next_hop(), made once for each connector.
  const std::string& next_hop(const config::Connector& connector);

 private:
  Destination decide(std::string_view domain) const;
  bool spent(const config::Connector& connector, std::string_view domain) const;
  const config::Config* config_;
  ConnectorStates states_;
  WallTime now_;
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  std::optional<Patience> patience_;
  std::unordered_map<std::string, Destination, Hash, std::equal_to<>> known_;
  std::unordered_map<const config::Connector*, std::string> next_hops_;
};

/// The part behind the last @, or "".
std::string_view domain_of(std::string_view address);
/// "line", "mail.example.com:25"; "" for no connector.
std::string next_hop(const config::Connector* connector);
/// The right to send over it that two flushes must not have at once: its link's, or its own on the LAN.
std::string lease_name(const config::Connector& connector);
/// Why a message of this size will never be taken by it (its `max-size`); nullopt when it may.
std::optional<std::string> why_too_large(const config::Connector& connector, std::int64_t size);
/// Why a recipient waits, in one clause: its own reason, or that no connector serves its domain (which other mail systems do not need).
std::string waiting_reason(const Recipient& recipient, const Destination& destination);
std::string waiting_reason(const QueuedMessage& message, const Recipient& recipient, const Destination& destination);

}  // namespace longline::mail
