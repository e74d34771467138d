// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "mail/message.hpp"

namespace longline::mail {

/// One recipient that will not get the message.
struct DsnRecipient {
  std::string address;
  int code = 0;            ///< the peer's reply code; 0: none (expired, no connector, removed by the operator)
  std::string enhanced;    ///< "5.1.1"; "" is derived from `code`, "5.0.0" at worst
  std::string text;        ///< escaped already
  std::string remote_mta;  ///< name of the peer that said so, or ""
};

struct DsnRequest {
  std::string original_sender;            ///< whom to tell; "" gives no notification
  std::string_view original_content;      ///< only its header is returned (RFC 3462), at most 16 KiB of it
  WallTime arrived{};                     ///< of the original
  std::vector<DsnRecipient> failed;       ///< at least one
  std::string host;                       ///< our mail name
  WallTime now{};
  std::string unique;                     ///< random, letters and digits
};

/// A delivery status notification (RFC 3461, 6; RFC 3464), "failed", in stored form; to be queued with the null sender
/// for original_sender. nullopt for a null sender: a notification never begets another (RFC 5321, 4.5.5).
std::optional<StoredMessage> make_dsn(const DsnRequest& request);

}  // namespace longline::mail
