// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "mail/smtp_server.hpp"
#include "sys/line_pump.hpp"
#include "sys/loop.hpp"

namespace longline::sys {

/// One SMTP session of `mtaq receive`: a line, the server machine, and what stores the messages.
class SmtpReceiver {
 public:
  /// Stores a message durably, then calls `answer` once, at once or from the loop: its id, or why not. The receiver may be gone by then.
  using Answer = std::function<void(Result<std::string>)>;
  using Store = std::function<void(mail::Deliver&& message, Answer answer)>;
  /// For --verbose: what came (true) and went (false); raw.
  using Trace = std::function<void(bool received, std::string_view bytes)>;
  using Ended = std::function<void(const mail::SmtpServerFinished&)>;

  /// `ended` is called once, from the loop, when nothing is left to do; it must not destroy the receiver.
  SmtpReceiver(Loop& loop, std::unique_ptr<ByteStream> line, mail::SmtpServerOptions options, Store store, Ended ended,
               Trace trace = {});
  /// 421 at the next command.
  void stop();
  std::uint64_t bytes_out() const { return pump_.bytes_out(); }
  std::uint64_t bytes_in() const { return pump_.bytes_in(); }

 private:
  void drain();
  void act(Write& write);
  void act(mail::Deliver& deliver);
  void act(mail::SmtpServerFinished& finished);
  void send_together();
  void set_timers();
  void end();

  Loop& loop_;
  mail::SmtpServer machine_;
  Store store_;
  Ended ended_;
  Trace trace_;
  LinePump pump_;
  Duration patience_;
  Loop::Registration timer_;
  Loop::Registration stall_;
  std::optional<mail::SmtpServerFinished> finished_;
  bool over_ = false;
  bool draining_ = false;
  std::shared_ptr<char> alive_ = std::make_shared<char>();   // for answers that come later
};

}  // namespace longline::sys
