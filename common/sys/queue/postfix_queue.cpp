// SPDX-License-Identifier: MIT
#include "sys/queue/postfix_queue.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <utility>

#include "base/text.hpp"
#include "mail/message.hpp"
#include "mail/postfix_listing.hpp"
#include "sys/queue/listed_messages.hpp"
#include "sys/queue/mta_command.hpp"

namespace longline::sys {
namespace {

using mail::QueueChange;
using mail::QueuedMessage;
using mail::SeenMessage;

constexpr std::size_t kLongestEntry = 32 << 20;   // a message for a hundred thousand recipients, each with a reason

std::string_view postsuper_option_of(QueueChange change) {
  switch (change) {
    case QueueChange::hold: return "-h";
    case QueueChange::release: return "-H";
    case QueueChange::remove: return "-d";
    case QueueChange::bounce: return "-f";
    case QueueChange::requeue: break;
  }
  return "-r";
}

// "postsuper: ID: placed on hold" for each that it changed.
std::set<std::string> confirmed(std::string_view errors) {
  std::set<std::string> ids;
  for (const std::string_view line : split(errors, '\n')) {
    const std::vector<std::string_view> words = split(line, ' ');
    if (words.size() >= 3 && words[1].ends_with(':') && mail::is_postfix_id(words[1].substr(0, words[1].size() - 1))) {
      ids.emplace(words[1].substr(0, words[1].size() - 1));
    }
  }
  return ids;
}

}  // namespace

Result<std::unique_ptr<PostfixQueue>> PostfixQueue::open(std::string config_folder) {
  LONGLINE_TRY(std::string postqueue, find_mta_program({"postqueue"}));
  if (!config_folder.empty()) {
    std::error_code ignored;
    config_folder = std::filesystem::absolute(config_folder, ignored).lexically_normal().string();
    if (!std::filesystem::is_regular_file(config_folder + "/main.cf", ignored)) {
      return Error(Errc::not_found, escape_at_most(config_folder, 200) + ": no main.cf of Postfix in it", Stage::queue);
    }
  }
  return std::unique_ptr<PostfixQueue>(new PostfixQueue(std::move(postqueue), std::move(config_folder)));
}

std::vector<std::string> PostfixQueue::command(std::string program, std::vector<std::string> arguments) const {
  // Its commands are all in one folder.
  std::vector<std::string> argv = {std::filesystem::path(postqueue_).replace_filename(std::move(program)).string()};
  if (!config_folder_.empty()) argv.insert(argv.end(), {"-c", config_folder_});
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return argv;
}

Result<void> PostfixQueue::read_settings() {
  if (settings_read_) return {};
  settings_read_ = true;
  LONGLINE_TRY(const std::string answer, ask_mta({command("postconf", {"-xh", "queue_directory", "hash_queue_names", "hash_queue_depth", "maillog_file"})}));
  const std::vector<std::string_view> lines = split(answer, '\n');
  if (lines.size() < 4) return {};
  deferred_ = std::string(trim(lines[0])) + "/deferred";
  if (lines[1].find("deferred") != std::string_view::npos) hash_depth_ = static_cast<int>(parse_integer(trim(lines[2])).value_or(1));
  log_file_ = trim(lines[3]);
  return {};
}

std::optional<WallTime> PostfixQueue::next_attempt(const std::string& id) const {
  const std::string hash = mail::postfix_hash_name(id);
  std::string path = deferred_;
  for (int i = 0; i < hash_depth_; ++i) path += std::string("/") + (static_cast<std::size_t>(i) < hash.size() ? hash[static_cast<std::size_t>(i)] : '_');
  struct stat info {};
  if (::stat((path + "/" + id).c_str(), &info) != 0) return std::nullopt;
  return WallTime(Duration(std::int64_t{info.st_mtime} * 1000));
}

Result<void> PostfixQueue::visit(const Visitor& visitor) {
  if (::geteuid() == 0) LONGLINE_CHECK(read_settings());
  const MtaCommand list{command("postqueue", {"-j"})};
  std::set<std::string> seen;
  std::string partial;
  bool wanted = true, too_long = false;
  const auto take = [&](std::string_view line) {
    if (line.empty()) return;
    Result<QueuedMessage> message = mail::parse_postfix_listing(line);
    if (!message || !seen.insert(message->id).second) return;
    if (message->state == mail::MessageState::deferred && !deferred_.empty()) {
      if (const auto next = next_attempt(message->id)) {
        for (mail::Recipient& r : message->recipients) {
          r.state = mail::RecipientState::deferred;
          r.next_attempt = next;
        }
      }
    }
    wanted = visitor(std::move(*message));
  };
  LONGLINE_TRY(const MtaCommandEnd end, run_mta_command(list, [&](std::string_view bytes) {
                 while (wanted && !bytes.empty()) {
                   const std::size_t at = bytes.find('\n');
                   const std::string_view piece = bytes.substr(0, at);
                   too_long = too_long || partial.size() + piece.size() > kLongestEntry;
                   if (!too_long) partial += piece;
                   if (at == std::string_view::npos) break;
                   if (!too_long) take(partial);
                   partial.clear();
                   too_long = false;
                   bytes.remove_prefix(at + 1);
                 }
                 return wanted;
               }));
  // Root gets a listing from the files nevertheless. One that is about to stop cuts it short.
  down_ = end.errors.find("ail system is down") != std::string::npos;
  if (end.status == 0) return {};
  Error complaint = mta_complaint(list, end);
  down_ = down_ || complaint.code == Errc::next_hop_unreachable || end.errors.find("Connection refused") != std::string::npos ||
          end.errors.find("malformed showq server response") != std::string::npos;
  return complaint;
}

Result<QueuedMessage> PostfixQueue::find(const std::string& id) {
  LONGLINE_TRY(QueuedMessage message, find_listed(*this, id));
  add_header_fields(*this, message);
  return message;
}

Result<void> PostfixQueue::read(const std::string& id, const Sink& sink) {
  if (!mail::is_postfix_id(id)) return mail::not_in_queue(id);
  const MtaCommand cat{command("postcat", {"-hbq", id})};
  CrlfSink converted(sink);
  LONGLINE_TRY(const MtaCommandEnd end, run_mta_command(cat, [&](std::string_view bytes) { return converted.feed(bytes); }));
  if (end.status != 0 && end.errors.find("No such file") != std::string::npos) return mail::not_in_queue(id);
  if (end.status != 0) return mta_complaint(cat, end);
  converted.finish();
  return {};
}

Result<std::vector<Result<void>>> PostfixQueue::change(QueueChange change, const std::vector<SeenMessage>& as_seen) {
  if (as_seen.empty()) return std::vector<Result<void>>();
  if (::geteuid() != 0) {
    return Error(Errc::permission, "only root may change Postfix's queue", Stage::queue).with_hint("run it as root");
  }
  LONGLINE_TRY(Recheck recheck, Recheck::of(*this, as_seen));
  // What is so already is done; postsuper says nothing of it.
  std::vector<std::string> ids;
  std::string input;
  for (std::size_t i = 0; i < as_seen.size(); ++i) {
    if (!recheck.results[i]) continue;
    const bool held = recheck.states[i] == mail::MessageState::held;
    if ((change == QueueChange::hold && held) || (change == QueueChange::release && !held)) continue;
    ids.push_back(as_seen[i].id);
    input += as_seen[i].id + "\n";
  }
  if (ids.empty()) return recheck.results;
  const MtaCommand command_line{command("postsuper", {std::string(postsuper_option_of(change)), "-"}), input};
  LONGLINE_TRY(const MtaCommandEnd end, run_mta_command(command_line, [](std::string_view) { return true; }));
  if (end.status != 0) return mta_complaint(command_line, end);
  const std::set<std::string> done = confirmed(end.errors);
  const std::set<std::string> asked(ids.begin(), ids.end());
  // The list of confirmations may have been cut; then nothing can be said of those at its end.
  const bool whole = end.errors.size() < 60'000;
  for (std::size_t i = 0; i < as_seen.size(); ++i) {
    if (!recheck.results[i] || !asked.contains(as_seen[i].id) || done.contains(as_seen[i].id) || !whole) continue;
    if (change != QueueChange::bounce) recheck.results[i] = mail::not_in_queue(as_seen[i].id);
  }
  LONGLINE_CHECK(kick(change, ids));
  return recheck.results;
}

Result<void> PostfixQueue::kick(QueueChange change, const std::vector<std::string>& ids) {
  // Expired messages bounce when they are tried next; requeued ones lie in maildrop until pickup looks, once a minute.
  if (change == QueueChange::requeue) {
    LONGLINE_CHECK(run_mta_command({command("postkick", {"public", "pickup", "W"})}, [](std::string_view) { return true; }));
  }
  if (change == QueueChange::bounce) {
    for (const std::string& id : ids) {
      LONGLINE_CHECK(run_mta_command({command("postqueue", {"-i", id})}, [](std::string_view) { return true; }));
    }
  }
  return {};
}

Result<void> PostfixQueue::ask(std::vector<std::string> arguments) const {
  const MtaCommand flush{command("postqueue", std::move(arguments))};
  LONGLINE_TRY(const MtaCommandEnd end, run_mta_command(flush, [](std::string_view) { return true; }));
  if (end.status != 0) return mta_complaint(flush, end);
  return {};
}

// A queue manager that starts while an older one's delivery agent has a message skips it in `incoming`, and looks there again when somebody
// asks or after queue_run_delay. For root it looks there alone; for others, destinations that were found dead are tried again with it.
Result<void> PostfixQueue::remind(const std::vector<std::string>& ids) {
  const auto one = std::find_if(ids.begin(), ids.end(), [](const std::string& id) { return mail::is_postfix_id(id); });
  if (one == ids.end()) return {};
  if (::geteuid() != 0) return ask({"-i", *one});
  // What somebody requeued lies in maildrop until pickup looks, once a minute.
  for (const auto& [service, request] : {std::pair("qmgr", "I"), std::pair("pickup", "W")}) {
    const MtaCommand kick{command("postkick", {"public", service, request})};
    LONGLINE_TRY(const MtaCommandEnd end, run_mta_command(kick, [](std::string_view) { return true; }));
    // The service closes when it has read the request, and what postkick writes behind it may kill it with SIGPIPE: no complaint.
    if (end.status != 0 && !end.errors.empty()) return mta_complaint(kick, end);
  }
  return {};
}

Result<void> PostfixQueue::trigger(const std::vector<std::string>& ids) {
  LONGLINE_CHECK(read_settings());
  std::error_code ignored;
  std::string log = log_file_;
  for (const char* usual : {"/var/log/mail.log", "/var/log/maillog"}) {
    if (log.empty() && std::filesystem::exists(usual, ignored)) log = usual;
  }
  // It is asked again while a flush reads the log.
  if (!log_) log_.emplace(log);
  if (ids.empty()) return ask({"-f"});
  for (const std::string& id : ids) {
    if (mail::is_postfix_id(id)) LONGLINE_CHECK(ask({"-i", id}));
  }
  return {};
}

Result<std::vector<mail::Fate>> PostfixQueue::new_fates() {
  std::vector<mail::Fate> fates;
  if (!log_) return fates;
  LONGLINE_CHECK(log_->read_new([&](std::string_view line) {
    if (auto fate = mail::parse_postfix_log(line)) fates.push_back(std::move(*fate));
  }));
  return fates;
}

}  // namespace longline::sys
