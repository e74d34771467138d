// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace longline::mail {

/// What the peer said about itself, in its last EHLO (or HELO) reply.
struct SmtpPeer {
  std::string banner_name;
  std::string ehlo_name;
  std::vector<std::string> ehlo_reply; ///< its lines, as received
  bool esmtp = false;
  bool pipelining = false;
  bool chunking = false;
  bool eight_bit_mime = false;
  bool smtputf8 = false;
  bool dsn = false;
  bool starttls = false;
  bool etrn = false;
  bool atrn = false;
  bool turn = false;
  bool size = false;
  std::uint64_t size_limit = 0;        ///< 0: none announced
  std::size_t recipients_max = 100;    ///< LIMITS RCPTMAX (RFC 9422), else 100
  std::size_t messages_max = 0;        ///< LIMITS MAILMAX; 0: none
  std::vector<std::string> auth;       ///< mechanisms of AUTH (RFC 4954), upper case
  bool secure = false;                 ///< heard over TLS
  bool logged_in = false;              ///< AUTH succeeded
};

/// One line of an EHLO reply behind its first, without the code. Unknown keywords change nothing.
void learn_extension(SmtpPeer& peer, std::string_view line);

}  // namespace longline::mail
