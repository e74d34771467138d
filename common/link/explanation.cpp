// SPDX-License-Identifier: MIT
#include "link/explanation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.hpp"

namespace longline::link {
namespace {

using Kind = Explanation::Kind;

struct StatusMeaning {
  ExitStatus status;
  std::string_view meaning;
};
constexpr std::array kStatuses = {
    StatusMeaning{ExitStatus::ok, "Done; for a question: yes."},
    StatusMeaning{ExitStatus::no, "The answer to a question is no: nothing is due, something differs, the link is down."},
    StatusMeaning{ExitStatus::usage, "The command line is wrong."},
    StatusMeaning{ExitStatus::data, "A script, message or route is malformed, or was refused for good."},
    StatusMeaning{ExitStatus::no_input, "A file, link or message that was named is not there."},
    StatusMeaning{ExitStatus::unavailable, "It will not work as things stand: no device, no dial tone, a silent modem, a next hop that cannot be reached."},
    StatusMeaning{ExitStatus::software, "A bug in longline."},
    StatusMeaning{ExitStatus::os, "The system refused: no memory, no PPP in the kernel."},
    StatusMeaning{ExitStatus::cannot_create, "Output could not be created."},
    StatusMeaning{ExitStatus::io, "Reading or writing failed, or the disk is full."},
    StatusMeaning{ExitStatus::temporary, "Try again later: busy, no answer, port in use, messages left, backing off."},
    StatusMeaning{ExitStatus::protocol, "The peer broke the protocol."},
    StatusMeaning{ExitStatus::denied, "Credentials or permission were refused, outside the hours, or the budget is spent."},
    StatusMeaning{ExitStatus::config, "The configuration is wrong."},
    StatusMeaning{ExitStatus::deadline, "The time that was given ran out."},
};

std::vector<Errc> all_codes() {
  std::vector<Errc> out;
  for (int i = 0; i <= static_cast<int>(Errc::interrupted); ++i) out.push_back(static_cast<Errc>(i));
  return out;
}

void add_sentences(std::vector<std::string>& into, std::string_view sentences) {
  if (sentences.empty()) return;
  for (const std::string_view sentence : split(sentences, '|')) {
    if (std::find(into.begin(), into.end(), sentence) == into.end()) into.emplace_back(sentence);
  }
}

Explanation of_code(Errc code) {
  const CodeMeaning meaning = code_meaning(code);
  Explanation out;
  out.code = to_string(code);
  out.meaning = meaning.meaning;
  add_sentences(out.look_at, meaning.look_at);
  out.ras = ras_code(code);
  out.status = static_cast<int>(exit_status(code));
  return out;
}

Explanation of_ras(const RasMeaning& row) {
  Explanation out;
  out.kind = Kind::ras;
  out.code = std::to_string(row.number);
  out.name = row.name;
  out.meaning = fmt::format("Remote Access Service: {}.", row.meaning);
  out.ras = row.number;
  for (const Errc code : all_codes()) {
    if (ras_code(code) != row.number) continue;
    const CodeMeaning ours = code_meaning(code);
    out.meaning += fmt::format(" Here {}: {}", to_string(code), ours.meaning);
    add_sentences(out.look_at, ours.look_at);
    out.status = static_cast<int>(exit_status(code));
    out.codes.emplace_back(to_string(code));
  }
  return out;
}

Explanation of_status(const StatusMeaning& row) {
  Explanation out;
  out.kind = Kind::status;
  out.status = static_cast<int>(row.status);
  out.code = std::to_string(*out.status);
  out.name = to_string(row.status);
  out.meaning = row.meaning;
  for (const Errc code : all_codes()) {
    if (exit_status(code) == row.status) out.codes.emplace_back(to_string(code));
  }
  if (!out.codes.empty()) out.look_at.emplace_back("the code that --json names, or the message: each code has an explanation of its own");
  return out;
}

Explanation of_event(const EventMeaning& row, Kind kind) {
  Explanation out;
  out.kind = kind;
  out.code = row.event;
  out.meaning = row.meaning;
  add_sentences(out.look_at, row.look_at);
  return out;
}

std::optional<Explanation> event_named(std::string_view name) {
  for (const EventMeaning& row : event_meanings()) {
    // A link's without "link.": how history says "nothing-moved".
    if (iequals(row.event, name) || iequals(row.event, "link." + std::string(name))) return of_event(row, Kind::event);
  }
  return std::nullopt;
}

std::optional<Explanation> event_numbered(std::string_view number) {
  for (const EventMeaning& row : event_id_meanings()) {
    if (row.event == number) return of_event(row, Kind::event_id);
  }
  return std::nullopt;
}

std::optional<Explanation> status_of(std::string_view text) {
  for (const StatusMeaning& row : kStatuses) {
    if (text == std::to_string(static_cast<int>(row.status)) || iequals(text, to_string(row.status))) return of_status(row);
  }
  return std::nullopt;
}

std::optional<Explanation> ras_of(std::string_view text) {
  const std::optional<std::int64_t> number = parse_integer(text);
  const RasMeaning* row = number && *number > 0 && *number < 10'000 ? ras_meaning(static_cast<int>(*number)) : ras_meaning(text);
  if (row == nullptr && !number) row = ras_meaning("ERROR_" + std::string(text));
  return row == nullptr ? std::nullopt : std::optional(of_ras(*row));
}

}  // namespace

std::string_view to_string(Explanation::Kind kind) {
  switch (kind) {
    case Kind::ras: return "ras";
    case Kind::code: return "code";
    case Kind::status: return "status";
    case Kind::event: return "event";
    case Kind::event_id: return "event-id";
  }
  return "";
}

JsonObject to_json(const Explanation& explanation) {
  JsonObject out;
  out.set("code", explanation.code).set("kind", to_string(explanation.kind));
  if (explanation.name.empty()) out.set_null("name");
  else out.set("name", explanation.name);
  out.set("meaning", explanation.meaning).set("look_at", explanation.look_at);
  out.set("ras", explanation.ras).set("status", explanation.status).set("codes", explanation.codes);
  return out;
}

std::optional<Explanation> explain(std::string_view query) {
  query = trim(query);
  const std::size_t blank = query.find_first_of(" \t");
  const std::string kind = blank == std::string_view::npos ? "" : to_lower(query.substr(0, blank));
  if (blank != std::string_view::npos) query = trim(query.substr(blank));
  if (kind == "status" || kind == "exit") return status_of(query);
  if (kind == "ras") return ras_of(query);
  if (kind == "event" || kind == "id") {
    const std::optional<Explanation> named = event_named(query);
    return named ? named : event_numbered(query);
  }
  if (!kind.empty() && kind != "error" && kind != "code") return std::nullopt;
  // The numbers of the three kinds do not overlap.
  if (const std::optional<Errc> code = errc_from_name(to_lower(query))) return of_code(*code);
  for (const auto& found : {event_named(query), event_numbered(query), ras_of(query), status_of(query)}) {
    if (found) return found;
  }
  return std::nullopt;
}

std::vector<std::string> explained_names() {
  std::vector<std::string> out;
  for (const Errc code : all_codes()) out.emplace_back(to_string(code));
  for (const EventMeaning& row : event_meanings()) out.emplace_back(row.event);
  for (const EventMeaning& row : event_id_meanings()) out.emplace_back(row.event);
  for (const StatusMeaning& row : kStatuses) out.emplace_back(to_string(row.status));
  for (int number = 600; number <= 870; ++number) {
    if (const RasMeaning* row = ras_meaning(number)) {
      out.push_back(std::to_string(number));
      out.emplace_back(row->name);
    }
  }
  return out;
}

}  // namespace longline::link
