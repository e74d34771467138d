// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "mail/queue.hpp"

namespace longline::mail {

/// xtext (RFC 3461, 4): printable ASCII without "=", with "+XX" for what it cannot hold.
bool is_xtext(std::string_view text);
std::string to_xtext(std::string_view text);

/// When to tell the sender: "never", or of success, failure, delay some, with commas, in any case. As DsnWish::notify keeps it.
/// Errc::malformed.
Result<std::string> parse_notify(std::string_view text);
/// What is returned of a message that failed: "full" or "hdrs", in any case. As DsnWishes::ret keeps it. Errc::malformed.
Result<std::string> parse_ret(std::string_view text);

/// A parameter of MAIL that is about notifications: RET or ENVID (RFC 3461, 4.3 and 4.4). True: it was one, and is in `wishes`. False: it is
/// another parameter. Errc::malformed: given twice, or its value is none.
Result<bool> take_mail_parameter(std::string_view parameter, DsnWishes& wishes);
/// A parameter of RCPT: NOTIFY or ORCPT (RFC 3461, 4.1 and 4.2).
Result<bool> take_recipient_parameter(std::string_view parameter, DsnWish& wish);

}  // namespace longline::mail
