// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.hpp"
#include "base/time.hpp"

namespace longline::script {

/// A terminal session, recorded: a transcript of it, and a .scp script that would have it again. What was typed while the host did not echo, or is
/// the user's name or password, becomes $USERID or $PASSWORD in the script, and the password is masked in the transcript; that is known only at
/// the end, so nothing is written before. At most 4 MiB are kept; a session that is longer is cut, and says so.
class Recorder {
 public:
  Recorder(std::optional<std::string> user, std::optional<Secret> password, TimePoint start);

  void received(std::string_view bytes, TimePoint now);
  void typed(std::string_view bytes, TimePoint now);
  void carrier_lost(TimePoint now);

  struct Recording {
    std::string transcript;
    std::string script;
    std::size_t answers = 0;   ///< how many lines or keys were typed
    bool cut = false;
  };
  Recording finish(TimePoint now) const;

 private:
  struct Event {
    enum class Kind { received, typed, carrier_lost } kind;
    std::string bytes;
    TimePoint at;
  };
  void add(Event::Kind kind, std::string_view bytes, TimePoint now);

  friend class RecordingWriter;

  std::optional<std::string> user_;
  std::optional<Secret> password_;
  TimePoint start_;
  std::vector<Event> events_;
  std::size_t size_ = 0;
  bool cut_ = false;
};

}  // namespace longline::script
