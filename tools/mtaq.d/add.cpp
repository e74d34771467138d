// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "base/json.hpp"
#include "base/text.hpp"
#include "mail/address.hpp"
#include "mail/aliases.hpp"
#include "mail/dropped_message.hpp"
#include "mail/message.hpp"
#include "sys/intake/drop_folder.hpp"
#include "sys/random_name.hpp"
#include "sys/spool/spool.hpp"
#include "sys/system_clock.hpp"
#include "verbs.hpp"

namespace longline::mtaq {
namespace {

// SQLite stores at most 1,000,000,000 bytes in one value.
constexpr std::size_t kLargestMessage = 900'000'000;

std::string user_name() {
  const passwd* entry = ::getpwuid(::getuid());
  return entry != nullptr && entry->pw_name != nullptr ? entry->pw_name : fmt::format("uid{}", ::getuid());
}

Result<std::string> envelope_sender(const AddOptions& add, const World& world) {
  LONGLINE_TRY(const std::optional<mail::Address> sender,
               mail::parse_reverse_path(add.sender.value_or(user_name()), world.host));
  return sender ? to_string(*sender) : std::string();
}

void append_once(std::vector<std::string>& list, std::string address) {
  if (std::find(list.begin(), list.end(), address) == list.end()) list.push_back(std::move(address));
}

Result<std::vector<std::string>> given_recipients(const AddOptions& add, const World& world) {
  std::vector<std::string> out;
  for (const std::string& text : add.recipients) {
    // sendmail's users write lists in one argument.
    if (text.find(',') != std::string::npos) {
      LONGLINE_TRY(const auto list, mail::parse_address_list(text, world.host));
      for (const mail::Address& address : list) append_once(out, to_string(address));
    } else {
      LONGLINE_TRY(const mail::Address address, mail::parse_address(text, world.host));
      append_once(out, to_string(address));
    }
  }
  return out;
}

Result<mail::StoredMessage> read_message(mail::MessageBuilder& builder) {
  std::string buffer(64 * 1024, '\0');
  std::size_t total = 0;
  while (!builder.ended()) {
    const ssize_t n = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error(errno, "stdin");
    if (n == 0) break;
    total += static_cast<std::size_t>(n);
    if (total > kLargestMessage) return Error(Errc::refused, "the message is larger than 900 MB", Stage::queue);
    builder.feed(std::string_view(buffer).substr(0, static_cast<std::size_t>(n)));
  }
  return builder.finish();
}

// Local recipients get their copy now, the others wait in the queue; one transaction. "" for a message in the drop folder: it has no id yet.
Result<std::string> store(mail::Submission submission, World& world) {
  if (world.drops) return sys::leave_in_drop_folder(world.paths.drop, mail::format_dropped(submission)).map([](const auto&) { return std::string(); });
  mail::ConnectorChoice choice(world.config);
  mail::route_submission(submission, sys::read_aliases(world.paths), choice, world.host);
  for (const std::string& recipient : submission.recipients) {
    const config::Connector* connector = choice.choose(recipient).connector;
    if (connector == nullptr) continue;
    if (auto why = mail::why_too_large(*connector, static_cast<std::int64_t>(submission.content.size()))) {
      return Error(Errc::refused, escape(recipient) + ": " + *why, Stage::queue);
    }
  }
  LONGLINE_TRY(sys::Spool spool, sys::Spool::open(world.paths.spool));
  return spool.add(submission, sys::wall_now());
}

}  // namespace

Result<ExitStatus> run_add(const Options& options, World& world) {
  const AddOptions& add = options.add;
  // Programs that call sendmail mean this host's mail, whatever queue is looked at.
  if (!add.as_sendmail && world.queue.kind != config::QueueKind::spool) {
    return Error(Errc::usage, "add queues into the spool; other mail systems take mail by their own sendmail")
        .with_hint("--queue spool add queues it here");
  }
  if (add.recipients.empty() && !add.recipients_from_header) {
    return Error(Errc::usage, "no recipient").with_hint("name recipients, or take them from the header with -t");
  }
  mail::Submission submission;
  submission.priority = add.priority;
  LONGLINE_TRY(submission.sender, envelope_sender(add, world));
  LONGLINE_TRY(submission.recipients, given_recipients(add, world));
  mail::SubmissionDefaults defaults;
  defaults.sender = submission.sender;
  defaults.full_name = add.full_name;
  defaults.host = world.host;
  defaults.now = sys::wall_now();
  defaults.unique = sys::random_name();
  defaults.recipients_from_header = add.recipients_from_header;
  defaults.dot_ends = add.dot_ends;
  mail::MessageBuilder builder(std::move(defaults));
  LONGLINE_TRY(mail::StoredMessage message, read_message(builder));
  for (const mail::Address& address : message.recipients) append_once(submission.recipients, to_string(address));
  if (submission.recipients.empty()) return Error(Errc::malformed, "the header names no recipient", Stage::queue);
  if (mail::count_header_fields(message.content, "Received") > mail::kMostHops) {
    return Error(Errc::refused, "too many hops, mail loop", Stage::queue);
  }
  submission.dsn.ret = add.ret;
  submission.dsn.envelope_id = add.envelope_id;
  for (const std::string& recipient : add.notify.empty() ? std::vector<std::string>() : submission.recipients) {
    submission.dsn.recipients[recipient].notify = add.notify;
  }
  submission.content = std::move(message.content);
  submission.eight_bit = message.eight_bit;
  submission.message_id = std::move(message.message_id);
  submission.subject = std::move(message.subject);
  LONGLINE_TRY(const std::string id, store(std::move(submission), world));
  if (add.as_sendmail || options.common.quiet || (id.empty() && !options.common.json)) return ExitStatus::ok;
  const std::string line = !options.common.json ? id : id.empty() ? JsonObject().set_null("id").dump() : JsonObject().set("id", id).dump();
  std::printf("%s\n", line.c_str());
  return ExitStatus::ok;
}

Result<ExitStatus> run_newaliases(const Options& options, World& world) {
  const mail::Aliases aliases = sys::read_aliases(world.paths);
  for (const mail::Aliases::Complaint& complaint : aliases.complaints()) {
    if (!options.common.quiet) std::fprintf(stderr, "%s: %s\n", complaint.place(world.paths.aliases).c_str(), complaint.what.c_str());
  }
  return ExitStatus::ok;
}

}  // namespace longline::mtaq
