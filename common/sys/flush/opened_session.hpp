// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <optional>

#include "mail/smtp_peer.hpp"
#include "mail/smtp_reply.hpp"
#include "sys/byte_stream.hpp"
#include "sys/tls/tls_stream.hpp"

namespace longline::sys {

/// An SMTP session that somebody else goes on with: the peer has answered everything and waits for a command. Whoever has it sends QUIT.
struct OpenedSession {
  std::unique_ptr<ByteStream> line;    ///< with TLS on it, where there is TLS
  mail::SmtpReplyParser parser;        ///< goes on behind the last reply
  mail::SmtpPeer peer;
};

}  // namespace longline::sys
