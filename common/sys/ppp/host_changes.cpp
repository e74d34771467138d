// SPDX-License-Identifier: MIT
#include "sys/ppp/host_changes.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/json.hpp"
#include "base/text.hpp"
#include "sys/config_file.hpp"
#include "sys/durable_file.hpp"
#include "sys/event_log.hpp"
#include "sys/file_lock.hpp"
#include "sys/network/route_table.hpp"
#include "sys/ppp/name_servers.hpp"
#include "sys/process.hpp"
#include "sys/system_clock.hpp"

namespace longline::sys {
namespace {

constexpr std::size_t kLargestHostRecord = 1 << 20;

std::string to_hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return out;
}

std::string from_hex(std::string_view text) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string out;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) out += static_cast<char>(digit(text[i]) * 16 + digit(text[i + 1]));
  return out;
}

route::KernelRoute default_by(const PppInterface& interface, std::uint32_t metric) {
  route::KernelRoute out;
  out.to = route::default_prefix(route::Family::ipv4);
  out.protocol = kLinkProtocol;
  out.interface = interface.index;
  out.metric = metric;
  return out;
}

bool is_default(const route::KernelRoute& route) {
  return route.to.length == 0 && route.to.address.family == route::Family::ipv4 && route.table == route::kMainTable &&
         route.type == route::rt::kUnicast;
}

std::string words_of(int error, const std::string& text) { return text.empty() ? std::strerror(error) : text; }

/// The record, written before anything changes.
class Record {
 public:
  Record(const StatePaths& paths, const std::string& link, const PppInterface& interface) : path_(paths.link_undo(link)) {
    json_.set("link", link).set("boot", boot_id()).set("interface", interface.name).set("index", std::int64_t{interface.index});
  }
  JsonObject& json() { return json_; }
  Result<void> write() {
    LONGLINE_CHECK(ensure_folder(std::filesystem::path(path_).parent_path().string()));
    return replace_file(path_, json_.dump() + "\n");
  }

 private:
  std::string path_;
  JsonObject json_;
};

Result<void> take_default_route(Record& record, const config::Link& link, const PppInterface& interface) {
  const bool replace = link.default_route == config::DefaultRoute::replace;
  const route::KernelRoute ours = default_by(interface, replace ? 0 : static_cast<std::uint32_t>(link.default_route_metric));
  LONGLINE_TRY(const route::KernelState kernel, read_kernel_state());
  std::vector<route::Step> steps;
  std::vector<std::string> saved;
  for (const route::KernelRoute& route : kernel.routes) {
    if (!replace || !is_default(route)) continue;
    steps.push_back({false, &route, nullptr});
    saved.push_back(to_hex(route.raw));
  }
  steps.push_back({true, &ours, nullptr});
  record.json().set("routes", saved).set("metric", std::int64_t{ours.metric});
  LONGLINE_CHECK(record.write());
  LONGLINE_TRY(const std::optional<RefusedStep> refused, commit(steps));
  if (!refused) return {};
  Error error(Errc::route_refused, fmt::format("the default route through {}: {}", interface.name, words_of(refused->error, refused->text)),
              Stage::route);
  error.hint = refused->not_restored.empty() ? "see what is there: ip route show default" : refused->not_restored;
  return error;
}

void put_default_routes_back(const JsonObject& record) {
  PppInterface interface;
  interface.index = static_cast<unsigned>(record.integer("index").value_or(0));
  const route::KernelRoute ours = default_by(interface, static_cast<std::uint32_t>(record.integer("metric").value_or(0)));
  std::vector<route::Step> steps{{false, &ours, nullptr}};
  const std::vector<std::string> saved = record.strings("routes");
  std::vector<std::string> raw;
  std::vector<route::KernelRoute> routes(saved.size());
  raw.reserve(saved.size());
  for (std::size_t i = 0; i < saved.size(); ++i) {
    raw.push_back(from_hex(saved[i]));
    routes[i].raw = raw.back();
    steps.push_back({true, &routes[i], nullptr});
  }
  // Ours has most likely gone with its interface, and another may have put a route back already: each by itself.
  static_cast<void>(commit_each(steps).has_value());
}

}  // namespace

