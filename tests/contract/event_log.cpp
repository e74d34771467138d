// SPDX-License-Identifier: MIT
// What several processes write into one events.jsonl at once: whole lines, one an event, and none between them.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include "sys/event_log.hpp"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <string>

using namespace longline;

namespace {

constexpr int kWriters = 4;
constexpr int kEvents = 2500;

std::string log_path() { return std::string(std::getenv("LONGLINE_CONTRACT")); }

Event event_of(int writer) {
  Event event;
  event.event = "call.failed";
  event.text = std::string(300, static_cast<char>('a' + writer));
  return event;
}

}  // namespace

TEST_CASE("lines of writers who write at once are whole") {
  for (int writer = 0; writer < kWriters; ++writer) {
    if (::fork() != 0) continue;
    sys::EventLog log(log_path());
    for (int i = 0; i < kEvents; ++i) log.emit(event_of(writer));
    ::_exit(0);
  }
  while (::wait(nullptr) > 0) continue;

  std::map<std::string, int> found;
  for (const std::string& path : {log_path(), log_path() + ".1"}) {
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) ++found[line.substr(std::min(line.size(), line.find("\"event\"")))];
  }
  CHECK(found.size() == kWriters);
  for (const auto& [line, count] : found) CHECK_MESSAGE(count == kEvents, line);
}

TEST_CASE("a line that was cut short is ended before the next") {
  const std::string path = log_path() + ".cut";
  std::ofstream(path) << "{\"time\":\"2026";
  sys::EventLog(path).emit(event_of(0));
  std::ifstream file(path);
  std::string first, second, rest;
  std::getline(file, first);
  std::getline(file, second);
  CHECK(first == "{\"time\":\"2026");
  CHECK(second.ends_with("\"}"));
  CHECK_FALSE(std::getline(file, rest));
}
