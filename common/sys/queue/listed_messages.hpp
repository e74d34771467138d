// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "mail/queue_backend.hpp"

namespace longline::sys {

// What the queues of other mail systems have in common: they are known by their listings.

/// The one with this id. not_found.
Result<mail::QueuedMessage> find_listed(mail::QueueBackend& queue, const std::string& id);
/// Message-ID and subject from the message itself, where it may be read.
void add_header_fields(mail::QueueBackend& queue, mail::QueuedMessage& message);

/// The messages that are to be changed, looked at once more in one listing.
struct Recheck {
  std::vector<mail::MessageState> states;   ///< in the order of `as_seen`; of those that are gone, as seen
  std::vector<Result<void>> results;        ///< not_found for what is gone or another message now
  static Result<Recheck> of(mail::QueueBackend& queue, const std::vector<mail::SeenMessage>& as_seen);
};

/// Lines that end in LF become lines that end in CRLF, over any pieces; a last line without an end gets one.
class CrlfSink {
 public:
  explicit CrlfSink(const mail::QueueBackend::Sink& sink) : sink_(sink) {}
  bool feed(std::string_view bytes);
  void finish();

 private:
  const mail::QueueBackend::Sink& sink_;
  char last_ = '\n';
  bool wanted_ = true;
};

}  // namespace longline::sys
