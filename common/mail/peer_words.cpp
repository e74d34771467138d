// SPDX-License-Identifier: MIT
#include "mail/peer_words.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "mail/smtp_reply.hpp"

namespace longline::mail {
namespace {

constexpr std::size_t kLongestWords = 400;

// Behind the words with which Postfix and Exim introduce a peer's reply.
std::string_view quoted_reply(std::string_view account) {
  for (const std::string_view mark : {" said: ", " refused to talk to me: "}) {
    const std::size_t host = account.find("host "), at = account.find(mark);
    if (host != std::string_view::npos && at != std::string_view::npos && host < at) return account.substr(at + mark.size());
  }
  const std::size_t exim = account.find("error from remote mail server");
  if (exim == std::string_view::npos) return {};
  // A colon may be in what the reply was to, as in "RCPT TO:<a@b>".
  for (std::size_t at = account.find(": ", exim); at != std::string_view::npos; at = account.find(": ", at + 1)) {
    if (read_reply_text(account.substr(at + 2))) return account.substr(at + 2);
  }
  return {};
}

}  // namespace

std::optional<PeerWords> read_reply_text(std::string_view text) {
  PeerWords out;
  out.code = reply_code(text);
  if (out.code == 0) return std::nullopt;
  text = trim(text.substr(std::min<std::size_t>(text.size(), 4)));
  const std::string_view enhanced = enhanced_status(text, out.code);
  out.enhanced = enhanced;
  out.text = trim(text.substr(enhanced.size()));
  return out;
}

void take_account(RecipientResult& result, std::string_view account) {
  std::string_view reply = quoted_reply(account);
  // Which command it was to stands behind the reply, where Postfix says it.
  if (reply.ends_with(" command)")) reply = reply.substr(0, reply.rfind(" (in reply to "));
  if (const std::optional<PeerWords> words = read_reply_text(reply)) {
    result.code = words->code;
    result.text = escape_at_most(words->text, kLongestWords);
    if (!words->enhanced.empty()) result.enhanced = words->enhanced;
  } else {
    result.text = escape_at_most(account, kLongestWords);
  }
}

}  // namespace longline::mail
