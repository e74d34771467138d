// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <map>

#include "base/text.hpp"
#include "common/tool.hpp"
#include "mail/batch_smtp.hpp"
#include "sys/system_clock.hpp"
#include "verbs.hpp"

namespace longline::mtaq {
namespace {

using mail::QueueBackend;
using mail::QueueChange;
using mail::QueuedMessage;

using tools::print;

std::vector<std::string> waiting_recipients(const QueuedMessage& message) {
  std::vector<std::string> out;
  for (const mail::Recipient& r : message.recipients) {
    if (!r.finished()) out.push_back(r.address);
  }
  return out;
}

Result<std::vector<QueuedMessage>> select(const ExportOptions& what, World& world, QueueBackend& queue) {
  LONGLINE_TRY(const std::vector<GivenId> given, read_ids(what.ids));
  std::map<std::string, bool> wanted;
  for (const GivenId& one : given) wanted.emplace(queue.canonical_id(one.id), false);
  LONGLINE_TRY(mail::ConnectorChoice choice, choice_now(world));
  std::vector<QueuedMessage> out;
  const WallTime now = sys::wall_now();
  // "-" with nothing on stdin: nothing was asked for.
  if (!what.ids.empty() && given.empty()) return out;
  LONGLINE_CHECK(queue.visit([&](QueuedMessage&& message) {
    const auto found = wanted.find(message.id);
    if (!wanted.empty() && found == wanted.end()) return true;
    if (found != wanted.end()) found->second = true;
    if (matches(what.filter, message, choice, now) && !waiting_recipients(message).empty()) out.push_back(std::move(message));
    return true;
  }));
  for (const auto& [id, found] : wanted) {
    if (!found) return mail::not_in_queue(id);
  }
  return out;
}

Error not_written() { return Error(Errc::io, "stdout could not be written", Stage::queue); }

// All of it is where it is to go, on the disk if that is where.
Result<void> settle() {
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) return not_written();
  if (::fsync(STDOUT_FILENO) != 0 && errno != EINVAL && errno != EROFS) return system_error(errno, "stdout");
  return {};
}

// A message that went meanwhile is left out, and `gone` says so.
Result<void> write_batch(const std::vector<QueuedMessage>& messages, QueueBackend& queue, const std::string& host, std::optional<Error>& gone) {
  mail::BatchWriter writer;
  if (messages.empty()) return {};
  print(writer.begin(host));
  for (const QueuedMessage& message : messages) {
    bool begun = false;
    Result<void> read = queue.read(message.id, [&](std::string_view piece) {
      // What other mail systems hold is not known to be of seven bits.
      if (!begun) print(writer.envelope(message.sender, waiting_recipients(message), message.eight_bit || message.foreign));
      begun = true;
      print(writer.body(piece));
      return std::ferror(stdout) == 0;
    });
    if (!read && !begun && read.error().code == Errc::not_found) {
      if (!gone) gone = std::move(read).error();
      continue;
    }
    if (!read) return std::move(read).error();
    if (std::ferror(stdout) != 0) return not_written();
    print(writer.end_message());
  }
  print(writer.end());
  return settle();
}

// Held while they are written, so that no flush sends what the batch has too. What could not be held is not exported.
class Held {
 public:
  Held(QueueBackend& queue, std::vector<QueuedMessage>& messages) : queue_(queue), messages_(messages) {}
  Result<std::optional<Error>> hold() {
    std::optional<Error> first;
    LONGLINE_TRY(std::vector<Result<void>> results, queue_.change(QueueChange::hold, messages_));
    std::vector<QueuedMessage> kept;
    for (std::size_t i = 0; i < messages_.size(); ++i) {
      if (results[i]) kept.push_back(std::move(messages_[i]));
      else if (!first) first = std::move(results[i]).error();
    }
    messages_ = std::move(kept);
    return first;
  }
  void undo() {
    std::vector<QueuedMessage> ours;
    for (const QueuedMessage& message : messages_) {
      if (message.state != mail::MessageState::held) ours.push_back(message);
    }
    (void)queue_.change(QueueChange::release, ours);
  }

 private:
  QueueBackend& queue_;
  std::vector<QueuedMessage>& messages_;
};

}  // namespace

Result<ExitStatus> run_export(const Options& options, World& world) {
  const ExportOptions& what = options.export_;
  LONGLINE_CHECK(check_link(world, what.filter.link));
  LONGLINE_CHECK(check_connector(world, what.filter.connector));
  const bool changes = what.remove || what.hold;
  LONGLINE_TRY(const std::unique_ptr<QueueBackend> queue, open_queue(world, changes));
  LONGLINE_TRY(std::vector<QueuedMessage> messages, select(what, world, *queue));
  std::optional<Error> first;
  Held held(*queue, messages);
  if (changes) {
    LONGLINE_TRY(first, held.hold());
  }
  if (Result<void> written = write_batch(messages, *queue, world.host, first); !written) {
    if (changes) held.undo();
    return std::move(written).error();
  }
  if (what.remove) {
    LONGLINE_TRY(const std::vector<Result<void>> results, queue->change(QueueChange::remove, messages));
    for (const Result<void>& result : results) {
      if (!result && !first) first = result.error();
    }
  }
  for (const QueuedMessage& message : messages) {
    if (!changes) break;
    Event event{what.remove ? "queue.removed" : "queue.held"};
    event.message = message.id;
    event.text = "exported";
    if (message.foreign) event.more.set("queue", queue->name());
    world.events.emit(event);
  }
  if (!options.common.quiet && !options.common.json) std::fprintf(stderr, "%zu message%s exported\n", messages.size(), messages.size() == 1 ? "" : "s");
  if (first) return std::move(*first);
  return ExitStatus::ok;
}

}  // namespace longline::mtaq
