// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "base/text.hpp"
#include "config/config.hpp"
#include "config/queue_name.hpp"
#include "config/sections.hpp"

namespace longline::config {
namespace {

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
    if (std::any_of(name.begin(), name.end(), is_control)) {
      complain("bad-name", fmt::format("'{}' holds a control character", escape_at_most(name, 64)));
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
  read_domains(reader, "relay-domains", config.relay_domains);
  read_networks(reader, "relay-from", config.relay_from);
  if (const toml::table* receive = reader.read_table("receive")) config.receive = read_receive(*receive, text.path, out.diagnostics);
  reader.read("postmaster", config.postmaster);
  reader.read("queue", config.queue);
  if (Result<QueueName> queue = parse_queue_name(config.queue); !queue) {
    reader.complain("queue", "bad-value", queue.error().what);
  } else if (!queue->instance.empty()) {
    config.queue = fmt::format("{}:{}", to_string(queue->kind), beside(text.path, queue->instance));
  }
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
    } else if (connector.host == "mx" && link->network == Network::stream) {
      complain("not-a-network", fmt::format("host \"mx\" needs a link that carries IP; '{}' is a byte stream", link->name), "");
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
