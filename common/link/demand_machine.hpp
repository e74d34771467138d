// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/error.hpp"
#include "base/time.hpp"
#include "link/traffic.hpp"

namespace longline::link {

struct DemandOptions {
  int rounds = 3;                     ///< through all numbers, for the packets that wait; then the link counts as unreachable
  Duration interval{60'000};          ///< between two rounds, give or take half
};

/// The link's routes belong on our interface: traffic to them comes to us.
struct ShowRoutes {
  bool operator==(const ShowRoutes&) const = default;
};
/// They belong nowhere: traffic fails at once, or takes another way.
struct HideRoutes {
  std::string reason;
  bool operator==(const HideRoutes&) const = default;
};
/// Join the link, or call it.
struct CallLink {
  std::optional<PacketFacts> packet;  ///< what asked for it; absent: another round
  bool last_round = false;
};
/// A packet that waited goes where the routes lead now.
struct SendOn {
  std::string packet;
  bool operator==(const SendOn&) const = default;
};
using DemandAction = std::variant<ShowRoutes, HideRoutes, CallLink, SendOn>;

/// What a demand-dial interface does, without I/O: packets, news of the link and time in, actions out (base/machine.hpp). The link is
/// called for real traffic only; packets wait for it, the newest 64 of a minute and at most 64 KiB of them. How long the call
/// lasts is the link's own business (`idle`).
///
/// A call that failed is tried again after `interval`, give or take half by `jitter`, so that two ends that call each other at the same
/// time, and both find the other busy, do not go on like that. Between the rounds the port is free: the other end may call us. When all
/// rounds have failed the routes are hidden, for a minute, then two, up to ten; at once, and for ten, when only a person can mend it.
class DemandMachine {
 public:
  explicit DemandMachine(DemandOptions options) : options_(options) {}

  void start();
  void on_packet(std::string_view packet, TimePoint now);
  /// Somebody, maybe we, brings the link up.
  void on_link_coming();
  void on_link_up(TimePoint now);
  /// It was up, or somebody else's call failed.
  void on_link_down(TimePoint now);
  /// The call that we asked for. `jitter`: 0 … 1, at random.
  void on_call_failed(const Error& error, double jitter, TimePoint now);
  /// Nobody may call now (backoff, hours, budget): as long as it is so. nullopt: it may be called.
  void on_unreachable(std::optional<std::string> reason);
  void on_time(TimePoint now);
  std::optional<TimePoint> deadline() const { return retry_at_; }
  std::optional<DemandAction> next_action();

  bool routes_here() const { return place_ == Place::here; }
  bool is_calling() const { return calling_; }

 private:
  enum class Place { unknown, nowhere, here, link };
  struct Waiting {
    std::string packet;
    TimePoint since;
  };

  void place_routes(const std::string& reason);
  void call(std::optional<PacketFacts> packet);
  void keep(std::string_view packet, TimePoint now);
  void drop_old(TimePoint now);
  void give_up(Duration pause, std::string reason, TimePoint now);

  DemandOptions options_;
  Place place_ = Place::unknown;
  bool link_up_ = false;
  bool link_coming_ = false;
  bool calling_ = false;
  std::optional<TimePoint> up_since_;
  std::optional<TimePoint> retry_at_;      ///< the next round; or the end of hiding
  bool hiding_ = false;                    ///< all rounds have failed
  std::optional<std::string> forbidden_;
  int rounds_ = 0;                         ///< that failed in a row
  int surrenders_ = 0;                     ///< in a row
  std::deque<Waiting> waiting_;
  std::size_t waiting_bytes_ = 0;
  int sent_on_ = 0;                        ///< since the link came up
  std::deque<DemandAction> actions_;
};

}  // namespace longline::link
