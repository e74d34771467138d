// SPDX-License-Identifier: MIT
#include "routeadd.d/options.hpp"

#include "common/command_line.hpp"

namespace longline::routeadd {
namespace {

constexpr Duration kLongestConfirmation = std::chrono::hours(24);

/// A status when it is no time to wait.
std::optional<int> read_limit(const std::string& text, Options& options) {
  const Result<Duration> limit = parse_duration(text);
  if (limit && *limit > Duration(0) && *limit <= kLongestConfirmation) {
    options.confirm = *limit;
    return std::nullopt;
  }
  tools::print_error("routeadd", options.common,
                     Error(Errc::usage, "--confirm needs a time such as 60s or 5m, of at most a day").with_hint("routeadd apply --confirm 60s FILE"));
  return static_cast<int>(ExitStatus::usage);
}

}  // namespace

std::optional<int> parse(int argc, char** argv, Options& options) {
  CLI::App app("Manages static routes, also those on links that are not up yet", "routeadd");
  tools::add_common_options(app, options.common);
  app.require_subcommand(1);
  app.footer(
      "ROUTE is written as for ip-route(8):\n"
      "  NETWORK [via ADDRESS] [dev DEVICE | link LINK] [metric N] [table N]\n"
      "  [src ADDRESS] [mtu BYTES] [onlink] [fail-fast]\n"
      "  blackhole|unreachable|prohibit NETWORK [metric N] [table N]\n"
      "Exit status: 0 done, 1 differences found, 65 a route is wrong or refused,\n"
      "66 no such file or route, 77 not permitted; all of them: routeadd(8).");

  std::string confirm;
  const auto verb = [&](const char* name, const char* text, Verb value) {
    CLI::App* sub = app.add_subcommand(name, text);
    sub->callback([&options, value] { options.verb = value; });
    return sub;
  };
  verb("list", "Show the routes and what has become of them", Verb::list);
  CLI::App* add = verb("add", "Put a route into the file of routes and install it", Verb::add);
  add->add_option("ROUTE", options.words, "The route, in words")->required()->type_name("");
  CLI::App* del = verb("del", "Take a route out of the file and out of the kernel", Verb::del);
  del->add_option("ROUTE", options.words, "The route; its network, if that is enough")->required()->type_name("");
  CLI::App* plan = verb("plan", "Show what apply would change", Verb::plan);
  plan->add_option("FILE", options.file, "The routes that are wanted; - for stdin")->type_name("");
  CLI::App* apply = verb("apply", "Make the kernel's table what the file says", Verb::apply);
  apply->add_option("FILE", options.file, "The routes that are wanted; - for stdin")->type_name("");
  apply->add_flag("--force", options.force, "Even if it cuts you off from your own host");
  const CLI::Option* confirm_option = apply->add_option("--confirm", confirm, "Undo it after this time unless it is confirmed")->type_name("TIME");
  CLI::App* confirm_verb = verb("confirm", "Keep the routes of the apply --confirm that waits", Verb::confirm);
  confirm_verb->add_flag("--undo", options.undo, "Put the old routes back at once instead");
  CLI::App* up = verb("up", "Install the routes of a link that has come up", Verb::up);
  up->add_option("LINK", options.link, "The link")->required()->type_name("");
  up->add_option("DEVICE", options.device, "Its network interface")->type_name("");
  CLI::App* down = verb("down", "Take away the routes of a link that goes down", Verb::down);
  down->add_option("LINK", options.link, "The link")->required()->type_name("");
  verb("watch", "Keep the table true while links come and go", Verb::watch);
  verb("check", "Find routes that lead astray, and say what to do", Verb::check);
  CLI::App* get = verb("get", "Show which way a packet would take", Verb::get);
  get->add_option("ADDRESS", options.address, "Where it goes")->required()->type_name("");
  get->add_option("--from", options.from, "The source address it has")->type_name("ADDRESS");
  CLI::App* export_routes = verb("export", "Print the kernel's routes as a file of routes", Verb::export_);
  export_routes->add_flag("--all", options.all, "Those that are not ours as well");
  CLI::App* import = verb("import", "Print what ip-route(8) shows as a file of routes", Verb::import);
  import->add_option("FILE", options.file, "Output of 'ip route' or 'ip -j route'; - for stdin")->required()->type_name("");
  std::optional<int> status = tools::parse_command_line(app, options.common, argc, argv);
  if (!status && confirm_option->count() > 0) status = read_limit(confirm, options);
  return status;
}

}  // namespace longline::routeadd
