// SPDX-License-Identifier: MIT
#include "config/queue_name.hpp"

#include "base/text.hpp"

namespace longline::config {

Result<QueueName> parse_queue_name(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string_view kind = text.substr(0, colon);
  QueueName out;
  if (colon != std::string_view::npos) out.instance = text.substr(colon + 1);
  const bool bare = colon == std::string_view::npos;
  const bool clean = out.instance.find('\0') == std::string::npos && (bare || !out.instance.empty());
  if (kind == "spool" && bare) return out;
  if (kind == "postfix" && clean) {
    out.kind = QueueKind::postfix;
    return out;
  }
  if (kind == "exim" && clean) {
    out.kind = QueueKind::exim;
    return out;
  }
  return Error(Errc::usage, "queue '" + escape_at_most(text, 60) + "' is none of spool, postfix, postfix:DIR, exim, exim:CONF");
}

std::string_view to_string(QueueKind kind) {
  switch (kind) {
    case QueueKind::spool: return "spool";
    case QueueKind::postfix: return "postfix";
    case QueueKind::exim: break;
  }
  return "exim";
}

}  // namespace longline::config
