// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "route/confirmation.hpp"

namespace longline::sys {

/// What an `apply --confirm` leaves in the run folder, so that whoever comes first when its time is over puts the old table
/// back: routes.pending, and routes.before with the routes to go back to. It ends by renaming alone, which a full disk does
/// not keep from happening: to routes.confirmed or routes.restored, which tell those who wait how it ended.
/// Changes need the RouteLock.
class RouteConfirmation {
 public:
  explicit RouteConfirmation(const std::string& run_dir) : base_(run_dir + "/routes") {}

  /// The one that waits or is due; nullopt: there is none, or it is of another boot.
  std::optional<route::Confirmation> pending() const;
  route::Standing standing(const route::Confirmation& confirmation) const;
  /// The file of routes to go back to. Once it has become the one in force, that.
  std::string before_path() const;

  /// Writes both files: from now on the old table comes back by itself. `before` is a whole file of routes in force.
  Result<route::Confirmation> begin(std::string_view before, Duration limit) const;
  /// The old table is back: its file becomes the one in force.
  Result<void> restored() const;
  Result<void> confirmed() const;
  /// Nothing was changed after all.
  void forget() const;

  enum class End { pending, confirmed, restored };
  End end_of(const route::Confirmation& confirmation) const;
  /// The last one of this boot ended by going back.
  bool last_was_restored() const;

 private:
  std::optional<route::Confirmation> read(const char* suffix) const;
  Result<void> rename(const std::string& from, const std::string& to) const;
  std::string base_;
};

}  // namespace longline::sys
