// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.hpp"

namespace longline::modem {

/// Finds the end of a connection in its own bytes, where the line has no DCD: "NO CARRIER" on a line of its own and
/// then a second of silence. Mail may hold the words, so they are believed only when nothing follows.
///
/// The words themselves are held back while they may still be the modem's, so that a client never reads them as data.
class CarrierWatch {
 public:
  static constexpr Duration kSilence{1'000};

  /// What of these bytes, and of bytes held back before, is data for the client.
  std::string feed(std::string_view bytes, TimePoint now);
  /// When on_time() has something to say.
  std::optional<TimePoint> deadline() const { return deadline_; }
  enum class Verdict { nothing, lost, released };
  /// `lost`: the carrier is gone. `released`: it was data after all, take() has it.
  Verdict on_time(TimePoint now);
  std::string take();
  /// The words stand there, and the second is not over: nothing should be sent now. If the carrier is gone, the modem
  /// would take it for commands.
  bool suspects() const;

 private:
  bool extend(char c);               ///< takes c if it continues, or starts, what the modem would say

  std::string held_;                 ///< the start of what the modem says, found at the start of a line
  std::size_t matched_ = 0;          ///< how far it goes, counted in the modem's words
  bool line_start_ = true;
  std::optional<TimePoint> deadline_;
};

}  // namespace longline::modem
