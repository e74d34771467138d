// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "mail/smtp_client.hpp"

namespace longline::mail {

/// A reply to SMTP on one line: "451 4.7.1 come back later", of several lines "550-5.7.1 a 550 5.7.1 b".
struct PeerWords {
  int code = 0;
  std::string enhanced;    ///< "4.7.1", or ""
  std::string text;        ///< without both; as it came, not escaped
};
std::optional<PeerWords> read_reply_text(std::string_view text);

/// Where another mail system's account of a failure quotes its peer ("host H[A] said: 451 4.7.1 come back later (in reply to RCPT TO command)",
/// "SMTP error from remote mail server after RCPT TO:<a@b>: 451 …"), the result has what our own sessions would have written down; else
/// it has the account as it is. Escaped, at most 400 bytes.
void take_account(RecipientResult& result, std::string_view account);

}  // namespace longline::mail
