// SPDX-License-Identifier: MIT
// hold, release, remove, bounce, requeue: of any queue, by ids or by filter.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>

#include "base/text.hpp"
#include "failures.hpp"
#include "mail/queue_listing.hpp"
#include "sys/system_clock.hpp"
#include "verbs.hpp"

namespace longline::mtaq {
namespace {

using mail::QueueBackend;
using mail::QueueChange;
using mail::QueuedMessage;
using mail::SeenMessage;

QueueChange change_of(Verb verb) {
  switch (verb) {
    case Verb::hold: return QueueChange::hold;
    case Verb::release: return QueueChange::release;
    case Verb::remove: return QueueChange::remove;
    case Verb::bounce: return QueueChange::bounce;
    default: return QueueChange::requeue;
  }
}

std::string_view event_name(QueueChange change) {
  switch (change) {
    case QueueChange::hold: return "queue.held";
    case QueueChange::release: return "queue.released";
    case QueueChange::remove: return "queue.removed";
    case QueueChange::bounce: return "queue.bounced";
    case QueueChange::requeue: break;
  }
  return "queue.requeued";
}

struct Targets {
  std::vector<SeenMessage> messages;
  std::vector<std::string> lines;   // as they are shown; empty where they are not
};

class Changer {
 public:
  Changer(const Options& options, World& world, QueueBackend& queue, mail::ConnectorChoice choice)
      : options_(options), change_(options.change), world_(world), queue_(queue), choice_(std::move(choice)), failures_(options.common) {}

  Result<ExitStatus> run() {
    const QueueChange what = change_of(options_.verb);
    if (const auto why = queue_.why_not(what)) return Error(Errc::usage, *why, Stage::queue);
    LONGLINE_TRY(const std::vector<GivenId> given, read_ids(change_.ids));
    const bool by_filter = change_.ids.empty();
    // Ids from a pipe are a decision that was made; a filter alone is shown first.
    const bool decided = !change_.all || change_.yes || (!by_filter && ::isatty(STDIN_FILENO) == 0);
    shows_ = change_.dry_run || !decided;
    LONGLINE_TRY(const Targets targets, by_filter ? by_listing({}) : by_ids(given));
    if (shows_) show(what, targets);
    else LONGLINE_CHECK(carry_out(what, targets.messages));
    return std::move(failures_).status();
  }

 private:
  Result<Targets> by_ids(const std::vector<GivenId>& given) {
    // "-" with nothing on stdin: nothing was asked for.
    if (given.empty()) return Targets();
    // Ids of the spool are never used again: no need to look through it first.
    const bool says_more = std::any_of(given.begin(), given.end(), [](const GivenId& one) { return one.arrived || one.sender; });
    const bool must_look = world_.queue.kind != config::QueueKind::spool || change_.all || shows_ || says_more;
    if (must_look) return by_listing(given);
    Targets targets;
    std::set<std::string> seen;
    for (const GivenId& one : given) {
      SeenMessage message;
      message.id = queue_.canonical_id(one.id);
      if (seen.insert(message.id).second) targets.messages.push_back(std::move(message));
    }
    return targets;
  }

  std::string shown(const QueuedMessage& message, WallTime now) {
    return options_.common.json ? json_line(message, choice_) + "\n" : mail::listing_lines(message, choice_, now);
  }

  Result<Targets> by_listing(const std::vector<GivenId>& given) {
    std::map<std::string, std::size_t> places;
    for (const GivenId& one : given) places.try_emplace(queue_.canonical_id(one.id), places.size());
    // What is to be known of each in the end: whole messages of a long queue take too much memory.
    std::vector<std::optional<SeenMessage>> found(places.size());
    std::vector<std::string> lines(shows_ ? places.size() : 0);
    Targets targets;
    targets.messages.reserve(places.size());
    const WallTime now = sys::wall_now();
    std::vector<bool> seen(places.size());
    LONGLINE_CHECK(queue_.visit([&](QueuedMessage&& message) {
      const auto place = places.find(message.id);
      if (!given.empty() && place == places.end()) return true;
      if (place != places.end()) seen[place->second] = true;
      if (change_.all && !matches(change_.filter, message, choice_, now)) return true;
      if (place == places.end()) {
        targets.messages.emplace_back(message);
        if (shows_) targets.lines.push_back(shown(message, now));
      } else {
        found[place->second] = message;
        if (shows_) lines[place->second] = shown(message, now);
      }
      return true;
    }));
    for (const GivenId& one : given) {
      const auto place = places.find(queue_.canonical_id(one.id));
      if (place == places.end()) continue;
      if (std::optional<SeenMessage>& message = found[place->second]) {
        if (!one.fits(*message)) {
          failures_.add(mail::changed_meanwhile(one.id));
        } else {
          targets.messages.push_back(std::move(*message));
          if (shows_) targets.lines.push_back(std::move(lines[place->second]));
        }
      } else if (!seen[place->second]) {
        failures_.add(mail::not_in_queue(one.id));
      }
      places.erase(place);
    }
    return targets;
  }

  void show(QueueChange what, const Targets& targets) {
    const std::size_t count = targets.messages.size();
    if (!options_.common.json && count > 0) std::fputs(mail::listing_header(targets.messages.front().id.size()).c_str(), stdout);
    for (const std::string& line : targets.lines) std::fwrite(line.data(), 1, line.size(), stdout);
    if (options_.common.quiet || options_.common.json) return;
    std::fprintf(stderr, "%zu message%s would be %s; nothing was changed%s\n", count, count == 1 ? "" : "s", std::string(done_name(what)).c_str(),
                 change_.dry_run ? "" : ": --yes does it");
  }

  Result<void> carry_out(QueueChange what, const std::vector<SeenMessage>& targets) {
    LONGLINE_TRY(std::vector<Result<void>> results, queue_.change(what, targets));
    for (std::size_t i = 0; i < targets.size(); ++i) {
      if (!results[i]) {
        failures_.add(std::move(results[i]).error());
        continue;
      }
      Event event{std::string(event_name(what))};
      event.message = targets[i].id;
      if (world_.queue.kind != config::QueueKind::spool) event.more.set("queue", queue_.name());
      world_.events.emit(event);
      if (!options_.common.json || options_.common.quiet) continue;
      const std::string line = JsonObject().set("id", targets[i].id).set("result", done_name(what)).dump();
      std::printf("%s\n", line.c_str());
    }
    return {};
  }

  const Options& options_;
  const ChangeOptions& change_;
  World& world_;
  QueueBackend& queue_;
  mail::ConnectorChoice choice_;
  Failures failures_;
  bool shows_ = false;   // what would be done, and does nothing
};

}  // namespace

Result<ExitStatus> run_change(const Options& options, World& world) {
  const ChangeOptions& change = options.change;
  if (change.ids.empty() && !change.all) {
    return Error(Errc::usage, "no message is named").with_hint("name ids, read them from stdin with -, or say --all with a filter");
  }
  if (!change.all && !change.filter.empty()) return Error(Errc::usage, "a filter needs --all");
  LONGLINE_CHECK(check_link(world, change.filter.link));
  LONGLINE_CHECK(check_connector(world, change.filter.connector));
  LONGLINE_TRY(const std::unique_ptr<QueueBackend> queue, open_queue(world, true));
  LONGLINE_TRY(mail::ConnectorChoice choice, choice_now(world));
  return Changer(options, world, *queue, std::move(choice)).run();
}

}  // namespace longline::mtaq
