// SPDX-License-Identifier: MIT
// retrieve: fetch the mail that waits at the peer, over links that are up.
#include <optional>
#include <vector>

#include "retrieving.hpp"
#include "sys/system_clock.hpp"
#include "verbs.hpp"

namespace longline::mtaq {

Result<ExitStatus> run_retrieve(const Options& options, World& world) {
  const RetrieveOptions& retrieve = options.retrieve;
  LONGLINE_CHECK(check_connector(world, retrieve.connector));
  LONGLINE_CHECK(check_link(world, retrieve.link));
  std::vector<const config::Connector*> connectors;
  for (const config::Connector& connector : world.config.connectors) {
    const bool wanted = (retrieve.connector.empty() || connector.name == retrieve.connector) && (retrieve.link.empty() || connector.link == retrieve.link);
    if (wanted && connector.retrieve) connectors.push_back(&connector);
  }
  if (connectors.empty() && !retrieve.connector.empty()) {
    return Error(Errc::config, "connector " + retrieve.connector + " has no 'retrieve'").with_hint("retrieve = { by = \"atrn\" }");
  }
  if (connectors.empty()) return ExitStatus::no;
  std::optional<TimePoint> deadline;
  if (retrieve.deadline) deadline = sys::steady_now() + *retrieve.deadline;
  Retrieving retrieving(options, world, deadline);
  for (const config::Connector* connector : connectors) {
    LONGLINE_CHECK(retrieving.from(*connector));
    if (retrieving.is_late()) break;
  }
  return retrieving.verdict();
}

}  // namespace longline::mtaq
