// SPDX-License-Identifier: MIT
#include "options.hpp"

#include <functional>

#include "base/text.hpp"
#include "common/command_line.hpp"
#include "config/queue_name.hpp"
#include "mail/dsn_parameters.hpp"

namespace longline::mtaq {
namespace {

// An empty word is a shell variable that was not set, and would mean everything.
const CLI::Validator kSaysWhich([](std::string& text) { return text.empty() ? std::string("it is empty") : std::string(); }, "");

// An option whose text a parser of base/ must take; its complaint becomes CLI11's.
template <class T>
CLI::Option* add_parsed(CLI::App& app, const std::string& name, T& out, const std::function<Result<void>(const std::string&, T&)>& parse,
                        const std::string& type, const std::string& help) {
  return app
      .add_option_function<std::string>(
          name,
          [&out, parse, name](const std::string& text) {
            if (auto parsed = parse(text, out); !parsed) throw CLI::ValidationError(name, parsed.error().message());
          },
          help)
      ->type_name(type);
}

Result<void> to_duration(const std::string& text, std::optional<Duration>& out) {
  LONGLINE_TRY(out, parse_duration(text));
  return {};
}

Result<void> to_size(const std::string& text, std::optional<std::int64_t>& out) {
  LONGLINE_TRY(out, parse_size(text));
  return {};
}

void add_filter(CLI::App& app, mail::Filter& filter) {
  add_parsed<std::optional<Duration>>(app, "--older", filter.older, to_duration, "TIME", "Arrived at least so long ago");
  add_parsed<std::optional<Duration>>(app, "--younger", filter.younger, to_duration, "TIME", "Arrived since");
  add_parsed<std::optional<std::int64_t>>(app, "--larger", filter.larger, to_size, "SIZE", "More bytes than this");
  add_parsed<std::optional<std::int64_t>>(app, "--smaller", filter.smaller, to_size, "SIZE", "Fewer bytes than this");
  app.add_option("--sender", filter.sender, "Sender; * and ? match; '<>' is the null sender")->type_name("GLOB")->check(kSaysWhich);
  app.add_option("--recipient", filter.recipient, "A recipient")->type_name("GLOB")->check(kSaysWhich);
  app.add_option("--domain", filter.domain, "A recipient's domain")->type_name("GLOB")->check(kSaysWhich);
  app.add_option("--connector", filter.connector, "Goes through this connector")->type_name("NAME")->check(kSaysWhich);
  app.add_option("--link", filter.link, "Goes over this link")->type_name("NAME")->check(kSaysWhich);
  add_parsed<std::optional<mail::MessageState>>(
      app, "--state", filter.state,
      [](const std::string& text, std::optional<mail::MessageState>& out) -> Result<void> {
        out = mail::message_state_from_name(text);
        if (!out) return Error(Errc::usage, "'" + escape(text) + "' is none of ready, deferred, held, sending, in-doubt");
        return {};
      },
      "STATE", "ready, deferred, held, sending or in-doubt");
  app.add_option("--reason", filter.reason, "A class of reasons, or words of one")->type_name("REASON")->check(kSaysWhich);
}

void add_add(CLI::App& app, AddOptions& add) {
  app.add_option("-f,--from", add.sender, "The envelope's sender; '<>' for none")->type_name("SENDER");
  app.add_option("-F", add.full_name, "The sender's name, for a missing From field")->type_name("NAME");
  app.add_flag("-t", add.recipients_from_header, "Recipients from To, Cc and Bcc too");
  add_parsed<int>(
      app, "--priority", add.priority,
      [](const std::string& text, int& out) -> Result<void> {
        LONGLINE_TRY(out, mail::parse_priority(text));
        return {};
      },
      "P", "urgent, normal, low, or -9 to 9");
  add_parsed<std::string>(
      app, "--notify", add.notify,
      [](const std::string& text, std::string& out) -> Result<void> {
        LONGLINE_TRY(out, mail::parse_notify(text));
        return {};
      },
      "WHEN", "Tell the sender: never, success,failure,delay");
  app.add_option("RCPT", add.recipients, "Recipients")->type_name("");
}

void add_due(CLI::App& app, DueOptions& due) {
  app.add_option("--link", due.link, "Ask about this link only")->type_name("NAME")->check(kSaysWhich);
  app.add_option("--messages", due.triggers.messages, "Due when so many wait")->type_name("N")->check(tools::whole_number(1));
  add_parsed<std::optional<std::int64_t>>(app, "--bytes", due.triggers.bytes, to_size, "SIZE", "Due when so many bytes wait");
  add_parsed<std::optional<Duration>>(app, "--oldest", due.triggers.oldest, to_duration, "TIME", "Due when one has waited so long");
  app.add_flag("--urgent", due.triggers.urgent, "Due when an urgent one waits");
}

void add_flush(CLI::App& app, FlushOptions& flush) {
  auto* link = app.add_option("--link", flush.link, "What goes over this link")->type_name("NAME")->check(kSaysWhich);
  auto* connector = app.add_option("--connector", flush.connector, "What goes through this connector")->type_name("NAME")->check(kSaysWhich);
  auto* ids = app.add_option("ID", flush.ids, "These messages; - reads ids from stdin")->type_name("");
  link->excludes(connector)->excludes(ids);
  connector->excludes(ids);
  app.add_flag("--wait", flush.wait, "Wait for another flush that has the line");
  add_parsed<std::optional<Duration>>(app, "--deadline", flush.deadline, to_duration, "TIME", "End after so long, with status 124");
  add_parsed<std::optional<std::int64_t>>(app, "--max-bytes", flush.max_bytes, to_size, "SIZE", "Begin no message that would pass this many bytes");
}

void add_plan(CLI::App& app, PlanOptions& plan) {
  app.add_option("--link", plan.link, "Ask about this link only")->type_name("NAME")->check(kSaysWhich);
  add_parsed<std::optional<Duration>>(app, "--deadline", plan.deadline, to_duration, "TIME", "What fits into a call of so long");
}

void add_receive(CLI::App& app, ReceiveOptions& receive) {
  auto* stdio = app.add_flag("--stdio", receive.stdio, "One session on stdin and stdout");
  auto* listen = app.add_option("--listen", receive.listen, "Sessions on this address, until SIGTERM")->type_name("HOST:PORT");
  stdio->excludes(listen);
  app.add_flag("--x400", receive.x400, "X.400, not SMTP: the peers of X.400 connectors call");
  auto* maildir = app.add_option("--maildir", receive.maildir, "Deliver into this Maildir, not the spool's inbox")->type_name("DIR");
  auto* lmtp = app.add_option("--lmtp", receive.lmtp, "Deliver to this LMTP server: HOST:PORT or a socket")->type_name("SERVER");
  auto* command = app.add_option("--command", receive.command, "Deliver by this program; no shell; recipients follow")->type_name("WORDS");
  maildir->excludes(lmtp)->excludes(command);
  lmtp->excludes(command);
  app.add_option("--domain", receive.domains, "Accept mail for this domain (*.D: below D)")->type_name("D")->take_all()->expected(1, 1);
  add_parsed<std::int64_t>(
      app, "--max-size", receive.max_size,
      [](const std::string& text, std::int64_t& out) -> Result<void> {
        LONGLINE_TRY(out, parse_size(text));
        return {};
      },
      "SIZE", "Refuse larger messages (100M)");
  add_parsed<Duration>(
      app, "--idle", receive.idle,
      [](const std::string& text, Duration& out) -> Result<void> {
        LONGLINE_TRY(out, parse_duration(text));
        return {};
      },
      "TIME", "End a session after so long without a byte (5m)");
}

void add_retrieve(CLI::App& app, RetrieveOptions& retrieve) {
  auto* link = app.add_option("--link", retrieve.link, "What waits behind this link")->type_name("NAME")->check(kSaysWhich);
  app.add_option("--connector", retrieve.connector, "What waits behind this connector")->type_name("NAME")->check(kSaysWhich)->excludes(link);
  add_parsed<std::optional<Duration>>(app, "--deadline", retrieve.deadline, to_duration, "TIME", "End after so long, with status 124");
}

CLI::App* add_x400_ping(CLI::App& x400, X400Options& out) {
  x400.require_subcommand(1);
  CLI::App* ping = x400.add_subcommand("ping", "Bind to the peer and release; say what was agreed on");
  ping->add_option("CONNECTOR", out.connector, "An X.400 connector's name")->required()->type_name("");
  add_parsed<Duration>(
      *ping, "--deadline", out.deadline,
      [](const std::string& text, Duration& into) -> Result<void> {
        LONGLINE_TRY(into, parse_duration(text));
        return {};
      },
      "TIME", "End after so long, with status 124 (1m)");
  return ping;
}

void add_queue(CLI::App& app, std::string& queue) {
  app.add_option("--queue", queue, "spool, postfix[:DIR] or exim[:CONF]")
      ->type_name("QUEUE")
      ->check(CLI::Validator(
          [](const std::string& text) {
            const auto parsed = config::parse_queue_name(text);
            return parsed ? std::string() : parsed.error().what;
          },
          "", "queue"));
}

CLI::App* add_change(CLI::App& app, const std::string& verb, const std::string& help, ChangeOptions& change) {
  CLI::App* sub = app.add_subcommand(verb, help);
  sub->add_option("ID", change.ids, "Messages; - reads ids from stdin")->type_name("");
  sub->add_flag("--all", change.all, "What the filter holds; only shown without --yes");
  sub->add_flag("--yes", change.yes, "Do it");
  sub->add_flag("--dry-run", change.dry_run, "Only show what would be changed");
  add_filter(*sub, change.filter);
  return sub;
}

void add_summary(CLI::App& app, SummaryOptions& summary) {
  add_parsed<std::optional<mail::SummaryBy>>(
      app, "--by", summary.by,
      [](const std::string& text, std::optional<mail::SummaryBy>& out) -> Result<void> {
        out = mail::summary_by_from_name(text);
        if (!out) return Error(Errc::usage, "'" + escape_at_most(text, 40) + "' is none of connector, next-hop, domain");
        return {};
      },
      "WHAT", "connector, next-hop or domain");
  add_filter(app, summary.filter);
}

void add_summary_bytes(CLI::App& app, SummaryOptions& summary) {
  auto* bytes = app.add_flag("--bytes", summary.bytes, "What went over each connector, by sender");
  add_parsed<std::optional<Duration>>(app, "--since", summary.since, to_duration, "TIME", "With --bytes: so far back (30d)")->needs(bytes);
}

void add_watch(CLI::App& app, SummaryOptions& summary) {
  add_summary(app, summary);
  add_parsed<Duration>(
      app, "--interval", summary.interval,
      [](const std::string& text, Duration& out) -> Result<void> {
        LONGLINE_TRY(out, parse_duration(text));
        if (out < Duration(100)) return Error(Errc::usage, "shorter than 100ms");
        return {};
      },
      "TIME", "Look again after so long (2s)");
  app.add_option("--times", summary.times, "End after so many looks")->type_name("N")->check(tools::whole_number(1, 1'000'000'000));
}

void add_export(CLI::App& app, ExportOptions& out) {
  app.add_option("ID", out.ids, "Messages; - reads ids from stdin; all without")->type_name("");
  add_filter(app, out.filter);
  auto* remove = app.add_flag("--remove", out.remove, "Remove what was written");
  app.add_flag("--hold", out.hold, "Hold what was written")->excludes(remove);
}

}  // namespace

std::optional<int> parse_options(int argc, char** argv, Options& out) {
  CLI::App app("Inspects and flushes mail queues.", "mtaq");
  tools::add_common_options(app, out.common);
  app.require_subcommand(1);
  add_queue(app, out.queue);
  struct Row {
    CLI::App* app;
    Verb verb;
  };
  CLI::App* add = app.add_subcommand("add", "Queue the message on stdin");
  CLI::App* list = app.add_subcommand("list", "List the queue");
  CLI::App* show = app.add_subcommand("show", "Show one message");
  CLI::App* due = app.add_subcommand("due", "Name the links that have work");
  CLI::App* flush = app.add_subcommand("flush", "Send what waits; never dials");
  CLI::App* plan = app.add_subcommand("plan", "Say what a flush would cost");
  CLI::App* receive = app.add_subcommand("receive", "Take mail from a peer over SMTP or X.400");
  CLI::App* retrieve = app.add_subcommand("retrieve", "Fetch the mail that waits at the peer; never dials");
  add_retrieve(*retrieve, out.retrieve);
  CLI::App* check = app.add_subcommand("check", "Find what keeps mail from moving");
  CLI::App* x400_ping = add_x400_ping(*app.add_subcommand("x400", "Try X.400 connectors"), out.x400);
  CLI::App* summary = app.add_subcommand("summary", "Count the queue by next hop, age and reason");
  CLI::App* watch = app.add_subcommand("watch", "Show the summary, live");
  CLI::App* export_ = app.add_subcommand("export", "Write messages to stdout as batch SMTP");
  CLI::App* import_ = app.add_subcommand("import", "Queue the messages of a batch");
  const std::vector<Row> verbs = {
      {add, Verb::add},
      {list, Verb::list},
      {show, Verb::show},
      {due, Verb::due},
      {flush, Verb::flush},
      {plan, Verb::plan},
      {receive, Verb::receive},
      {check, Verb::check},
      {retrieve, Verb::retrieve},
      {x400_ping, Verb::x400_ping},
      {summary, Verb::summary},
      {watch, Verb::watch},
      {export_, Verb::export_},
      {import_, Verb::import_},
      {add_change(app, "hold", "Keep messages from being sent", out.change), Verb::hold},
      {add_change(app, "release", "End a hold", out.change), Verb::release},
      {add_change(app, "remove", "Remove messages; nobody is told", out.change), Verb::remove},
      {add_change(app, "bounce", "Return messages to their senders", out.change), Verb::bounce},
      {add_change(app, "requeue", "Forget deferrals: ready at once", out.change), Verb::requeue},
  };
  add_add(*add, out.add);
  add_filter(*list, out.list.filter);
  list->add_flag("--inbox", out.list.inbox, "What receive took in, not the queue");
  show->add_option("ID", out.show.id, "A message's id")->required()->type_name("");
  show->add_flag("--raw", out.show.raw, "The message alone, byte for byte");
  add_due(*due, out.due);
  add_flush(*flush, out.flush);
  add_plan(*plan, out.plan);
  add_receive(*receive, out.receive);
  add_summary(*summary, out.summary);
  add_summary_bytes(*summary, out.summary);
  add_watch(*watch, out.summary);
  add_export(*export_, out.export_);
  import_->add_option("FILE", out.import_file, "The batch; - or nothing is stdin")->type_name("");
  if (const auto status = tools::parse_command_line(app, out.common, argc, argv)) return status;
  for (const Row& row : verbs) {
    if (row.app->parsed()) out.verb = row.verb;
  }
  return std::nullopt;
}

}  // namespace longline::mtaq
