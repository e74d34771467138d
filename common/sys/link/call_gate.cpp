// SPDX-License-Identifier: MIT
#include "sys/link/call_gate.hpp"

#include "sys/local_clock.hpp"

namespace longline::sys {
namespace {

bool has_budget(const config::Link& link) {
  const config::Budget& budget = link.budget;
  return budget.calls_per_day || budget.minutes_per_day || budget.minutes_per_month || budget.cost_per_month;
}

Result<void> read_ledger(const StatePaths& paths, const config::Link& link, bool with_usage, const LocalClock& clock,
                         link::CallQuestion& question) {
  Result<Ledger> ledger = Ledger::open_read_only(paths.calls);
  if (!ledger && ledger.error().code == Errc::not_found) return {};
  if (!ledger) return std::move(ledger).error();
  const WallTime now = question.now.wall;
  if (link.backoff) {
    LONGLINE_TRY(question.backoff, ledger->backoff(link.name));
  }
  if (with_usage) {
    LONGLINE_TRY(question.usage, ledger->usage(link.name, local_day(now, clock), local_month(now, clock)));
  }
  return {};
}

}  // namespace

LinkStanding link_standing(const StatePaths& paths, const config::Link& link, bool urgent, bool with_usage) {
  const LocalClock clock = local_clock();
  link::CallQuestion question;
  question.now = moment_now();
  question.urgent = urgent;
  with_usage = with_usage || has_budget(link);
  LinkStanding out;
  if (link.backoff || with_usage) {
    if (Result<void> read = read_ledger(paths, link, with_usage, clock, question); !read) out.trouble = std::move(read).error();
  }
  out.standing = link::judge_call(link, question, clock);
  out.usage = question.usage;
  out.backoff = std::move(question.backoff);
  return out;
}

Result<void> may_call(const StatePaths& paths, const config::Link& link, CallWish wish) {
  const LinkStanding now = link_standing(paths, link, wish.urgent);
  const link::Standing& standing = now.standing;
  if (standing.reason == link::Standing::Reason::hours || standing.reason == link::Standing::Reason::budget) return *standing.refusal;
  if (!standing.unreachable) return {};
  if (wish.by_hand) {
    // What cannot be written down does not keep a person from calling.
    if (Result<Ledger> ledger = Ledger::open(paths.calls)) static_cast<void>(ledger->clear_backoff(link.name).has_value());
    return {};
  }
  const link::Moment moment = moment_now();
  if (!now.backoff->for_good && link::needs_new_start(*now.backoff, moment)) {
    link::BackoffState state = *now.backoff;
    state.since = moment;
    const auto start_anew = [&]() -> Result<void> {
      LONGLINE_TRY(Ledger ledger, Ledger::open(paths.calls));
      return ledger.set_backoff(link.name, state);
    };
    // A wait whose beginning lies in the future, and cannot be put right, would never end.
    if (!start_anew()) return {};
  }
  return *standing.refusal;
}

}  // namespace longline::sys
