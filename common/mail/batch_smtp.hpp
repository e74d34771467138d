// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "mail/smtp_server.hpp"

namespace longline::mail {

/// Batch SMTP (RFC 2442): the client's side of a session as a file, to be carried by stick, ssh or UUCP. Lines end in CRLF.
/// "EHLO host", then for each message envelope(), its stored form through body() in any pieces, end_message(); then "QUIT".
class BatchWriter {
 public:
  std::string begin(std::string_view host) const;
  /// `eight_bit`: declares BODY=8BITMIME. Addresses that are not ASCII declare SMTPUTF8. Wishes (RFC 3461) are written where there are any.
  std::string envelope(const std::string& sender, const std::vector<std::string>& recipients, bool eight_bit, const DsnWishes& wishes = {});
  std::string body(std::string_view piece);
  std::string end_message();
  std::string end() const { return "QUIT\r\n"; }

 private:
  bool line_start_ = true;
  char last_ = '\n';
};

/// Reads a batch through the SMTP server machine, command by command, so that it is judged as a session would be. A message whose
/// DATA is refused is passed over, and its lines are never taken for commands. Batches may follow one another; lines may end in LF when
/// the first one does.
class BatchReader {
 public:
  /// Stores a message; its id, or "" when it is there already.
  using Store = std::function<Result<std::string>(Deliver&&)>;
  BatchReader(SmtpServerOptions options, Store store);
  BatchReader(BatchReader&&) noexcept;
  ~BatchReader();

  void feed(std::string_view bytes);
  /// Once, at the end of the input. The failure of the store; malformed when the batch is none, or ends within a message; refused when
  /// a message or recipient was.
  Result<void> finish();

  /// Messages that were stored, or were there already.
  std::int64_t taken() const { return taken_; }
  std::int64_t refused() const { return refused_; }

 private:
  enum class State { command, data, passed_over, chunk };
  void take_line();
  void take_command(std::string_view line);
  void take_data(std::string_view line, bool whole);
  void restart();
  int talk(std::string_view bytes);
  void complain(std::string_view command, bool of_message);

  SmtpServerOptions options_;
  Store store_;
  std::optional<SmtpServer> server_;
  State state_ = State::command;
  std::string line_;                       // so far
  bool line_start_ = true;                 // of data
  bool unix_ends_ = false, first_line_ = true;
  bool greeted_ = false, any_command_ = false;
  std::uint64_t chunk_left_ = 0;
  std::int64_t line_number_ = 0;
  std::int64_t taken_ = 0, refused_ = 0;
  std::string reply_;
  std::optional<Error> store_failure_, first_refusal_, malformed_;
};

}  // namespace longline::mail
