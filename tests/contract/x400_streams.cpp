// SPDX-License-Identifier: MIT
// Prints what two sessions say to each other, for a second decoder (tests/cli/test_x400_wire.py): "> HEX" is the caller's, "< HEX" the other's, a line
// for what one writes before the other answers. Usage: x400-streams transfers | stopped | refused | aborted
//
// What stands above the session is written here by hand: presentation and association control in normal mode, the reliable transfer's
// opening, and a message.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "unit/x400/octets.hpp"
#include "x400/session.hpp"

using namespace longline;
using namespace longline::x400;
using longline::x400::test::hex;
using longline::x400::test::octets;

namespace {

constexpr TimePoint kNow{};

[[noreturn]] void fail(std::string_view why) {
  std::fprintf(stderr, "x400-streams: %.*s\n", static_cast<int>(why.size()), why.data());
  std::exit(1);
}

void must(const Result<void>& done) {
  if (!done) fail(done.error().what);
}

std::string tlv(std::string_view tag, const std::string& content) {
  std::string length = content.size() < 128 ? std::string(1, static_cast<char>(content.size()))
                                            : std::string{'\x82', static_cast<char>(content.size() >> 8), static_cast<char>(content.size() & 0xff)};
  return octets(tag) + length + content;
}

/// Fully encoded user data (X.226, 8.4.2) of one value in a context.
std::string pdv(int context, const std::string& value) {
  return tlv("61", tlv("30", octets("02 01") + static_cast<char>(context) + tlv("a0", value)));
}

std::string external(const std::string& value) { return tlv("28", octets("06 02 51 01 02 01 03") + tlv("a0", value)); }

// Contexts: 1 association control, 3 reliable transfer, 5 message transfer.
constexpr std::array<std::string_view, 3> kSyntaxes = {"02 01 01 06 04 52 01 00 01", "02 01 03 06 04 56 00 02 0c", "02 01 05 06 04 56 00 02 07"};

std::string connect_ppdu() {
  std::string contexts;
  for (const std::string_view syntax : kSyntaxes) contexts += tlv("30", octets(syntax) + octets("30 04 06 02 51 01"));
  const std::string rtorq = tlv("b0", octets("80 01 01 81 01 03 82 01 01") + tlv("a3", tlv("a0", octets("b0 02 05 00"))));
  const std::string aarq = tlv("60", octets("a1 06 06 04 56 00 01 06") + tlv("be", external(rtorq)));
  return tlv("31", octets("a0 03 80 01 01") + tlv("a2", tlv("a4", contexts) + pdv(1, aarq)));
}

std::string accept_ppdu() {
  std::string results;
  for (std::size_t i = 0; i < kSyntaxes.size(); ++i) results += tlv("30", octets("80 01 00 81 02 51 01"));
  const std::string rtoac = tlv("b1", octets("80 01 01 81 01 03") + tlv("a2", tlv("a0", octets("b1 02 05 00"))));
  const std::string aare = tlv("61", octets("a1 06 06 04 56 00 01 06 a2 03 02 01 00 a3 05 a1 03 02 01 00") + tlv("be", external(rtoac)));
  return tlv("31", octets("a0 03 80 01 01") + tlv("a2", tlv("a5", results) + pdv(1, aare)));
}

std::string priority() { return pdv(3, octets("02 01 01")); }
std::string release_request() { return pdv(1, octets("62 03 80 01 00")); }
std::string release_response() { return pdv(1, octets("63 03 80 01 00")); }

std::string message() {
  const std::string domain = tlv("63", octets("61 04 13 02 'DE' 62 03 13 01 ' '"));
  const std::string somebody = tlv("60", tlv("30", octets("61 04 13 02 'DE' 62 03 13 01 ' ' a5 05 80 03 'bob'")));
  const std::string trace = tlv("69", tlv("30", domain + tlv("31", octets("80 0d '261126041900Z' 82 01 00"))));
  const std::string recipients = tlv("a2", tlv("31", somebody + octets("80 01 01 81 02 00 a8")));
  const std::string envelope = tlv("31", tlv("64", domain + octets("16 02 'm1'")) + somebody + octets("46 01 00") + trace + recipients);
  std::string content = "From: bob@example.com\r\nSubject: a message\r\n\r\n";
  while (content.size() < 2300) content += "A line of its body.\r\n";
  return tlv("a0", envelope + tlv("04", content));
}

/// The parts that a transfer of message() is made of.
std::array<std::string, 3> segments() {
  const std::string apdu = tlv("28", octets("02 01 05") + tlv("a0", message()));
  std::array<std::string, 3> out;
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = pdv(3, tlv("04", apdu.substr(i * 1024, 1024)));
  return out;
}

struct Side {
  explicit Side(bool initiator_, std::uint8_t versions = 3) : session(options(initiator_, versions)), initiator(initiator_) {}
  static SessionOptions options(bool initiator, std::uint8_t versions) {
    SessionOptions out;
    out.transport.initiator = initiator;
    out.versions = versions;
    return out;
  }
  void drain() {
    while (const auto action = session.next_action()) {
      if (const auto* write = std::get_if<Write>(&*action)) written += write->bytes;
      else act(*action);
    }
  }
  void act(const SessionAction& action) {
    if (const auto* connected = std::get_if<SessionConnected>(&action); connected != nullptr && !initiator) {
      if (refuses) must(session.refuse(1, "", kNow));
      else must(session.accept({octets("04 03 'mta'"), octets("17 0d '261126041900Z'"), ""}, accept_ppdu()));
    } else if (const auto* point = std::get_if<MinorSyncArrived>(&action); point != nullptr && !silent) {
      must(session.confirm_minor(point->serial));
    } else if (std::holds_alternative<ActivityEnding>(action) && !silent) {
      must(session.confirm_end());
    } else if (std::holds_alternative<ActivityStopping>(action)) {
      must(session.confirm_stop());
    } else if (std::holds_alternative<ReleaseAsked>(action)) {
      must(session.confirm_release(release_response(), kNow));
    } else if (const auto* finished = std::get_if<SessionFinished>(&action)) {
      over = true;
      if (finished->end == SessionEnd::ours && finished->error) fail(finished->error->what);
    }
  }

