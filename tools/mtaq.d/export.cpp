// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <map>
#include <set>

#include "common/tool.hpp"
#include "failures.hpp"
#include "mail/batch_smtp.hpp"
#include "sys/system_clock.hpp"
#include "verbs.hpp"

namespace longline::mtaq {
namespace {

using mail::MessagePart;
using mail::QueueBackend;
using mail::QueueChange;
using mail::QueuedMessage;
using mail::SeenMessage;

using tools::print;

// What goes into the batch: whole messages of a long queue would take too much memory.
struct Exported : MessagePart {
  bool eight_bit = false;   // what other mail systems hold is not known to be of seven bits
  bool is_whole = false;    // nobody else waits for it
};

std::vector<SeenMessage> messages_of(const std::vector<Exported>& parts) {
  std::vector<SeenMessage> out;
  out.reserve(parts.size());
  for (const Exported& part : parts) out.push_back(part.message);
  return out;
}

std::size_t waiting(const QueuedMessage& message) {
  return static_cast<std::size_t>(std::count_if(message.recipients.begin(), message.recipients.end(), [](const mail::Recipient& r) { return !r.finished(); }));
}

Error others_wait(const MessagePart& part, std::string_view queue) {
  return Error(Errc::refused, fmt::format("message {}: left out: others wait for it too, and {} takes no recipient out of a message", part.message.id, queue),
               Stage::queue)
      .with_hint("by its id alone it is exported, and removed, for all of them");
}

Result<std::vector<Exported>> select(const ExportOptions& what, World& world, QueueBackend& queue, Failures& failures) {
  LONGLINE_TRY(const std::vector<GivenId> given, read_ids(what.ids));
  struct Wanted {
    const GivenId* given = nullptr;
    bool found = false;
  };
  std::map<std::string, Wanted> wanted;
  for (const GivenId& one : given) wanted.emplace(queue.canonical_id(one.id), Wanted{&one});
  LONGLINE_TRY(mail::ConnectorChoice choice, choice_now(world));
  std::vector<Exported> out;
  const WallTime now = sys::wall_now();
  // "-" with nothing on stdin: nothing was asked for.
  if (!what.ids.empty() && given.empty()) return out;
  LONGLINE_CHECK(queue.visit([&](QueuedMessage&& message) {
    const auto found = wanted.find(message.id);
    if (!wanted.empty() && found == wanted.end()) return true;
    if (found != wanted.end()) found->second.found = true;
    if (found != wanted.end() && !found->second.given->fits(message)) {
      failures.add(mail::changed_meanwhile(message.id));
      return true;
    }
    if (!matches(what.filter, message, choice, now)) return true;
    std::vector<std::string> recipients = waiting_recipients(what.filter, message, choice);
    if (recipients.empty()) return true;
    const bool is_whole = recipients.size() == waiting(message);
    Exported part{{message, std::move(recipients)}, message.eight_bit || message.foreign, is_whole};
    if (what.remove && !is_whole && !queue.removes_recipients()) failures.add(others_wait(part, queue.name()));
    else out.push_back(std::move(part));
    return true;
  }));
  for (const auto& [id, one] : wanted) {
    if (!one.found) failures.add(mail::not_in_queue(id));
  }
  return out;
}

volatile std::sig_atomic_t is_interrupted = 0;

// A signal ends a write that waits for a reader, too, and what was held is given back.
void let_signals_interrupt() {
  struct sigaction note {};
  note.sa_handler = [](int) { is_interrupted = 1; };
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
    struct sigaction before {};
    if (::sigaction(number, nullptr, &before) == 0 && before.sa_handler != SIG_IGN) ::sigaction(number, &note, nullptr);
  }
}

Error not_written() {
  if (is_interrupted) return Error(Errc::interrupted, "interrupted", Stage::queue);
  return Error(Errc::io, "stdout could not be written", Stage::queue);
}

// All of it is where it is to go, on the disk if that is where.
Result<void> settle() {
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) return not_written();
  if (::fsync(STDOUT_FILENO) != 0 && errno != EINVAL && errno != EROFS) return system_error(errno, "stdout");
  return {};
}

// What went meanwhile is left out of the batch, and of `parts` when that is written.
Result<void> write_batch(std::vector<Exported>& parts, QueueBackend& queue, const std::string& host, Failures& failures) {
  mail::BatchWriter writer;
  if (parts.empty()) return {};
  std::set<std::string> gone;
  print(writer.begin(host));
  for (const Exported& part : parts) {
    const SeenMessage& message = part.message;
    bool begun = false;
    const Result<mail::DsnWishes> wishes = queue.wishes(message.id);
    if (!wishes) return wishes.error();
    Result<void> read = queue.read(message.id, [&](std::string_view piece) {
      if (!begun) print(writer.envelope(message.sender, part.recipients, part.eight_bit, *wishes));
      begun = true;
      print(writer.body(piece));
      return std::ferror(stdout) == 0 && !is_interrupted;
    });
    if (!read && !begun && read.error().code == Errc::not_found) {
      failures.add(std::move(read).error());
      gone.insert(message.id);
      continue;
    }
    if (!read) return std::move(read).error();
    if (std::ferror(stdout) != 0 || is_interrupted) return not_written();
    print(writer.end_message());
  }
  print(writer.end());
  LONGLINE_CHECK(settle());
  std::erase_if(parts, [&](const Exported& part) { return gone.contains(part.message.id); });
  return {};
}

