// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "common/tool.hpp"
#include "mail/filter.hpp"
#include "mail/queue_summary.hpp"

namespace longline::mtaq {

struct AddOptions {
  std::optional<std::string> sender;       ///< -f; "" or "<>" is the null sender
  std::string full_name;                   ///< -F
  bool recipients_from_header = false;     ///< -t
  bool dot_ends = false;                   ///< sendmail without -i
  bool as_sendmail = false;                ///< nothing is printed; always our own spool
  bool checks_aliases = false;             ///< newaliases
  int priority = mail::kNormal;
  std::string notify;                      ///< --notify, -N: as mail::DsnWish keeps it
  std::string ret;                         ///< -R: as mail::DsnWishes keeps it
  std::string envelope_id;                 ///< -V, in xtext
  std::vector<std::string> recipients;     ///< as given
};

struct ListOptions {
  mail::Filter filter;
  bool inbox = false;
};

struct ShowOptions {
  std::string id;
  bool raw = false;                        ///< the message alone
};

struct DueOptions {
  std::string link;
  config::DueTriggers triggers;            ///< instead of the connectors' own
};

struct FlushOptions {
  std::string link;
  std::string connector;
  std::vector<std::string> ids;            ///< "-" reads more from stdin
  bool wait = false;
  std::optional<Duration> deadline;
  std::optional<std::int64_t> max_bytes;
};

struct PlanOptions {
  std::string link;
  std::optional<Duration> deadline;        ///< of the call that is thought of
};

struct ReceiveOptions {
  bool stdio = false;
  std::string listen;
  std::string maildir;
  std::string lmtp;                        ///< HOST:PORT or a socket's path
  std::string command;                     ///< words, split at blanks
  std::vector<std::string> domains;
  std::int64_t max_size = 100 * 1000 * 1000;
  Duration idle{300'000};                  ///< without a byte from the client
  int sessions = 100;                      ///< at once
  bool x400 = false;                       ///< X.400 instead of SMTP
  bool submission = false;                 ///< sendmail -bs: anything is accepted and goes into the queue
};

struct RetrieveOptions {
  std::string link;
  std::string connector;
  std::optional<Duration> deadline;
};

/// x400 ping
struct X400Options {
  std::string connector;
  Duration deadline{60'000};
};

struct ChangeOptions {
  std::vector<std::string> ids;            ///< "-" reads more from stdin
  bool all = false;                        ///< what the filter holds; with ids, those of them
  bool yes = false;
  bool dry_run = false;
  mail::Filter filter;
};

/// summary, watch
struct SummaryOptions {
  std::optional<mail::SummaryBy> by{};     ///< without it: connector; of other mail systems, which may know none of ours, domain
  mail::Filter filter;
  Duration interval{2'000};
  int times = 0;                           ///< 0: until a signal
  bool bytes = false;                      ///< what was sent and received, not what waits
  std::optional<Duration> since{};
};

struct ExportOptions {
  std::vector<std::string> ids;
  mail::Filter filter;
  bool remove = false;                     ///< once written
  bool hold = false;
};

enum class Verb {
  add, list, show, due, flush, plan, receive, hold, release, remove, bounce, requeue, summary, watch, export_, import_, check, retrieve, x400_ping
};

struct Options {
  tools::CommonOptions common;
  std::string called = "mtaq";             ///< the name that errors begin with: sendmail, mailq, newaliases
  Verb verb = Verb::list;
  AddOptions add;
  ListOptions list;
  ShowOptions show;
  DueOptions due;
  FlushOptions flush;
  PlanOptions plan;
  ReceiveOptions receive;
  RetrieveOptions retrieve;
  X400Options x400;
  ChangeOptions change;
  SummaryOptions summary;
  ExportOptions export_;
  std::string import_file;                 ///< "" or "-": stdin
  std::string queue;                       ///< "": as the configuration says
};

/// Parses argv into `out`. nullopt: go on; otherwise the exit status. Opens nothing.
std::optional<int> parse_options(int argc, char** argv, Options& out);

/// The command line of sendmail(8), as cron, mail(1) and swaks use it: -i -oi -t -f -r -F -bm -bs -bp; options that only
/// tune a daemon are accepted and mean nothing here. Errc::usage otherwise.
Result<void> parse_sendmail_options(const std::vector<std::string>& arguments, Options& out);

}  // namespace longline::mtaq