  Session session;
  bool initiator;
  bool refuses = false;
  bool silent = false;   // confirms nothing
  bool over = false;
  std::string written;
};

void print(char whose, std::string& bytes) {
  if (!bytes.empty()) std::printf("%c %s\n", whose, hex(bytes).c_str());
}

void pump(Side& a, Side& b) {
  while (true) {
    a.drain();
    b.drain();
    if (a.written.empty() && b.written.empty()) return;
    const std::string to_b = std::exchange(a.written, {});
    std::string shown = to_b;
    print('>', shown);
    b.session.on_bytes(to_b, kNow);
    b.drain();
    const std::string to_a = std::exchange(b.written, {});
    shown = to_a;
    print('<', shown);
    a.session.on_bytes(to_a, kNow);
  }
}

void open(Side& a, Side& b) {
  must(a.session.connect({{octets("04 03 'sat'"), octets("17 0d '261126041900Z'"), ""}, true, connect_ppdu()}));
  a.session.start(kNow);
  b.session.start(kNow);
  pump(a, b);
}

/// From the segment behind `serial` on.
void send(Session& from, std::uint32_t serial) {
  const auto parts = segments();
  for (std::size_t i = serial; i < parts.size(); ++i) {
    must(from.send_data(parts[i]));
    if (i + 1 < parts.size() && !from.minor_sync()) fail("no checkpoint");
  }
  if (!from.end_activity()) fail("no end");
}

void transfers(Side& a, Side& b) {
  must(a.session.start_activity(octets("02 01 01")));
  send(a.session, 0);
  pump(a, b);
  must(b.session.ask_turn(priority()));
  pump(a, b);
  must(a.session.give_turn());
  pump(a, b);
  must(b.session.start_activity(octets("02 01 02")));
  send(b.session, 0);
  pump(a, b);
  must(b.session.give_turn());
  pump(a, b);
}

void stopped(Side& a, Side& b) {
  b.silent = true;
  must(a.session.start_activity(octets("02 01 01")));
  must(a.session.send_data(segments()[0]));
  if (!a.session.minor_sync()) fail("no checkpoint");
  pump(a, b);
  must(b.session.confirm_minor(1));
  must(b.session.report_exception(SessionReason::receiving_jeopardized));
  pump(a, b);
  must(a.session.stop_activity(false, SessionReason::receiving_jeopardized));
  pump(a, b);
  b.silent = false;
  must(a.session.resume_activity({octets("02 01 02"), octets("02 01 01"), 1, "", octets("04 03 'sat'"), octets("17 0d '261126041900Z'"), ""}));
  send(a.session, 1);
  pump(a, b);
  must(a.session.start_activity(octets("02 01 03")));
  must(a.session.stop_activity(true, SessionReason::local_user_error));
  pump(a, b);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc == 2 ? argv[1] : "";
  Side a(true);
  Side b(false);
  b.refuses = what == "refused";
  open(a, b);
  if (what == "transfers") transfers(a, b);
  else if (what == "stopped") stopped(a, b);
  else if (what == "aborted") must(a.session.abort(tlv("a0", tlv("a1", "")), kNow));
  else if (what != "refused") fail("which of transfers, stopped, refused, aborted?");
  pump(a, b);
  if (what == "transfers" || what == "stopped") must(a.session.release(release_request(), kNow));
  pump(a, b);
  if (!a.over && what != "aborted") fail("the caller's session is not over");
  return 0;
}
