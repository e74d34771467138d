// SPDX-License-Identifier: MIT
// A hostile server: whatever it says and whenever it goes silent, every message gets one result for every recipient, none
// is sent without its 250, none is in doubt without its mark, and the session ends. Byte 0: options; byte 1: how the
// replies are cut, and (bit 7) that no QUIT is wanted; a NUL in the input lets a minute pass.
#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "mail/smtp_client.hpp"

using namespace longline;
using namespace longline::mail;

namespace {

class Source : public MessageSource {
 public:
  std::optional<Outgoing> next_message() override {
    if (given == 4) return std::nullopt;
    const std::string id(1, static_cast<char>('a' + given));
    contents[id] = given == 2 ? "X: \xC3\xBC\r\n\r\n.\r\n" : given == 3 ? std::string(200'000, '.') + "\r\n" : "\r\n.x\r\n";
    ++given;
    return Outgoing{id, "s@here.example", {"r1@far.example", "r2@far.example"}, contents[id].size(), id == "c"};
  }
  Result<std::string> read_body(const std::string& id, std::uint64_t offset, std::size_t most) override {
    return contents[id].substr(offset, most);
  }
  int given = 0;
  std::map<std::string, std::string> contents;
};

struct Checker {
  std::map<std::string, std::set<std::string>> results;
  std::set<std::string> marked;
  bool finished = false;
  bool handshake = false;
  bool keeps_open = false;

  void drain(SmtpClient& client) {
    bool unrecorded = false;
    while (true) {
      auto action = client.next_action();
      if (!action && !std::exchange(unrecorded, false)) return;
      if (!action) {
        client.on_recorded();
        continue;
      }
      assert(!finished);
      if (const auto* write = std::get_if<Write>(&*action)) assert(!write->bytes.empty() && write->bytes.size() <= 65536);
      if (const auto* mark = std::get_if<MarkInDoubt>(&*action)) {
        for (const InFlight& m : mark->messages) marked.insert(m.id);
      }
      if (const auto* result = std::get_if<MessageResult>(&*action)) {
        unrecorded = true;
        for (const RecipientResult& r : result->recipients) {
          assert(results[result->id].insert(r.address).second);
          assert(r.outcome != Outcome::sent || (marked.contains(result->id) && r.code >= 200 && r.code < 300));
          assert(r.outcome != Outcome::in_doubt || marked.contains(result->id));
          assert(r.text.size() < 420 && r.text.find('\n') == std::string::npos);
        }
      }
      if (std::holds_alternative<StartTls>(*action)) handshake = true;
      if (const auto* end = std::get_if<SmtpFinished>(&*action)) {
        finished = true;
        assert(!end->open || (keeps_open && !end->error));
      }
    }
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  SmtpClientOptions options;
  options.helo = "here.example";
  options.pipelining = (data[0] & 1) == 0;
  options.chunking = (data[0] & 2) == 0;
  options.skip_before_greeting = (data[0] & 4) != 0 ? 100 : 0;
  options.starttls = (data[0] & 8) != 0 ? StartTlsUse::if_offered : StartTlsUse::never;
  options.window.messages = 1 + (data[0] >> 4);
  options.keep_open = (data[1] & 128) != 0;
  options.stream = (data[1] & 64) != 0;
  Source source;
  SmtpClient client(options, source);
  Checker checker;
  checker.keeps_open = options.keep_open;
  TimePoint now{};
  client.start(now);
  const std::size_t piece = data[1] % 32 + 1u;
  std::string_view rest(reinterpret_cast<const char*>(data + 2), size - 2);
  while (!rest.empty()) {
    if (rest.front() == '\0') {
      now += std::chrono::minutes(1);
      client.on_time(now);
      rest.remove_prefix(1);
    } else {
      const std::string_view bytes = rest.substr(0, std::min(piece, rest.find('\0')));
      client.on_bytes(bytes, now);
      rest.remove_prefix(bytes.size());
    }
    checker.drain(client);
    if (std::exchange(checker.handshake, false)) client.on_secured(now);
    checker.drain(client);
    client.on_writable(piece * 1000, now);
    checker.drain(client);
  }
  for (int i = 0; i < 100 && client.deadline(); ++i) {
    now = *client.deadline();
    client.on_time(now);
    checker.drain(client);
  }
  assert(checker.finished && !client.deadline());
  assert(static_cast<int>(checker.results.size()) == source.given);
  for (const auto& [id, recipients] : checker.results) assert(recipients.size() == 2);
  return 0;
}
