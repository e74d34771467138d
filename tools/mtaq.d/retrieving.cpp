// SPDX-License-Identifier: MIT
#include "retrieving.hpp"

#include <cstdio>
#include <utility>

#include "common/tool.hpp"
#include "sys/system_clock.hpp"

namespace longline::mtaq {

Retrieving::Retrieving(const Options& options, World& world, std::optional<TimePoint> deadline) : options_(options), world_(world) {
  run_.host = world.host;
  run_.deadline = deadline;
  if (options.common.verbose > 0) run_.trace = [this](bool received, std::string_view bytes) { dialogue_.show(received, bytes); };
}

void Retrieving::follow_flush(bool names_link) {
  behind_flush_ = true;
  hides_link_down_ = !names_link;
}

Result<sys::RetrievalResult> Retrieving::from(const config::Connector& connector, std::optional<sys::OpenedSession> session, bool keep_open) {
  run_.keep_open = keep_open;
  run_.wait = still_wanted_ != nullptr;
  run_.still_wanted = [&] { return still_wanted_(connector); };
  LONGLINE_TRY(sys::RetrievalResult result, sys::retrieve_mail(world_.config, world_.paths, world_.events, connector, run_, std::move(session)));
  if (result.done_elsewhere) return result;
  show(result);
  if (!result.error || (hides_link_down_ && result.error->code == Errc::link_down)) return result;
  Error error = Error(*result.error).context("connector " + connector.name);
  if (!first_) first_ = std::move(error);
  else tools::print_error("mtaq", options_.common, error);
  return result;
}

bool Retrieving::is_late() const { return run_.deadline && sys::steady_now() >= *run_.deadline; }

Result<ExitStatus> Retrieving::verdict() const {
  if (first_) return Error(*first_);
  return ExitStatus::ok;
}

void Retrieving::show(const sys::RetrievalResult& result) const {
  const bool in_words = !options_.common.quiet && !options_.common.json && !result.error;
  if (behind_flush_) {
    if (in_words) std::fprintf(stderr, "%s\n", to_text(result).c_str());
    return;
  }
  if (options_.common.json) std::printf("%s\n", to_json(result).dump().c_str());
  else if (in_words) std::printf("%s\n", to_text(result).c_str());
  std::fflush(stdout);
}

}  // namespace longline::mtaq
