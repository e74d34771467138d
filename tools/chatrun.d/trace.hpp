// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/secret.hpp"
#include "script/transcript.hpp"
#include "sys/login/dialogue.hpp"
#include "sys/side_output.hpp"
#include "sys/unique_fd.hpp"

namespace longline::tools::chatrun {

/// Writes the dialogue to the transcript file and, live, to stderr; secrets masked in both.
class Trace : public sys::DialogueTrace {
 public:
  /// `path` may be empty. A file of an earlier run is replaced; nobody but the owner can read it.
  static Result<Trace> open(const std::string& path, bool live, bool quiet, const std::vector<Secret>& secrets, TimePoint now);

  void received(std::string_view bytes, TimePoint now) override;
  void sent(const Write& write, TimePoint now) override;
  void carrier_lost(TimePoint now) override;
  void idle(TimePoint now) override;
  /// Typed at a terminal that is joined to the line: said, not shown.
  void typed(std::string_view bytes, TimePoint now) override;
  /// SAY and REPORT, on stderr.
  void notice(const script::Notice& notice, TimePoint now) override;
  void add_secret(const Secret& secret);
  /// The last lines, and how it ended.
  void finish(const std::string& how, TimePoint now);

 private:
  Trace(const std::vector<Secret>& secrets, TimePoint now) : file_(secrets, now), live_(secrets, now) {}
  void put(const std::string& lines);
  void show(const std::string& lines);

  sys::UniqueFd fd_;
  bool is_live_ = false;
  bool quiet_ = false;
  sys::SideOutput stderr_{2};   ///< progress: who does not read it misses it, and the login goes on
  bool typing_ = false;    ///< the last thing that was said is that something was typed
  script::TranscriptWriter file_;
  script::TranscriptWriter live_;
};

}  // namespace longline::tools::chatrun
