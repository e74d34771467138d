// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <tuple>

#include "base/text.hpp"
#include "config/config.hpp"
#include "config/table_reader.hpp"

namespace longline::config {
namespace {

constexpr Duration kDay{86'400'000};
constexpr Duration kSecond{1'000};

/// A name in a configuration's folder, made absolute.
std::string beside(const std::string& config_file, const std::string& name) {
  const std::filesystem::path path(name);
  if (path.is_absolute()) return path.lexically_normal().string();
  return (std::filesystem::path(config_file).parent_path() / path).lexically_normal().string();
}

void read_secret_keys(TableReader& reader, const std::string& file, const std::string& prefix, SecretSource& out) {
  const std::string file_key = prefix + "password-file", command_key = prefix + "password-command";
  std::string name;
  if (reader.read(file_key, name)) {
    if (name.empty()) reader.complain(file_key, "bad-value", "must not be empty");
    out.file = beside(file, name);
    out.where = reader.where(file_key);
  }
  if (reader.read_words(command_key, out.command)) {
    out.where = reader.where(command_key);
    if (out.command.empty()) reader.complain(command_key, "bad-value", "must name a program");
  }
  if (!out.file.empty() && !out.command.empty()) {
    reader.complain(command_key, "conflict", fmt::format("{} and {} exclude each other", file_key, command_key));
  }
}

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

/// Keys whose meaning is fixed but which nothing obeys yet: a wrong one is found now, and a right one says so.
void read_policy(TableReader& reader, const std::string& file, std::vector<Diagnostic>& out, Link& link) {
  std::vector<std::string> hours;
  if (reader.read("hours", hours)) {
    for (const std::string& text : hours) {
      const Result<Hours> parsed = parse_hours(text);
      if (parsed) link.hours.push_back(*parsed);
      else reader.complain("hours", "bad-value", parsed.error().what);
    }
  }
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
  reader.read("pool", link.pool);
  read_secret_keys(reader, file, "caller-", link.caller_password);
  reader.read("authenticate-peer", link.authenticate_peer);
  reader.read("forward", link.forward);
  for (const std::string_view key : {"hours", "backoff", "budget", "tariff", "pool", "caller-password-file", "caller-password-command"}) {
    if (reader.has(key)) reader.warn(key, "not-in-force", "is checked, but not in force in this version");
  }
}

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
  } else if (link.modem != ModemKind::none && !reader.has("numbers")) {
    reader.complain("numbers", "missing-key", "is missing: a modem needs a number to dial", "numbers = [\"…\"]");
  }
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
  reader.read_words("ppp-options", link.ppp_options);
  reader.read("default-route", link.default_route);
  reader.read("dns", link.dns);
  reader.read_duration("idle", kSecond, 30 * kDay, link.idle);
  reader.read_duration("max-call", kSecond, 30 * kDay, link.max_call);
  if (reader.read_words("on-failure", link.on_failure) && link.on_failure.empty()) {
    reader.complain("on-failure", "bad-value", "must name a program");
  }
  read_policy(reader, file, out, link);
  reader.finish();
  return link;
}

bool is_domain_pattern(std::string_view text) {
  if (text == "*") return true;
  if (text.starts_with("*.")) text.remove_prefix(2);
  if (text.empty() || text.size() > 255 || text.front() == '.' || text.back() == '.') return false;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || byte >= 0x80;
    if (!plain && !(c == '[' || c == ']' || c == ':')) return false;
  }
  return true;
}

void read_domains(TableReader& reader, std::string_view key, std::vector<std::string>& domains) {
  if (!reader.read(key, domains)) return;
  for (std::string& domain : domains) {
    domain = to_lower(domain);
    if (!is_domain_pattern(domain)) {
      reader.complain(key, "bad-value", fmt::format("'{}' is not a domain, *.domain or *", escape_at_most(domain, 64)));
    }
  }
}

Retrieve read_retrieve(const toml::table& table, const std::string& connector, const std::string& file,
                       std::vector<Diagnostic>& out) {
  TableReader reader(table, file, fmt::format("connector '{}': retrieve", connector), out);
  Retrieve retrieve;
  using By = Retrieve::By;
  reader.read_choice<By>("by", {{"etrn", By::etrn}, {"atrn", By::atrn}, {"turn", By::turn}, {"command", By::command}},
                         retrieve.by);
  read_domains(reader, "domains", retrieve.domains);
  reader.read_words("command", retrieve.command);
  reader.read_duration("every", kSecond, 365 * kDay, retrieve.every);
  reader.finish();
  return retrieve;
}

