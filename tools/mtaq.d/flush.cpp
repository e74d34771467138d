// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <cstdio>

#include "base/text.hpp"
#include "dialogue.hpp"
#include "due_retrievals.hpp"
#include "sys/flush/queue_flush.hpp"
#include "sys/system_clock.hpp"
#include "verbs.hpp"

namespace longline::mtaq {
namespace {

// Receipts on stdout, progress on a terminal's stderr, the dialogue with --verbose.
class Reporter : public sys::FlushObserver {
 public:
  explicit Reporter(const tools::CommonOptions& common)
      : common_(common), shows_progress_(tools::stderr_is_terminal() && !common.quiet && common.verbose == 0 && !(common.json && tools::stdout_is_terminal())),
        started_(sys::steady_now()) {}

  void on_receipt(const mail::Receipt& receipt) override {
    bytes_ += receipt.outcome() == mail::Outcome::sent ? receipt.size : 0;
    // What was not even begun is in the one line that says why.
    if (common_.quiet || (!common_.json && receipt.cause && receipt.outcome() == mail::Outcome::not_tried)) return;
    clear_progress();
    const std::string line = common_.json ? to_json(receipt).dump() : to_text(receipt);
    std::printf("%s\n", line.c_str());
    // A script that reads receipts from a pipe gets each when it is due.
    std::fflush(stdout);
  }

  bool wants_progress() const override { return shows_progress_; }
  void on_progress(const mail::FlushProgress& progress) override {
    const TimePoint now = sys::steady_now();
    if (!shows_progress_ || (drawn_ && now - shown_ < Duration(100))) return;
    shown_ = now;
    std::fprintf(stderr, "\r\033[K%s", to_text(progress).c_str());
    drawn_ = true;
  }

  bool wants_trace() const override { return common_.verbose > 0; }
  void on_trace(bool received, std::string_view bytes) override { dialogue_.show(received, bytes); }

  void on_note(const std::string& note) override {
    if (common_.verbose == 0) return;
    clear_progress();
    std::fprintf(stderr, "%s\n", note.c_str());
  }

  void clear_progress() {
    if (drawn_) std::fputs("\r\033[K", stderr);
    drawn_ = false;
  }

  void summarize(const mail::FlushTally& tally) {
    clear_progress();
    if (common_.quiet || common_.json) return;
    if (tally.held_out() > 0) std::fprintf(stderr, "%d held message%s left out\n", tally.held_out(), tally.held_out() == 1 ? "" : "s");
    if (tally.sent() == 0) return;
    const auto elapsed = std::max<std::int64_t>((sys::steady_now() - started_).count(), 1);
    std::fprintf(stderr, "%d of %d messages sent, %s in %s\n", tally.sent(), tally.total(), format_size(bytes_).c_str(),
                 format_duration(Duration(elapsed < 10'000 ? elapsed : elapsed / 1000 * 1000)).c_str());
  }

 private:
  const tools::CommonOptions& common_;
  bool shows_progress_;
  TimePoint started_, shown_{};
  std::int64_t bytes_ = 0;
  bool drawn_ = false;
  Dialogue dialogue_{"peer", "us"};
};

Result<mail::FlushTally> flush_spool(World& world, sys::FlushSettings settings, sys::FlushObserver& observer) {
  LONGLINE_TRY(sys::Spool spool, sys::Spool::open(world.paths.spool));
  return sys::QueueFlush(spool, world.config, world.paths, world.events, std::move(settings), observer).run();
}

}  // namespace

Result<ExitStatus> run_flush(const Options& options, World& world) {
  const FlushOptions& flush = options.flush;
  LONGLINE_CHECK(check_link(world, flush.link));
  LONGLINE_CHECK(check_connector(world, flush.connector));
  sys::FlushSettings settings;
  settings.scope = {flush.link, flush.connector, {}};
  LONGLINE_TRY(const std::vector<GivenId> given, read_ids(flush.ids));
  const bool own = world.queue.kind == config::QueueKind::spool;
  for (const GivenId& id : given) settings.scope.ids.push_back(own ? to_lower(id.id) : id.id);
  // "-" with nothing on stdin: nothing was asked for.
  if (!flush.ids.empty() && settings.scope.ids.empty()) return ExitStatus::ok;
  settings.wait = flush.wait;
  settings.deadline = flush.deadline;
  settings.max_bytes = flush.max_bytes;
  settings.host = world.host;
  Reporter reporter(options.common);
  DueRetrievals retrievals(options, world, [&] { reporter.clear_progress(); });
  settings.heir = &retrievals;
  Result<mail::FlushTally> tally = own ? flush_spool(world, std::move(settings), reporter) : flush_mta(options, world, std::move(settings), reporter);
  reporter.clear_progress();
  if (!tally) return retrievals.finish(std::move(tally).error());
  reporter.summarize(*tally);
  auto judgement = tally->judgement();
  return retrievals.finish(judgement ? Result<ExitStatus>(std::move(*judgement)) : Result<ExitStatus>(ExitStatus::ok));
}

}  // namespace longline::mtaq
