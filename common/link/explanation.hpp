// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/json.hpp"

/// What the numbers and names mean that longline, the Remote Access Service and Exchange use for what went wrong.
namespace longline::link {

struct Explanation {
  enum class Kind { ras, code, status, event, event_id };
  Kind kind = Kind::code;
  std::string code;                       ///< "676", "line-busy", "75", "link.up", "4106"
  std::string name;                       ///< "ERROR_LINE_BUSY", "temporary"; "" when the code is a name itself
  std::string meaning;                    ///< sentences
  std::vector<std::string> look_at;       ///< what to look at, a sentence each; may be empty
  std::optional<int> ras{};               ///< of a code
  std::optional<int> status{};            ///< exit status that goes with it
  std::vector<std::string> codes{};       ///< our codes of a RAS number or status, our events of an event id
};

std::string_view to_string(Explanation::Kind kind);   ///< "ras", "code", "status", "event", "event-id"
/// {"code","kind","name","meaning","look_at","ras","status","codes"}
JsonObject to_json(const Explanation& explanation);

/// `query`: a RAS number or its name, the name of an error or event of ours, an event's number, an exit status or its name; "status 75",
/// "RAS 676" and "event 4106" too. Case does not matter. nullopt: none of them.
std::optional<Explanation> explain(std::string_view query);
/// Everything that has a name, for the nearest one.
std::vector<std::string> explained_names();

// The tables behind it.

struct RasMeaning {
  int number;                    ///< 600…870 (raserror.h)
  std::string_view name;
  std::string_view meaning;      ///< one clause
};
const RasMeaning* ras_meaning(int number);
const RasMeaning* ras_meaning(std::string_view name);   ///< in any case

struct CodeMeaning {
  std::string_view meaning;
  std::string_view look_at;      ///< sentences, split at '|'
};
CodeMeaning code_meaning(Errc code);

struct EventMeaning {
  std::string_view event;        ///< name or number
  std::string_view meaning;
  std::string_view look_at;
};
const std::vector<EventMeaning>& event_meanings();      ///< of our events
const std::vector<EventMeaning>& event_id_meanings();   ///< of Exchange's and RAS's

}  // namespace longline::link
