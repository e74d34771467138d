// SPDX-License-Identifier: MIT
#include "sys/queue/exim_queue.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "base/text.hpp"
#include "mail/exim_listing.hpp"
#include "sys/queue/listed_messages.hpp"
#include "sys/queue/mta_command.hpp"

namespace longline::sys {
namespace {

using mail::QueueChange;
using mail::QueuedMessage;
using mail::SeenMessage;

constexpr std::size_t kIdsPerCommand = 1'000;
constexpr std::size_t kIdsPerRun = 20'000;        // within the 2 MiB that a command line has

std::string_view exim_option_of(QueueChange change) {
  switch (change) {
    case QueueChange::hold: return "-Mf";
    case QueueChange::release: return "-Mt";
    case QueueChange::remove: return "-Mrm";
    default: return "-Mg";
  }
}

// The last bytes of a file, from the start of a line.
std::string tail_of(const std::string& path) {
  constexpr off_t kTail = 16 * 1024;
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat info {};
  if (!fd || ::fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) return "";
  const off_t from = std::max<off_t>(0, info.st_size - kTail);
  std::string out(static_cast<std::size_t>(std::min(info.st_size, kTail)), '\0');
  const ssize_t n = ::pread(fd.get(), out.data(), out.size(), from);
  out.resize(n < 0 ? 0 : static_cast<std::size_t>(n));
  if (from > 0) out.erase(0, out.find('\n') + 1);
  return out;
}

// "NAME = VALUE"
std::string setting(std::string_view answer, std::string_view name) {
  for (const std::string_view line : split(answer, '\n')) {
    if (line.starts_with(name) && line.substr(name.size()).starts_with(" = ")) return std::string(trim(line.substr(name.size() + 3)));
  }
  return "";
}

// What exim said about one id.
Result<void> verdict(const std::string& id, std::string_view said) {
  for (const std::string_view line : split(said, '\n')) {
    if (line.find(id) == std::string_view::npos) continue;
    for (const std::string_view good : {"is now frozen", "is already frozen", "is no longer frozen", "is not frozen"}) {
      if (line.ends_with(good)) return {};
    }
    if (line == "Message " + id + " has been removed") return {};
    if (line.find("locked") != std::string_view::npos) {
      return Error(Errc::busy, "message " + id + ": Exim is delivering it", Stage::queue);
    }
    if (line.find("does not exist") != std::string_view::npos) return mail::not_in_queue(id);
    return Error(Errc::io, "exim: " + escape_at_most(line, 200), Stage::queue);
  }
  return mail::not_in_queue(id);
}

}  // namespace

Result<std::unique_ptr<EximQueue>> EximQueue::open(std::string config) {
  LONGLINE_TRY(std::string exim, find_mta_program({"exim", "exim4"}));
  if (!config.empty()) {
    std::error_code ignored;
    config = std::filesystem::absolute(config, ignored).lexically_normal().string();
    if (!std::filesystem::is_regular_file(config, ignored)) {
      return Error(Errc::not_found, escape_at_most(config, 200) + ": no such configuration of Exim", Stage::queue);
    }
  }
  return std::unique_ptr<EximQueue>(new EximQueue(std::move(exim), std::move(config)));
}

EximQueue::~EximQueue() {
  if (run_ && !run_->try_wait()) run_->detach();
}

std::vector<std::string> EximQueue::command(const std::vector<std::string>& arguments) const {
  std::vector<std::string> argv = {exim_};
  if (!config_.empty()) argv.insert(argv.end(), {"-C", config_});
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return argv;
}

void EximQueue::read_settings() {
  if (settings_read_) return;
  settings_read_ = true;
  const Result<std::string> answer = ask_mta({command({"-bP", "spool_directory", "log_file_path"}), "", Duration(20'000)});
  if (!answer) return;
  spool_ = setting(*answer, "spool_directory");
  // A list; an item with a slash is a file's name with the log's for "%s", and without any it is in the spool.
  log_file_ = spool_ + "/log/%slog";
  const std::string paths = setting(*answer, "log_file_path");
  for (const std::string_view item : split(paths, ':')) {
    if (trim(item).starts_with('/')) log_file_ = trim(item);
  }
  const std::size_t name = log_file_.find("%s");
  if (name == std::string::npos) log_file_.clear();
  else log_file_.replace(name, 2, "main");
  if (log_file_.find('%') != std::string::npos) log_file_.clear();   // a log a day
}

void EximQueue::add_reasons(QueuedMessage& message) const {
  if (spool_.empty()) return;
  std::string log = tail_of(spool_ + "/msglog/" + message.id);
  // split_spool_directory
  if (log.empty()) log = tail_of(spool_ + "/msglog/" + message.id[5] + "/" + message.id);
  if (log.empty()) return;
  std::map<std::string, std::string> reasons;
  for (const std::string_view line : split(log, '\n')) {
    if (const auto fate = mail::parse_exim_message_log(line)) reasons[to_lower(fate->result.address)] = fate->result.text;
  }
  for (mail::Recipient& r : message.recipients) {
    const auto found = reasons.find(to_lower(r.address));
    if (r.finished() || found == reasons.end()) continue;
    r.state = mail::RecipientState::deferred;
    r.reason = found->second;
    r.reason_class = mail::classify_reason(r.reason);
    if (message.state == mail::MessageState::ready) message.state = mail::MessageState::deferred;
  }
}

Result<void> EximQueue::visit(const Visitor& visitor) {
  read_settings();
  return visit_plain([&](QueuedMessage&& message) {
    add_reasons(message);
    return visitor(std::move(message));
  });
}

Result<void> EximQueue::visit_plain(const Visitor& visitor) {
  const MtaCommand list{command({"-bp"})};
  mail::EximListing listing(visitor);
  std::string complaint;
  LONGLINE_TRY(const MtaCommandEnd end, run_mta_command(list, [&](std::string_view bytes) {
                 if (complaint.size() < 1000) complaint += bytes.substr(0, 1000);
                 return listing.feed(bytes);
               }));
  // Exim complains on either.
  if (end.status != 0) return mta_complaint(list, end.errors.empty() ? MtaCommandEnd{end.status, complaint} : end);
  listing.finish();
  return {};
}

Result<QueuedMessage> EximQueue::find(const std::string& id) {
  LONGLINE_TRY(QueuedMessage message, find_listed(*this, id));
  add_header_fields(*this, message);
  return message;
}

Result<void> EximQueue::read(const std::string& id, const Sink& sink) {
  if (!mail::is_exim_id(id)) return mail::not_in_queue(id);
  const MtaCommand show{command({"-Mvc", id})};
  CrlfSink converted(sink);
  std::string complaint;
  LONGLINE_TRY(const MtaCommandEnd end, run_mta_command(show, [&](std::string_view bytes) {
                 if (complaint.size() < 1000) complaint += bytes.substr(0, 1000);
                 // What it says of a message that is not there comes on stdout too.
                 if (complaint.starts_with("Spool ") && complaint.find(id) < 100) return true;
                 return converted.feed(bytes);
               }));
  if (end.status != 0 && complaint.find("does not exist") != std::string::npos) return mail::not_in_queue(id);
  if (end.status != 0) return mta_complaint(show, end.errors.empty() ? MtaCommandEnd{end.status, complaint} : end);
  converted.finish();
  return {};
}

std::optional<std::string> EximQueue::why_not(QueueChange change) const {
  if (change != QueueChange::requeue) return std::nullopt;
  return "Exim cannot requeue a message; 'mtaq --queue exim flush ID' tries it at once";
}

Result<std::vector<Result<void>>> EximQueue::change(QueueChange change, const std::vector<SeenMessage>& as_seen) {
  if (const auto why = why_not(change)) return Error(Errc::usage, *why, Stage::queue);
  LONGLINE_TRY(Recheck recheck, Recheck::of(*this, as_seen));
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < as_seen.size(); ++i) {
    if (recheck.results[i]) places.push_back(i);
  }
  for (std::size_t from = 0; from < places.size(); from += kIdsPerCommand) {
    const std::size_t to = std::min(places.size(), from + kIdsPerCommand);
    std::vector<std::string> arguments = {std::string(exim_option_of(change))};
    for (std::size_t i = from; i < to; ++i) arguments.push_back(as_seen[places[i]].id);
    const MtaCommand command_line{command(arguments)};
    std::string said;
    LONGLINE_TRY(const MtaCommandEnd end, run_mta_command(command_line, [&](std::string_view bytes) {
                   said += bytes.substr(0, (4 << 20) - std::min<std::size_t>(said.size(), 4 << 20));
                   return true;
                 }));
    if (end.status != 0) {
      const Error complaint = mta_complaint(command_line, end.errors.empty() ? MtaCommandEnd{end.status, said} : end);
      if (complaint.code == Errc::permission) return complaint;
    }
    // -Mg says nothing: what is gone from the queue was given up.
    if (change == QueueChange::bounce) continue;
    for (std::size_t i = from; i < to; ++i) recheck.results[places[i]] = verdict(as_seen[places[i]].id, said);
  }
  if (change == QueueChange::bounce && !places.empty()) {
    LONGLINE_TRY(const Recheck after, Recheck::of(*this, as_seen));
    for (const std::size_t i : places) {
      if (after.results[i]) recheck.results[i] = Error(Errc::busy, "message " + as_seen[i].id + ": still there; Exim is delivering it", Stage::queue);
    }
  }
  return recheck.results;
}

Result<void> EximQueue::trigger(const std::vector<std::string>& ids) {
  read_settings();
  log_.emplace(log_file_);
  runs_to_come_.clear();
  if (ids.empty()) runs_to_come_.emplace_back();
  for (std::size_t from = 0; from < ids.size(); from += kIdsPerRun) {
    std::vector<std::string> part;
    for (std::size_t i = from; i < std::min(ids.size(), from + kIdsPerRun); ++i) {
      if (mail::is_exim_id(ids[i])) part.push_back(ids[i]);
    }
    if (!part.empty()) runs_to_come_.push_back(std::move(part));
  }
  // Who may not list the queue may not run it, and the queue runner would say so to nobody.
  LONGLINE_CHECK(ask_mta({command({"-bpc"}), "", Duration(60'000)}));
  return start_next();
}

Result<std::vector<std::string>> EximQueue::without_frozen(std::vector<std::string> ids) {
  std::set<std::string> frozen;
  LONGLINE_CHECK(visit_plain([&](QueuedMessage&& message) {
    if (message.state == mail::MessageState::held) frozen.insert(std::move(message.id));
    return true;
  }));
  std::erase_if(ids, [&](const std::string& id) { return frozen.contains(id); });
  return ids;
}

Result<void> EximQueue::start_next() {
  std::vector<std::string> argv;
  while (argv.empty()) {
    if (runs_to_come_.empty()) return {};
    std::vector<std::string> ids = std::move(runs_to_come_.front());
    runs_to_come_.pop_front();
    if (ids.empty()) {
      // Two passes: with all mail routed first, messages for one host share a connection. Frozen ones stay.
      argv = command({"-qqf"});
      continue;
    }
    // -M thaws what it is given.
    LONGLINE_TRY(ids, without_frozen(std::move(ids)));
    if (ids.empty()) continue;
    ids.insert(ids.begin(), "-M");
    argv = command(ids);
  }
  SpawnOptions options;
  options.argv = std::move(argv);
  options.null_stdio = true;
  // Deliveries outlive the terminal, and us.
  options.new_session = true;
  LONGLINE_TRY(ChildProcess child, ChildProcess::spawn(options));
  run_.emplace(std::move(child));
  return {};
}

std::optional<bool> EximQueue::run_is_over() {
  if (run_ && !run_->try_wait()) return false;
  if (runs_to_come_.empty()) return true;
  return start_next().has_value() ? false : true;
}

Result<std::vector<mail::Fate>> EximQueue::new_fates() {
  std::vector<mail::Fate> fates;
  if (!log_) return fates;
  LONGLINE_CHECK(log_->read_new([&](std::string_view line) {
    if (auto fate = mail::parse_exim_log(line)) fates.push_back(std::move(*fate));
  }));
  return fates;
}

}  // namespace longline::sys
