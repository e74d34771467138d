// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "link/backoff.hpp"
#include "link/budget.hpp"
#include "sys/sqlite.hpp"

namespace longline::sys {

/// What is written down about a call: while it goes on, and once more at its end.
struct CallFigures {
  std::optional<WallTime> connected{};   ///< CONNECT; nullopt: not yet, or never
  WallTime seen{};                       ///< now
  Duration duration{};                   ///< since CONNECT, by the steady clock
  std::string number{};
  int attempts = 0;
  std::int64_t bytes_in = 0, bytes_out = 0;
  link::Money cost = 0;
  std::optional<std::int64_t> signal{};  ///< dBm
  std::int64_t due = 0, moved = 0;       ///< messages, as mtaq reported them
};

struct LedgerCall {
  std::int64_t id = 0;
  std::string link;
  WallTime started{};                    ///< the first dial command
  std::optional<WallTime> ended{};       ///< nullopt: under way
  CallFigures figures;
  std::string code;                      ///< of the error; "" when it ended as asked, or is under way
  std::string stage;
  std::optional<std::int64_t> ras{};
  std::string cause;                     ///< one sentence; "" without an error
};

/// calls.db: every call, and which links are backing off. One process writes at a time, for milliseconds. Bounded:
/// 400 days; 20,000 calls, but for connected ones of the last 40 days, which budgets need; 100,000 in any case.
/// All errors have stage policy: Errc::disk_full, io, busy, permission, config.
class Ledger {
 public:
  static Result<Ledger> open(const std::string& path, Duration patience = Duration(1'000));
  /// Errc::not_found when nothing has been written down yet. The writing calls then fail.
  static Result<Ledger> open_read_only(const std::string& path);

  /// For how long the following calls wait for others' commits.
  void be_patient(Duration patience);

  /// A call starts: its number in the ledger. What a killed supervisor left open is closed with what it wrote last.
  Result<std::int64_t> begin(const std::string& link, WallTime now);
  Result<void> update(std::int64_t id, const CallFigures& figures);
  Result<void> finish(std::int64_t id, const CallFigures& figures, const std::optional<Error>& error);

  /// Of the local day and month, without the call `except`.
  Result<link::Usage> usage(const std::string& link, const Period& day, const Period& month, std::int64_t except = 0);
  /// Calls of one link, or of all with "", that were under way at `since` or later; the oldest first, the newest `most`.
  Result<std::vector<LedgerCall>> calls(const std::string& link, WallTime since, std::int64_t most);

  Result<std::optional<link::BackoffState>> backoff(const std::string& link);
  Result<void> set_backoff(const std::string& link, const link::BackoffState& state);
  Result<void> clear_backoff(const std::string& link);

  Result<void> prune(WallTime now);

 private:
  explicit Ledger(Sqlite db) : db_(std::move(db)) {}
  Result<void> close_abandoned();
  Sqlite db_;
};

}  // namespace longline::sys
