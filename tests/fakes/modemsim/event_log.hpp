// SPDX-License-Identifier: MIT
// The record of what happened, for tests to wait for: one JSON object a line, {"t":SECONDS,"event":NAME,…}, written at once.
#pragma once

#include <cstdint>
#include <cstdio>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "instant.hpp"

namespace modemsim {

// A JSON string with its quotes; bytes that are not ASCII are shown as \u00XX.
std::string json_string(std::string_view text);

class EventLog {
 public:
  struct Field {
    std::string_view name;
    std::variant<std::string_view, std::int64_t, bool> value;
  };

  // An empty path: nothing is recorded. False, with errno set, if the file cannot be opened; it is appended to.
  bool open_events(const std::string& path);
  bool open_calls(const std::string& path);

  void write(Instant now, std::string_view event, std::initializer_list<Field> fields = {});
  // One line for every call that was dialled: its number from 1, the digits, its fate.
  void write_call(int call, std::string_view number, std::string_view fate);

 private:
  struct Closer {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  using File = std::unique_ptr<std::FILE, Closer>;

  File events_;
  File calls_;
};

}  // namespace modemsim
