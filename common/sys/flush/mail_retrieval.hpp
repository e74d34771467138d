// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/event.hpp"
#include "base/json.hpp"
#include "config/config.hpp"
#include "mail/retrieval.hpp"
#include "sys/flush/opened_session.hpp"
#include "sys/state_paths.hpp"

namespace longline::sys {

/// What became of one retrieval.
struct RetrievalResult {
  std::string connector;
  std::string link;
  config::Retrieve::By by = config::Retrieve::By::etrn;
  std::vector<mail::RetrievalAnswer> answers;
  std::uint64_t messages = 0;      ///< taken in over the line that was turned round
  std::uint64_t bytes_out = 0, bytes_in = 0;   ///< on the line (with TLS: inside it)
  std::optional<Error> error;
  bool done_elsewhere = false;     ///< not wanted any more when the line was free (RetrievalRun::still_wanted)
  std::optional<OpenedSession> open{};   ///< RetrievalRun::keep_open, and the peer goes on

  bool mail_comes() const;
};
JsonObject to_json(const RetrievalResult& result);
std::string to_text(const RetrievalResult& result);   ///< one line, escaped

struct RetrievalRun {
  std::string host;                              ///< our mail name
  std::optional<TimePoint> deadline{};
  bool keep_open = false;                        ///< another retrieval follows in the session
  bool wait = false;                             ///< for a flush, or another retrieval, that has the line; else Errc::busy, stage lock
  std::function<bool()> still_wanted{};          ///< asked when it has waited
  std::function<void(bool received, std::string_view bytes)> trace{};
};

/// Whether the session that sends a connector's mail is one in which its `retrieve` can be asked for: the same peer, the same port.
bool retrieves_in_session(const config::Connector& connector);

/// Fetches the mail that waits behind a connector with `retrieve`, over a line that is up, or in a session that is open; never dials. A
/// connection that turns round (ATRN, TURN) is served as `mtaq receive` would, into [receive]. When it went well, with or without mail, the
/// time is noted in the spool. An Error is one of ours (the spool); what the peer refused is in the result.
Result<RetrievalResult> retrieve_mail(const config::Config& config, const StatePaths& paths, EventSink& events, const config::Connector& connector,
                                      const RetrievalRun& run, std::optional<OpenedSession> session = std::nullopt);

}  // namespace longline::sys
