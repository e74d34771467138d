// SPDX-License-Identifier: MIT
#include "route/import.hpp"

#include <fmt/format.h>

#include <set>

#include "base/json.hpp"
#include "base/text.hpp"
#include "route/route_text.hpp"

namespace longline::route {
namespace {

/// Words that say nothing a file of routes needs, with and without an argument.
const std::set<std::string, std::less<>> kNoise = {"linkdown", "dead", "pervasive", "offload", "rt_offload", "trap", "rt_trap", "unicast"};
const std::set<std::string, std::less<>> kNoiseWithArgument = {"proto", "scope", "pref", "error", "expires", "rtt", "users", "age"};
const std::set<std::string, std::less<>> kBeyondUs = {"nexthop", "encap", "nhid", "from", "tos", "inet6", "advmss", "realms", "throw",
                                                      "local", "broadcast", "multicast", "anycast", "nat", "dsfield"};

/// A next hop of the route above: ip-route(8) indents those.
bool is_continuation(std::string_view line) { return line.starts_with(' ') || line.starts_with('\t'); }

class Importer {
 public:
  explicit Importer(const std::string& file) : file_(file) {}

  void add_line(std::string_view line, int number, bool continued) {
    if (trim(line).empty() || is_continuation(line)) return;
    std::string route, protocol, beyond = continued ? "nexthop" : "";
    const std::vector<std::string_view> words = split(trim(line), ' ');
    for (std::size_t i = 0; i < words.size(); ++i) {
      const std::string_view word = words[i];
      if (word.empty() || kNoise.contains(word)) continue;
      if (kBeyondUs.contains(word)) beyond = word;
      if (kNoiseWithArgument.contains(word)) {
        if (word == "proto" && i + 1 < words.size()) protocol = words[i + 1];
        ++i;
        continue;
      }
      if (word == "lock" && i > 0 && words[i - 1] == "mtu") continue;
      route += (route.empty() ? "" : " ");
      route += word;
    }
    add(route, protocol, beyond, line, number);
  }

  void add_object(const JsonObject& object, int number) {
    std::string line;
    const auto put = [&](std::string_view word, std::string_view value) { line += fmt::format(" {} {}", word, value); };
    if (const auto type = object.string("type"); type && *type != "unicast") line = *type + " ";
    line += object.string("dst").value_or("default");
    if (const auto gateway = object.string("gateway")) put("via", *gateway);
    if (const auto device = object.string("dev")) put("dev", *device);
    if (const auto table = object.string("table")) put("table", *table);
    if (const auto source = object.string("prefsrc")) put("src", *source);
    if (const auto metric = object.integer("metric")) put("metric", std::to_string(*metric));
    for (const JsonObject& metrics : object.objects("metrics")) {
      if (const auto mtu = metrics.integer("mtu")) put("mtu", std::to_string(*mtu));
    }
    for (const std::string& flag : object.strings("flags")) {
      if (flag == "onlink") line += " onlink";
    }
    std::string beyond;
    for (const char* key : {"nexthops", "encap", "nhid", "from", "tos", "via"}) {
      if (object.has(key)) beyond = key;
    }
    add(line, object.string("protocol").value_or(""), beyond, object.dump(), number);
  }

  Imported finish() { return std::move(out_); }

 private:
  void comment(std::string_view why, std::string_view line) {
    out_.text += fmt::format("# {}: {}\n", why, escape(trim(line)));
    ++out_.left_out;
  }

  void add(std::string route, const std::string& protocol, const std::string& beyond, std::string_view line, int number) {
    if (protocol == "kernel" || protocol == "ra" || protocol == "redirect") return comment("the kernel makes it itself", line);
    if (!beyond.empty()) return comment(fmt::format("'{}' cannot be said here", beyond), line);
    // `ip -6 route` shows reject routes on the loopback device.
    for (const std::string_view kind : {"unreachable ", "blackhole ", "prohibit "}) {
      const std::size_t device = route.find(" dev lo");
      if (route.starts_with(kind) && device != std::string::npos) route.erase(device, 7);
    }
    std::vector<Diagnostic> found;
    if (const std::optional<Wanted> wanted = parse_route_line(route, number, file_, found)) {
      out_.text += to_string(wanted->route) + '\n';
      ++out_.routes;
    } else if (!found.empty() && out_.diagnostics.size() < kMostDiagnostics) {
      // Columns would be those of the words that are left, not of the line.
      found.front().where.column = 0;
      out_.diagnostics.push_back(std::move(found.front()));
    }
  }

  const std::string& file_;
  Imported out_;
};

}  // namespace

Result<Imported> import_routes(const std::string& file, std::string_view text) {
  Importer importer(file);
  if (trim(text).starts_with('[')) {
    LONGLINE_TRY(const JsonObject all, parse_json_object("{\"routes\":" + std::string(text) + "}"));
    int number = 0;
    for (const JsonObject& object : all.objects("routes")) importer.add_object(object, ++number);
    return importer.finish();
  }
  const std::vector<std::string_view> lines = split(text, '\n');
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const bool continued = i + 1 < lines.size() && is_continuation(lines[i + 1]);
    importer.add_line(lines[i], static_cast<int>(i) + 1, continued);
  }
  return importer.finish();
}

}  // namespace longline::route
