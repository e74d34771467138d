// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "mail/dot_reader.hpp"
#include "mail/smtp_command.hpp"
#include "mail/smtp_server.hpp"

namespace longline::mail {

/// The parts of SmtpServer: smtp_server.cpp talks, smtp_server_content.cpp takes messages.
struct SmtpServer::Impl {
  enum class Phase { idle, command, data, chunk, storing, finished };

  explicit Impl(SmtpServerOptions o) : options(std::move(o)) {}

  void take(std::string_view in, TimePoint now);
  void take_command_bytes(std::string_view& in, TimePoint now);
  void take_chunk_bytes(std::string_view& in, TimePoint now);
  void command(std::string_view line, TimePoint now);
  void hello(const SmtpCommand& command, bool extended);
  void mail(std::string_view argument);
  void recipient(std::string_view argument);
  void data(std::string_view argument, TimePoint now);
  void bdat(std::string_view argument, TimePoint now);
  void end_of_chunk(TimePoint now);
  void received_whole(TimePoint now);
  void begin_content(TimePoint now);
  void reset();
  void reply(std::string_view text);
  void refuse(std::string_view text);
  void flush();
  void finish(bool quit, std::string reason);
  std::optional<TimePoint> deadline() const;

  SmtpServerOptions options;
  Phase phase = Phase::idle;
  std::deque<SmtpServerAction> actions;
  std::string out;
  std::string line;            ///< a command so far
  bool line_too_long = false;
  std::string held;            ///< input behind a message that is being stored
  std::size_t errors = 0;      ///< in a row
  bool stopping = false;
  TimePoint started{};
  TimePoint last_progress{};
  std::uint64_t messages = 0;

  std::string helo;
  bool extended = false;
  bool has_sender = false;
  Deliver envelope;            ///< `content` grows here
  std::size_t prefix = 0;      ///< length of the fields that we put on top
  DotReader dots;
  std::uint64_t chunk_left = 0;
  bool chunk_last = false;
  bool chunks_begun = false;
  std::string chunk_error;     ///< the reply to the chunk under way and, as 503, to those behind it until RSET
};

}  // namespace longline::mail
