// SPDX-License-Identifier: MIT
#include "sys/intake/local_delivery.hpp"

#include <fmt/format.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <list>
#include <optional>
#include <utility>

#include "base/text.hpp"
#include "mail/message.hpp"
#include "sys/child_process.hpp"
#include "sys/intake/maildir.hpp"
#include "sys/system_clock.hpp"
#include "sys/unique_fd.hpp"

namespace longline::sys {
namespace {

using mail::Outcome;
using mail::RecipientResult;

std::vector<RecipientResult> same_for_all(const std::vector<std::string>& recipients, const RecipientResult& result) {
  std::vector<RecipientResult> out;
  for (const std::string& address : recipients) {
    out.push_back(result);
    out.back().address = address;
  }
  return out;
}

/// CRLF becomes LF; every other byte stays.
void append_with_unix_line_ends(std::string& out, std::string_view content) {
  while (!content.empty()) {
    const std::size_t end = content.find("\r\n");
    out += content.substr(0, end);
    if (end == std::string_view::npos) break;
    out += '\n';
    content.remove_prefix(end + 2);
  }
}

/// As a file or a program gets it. What came over X.400 stays as it is but for line ends: a Return-Path is SMTP's.
std::string at_final_delivery(const mail::Deliver& message) {
  const std::string_view content = message.content;
  std::string out;
  out.reserve(content.size() + message.sender.size() + 32);
  std::size_t header = 0;
  if (message.transfer.empty()) {
    header = mail::header_of(content).size();
    append_with_unix_line_ends(out, mail::with_return_path(content.substr(0, header), message.sender));
  }
  append_with_unix_line_ends(out, content.substr(header));
  return out;
}

class MaildirDelivery : public LocalDelivery {
 public:
  explicit MaildirDelivery(Maildir maildir) : maildir_(std::move(maildir)) {}

  void deliver(std::shared_ptr<const mail::Deliver> message, std::vector<std::string> recipients, Done done) override {
    const Result<std::string> name = maildir_.deliver(at_final_delivery(*message), wall_now());
    if (name) return done(same_for_all(recipients, {"", Outcome::sent, 250, "2.0.0", *name}));
    const bool full = name.error().code == Errc::disk_full;
    done(same_for_all(recipients, {"", Outcome::deferred, full ? 452 : 451, full ? "4.3.1" : "4.3.0", printable_at_most(name.error().message(), 300)}));
  }

 private:
  Maildir maildir_;
};

class CommandDelivery : public LocalDelivery {
 public:
  CommandDelivery(Loop& loop, std::vector<std::string> command) : loop_(loop), command_(std::move(command)) {}

  void deliver(std::shared_ptr<const mail::Deliver> message, std::vector<std::string> recipients, Done done) override {
    std::erase_if(runs_, [](const Run& run) { return run.over; });
    // What looks like an option would be one.
    for (const std::string& recipient : recipients) {
      if (recipient.front() != '-') continue;
      return done(same_for_all(recipients, {"", Outcome::refused, 550, "5.1.3", "an address that starts with a dash"}));
    }
    Run& run = runs_.emplace_back();
    run.recipients = std::move(recipients);
    run.done = std::move(done);
    run.input = at_final_delivery(*message);
    if (auto started = start(run, message->sender); !started) {
      finish(run, {"", Outcome::deferred, 451, "4.3.0", printable_at_most(started.error().message(), 300)});
    }
  }

 private:
  struct Run {
    std::vector<std::string> recipients;
    Done done;
    std::string input;
    std::size_t written = 0;
    UniqueFd pipe{};
    std::optional<ChildProcess> child{};
    Loop::Registration writer{}, end{}, limit{};
    bool over = false;
  };

  Result<void> start(Run& run, const std::string& sender) {
    constexpr Duration kLimit(10 * 60'000);
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return system_error(errno, "pipe", Errc::os);
    UniqueFd theirs(ends[0]);
    run.pipe = UniqueFd(ends[1]);
    ::fcntl(ends[1], F_SETFL, O_NONBLOCK);
    const UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
    SpawnOptions spawn;
    spawn.argv = command_;
    for (std::string& word : spawn.argv) {
      if (word == "{sender}") word = sender;
    }
    spawn.argv.insert(spawn.argv.end(), run.recipients.begin(), run.recipients.end());
    spawn.extra_environment = {"SENDER=" + sender};
    spawn.stdin_fd = theirs.get();
    spawn.stdout_fd = spawn.stderr_fd = null.get();
    spawn.new_process_group = true;
    LONGLINE_TRY(ChildProcess child, ChildProcess::spawn(spawn));
    run.child.emplace(std::move(child));
    run.writer = loop_.watch(run.pipe.get(), POLLOUT, [this, &run](short) { write_some(run); });
    run.end = loop_.watch(run.child->pidfd(), POLLIN, [this, &run](short) { on_end(run); });
    run.limit = loop_.at(loop_.now() + kLimit, [&run] { run.child->signal(SIGKILL); });
    return {};
  }

  void write_some(Run& run) {
    while (run.written < run.input.size()) {
      const ssize_t n = ::write(run.pipe.get(), run.input.data() + run.written, run.input.size() - run.written);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0 && errno == EAGAIN) return;
      if (n < 0) break;   // it reads no more; its status says what that means
      run.written += static_cast<std::size_t>(n);
    }
    run.writer.reset();
    run.pipe = UniqueFd();
  }

  void on_end(Run& run) {
    const std::optional<int> status = run.child->try_wait();
    if (!status) return;
    const std::string text = fmt::format("{} ended with status {}", escape_at_most(command_.front(), 100), *status);
    const bool refused = *status == 65 || *status == 67 || *status == 68 || *status == 77;
    if (*status == 0) finish(run, {"", Outcome::sent, 250, "2.0.0", "delivered"});   // also where it has not read all: what it does not want it need not read
    else if (refused) finish(run, {"", Outcome::refused, 550, *status == 67 ? "5.1.1" : "5.3.0", text});
    else finish(run, {"", Outcome::deferred, 451, "4.3.0", text});
  }

  void finish(Run& run, const RecipientResult& result) {
    run.writer.reset();
    run.end.reset();
    run.limit.reset();
    run.pipe = UniqueFd();
    const Done done = std::move(run.done);
    const std::vector<RecipientResult> results = same_for_all(run.recipients, result);
    run.over = true;   // the list is tidied in the next delivery: we may be inside one of its handlers
    done(results);
  }

  Loop& loop_;
  std::vector<std::string> command_;
  std::list<Run> runs_;
};

}  // namespace

std::unique_ptr<LocalDelivery> make_command_delivery(Loop& loop, std::vector<std::string> command) {
  return std::make_unique<CommandDelivery>(loop, std::move(command));
}

Result<std::unique_ptr<LocalDelivery>> make_local_delivery(Loop& loop, const config::Receive& receive, const std::string& host) {
  if (!receive.maildir.empty()) {
    LONGLINE_TRY(Maildir maildir, Maildir::open(receive.maildir));
    return std::unique_ptr<LocalDelivery>(std::make_unique<MaildirDelivery>(std::move(maildir)));
  }
  if (!receive.lmtp.empty()) return make_lmtp_delivery(loop, receive.lmtp, host);
  if (!receive.command.empty()) return make_command_delivery(loop, receive.command);
  return std::unique_ptr<LocalDelivery>();
}

}  // namespace longline::sys
