// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/machine.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "base/time.hpp"

/// Transcripts are text, one event a line: `< "bytes"` came from the line, `> "bytes"` went to it, `+1.5s` passed,
/// `! carrier-lost`, `# comment`. Bytes are quoted with \r \n \t \xHH \" \\.
namespace longline::script {

struct TranscriptEvent {
  enum class Kind { received, sent, passed, carrier_lost };
  Kind kind = Kind::received;
  std::string bytes{};
  Duration passed{};
  int line = 0;   ///< in the transcript
};

/// Errc::malformed with file, line and column. Comments and empty lines are skipped.
Result<std::vector<TranscriptEvent>> parse_transcript(std::string_view file, std::string_view text);

/// How a Write stands in a transcript: with its secrets masked; one that is secret is masked whole, but for the line end.
std::string masked(const Write& write, const std::vector<Secret>& secrets);

/// "+1.5s"
std::string format_passed(Duration d);

/// Writes a transcript as things happen. Every function returns the lines that are complete now; finish() the rest.
/// Bytes that come without a pause are joined to a line of text a line. Secrets are masked in both directions, also when
/// the peer echoes them in pieces. The whole is bounded: at `most` bytes the transcript says that it ends there, and
/// nothing follows.
class TranscriptWriter {
 public:
  TranscriptWriter(const std::vector<Secret>& secrets, TimePoint start, std::size_t most = 16 * 1024 * 1024);

  std::string received(std::string_view bytes, TimePoint now);
  std::string sent(const Write& write, TimePoint now);
  /// Masked from now on, in both directions.
  void add_secret(const Secret& secret);
  std::string carrier_lost(TimePoint now);
  /// One line, escaped by the caller, without secrets.
  std::string comment(std::string_view text, TimePoint now);
  std::string finish(TimePoint now);

 private:
  enum class Direction { none, received, sent };
  void turn(Direction direction, TimePoint now);
  void add(std::string_view shown);
  void end_line();
  std::string take();

  std::vector<Secret> secrets_;
  SecretMasker incoming_;
  TimePoint recorded_;
  Direction direction_ = Direction::none;
  std::string line_;    ///< bytes of the line that is not complete
  std::string out_;
  std::size_t left_;
};

}  // namespace longline::script
