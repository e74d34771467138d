// SPDX-License-Identifier: MIT
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.hpp"
#include "script/action.hpp"
#include "script/chat/received_log.hpp"
#include "script/matcher.hpp"

namespace longline::script::chat {

/// What a chat script says to its user of the dialogue: ECHO, REPORT, -v and -V. Secrets are masked, also when they come back in pieces.
class Narrator {
 public:
  /// Notices go to `out`, which lives longer.
  Narrator(std::deque<Action>& out, bool log, bool show) : out_(out), logs_(log), shows_(show) {}

  void add_secret(const std::string& bytes);
  const std::vector<Secret>& secrets() const { return secrets_; }
  void set_echo(bool on) { echoes_ = on; }
  /// From the next expect on.
  void add_report(std::string text);
  void set_reports(std::vector<std::string> reports);
  /// Those that have not come yet.
  const std::vector<std::string>& reports() const { return reports_; }

  /// Has it to be shown each byte?
  bool listens() const { return logs_ || echoes_ || shows_ || reporting_ || !reports_.empty(); }
  void begin_expect(std::size_t length);
  void received(char byte, TimePoint now);
  /// What was held back as the start of a secret.
  void pause(TimePoint now);
  /// The line that is not complete, when the expect has its answer.
  void end_expect(TimePoint now);

  void log(const std::string& line, TimePoint now);
  void failure(const std::string& line, TimePoint now);
  void say(std::string text, TimePoint now);

  /// A report has begun and its line has no end yet.
  bool reporting() const { return reporting_; }
  /// More of that line; true when this byte ends it.
  bool report_goes_on(char byte);
  void end_report();

 private:
  void show(char c, TimePoint now);
  void tell(Notice::Kind kind, char c, TimePoint now);
  void watch_reports();

  std::deque<Action>& out_;
  bool logs_;
  bool shows_;
  bool echoes_ = false;
  std::vector<Secret> secrets_;
  SecretMasker masker_;
  ReceivedLog received_log_;
  std::vector<std::string> reports_;
  std::optional<Matcher> report_matcher_;
  std::string report_;
  TimePoint report_began_{};
  bool reporting_ = false;
};

}  // namespace longline::script::chat
