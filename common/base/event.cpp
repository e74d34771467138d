// SPDX-License-Identifier: MIT
#include "base/event.hpp"

namespace longline {

JsonObject to_json(const Event& event, WallTime at) {
  JsonObject out;
  out.set("time", format_iso8601(at)).set("event", event.event);
  if (event.id) out.set("id", *event.id);
  if (!event.link.empty()) out.set("link", event.link);
  if (!event.connector.empty()) out.set("connector", event.connector);
  if (!event.message.empty()) out.set("message", event.message);
  if (event.ras) out.set("ras", *event.ras);
  if (event.stage != Stage::none) out.set("stage", to_string(event.stage));
  if (!event.text.empty()) out.set("text", event.text);
  return out.merge(event.more);
}

Event failure_event(std::string name, std::optional<int> id, const std::string& link, const Error& error) {
  Event event;
  event.event = std::move(name);
  event.id = id;
  event.link = link;
  event.ras = ras_code(error.code);
  event.stage = error.stage;
  event.text = error.message();
  return event;
}

JsonObject error_object(std::string_view tool, const Error& error) {
  JsonObject body;
  body.set("tool", tool);
  if (error.stage == Stage::none) body.set_null("stage");
  else body.set("stage", to_string(error.stage));
  body.set("code", to_string(error.code));
  body.set("ras", ras_code(error.code));
  body.set("temporary", is_temporary(error.code));
  body.set("status", static_cast<int>(exit_status(error.code)));
  body.set("message", error.message());
  body.set("hint", error.hint);
  JsonObject out;
  out.set("error", body);
  return out;
}

std::optional<Error> error_from_object(const JsonObject& object) {
  const std::optional<JsonObject> body = object.object("error");
  if (!body) return std::nullopt;
  const std::optional<Errc> code = errc_from_name(body->string("code").value_or(""));
  if (!code) return std::nullopt;
  Error error(*code, body->string("message").value_or(""));
  error.stage = stage_from_name(body->string("stage").value_or("")).value_or(Stage::none);
  error.hint = body->string("hint").value_or("");
  return error;
}

}  // namespace longline
