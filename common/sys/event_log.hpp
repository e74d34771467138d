// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "base/event.hpp"

namespace longline::sys {

/// events.jsonl: one write(2) with O_APPEND a line, under a lock of the file (flock(2), waited for 50 ms at most), so that several
/// processes share it. At 4 MiB, or when its first event is half a year old, it is renamed to events.jsonl.1, and that to
/// events.jsonl.2, which replaces the one before. A line that was cut short (a full disk, a power failure) is ended before the next
/// one. A log that cannot be written never stops the mail.
class EventLog : public EventSink {
 public:
  explicit EventLog(std::string path) : path_(std::move(path)) {}
  void emit(const Event& event) override;

 private:
  std::string path_;
};

}  // namespace longline::sys
