// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "mail/smtp_client.hpp"

namespace longline::sys {

/// A session of a flush that runs: what signals, deadlines and the allowance need of it.
class FlushSession {
 public:
  virtual ~FlushSession() = default;
  /// No more messages; those under way are ended first. For a handler of the loop.
  virtual void stop() = 0;
  /// Ends now.
  virtual void abort() = 0;
  virtual std::uint64_t bytes_out() const = 0;
  /// Bytes of this connection that the peer has answered, and how many a second; 0: not known.
  virtual mail::SmtpClient::Answered answered() const { return {}; }
  /// A message that it does not finish goes on where it ended.
  virtual bool resumes() const { return false; }
};

}  // namespace longline::sys
