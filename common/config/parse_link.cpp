// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "base/text.hpp"
#include "config/address_pool.hpp"
#include "config/sections.hpp"

namespace longline::config {
namespace {

void check_port(TableReader& reader, const std::string& port) {
  if (port.starts_with("tcp:")) {
    const std::size_t colon = port.rfind(':');
    const std::optional<std::int64_t> number = parse_integer(std::string_view(port).substr(colon + 1));
    if (colon == 3 || colon == 4 || !number || *number < 1 || *number > 65535) {
      reader.complain("port", "bad-value", "a port on the network is tcp:HOST:PORT");
    }
  } else if (!port.starts_with("/")) {
    reader.complain("port", "bad-value", "must be the full path of a device, or tcp:HOST:PORT");
  }
}

/// What a modem takes behind the dial command (V.250, 6.3.1, and the usual additions). A line end would be a command.
void check_numbers(TableReader& reader, const std::vector<std::string>& numbers) {
  for (const std::string& number : numbers) {
    if (number.empty() || number.size() > 128) {
      reader.complain("numbers", "bad-value", "a number has 1 to 128 characters");
    } else if (number.find_first_not_of("0123456789*#+ABCDabcdTPtpWw,@!;/$&^LS=()-. ") != std::string::npos) {
      reader.complain("numbers", "bad-value", fmt::format("'{}' holds a character that no modem dials", escape_at_most(number, 64)));
    }
  }
}

void check_commands(TableReader& reader, std::string_view key, const std::vector<std::string>& commands) {
  for (const std::string& command : commands) {
    for (const char c : command) {
      if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7E) {
        reader.complain(key, "bad-value", "a modem command holds printable ASCII only");
        return;
      }
    }
  }
}

void read_ppp(TableReader& reader, const toml::table& table, Link& link) {
  if (reader.read_words("ppp-options", link.ppp_options)) {
    for (const std::string& option : link.ppp_options) {
      const std::string_view why = objection_to_ppp_option(option);
      if (!why.empty()) reader.complain("ppp-options", "bad-value", fmt::format("'{}' may not stand here: {}", escape_at_most(option, 64), why));
    }
  }
  reader.read_duration("network-timeout", kSecond, Duration(3'600'000), link.network_timeout);
  if (table["default-route"].is_string()) {
    reader.read_choice<DefaultRoute>("default-route", {{"replace", DefaultRoute::replace}}, link.default_route);
  } else {
    bool takes = false;
    if (reader.read("default-route", takes) && takes) link.default_route = DefaultRoute::beside;
  }
  reader.read_integer("default-route-metric", 0, 1'000'000'000, link.default_route_metric);
  reader.read("dns", link.dns);
  reader.read("authenticate-peer", link.authenticate_peer);
  reader.read("forward", link.forward);
}

void read_answering(TableReader& reader, const std::string& file, Link& link) {
  if (reader.read("pool", link.pool)) {
    const Result<AddressPool> pool = AddressPool::parse(link.pool);
    if (!pool) reader.complain("pool", "bad-value", pool.error().what);
  }
  read_secret_keys(reader, file, "caller-", link.caller_password);
  reader.read_integer("rings", 1, 50, link.rings);
}

void read_policy(TableReader& reader, const std::string& file, std::vector<Diagnostic>& out, Link& link) {
  read_hours(reader, "hours", link.hours);
  reader.read("urgent-any-hour", link.urgent_any_hour);
  if (link.urgent_any_hour && !reader.has("hours")) reader.warn("urgent-any-hour", "no-effect", "has no effect without 'hours'");
  std::string backoff;
  if (reader.read("backoff", backoff)) {
    const Result<Backoff> parsed = parse_backoff(backoff);
    if (parsed) link.backoff = *parsed;
    else reader.complain("backoff", "bad-value", parsed.error().what);
  }
  constexpr std::int64_t kMost = 1'000'000;
  if (const toml::table* table = reader.read_table("budget")) {
    TableReader budget(*table, file, fmt::format("link '{}': budget", link.name), out);
    const auto limit = [&](std::string_view key, std::optional<std::int64_t>& into) {
      std::int64_t value = 0;
      if (budget.read_integer(key, std::int64_t{0}, kMost, value)) into = value;
    };
    limit("calls-per-day", link.budget.calls_per_day);
    limit("minutes-per-day", link.budget.minutes_per_day);
    limit("minutes-per-month", link.budget.minutes_per_month);
    double cost = 0;
    if (budget.read_number("cost-per-month", 0, kMost, cost)) link.budget.cost_per_month = cost;
    budget.finish();
  }
  if (const toml::table* table = reader.read_table("tariff")) {
    TableReader tariff(*table, file, fmt::format("link '{}': tariff", link.name), out);
    tariff.read_number("setup", 0, kMost, link.tariff.setup);
    tariff.read_number("per-minute", 0, kMost, link.tariff.per_minute);
    tariff.read_duration("increment", kSecond, kDay, link.tariff.increment);
    tariff.finish();
  }
}

}  // namespace

Link read_link(const std::string& name, const toml::table& table, const std::string& file, std::vector<Diagnostic>& out) {
  TableReader reader(table, file, fmt::format("link '{}'", name), out);
  Link link;
  link.name = name;
  link.where = where_of(file, table.source());
  if (reader.read("port", link.port)) check_port(reader, link.port);
  else if (!reader.has("port")) reader.complain("port", "missing-key", "is missing", "port = \"/dev/ttyS0\"");
  reader.read_integer("speed", 50, 4'000'000, link.speed);
  if (reader.read("framing", link.framing)) {
    const std::string& f = link.framing;
    if (f.size() != 3 || f[0] < '5' || f[0] > '8' || std::string_view("NOEMS").find(f[1]) == std::string_view::npos ||
        (f[2] != '1' && f[2] != '2')) {
      reader.complain("framing", "bad-value", "must be like 8N1 or 7E1");
    }
  }
  reader.read_choice<Flow>("flow", {{"rtscts", Flow::rtscts}, {"xonxoff", Flow::xonxoff}, {"none", Flow::none}}, link.flow);
  reader.read_choice<ModemKind>("modem", {{"hayes", ModemKind::hayes}, {"gsm", ModemKind::gsm}, {"none", ModemKind::none}},
                                link.modem);
  if (reader.read("init", link.init)) check_commands(reader, "init", link.init);
  if (reader.read("dial", link.dial)) check_commands(reader, "dial", {link.dial});
  if (reader.read("numbers", link.numbers)) {
    check_numbers(reader, link.numbers);
    if (link.numbers.empty()) reader.complain("numbers", "bad-value", "must hold at least one number");
  } else if (link.modem == ModemKind::hayes && !reader.has("numbers")) {
    reader.complain("numbers", "missing-key", "is missing: a modem needs a number to dial", "numbers = [\"…\"]");
  }
  read_gsm(reader, file, link);
  reader.read_duration("dial-timeout", kSecond, Duration(3'600'000), link.dial_timeout);
  reader.read_integer("attempts", 1, 1000, link.attempts);
  reader.read_duration("interval", Duration(0), kDay, link.interval);
  if (reader.read("script", link.script)) {
    if (link.script.empty()) reader.complain("script", "bad-value", "must not be empty");
    link.script = beside(file, link.script);
  }
  reader.read_duration("login-timeout", kSecond, kDay, link.login_timeout);
  reader.read("user", link.user);
  read_secret_keys(reader, file, "", link.password);
  reader.read_choice<Network>("network", {{"ppp", Network::ppp}, {"stream", Network::stream}}, link.network);
  read_ppp(reader, table, link);
  reader.read_duration("idle", kSecond, 30 * kDay, link.idle);
  reader.read_duration("max-call", kSecond, 30 * kDay, link.max_call);
  if (reader.read_words("on-failure", link.on_failure) && link.on_failure.empty()) {
    reader.complain("on-failure", "bad-value", "must name a program");
  }
  read_answering(reader, file, link);
  read_policy(reader, file, out, link);
  reader.finish();
  return link;
}

}  // namespace longline::config
