// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "mail/smtp_client.hpp"
#include "mail/smtp_server.hpp"
#include "sys/loop.hpp"

namespace longline::sys {

/// Where received mail goes for good, other than the spool's inbox: a Maildir, an LMTP server, or a command. Some answer at once, some later, from the
/// loop; each delivery has a deadline of its own and gets exactly one answer: a result a recipient, in their order (sent, deferred or refused).
class LocalDelivery {
 public:
  using Done = std::function<void(std::vector<mail::RecipientResult>)>;
  virtual ~LocalDelivery() = default;
  virtual void deliver(std::shared_ptr<const mail::Deliver> message, std::vector<std::string> recipients, Done done) = 0;
};

/// Of what is configured; nullptr where that is the inbox. `host`: our mail name. Errors: a Maildir that cannot be made, an address of a server
/// that is none.
Result<std::unique_ptr<LocalDelivery>> make_local_delivery(Loop& loop, const config::Receive& receive, const std::string& host);

/// An LMTP server on "HOST:PORT" or a Unix socket's path.
Result<std::unique_ptr<LocalDelivery>> make_lmtp_delivery(Loop& loop, const std::string& server, const std::string& host);
/// A program, without a shell: the message with Return-Path and LF line ends on stdin, recipients as arguments, the sender in the environment as SENDER. Its
/// status says the rest: 0 delivered; 65, 67, 68, 77 (sysexits.h) refused for good; all others, and a death by signal: later.
std::unique_ptr<LocalDelivery> make_command_delivery(Loop& loop, std::vector<std::string> command);

}  // namespace longline::sys