Connector read_connector(const std::string& name, const toml::table& table, const std::string& file,
                         std::vector<Diagnostic>& out) {
  TableReader reader(table, file, fmt::format("connector '{}'", name), out);
  Connector connector;
  connector.name = name;
  connector.where = where_of(file, table.source());
  read_domains(reader, "domains", connector.domains);
  if (!reader.has("domains")) reader.complain("domains", "missing-key", "is missing", "domains = [\"*\"]");
  reader.read_integer("cost", 0, 1'000'000, connector.cost);
  if (reader.read("link", connector.link)) connector.where = reader.where("link");
  reader.read_choice<Protocol>("protocol", {{"smtp", Protocol::smtp}, {"x400", Protocol::x400}}, connector.protocol);
  if (reader.read("host", connector.host)) {
    if (connector.host.empty()) reader.complain("host", "bad-value", "must not be empty");
    if (connector.host == "line" && connector.link.empty()) {
      reader.complain("host", "conflict", "\"line\" needs a link: it is the byte stream of one");
    }
  } else if (!reader.has("host")) {
    reader.complain("host", "missing-key", "is missing", "host = \"mail.example.com\"");
  }
  reader.read("peer-name", connector.peer_name);
  reader.read_integer("port", 1, 65535, connector.port);
  reader.read("source-address", connector.source_address);
  reader.read_choice<TlsMode>("tls",
                              {{"none", TlsMode::none},
                               {"opportunistic", TlsMode::opportunistic},
                               {"required", TlsMode::required},
                               {"implicit", TlsMode::implicit}},
                              connector.tls);
  reader.read("helo", connector.helo);
  reader.read("user", connector.user);
  read_secret_keys(reader, file, "", connector.password);
  reader.read_integer("max-open-retries", 0, 1'000'000, connector.max_open_retries);
  reader.read_duration("open-interval", kSecond, kDay, connector.open_interval);
  reader.read_duration("expire", kSecond, 3650 * kDay, connector.expire);
  reader.read("chunking", connector.chunking);
  reader.read("pipelining", connector.pipelining);
  reader.read_size("max-size", connector.max_size);
  if (const toml::table* retrieve = reader.read_table("retrieve")) {
    connector.retrieve = read_retrieve(*retrieve, name, file, out);
    reader.warn("retrieve", "not-in-force", "is checked, but not in force in this version");
  }
  reader.finish();
  return connector;
}

template <class T, class Read>
void read_named(TableReader& reader, std::string_view kind, const std::string& file, std::vector<Diagnostic>& diagnostics,
                std::vector<T>& into, Read read) {
  const toml::table* tables = reader.read_table(kind);
  if (tables == nullptr) return;
  for (const auto& [key, node] : *tables) {
    const std::string name(key.str());
    const Where where = where_of(file, key.source());
    const auto complain = [&](std::string code, std::string message) {
      diagnostics.push_back({Severity::error, std::move(code), where, name.size(), std::move(message), ""});
    };
    if (!node.is_table()) {
      complain("wrong-type", fmt::format("'{}' must be a table: [{}.NAME]", escape_at_most(name, 64), kind));
      continue;
    }
    if (name.empty() || name.size() > 64) {
      complain("bad-name", fmt::format("the name of a {} has 1 to 64 characters", kind));
      continue;
    }
    bool twice = false;
    for (const T& other : into) twice = twice || other.name == name;
    if (twice) {
      complain("defined-twice", fmt::format("{} '{}' is defined in another file too", kind, escape_at_most(name, 64)));
      continue;
    }
    into.push_back(read(name, *node.as_table(), file, diagnostics));
  }
}

void read_file(const ConfigText& text, ParsedConfig& out) {
  out.sources.emplace_back(text.path, text.text);
  toml::table table;
  try {
    table = toml::parse(text.text, text.path);
  } catch (const toml::parse_error& failure) {
    out.diagnostics.push_back({Severity::error, "syntax", where_of(text.path, failure.source()), 1,
                               escape_at_most(failure.description(), 300), ""});
    return;
  }
  TableReader reader(table, text.path, "configuration", out.diagnostics);
  Config& config = out.config;
  read_domains(reader, "local-domains", config.local_domains);
  reader.read("postmaster", config.postmaster);
  reader.read("queue", config.queue);
  if (config.queue != "spool") reader.complain("queue", "bad-value", "'spool' is the queue that this version knows");
  read_named(reader, "link", text.path, out.diagnostics, config.links, read_link);
  read_named(reader, "connector", text.path, out.diagnostics, config.connectors, read_connector);
  reader.finish();
}

void check_references(ParsedConfig& out) {
  const Config& config = out.config;
  for (const Connector& connector : config.connectors) {
    if (connector.link.empty()) continue;
    const Link* link = config.find_link(connector.link);
    const auto complain = [&](std::string code, std::string message, std::string fix) {
      out.diagnostics.push_back({Severity::error, std::move(code), connector.where, connector.link.size() + 2,
                                 fmt::format("connector '{}': {}", connector.name, message), std::move(fix)});
    };
    if (link == nullptr) {
      const std::optional<std::string> near = nearest(connector.link, config.link_names());
      complain("dangling-link", fmt::format("there is no link '{}'{}", escape_at_most(connector.link, 64),
                                            near ? fmt::format("; did you mean '{}'?", *near) : ""),
               near ? fmt::format("link = \"{}\"", *near) : "");
    } else if (connector.host == "line" && link->network != Network::stream) {
      complain("not-a-stream", fmt::format("host \"line\" needs a link with network = \"stream\"; '{}' is not one", link->name), "");
    }
  }
}

}  // namespace

ParsedConfig parse_config(const std::vector<ConfigText>& files) {
  ParsedConfig out;
  if (!files.empty()) out.config.file = files.front().path;
  for (const ConfigText& file : files) read_file(file, out);
  check_references(out);
  const auto place = [&](const Diagnostic& d) {
    const auto file = std::find_if(files.begin(), files.end(), [&](const ConfigText& f) { return f.path == d.where.file; });
    return std::tuple(file, d.where.line, d.where.column);
  };
  std::stable_sort(out.diagnostics.begin(), out.diagnostics.end(),
                   [&](const Diagnostic& a, const Diagnostic& b) { return place(a) < place(b); });
  return out;
}

}  // namespace longline::config
