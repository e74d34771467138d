// SPDX-License-Identifier: MIT
// Our sender and receiver over a line of a given rate and delay, in simulated time: what a call costs.
#include <doctest/doctest.h>

#include <deque>

#include "unit/mail/smtp_world.hpp"

using namespace longline;
using namespace longline::mail;
using namespace longline::mail::test;

namespace {

/// One direction: bytes leave at a rate and arrive one delay later. Packets cost 40 bytes each where there is TCP/IP.
class Direction {
 public:
  Direction(double bytes_a_second, std::int64_t delay, bool tcp) : rate_(bytes_a_second / 1000 * (tcp ? 1460.0 / 1500 : 1)), delay_(delay) {}
  /// What arrives in this millisecond of what has been written so far.
  std::string_view arrive(const std::string& written, std::int64_t now) {
    credit_ = sent_ == written.size() ? 1 : credit_ + rate_;
    const auto room = static_cast<std::size_t>(credit_);
    const std::size_t n = std::min(room, written.size() - sent_);
    credit_ -= static_cast<double>(n);
    sent_ += n;
    on_the_way_.push_back({now + delay_, sent_});
    std::size_t until = arrived_;
    while (!on_the_way_.empty() && on_the_way_.front().first <= now) {
      until = on_the_way_.front().second;
      on_the_way_.pop_front();
    }
    const std::string_view bytes = std::string_view(written).substr(arrived_, until - arrived_);
    arrived_ = until;
    return bytes;
  }
  std::size_t sent() const { return sent_; }

 private:
  double rate_;
  double credit_ = 0;
  std::int64_t delay_;
  std::size_t sent_ = 0;
  std::size_t arrived_ = 0;
  std::deque<std::pair<std::int64_t, std::size_t>> on_the_way_;
};

struct Call {
  double seconds = 0;
  SendWindow window;
  SmtpClient::Answered answered{};
  SmtpLessons lessons{};
};

/// From the connection to QUIT on the line.
Call send(FakeSource& source, double bits_a_second, std::int64_t round_trip, bool tcp, SendWindow window = {}) {
  SmtpClientOptions options = client_options();
  options.window = window;
  options.stream = !tcp;
  SmtpServerOptions receiver = server_options();
  receiver.size_limit = 60'000'000;
  SmtpClient client(options, source);
  SmtpServer server(receiver);
  ClientLog client_log;
  ServerLog server_log;
  Direction up(bits_a_second / 10, round_trip / 2, tcp);
  Direction down(bits_a_second / 10, round_trip / 2, tcp);
  std::int64_t now = tcp ? round_trip : 0;  // SYN and its answer
  client.start(at(now));
  server.start(at(now));
  for (; now < 3'600'000; ++now) {
    server_log.drain(server, at(now));
    if (const auto bytes = down.arrive(server_log.written, now); !bytes.empty()) client.on_bytes(bytes, at(now));
    client_log.drain(client);
    if (const auto bytes = up.arrive(client_log.written, now); !bytes.empty()) server.on_bytes(bytes, at(now));
    client.on_writable(65536 - std::min<std::size_t>(client_log.written.size() - up.sent(), 65536), at(now));
    client_log.drain(client);
    if (client_log.finished && up.sent() == client_log.written.size()) break;
  }
  REQUIRE(client_log.finished);
  CHECK_FALSE(client_log.finished->error);
  CHECK(server_log.delivered.size() == source.queue.size());
  return {static_cast<double>(now) / 1000, client_log.finished->window, client.answered(), client_log.finished->lessons};
}

FakeSource queue_of(int count, std::size_t size) {
  FakeSource source;
  for (int n = 0; n < count; ++n) {
    std::string content = "From: Alice <alice@here.example>\r\nMessage-ID: <" + std::to_string(n) + "@here.example>\r\n\r\n";
    while (content.size() + 72 < size) content += std::string(70, 'x') + "\r\n";
    content += std::string(size - content.size() - 2, 'y') + "\r\n";
    source.add("m" + std::to_string(n), {"bob@far.example"}, content);
  }
  return source;
}

}  // namespace

TEST_CASE("a call costs little more than its payload") {
  struct Row {
    int messages;
    double rate;
    std::int64_t round_trip;
  };
  for (const Row row : {Row{50, 56'000, 150}, Row{20, 9600, 600}, Row{5, 2400, 1800}}) {
    const double payload = row.messages * 2200 * 10 / row.rate;
    FakeSource by_tcp = queue_of(row.messages, 2200);
    const Call tcp = send(by_tcp, row.rate, row.round_trip, true);
    FakeSource by_stream = queue_of(row.messages, 2200);
    const Call stream = send(by_stream, row.rate, row.round_trip, false);
    MESSAGE(row.messages << " messages at " << row.rate << " bit/s: payload " << payload << " s, TCP " << tcp.seconds << " s, stream "
                         << stream.seconds << " s");
    CHECK(tcp.seconds <= 1.12 * payload + 5 * static_cast<double>(row.round_trip) / 1000);
    CHECK(stream.seconds <= 1.06 * payload + 4 * static_cast<double>(row.round_trip) / 1000);
  }
}

TEST_CASE("a window once learned sends 200 small messages in two round trips") {
  FakeSource first = queue_of(200, 250);
  const Call learning = send(first, 1e9, 600, true);
  FakeSource second = queue_of(200, 250);
  const Call known = send(second, 1e9, 600, true, learning.window);
  MESSAGE("learning " << learning.seconds << " s, known " << known.seconds << " s, window " << learning.window.messages << " messages, "
                      << learning.window.bytes << " bytes");
  CHECK(known.seconds <= 0.6 * (1 + 0.5 + 1 + 2 + 0.1));  // connection, greeting, EHLO, two
}

TEST_CASE("messages larger than the window do not wait for each other's replies") {
  FakeSource source = queue_of(10, 20'000);
  const Call call = send(source, 9600, 2000, false);
  const double payload = 10 * 20'000 * 10 / 9600.0;
  MESSAGE("payload " << payload << " s, took " << call.seconds << " s");
  CHECK(call.seconds <= 1.02 * payload + 4 * 2.0);
}

TEST_CASE("how fast the line is, is known where messages were long enough on their way to tell") {
  struct Row {
    double rate;
    std::int64_t round_trip;
    bool tells;
  };
  for (const Row row : {Row{2400, 1800, true}, Row{9600, 600, true}, Row{9600, 0, true}, Row{1e9, 1800, false}, Row{1e9, 2, false}}) {
    CAPTURE(row.rate);
    CAPTURE(row.round_trip);
    FakeSource source = queue_of(5, 2200);
    const Call call = send(source, row.rate, row.round_trip, false);
    CHECK((call.answered.rate > 0) == row.tells);
    CHECK(call.lessons.rate_is_least != row.tells);
    CHECK(call.lessons.rate > 0);
    if (!row.tells) continue;
    CHECK(static_cast<double>(call.answered.rate) <= 1.1 * row.rate / 10);
    CHECK(static_cast<double>(call.answered.rate) >= 0.6 * row.rate / 10);
  }
}

TEST_CASE("on a slow line little is in doubt at a time") {
  FakeSource source = queue_of(20, 2200);
  const Call call = send(source, 9600, 600, false);
  CHECK(call.window.bytes <= 16384);
}
