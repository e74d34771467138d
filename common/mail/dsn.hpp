// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "mail/message.hpp"

namespace longline::mail {

/// What a notification tells (RFC 3464, 2.3.3): given up; still waiting; in the mailbox; passed on to a peer that sends no such notices.
enum class DsnAction { failed, delayed, delivered, relayed };

/// One recipient of whom a notification tells.
struct DsnRecipient {
  std::string address;
  int code = 0;            ///< the peer's reply code; 0: none (expired, no connector, removed by the operator)
  std::string enhanced;    ///< "5.1.1"; "" is that of the action: "5.0.0", "4.0.0", "2.0.0"
  std::string text;        ///< escaped already
  std::string remote_mta;  ///< name of the peer that said so, or ""
  std::string original{};  ///< ORCPT in xtext, or ""
};

struct DsnRequest {
  DsnAction action = DsnAction::failed;
  std::string original_sender;            ///< whom to tell; "" gives no notification
  std::string_view original_content;      ///< only its header is returned (RFC 3462), at most 16 KiB of it
  WallTime arrived{};                     ///< of the original
  std::vector<DsnRecipient> failed;       ///< at least one: whom it is about
  std::string host;                       ///< our mail name
  WallTime now{};
  std::string unique;                     ///< random, letters and digits
  std::string envelope_id{};              ///< ENVID in xtext, or ""
  std::optional<WallTime> retry_until{};  ///< when it will be given up; told by `delayed` alone
  bool return_full = false;               ///< RET=FULL: original_content is the whole message, which goes back where it has at most 50 kB
};

/// What xtext stands for (RFC 3461, 4); bytes that are not xtext stay.
std::string decode_xtext(std::string_view text);

/// A delivery status notification (RFC 3461, 6; RFC 3464), in stored form; to be queued with the null sender
/// for original_sender. nullopt for a null sender: a notification never begets another (RFC 5321, 4.5.5).
std::optional<StoredMessage> make_dsn(const DsnRequest& request);

}  // namespace longline::mail
