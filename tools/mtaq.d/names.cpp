// SPDX-License-Identifier: MIT
// What several verbs ask of names and ids.
#include <unistd.h>

#include <cctype>
#include <cerrno>

#include "base/json.hpp"
#include "base/text.hpp"
#include "sys/local_clock.hpp"
#include "sys/queue/queue_opening.hpp"
#include "sys/spool/spool.hpp"
#include "sys/system_clock.hpp"
#include "verbs.hpp"

namespace longline::mtaq {
namespace {

Error unknown(std::string_view what, const std::string& name, const std::vector<std::string>& known) {
  Error error(Errc::not_found, "there is no " + std::string(what) + " '" + escape_at_most(name, 64) + "'");
  if (const auto near = nearest(name, known)) return std::move(error).with_hint("did you mean '" + *near + "'?");
  return error;
}

Result<GivenId> id_in_json(std::string_view line) {
  LONGLINE_TRY(const JsonObject object, parse_json_object(line));
  const auto id = object.string("id");
  if (!id) return Error(Errc::malformed, "an object without an id");
  GivenId out{*id};
  if (const auto arrived = object.string("arrived")) {
    LONGLINE_TRY(out.arrived, parse_iso8601(*arrived));
  }
  out.sender = object.string("sender");
  return out;
}

void add_words(std::string_view line, std::vector<GivenId>& ids) {
  std::string word;
  for (const char c : std::string(line) + " ") {
    if (std::isspace(static_cast<unsigned char>(c)) == 0) {
      word += c;
    } else if (!word.empty()) {
      ids.push_back({word});
      word.clear();
    }
  }
}

Result<void> add_line(std::string_view line, int number, std::vector<GivenId>& ids) {
  if (!line.starts_with('{')) {
    add_words(line, ids);
    return {};
  }
  Result<GivenId> one = id_in_json(line);
  if (one) {
    ids.push_back(std::move(*one));
    return {};
  }
  Error error = std::move(one).error();
  error.where = Where{"stdin", number};
  return error;
}

// Line by line: what is kept of a long queue's listing is a fraction of it.
Result<void> read_lines(std::vector<GivenId>& ids) {
  constexpr std::size_t kLongestIdLine = 32 << 20;   // a message for a hundred thousand recipients, each with a reason
  constexpr std::size_t kMostIds = 5'000'000;
  std::string buffer(64 * 1024, '\0'), rest;
  int number = 0;
  while (true) {
    const ssize_t n = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error(errno, "stdin");
    if (n == 0) return add_line(trim(rest), number + 1, ids);
    std::string_view bytes = std::string_view(buffer).substr(0, static_cast<std::size_t>(n));
    for (std::size_t end; (end = bytes.find('\n')) != std::string_view::npos; bytes.remove_prefix(end + 1)) {
      rest += bytes.substr(0, end);
      LONGLINE_CHECK(add_line(trim(rest), ++number, ids));
      rest.clear();
    }
    rest += bytes;
    if (rest.size() > kLongestIdLine || ids.size() > kMostIds) return Error(Errc::malformed, "stdin: too long for a list of messages");
  }
}

}  // namespace

bool GivenId::fits(const mail::SeenMessage& now) const { return (!arrived || *arrived == now.arrived) && (!sender || *sender == now.sender); }

Result<std::vector<GivenId>> read_ids(const std::vector<std::string>& given) {
  std::vector<GivenId> ids;
  for (const std::string& id : given) {
    if (id != "-") {
      ids.push_back({id});
      continue;
    }
    LONGLINE_CHECK(read_lines(ids));
  }
  return ids;
}

Result<std::unique_ptr<mail::QueueBackend>> open_queue(const World& world, bool writes) {
  return sys::open_queue(world.queue, world.paths, world.config, world.host, writes);
}

Result<mail::ConnectorChoice> choice_now(const World& world) {
  LONGLINE_TRY(sys::Spool spool, sys::Spool::open_read_only(world.paths.spool));
  LONGLINE_TRY(mail::ConnectorStates states, spool.connector_states());
  mail::ConnectorChoice choice(world.config, std::move(states), sys::wall_now());
  choice.count_usable_time(sys::local_clock());
  return choice;
}

Result<void> check_link(const World& world, const std::string& name) {
  if (name.empty() || world.config.find_link(name) != nullptr) return {};
  return unknown("link", name, world.config.link_names());
}

Result<void> check_connector(const World& world, const std::string& name) {
  if (name.empty() || world.config.find_connector(name) != nullptr) return {};
  return unknown("connector", name, world.config.connector_names());
}

}  // namespace longline::mtaq
