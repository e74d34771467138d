// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/secret.hpp"
#include "script/chat/parser.hpp"

namespace longline::script::chat {

struct ConvertOptions {
  std::optional<std::string> user;      ///< a send that is this becomes $USERID
  std::optional<Secret> password;       ///< and this $PASSWORD
  bool credentials = false;             ///< what answers a prompt for a name or a password becomes $USERID, $PASSWORD
  std::optional<std::string> phone;     ///< \T
  std::optional<std::string> phone2;    ///< \U
};

struct Converted {
  std::string text;                     ///< a .scp script
  /// An error: it would be larger than a .scp script may be, and there is no text.
  std::vector<Diagnostic> report;       ///< what it does not do (warnings), does otherwise, or should not (notes), at its place in the chat script
};

/// A script of chat(8), without errors, in the language of Windows dial-up networking: the same waits, sends and ends. An ABORT string
/// becomes `halt` (status 4, whichever it is); comments stay.
Converted to_scp(const Parsed& script, const ConvertOptions& options = {});

}  // namespace longline::script::chat
