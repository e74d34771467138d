// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "mail/queue.hpp"
#include "mail/queue_backend.hpp"

namespace longline::mail {

/// Reads what `exim -bp` writes (exim(8); ids of 16 characters, 23 from 4.97 on), in any pieces: a message as
/// "AGE SIZE ID <SENDER> [(LOGIN)] [*** frozen ***]", then its recipients, "D" before those that have it, then an empty line. Exim
/// gives the age in minutes, hours or days, so the time of arrival is read from the id, and sizes are rounded ("1.7K"). Lines
/// that it cannot understand are skipped, and so are messages without a usable id.
class EximListing {
 public:
  explicit EximListing(QueueBackend::Visitor visitor) : visitor_(std::move(visitor)) {}
  /// false: the visitor wants no more.
  bool feed(std::string_view bytes);
  bool finish();

 private:
  void take_line(std::string_view line);
  bool hand_over();
  QueueBackend::Visitor visitor_;
  std::string partial_;
  bool too_long_ = false;
  bool wanted_ = true;
  std::optional<QueuedMessage> message_;
};

/// 6-6-2 or 6-11-4 letters and digits: safe as an argument and as a file's name.
bool is_exim_id(std::string_view id);
/// Seconds since 1970 are the first six digits, in base 62.
std::optional<WallTime> exim_id_time(std::string_view id);

/// One line of Exim's main log, if it tells the fate of a recipient: "TIME ID =>|->|**|== ADDRESS …", or what somebody did to
/// it: "TIME ID removed by USER", "cancelled by USER", "address <ADDRESS> marked delivered by USER".
std::optional<Fate> parse_exim_log(std::string_view line);
/// One line of a message's own log (`msglog`), if it tells why a recipient waits: "TIME ADDRESS … defer (N): WORDS".
std::optional<Fate> parse_exim_message_log(std::string_view line);

}  // namespace longline::mail