Result<std::vector<std::string>> change_host(const StatePaths& paths, const config::Link& link, const PppInterface& interface) {
  std::vector<std::string> trouble;
  Record record(paths, link.name, interface);
  if (link.default_route != config::DefaultRoute::none) {
    if (Result<void> taken = take_default_route(record, link, interface); !taken) {
      static_cast<void>(put_host_back(paths, link.name).has_value());
      return std::move(taken).error();
    }
  }
  if (link.dns && interface.dns.empty()) trouble.emplace_back("dns = true, but the peer told no name servers");
  if (link.dns && !interface.dns.empty()) {
    const NameServers servers(link.name, interface.name, interface.dns);
    JsonObject& json = record.json();
    json.set("dns", servers.way()).set("resolv_conf", to_hex(servers.before()));
    Result<void> set = record.write();
    if (set) set = servers.set();
    if (!set) trouble.push_back("name servers: " + set.error().message());
  }
  return trouble;
}

Result<bool> put_host_back(const StatePaths& paths, const std::string& link) {
  const std::string path = paths.link_undo(link);
  Result<std::string> text = read_file(path, kLargestHostRecord);
  if (!text && text.error().code == Errc::not_found) return false;
  if (!text) return std::move(text).error();
  Result<JsonObject> record = parse_json_object(*text);
  // Half a record was never acted upon: it is written whole, or not at all.
  if (record) {
    // Routes do not outlive the kernel that held them; name servers are in a file.
    if (record->string("boot") == boot_id() && record->integer("metric")) put_default_routes_back(*record);
    if (const std::optional<std::string> way = record->string("dns")) {
      LONGLINE_CHECK(put_name_servers_back(*way, record->string("interface").value_or(""), from_hex(record->string("resolv_conf").value_or(""))));
    }
  }
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return system_error(errno, path);
  return true;
}

void wait_for_supervisor_to_go(const StatePaths& paths, const std::string& link) {
  // It is dying, but the kernel lets it go only once its port is closed, and waits for what that has still to send.
  const TimePoint end = steady_now() + Duration(600'000);
  while (::access(paths.link_undo(link).c_str(), F_OK) == 0 && steady_now() < end) {
    const Result<std::optional<FileLock>> lock = FileLock::try_acquire(paths.link_lock(link));
    if (!lock || *lock) return;
    ::usleep(200'000);
  }
}

std::vector<std::string> put_left_over_back(const StatePaths& paths) {
  std::vector<std::string> done;
  std::error_code failure;
  const std::filesystem::path folder = std::filesystem::path(paths.link_undo("x")).parent_path();
  for (std::filesystem::directory_iterator at(folder, failure), end; !failure && at != end; at.increment(failure)) {
    if (at->path().extension() != ".undo") continue;
    const Result<std::string> text = read_file(at->path().string(), kLargestHostRecord);
    const Result<JsonObject> record = text ? parse_json_object(*text) : Result<JsonObject>(text.error());
    const std::optional<std::string> link = record ? record->string("link") : std::nullopt;
    if (!link || paths.link_undo(*link) != at->path().string() || !ensure_folder(paths.run_dir)) continue;
    const Result<std::optional<FileLock>> lock = FileLock::try_acquire(paths.link_lock(*link));
    if (!lock || !*lock) continue;
    const Result<bool> put_back = put_host_back(paths, *link);
    if (!put_back || !*put_back) continue;
    Event event{"link.restored"};
    event.link = *link;
    event.text = "default route and name servers are as they were before the call";
    EventLog(paths.events).emit(event);
    done.push_back(*link);
  }
  return done;
}

}  // namespace longline::sys
