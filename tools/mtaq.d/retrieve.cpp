// SPDX-License-Identifier: MIT
// retrieve: fetch the mail that waits at the peer, over links that are up.
#include <algorithm>
#include <cstdio>
#include <optional>

#include "dialogue.hpp"
#include "mail/due.hpp"
#include "sys/flush/mail_retrieval.hpp"
#include "sys/local_clock.hpp"
#include "sys/spool/spool.hpp"
#include "sys/system_clock.hpp"
#include "verbs.hpp"

namespace longline::mtaq {

namespace {

enum class Tone { verb, behind_flush };

/// Tries all, says what is wrong with each; the first failure gives the status. Behind a flush nothing goes to stdout, where its receipts are, and a
/// link that is down is no news unless it was named.
Result<ExitStatus> retrieve_from(const Options& options, World& world, const std::vector<const config::Connector*>& connectors,
                                 std::optional<TimePoint> deadline, Tone tone) {
  const bool is_link_named = !options.flush.link.empty() || !options.flush.connector.empty();
  Dialogue dialogue("peer", "us");
  sys::RetrievalRun run;
  run.host = world.host;
  run.deadline = deadline;
  if (options.common.verbose > 0) run.trace = [&](bool received, std::string_view bytes) { dialogue.show(received, bytes); };
  std::optional<Error> first;
  for (const config::Connector* connector : connectors) {
    LONGLINE_TRY(const sys::RetrievalResult result, sys::retrieve_mail(world.config, world.paths, world.events, *connector, run));
    if (tone == Tone::behind_flush) {
      if (!options.common.quiet && !options.common.json && !result.error) std::fprintf(stderr, "%s\n", to_text(result).c_str());
      if (result.error && result.error->code == Errc::link_down && !is_link_named) continue;
    } else if (options.common.json) {
      std::printf("%s\n", to_json(result).dump().c_str());
    } else if (!options.common.quiet && !result.error) {
      std::printf("%s\n", to_text(result).c_str());
    }
    std::fflush(stdout);
    if (!result.error) continue;
    // Each is said; the first gives the status.
    Error error = Error(*result.error).context("connector " + connector->name);
    if (!first) first = std::move(error);
    else tools::print_error("mtaq", options.common, error);
    if (deadline && sys::steady_now() >= *deadline) break;
  }
  if (first) return std::move(*first);
  return ExitStatus::ok;
}

/// Whether more of the same line would come to anything.
bool is_over(const Result<ExitStatus>& flushed) {
  if (flushed) return false;
  const Errc code = flushed.error().code;
  return code == Errc::link_down || code == Errc::deadline || code == Errc::interrupted || code == Errc::not_found || code == Errc::usage;
}

}  // namespace

Result<ExitStatus> retrieve_when_due(const Options& options, World& world, Result<ExitStatus> flushed) {
  const FlushOptions& flush = options.flush;
  const bool any = std::any_of(world.config.connectors.begin(), world.config.connectors.end(), [](const auto& c) { return c.retrieve.has_value(); });
  if (!any || !flush.ids.empty() || is_over(flushed)) return flushed;
  LONGLINE_TRY(sys::Spool spool, sys::Spool::open_read_only(world.paths.spool));
  LONGLINE_TRY(mail::ConnectorStates states, spool.connector_states());
  const mail::DueReport due(world.config, std::move(states), {}, sys::wall_now(), sys::local_clock());
  std::vector<const config::Connector*> connectors;
  for (const config::Connector& connector : world.config.connectors) {
    const bool wanted = (flush.connector.empty() || connector.name == flush.connector) && (flush.link.empty() || connector.link == flush.link);
    if (wanted && due.retrieval_due(connector)) connectors.push_back(&connector);
  }
  if (connectors.empty()) return flushed;
  std::optional<TimePoint> deadline;
  if (flush.deadline) deadline = world.started + *flush.deadline;
  Result<ExitStatus> retrieved = retrieve_from(options, world, connectors, deadline, Tone::behind_flush);
  if (flushed && *flushed == ExitStatus::ok) return retrieved;
  if (!retrieved) tools::print_error("mtaq", options.common, retrieved.error());
  return flushed;
}

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
  return retrieve_from(options, world, connectors, deadline, Tone::verb);
}

}  // namespace longline::mtaq