// Held while they are written, so that no flush sends what the batch has too. What could not be held is not exported.
Result<void> hold_all(QueueBackend& queue, std::vector<Exported>& parts, Failures& failures) {
  LONGLINE_TRY(std::vector<Result<void>> results, queue.change(QueueChange::hold, messages_of(parts)));
  std::vector<Exported> kept;
  kept.reserve(parts.size());
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (results[i]) kept.push_back(std::move(parts[i]));
    else failures.add(std::move(results[i]).error());
  }
  parts = std::move(kept);
  return {};
}

void undo_hold(QueueBackend& queue, std::vector<Exported> parts) {
  std::erase_if(parts, [](const Exported& part) { return part.message.state == mail::MessageState::held; });
  (void)queue.change(QueueChange::release, messages_of(parts));
}

// Before it was held a flush may have served some of those who were seen to wait.
Result<void> look_again(QueueBackend& queue, std::vector<Exported>& parts) {
  std::map<std::string_view, std::size_t> places;
  for (std::size_t i = 0; i < parts.size(); ++i) places.emplace(parts[i].message.id, i);
  std::vector<bool> is_there(parts.size());
  LONGLINE_CHECK(queue.visit([&](QueuedMessage&& message) {
    const auto found = places.find(message.id);
    if (found == places.end()) return true;
    Exported& part = parts[found->second];
    is_there[found->second] = true;
    mail::keep_waiting(part.recipients, message);
    part.is_whole = part.recipients.size() == waiting(message);
    return true;
  }));
  std::vector<Exported> served;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (!is_there[i]) parts[i].recipients.clear();
    if (parts[i].recipients.empty()) served.push_back(parts[i]);
  }
  std::erase_if(parts, [](const Exported& part) { return part.recipients.empty(); });
  undo_hold(queue, std::move(served));
  return {};
}

void report(World& world, const QueueBackend& queue, std::string_view name, const Exported& part) {
  Event event{std::string(name)};
  event.message = part.message.id;
  event.text = "exported";
  if (world.queue.kind != config::QueueKind::spool) event.more.set("queue", queue.name());
  if (name == "queue.held" || part.is_whole) return world.events.emit(event);
  for (const std::string& address : part.recipients) {
    Event one = event;
    one.more.set("recipient", address);
    world.events.emit(one);
  }
}

// Those whom nobody else waits with go with their message.
Result<void> remove_exported(QueueBackend& queue, std::vector<Exported> parts, World& world, Failures& failures) {
  const auto middle = std::stable_partition(parts.begin(), parts.end(), [](const Exported& part) { return part.is_whole; });
  const std::vector<Exported> portions(std::make_move_iterator(middle), std::make_move_iterator(parts.end()));
  parts.erase(middle, parts.end());
  const auto account = [&](const std::vector<Exported>& done, const std::vector<Result<void>>& results) {
    for (std::size_t i = 0; i < done.size(); ++i) {
      if (results[i]) report(world, queue, "queue.removed", done[i]);
      else failures.add(results[i].error());
    }
  };
  LONGLINE_TRY(const std::vector<Result<void>> removed, queue.change(QueueChange::remove, messages_of(parts)));
  account(parts, removed);
  if (portions.empty()) return {};
  LONGLINE_TRY(const std::vector<Result<void>> thinned, queue.remove_recipients({portions.begin(), portions.end()}));
  account(portions, thinned);
  return {};
}

}  // namespace

Result<ExitStatus> run_export(const Options& options, World& world) {
  const ExportOptions& what = options.export_;
  LONGLINE_CHECK(check_link(world, what.filter.link));
  LONGLINE_CHECK(check_connector(world, what.filter.connector));
  const bool changes = what.remove || what.hold;
  LONGLINE_TRY(const std::unique_ptr<QueueBackend> queue, open_queue(world, changes));
  Failures failures(options.common);
  LONGLINE_TRY(std::vector<Exported> parts, select(what, world, *queue, failures));
  if (changes) {
    let_signals_interrupt();
    LONGLINE_CHECK(hold_all(*queue, parts, failures));
    LONGLINE_CHECK(look_again(*queue, parts));
  }
  if (Result<void> written = write_batch(parts, *queue, world.host, failures); !written) {
    if (changes) undo_hold(*queue, std::move(parts));
    return std::move(written).error();
  }
  const std::size_t count = parts.size();
  for (const Exported& part : parts) {
    if (what.hold) report(world, *queue, "queue.held", part);
  }
  if (what.remove) LONGLINE_CHECK(remove_exported(*queue, std::move(parts), world, failures));
  if (!options.common.quiet && !options.common.json) std::fprintf(stderr, "%zu message%s exported\n", count, count == 1 ? "" : "s");
  return std::move(failures).status();
}

}  // namespace longline::mtaq
