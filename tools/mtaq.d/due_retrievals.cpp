// SPDX-License-Identifier: MIT
#include "due_retrievals.hpp"

#include <algorithm>
#include <utility>

#include "common/tool.hpp"
#include "mail/due.hpp"
#include "sys/local_clock.hpp"
#include "sys/spool/spool.hpp"
#include "sys/system_clock.hpp"

namespace longline::mtaq {
namespace {

/// Whether more of the same line would come to anything.
bool is_over(const Result<ExitStatus>& flushed) {
  if (flushed) return false;
  const Errc code = flushed.error().code;
  return code == Errc::link_down || code == Errc::deadline || code == Errc::interrupted || code == Errc::not_found || code == Errc::usage;
}

std::optional<TimePoint> end_of(const FlushOptions& flush, const World& world) {
  if (!flush.deadline) return std::nullopt;
  return world.started + *flush.deadline;
}

}  // namespace

DueRetrievals::DueRetrievals(const Options& options, World& world, std::function<void()> before_words)
    : options_(options), world_(world), retrieving_(options, world, end_of(options.flush, world)), before_words_(std::move(before_words)) {
  retrieving_.follow_flush(!options.flush.link.empty() || !options.flush.connector.empty());
  if (options.flush.wait) retrieving_.wait([this](const config::Connector& connector) { return is_due(connector); });
}

bool DueRetrievals::is_in_scope(const config::Connector& connector) const {
  const FlushOptions& flush = options_.flush;
  return connector.retrieve && flush.ids.empty() && (flush.connector.empty() || connector.name == flush.connector) &&
         (flush.link.empty() || connector.link == flush.link) && !tried_.contains(&connector);
}

Result<std::vector<const config::Connector*>> DueRetrievals::due() const {
  std::vector<const config::Connector*> out;
  for (const config::Connector& connector : world_.config.connectors) {
    if (is_in_scope(connector)) out.push_back(&connector);
  }
  if (out.empty()) return out;
  LONGLINE_TRY(sys::Spool spool, sys::Spool::open_read_only(world_.paths.spool));
  LONGLINE_TRY(mail::ConnectorStates states, spool.connector_states());
  const mail::DueReport report(world_.config, std::move(states), {}, sys::wall_now(), sys::local_clock());
  std::erase_if(out, [&](const config::Connector* connector) { return !report.retrieval_due(*connector); });
  return out;
}

bool DueRetrievals::wants(const config::Connector& connector) {
  if (!sys::retrieves_in_session(connector) || !is_due(connector)) return false;
  asked_.insert(&connector);
  return true;
}

bool DueRetrievals::is_due(const config::Connector& connector) const {
  if (!is_in_scope(connector)) return false;
  const auto all = due();
  return all && std::find(all->begin(), all->end(), &connector) != all->end();
}

Result<std::optional<sys::OpenedSession>> DueRetrievals::take(const config::Connector& connector, sys::OpenedSession session, bool another) {
  before_words_();
  tried_.insert(&connector);
  LONGLINE_TRY(sys::RetrievalResult result, retrieving_.from(connector, std::move(session), another));
  const bool ends_all = result.error && (result.error->code == Errc::interrupted || result.error->code == Errc::deadline);
  if (ends_all) return Error(*result.error);
  return std::move(result.open);
}

Result<ExitStatus> DueRetrievals::finish(Result<ExitStatus> flushed) {
  if (!is_over(flushed)) {
    LONGLINE_TRY(const std::vector<const config::Connector*> left, due());
    for (const config::Connector* connector : left) {
      // The session that it was to go into broke off: there is no other at the end of a line.
      if (connector->host == "line" && asked_.contains(connector)) continue;
      LONGLINE_CHECK(retrieving_.from(*connector));
      if (retrieving_.is_late()) break;
    }
  }
  Result<ExitStatus> retrieved = retrieving_.verdict();
  if (flushed && *flushed == ExitStatus::ok) return retrieved;
  if (!retrieved) tools::print_error("mtaq", options_.common, retrieved.error());
  return flushed;
}

}  // namespace longline::mtaq
