// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/time.hpp"

namespace longline {

/// Something an operator may want to know afterwards; one line of events.jsonl. longline-events(7) lists them all.
/// Holds no secret: texts come from errors and names, which hold none.
struct Event {
  std::string event;                  ///< dotted name: "link.up", "call.failed"
  std::optional<int> id{};            ///< Exchange or RAS event number of the same meaning: 4106, 289, 1294, 9301, 9311, 9316
  std::string link{};
  std::string connector{};
  std::string message{};              ///< spool id of a message
  std::optional<int> ras{};
  Stage stage = Stage::none;
  std::string text{};
  JsonObject more{};                  ///< members of this event alone
};

/// {"time","event","id","link",…}; members that do not apply are absent.
JsonObject to_json(const Event& event, WallTime at);
/// The event of a failed attempt: its stage, RAS number and message.
Event failure_event(std::string name, std::optional<int> id, const std::string& link, const Error& error);

/// Where events go. The library emits; tools decide.
class EventSink {
 public:
  virtual ~EventSink() = default;
  virtual void emit(const Event& event) = 0;
};

/// {"error":{"tool","stage","code","ras","temporary","status","message","hint"}}: a failure for --json.
JsonObject error_object(std::string_view tool, const Error& error);
/// The way back, for an error that another process reported. nullopt if it is not such an object.
std::optional<Error> error_from_object(const JsonObject& object);

}  // namespace longline
