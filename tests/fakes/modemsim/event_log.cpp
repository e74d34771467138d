// SPDX-License-Identifier: MIT
#include "event_log.hpp"

namespace modemsim {

std::string json_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte >= 0x7f) {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\u%04x", byte);
      out += escaped;
    } else {
      out += c;
    }
  }
  return out += '"';
}

bool EventLog::open_events(const std::string& path) {
  if (!path.empty()) events_.reset(std::fopen(path.c_str(), "ae"));
  return path.empty() || events_ != nullptr;
}

bool EventLog::open_calls(const std::string& path) {
  if (!path.empty()) calls_.reset(std::fopen(path.c_str(), "ae"));
  return path.empty() || calls_ != nullptr;
}

void EventLog::write(Instant now, std::string_view event, std::initializer_list<Field> fields) {
  if (!events_) return;
  char time[40];
  std::snprintf(time, sizeof time, "{\"t\":%.6f,\"event\":", std::chrono::duration<double>(now).count());
  std::string line = time + json_string(event);
  for (const Field& field : fields) {
    line += ',' + json_string(field.name) + ':';
    if (const auto* text = std::get_if<std::string_view>(&field.value)) line += json_string(*text);
    if (const auto* number = std::get_if<std::int64_t>(&field.value)) line += std::to_string(*number);
    if (const auto* yes = std::get_if<bool>(&field.value)) line += *yes ? "true" : "false";
  }
  line += "}\n";
  std::fputs(line.c_str(), events_.get());
  std::fflush(events_.get());
}

void EventLog::write_call(int call, std::string_view number, std::string_view fate) {
  if (!calls_) return;
  std::fprintf(calls_.get(), "%d %.*s %.*s\n", call, static_cast<int>(number.size()), number.data(),
               static_cast<int>(fate.size()), fate.data());
  std::fflush(calls_.get());
}

}  // namespace modemsim
