// SPDX-License-Identifier: MIT
#include <list>
#include <utility>
#include <variant>

#include "base/text.hpp"
#include "mail/lmtp_client.hpp"
#include "sys/intake/local_delivery.hpp"
#include "sys/line_pump.hpp"
#include "sys/sockets.hpp"
#include "sys/system_clock.hpp"

namespace longline::sys {
namespace {

constexpr std::size_t kDeliveryBuffer = 64 * 1024;
constexpr Duration kLocalPatience(10'000);

/// One message on one connection.
class LmtpSession {
 public:
  LmtpSession(Loop& loop, std::unique_ptr<ByteStream> line, std::shared_ptr<const mail::Deliver> message, mail::LmtpOptions options, LocalDelivery::Done done)
      : loop_(loop), message_(std::move(message)), machine_(std::move(options)), done_(std::move(done)),
        pump_(loop, std::move(line),
              {[this](std::string_view bytes) {
                 machine_.on_bytes(bytes, loop_.now());
                 drain();
               },
               [this](const Error&) {
                 machine_.on_closed(loop_.now());
                 drain();
                 over_ = true;
               },
               [this] { drain(); }}) {
    machine_.start(loop_.now());
    drain();
  }

  /// Its last words are written, or cannot be.
  bool over() const { return over_ || (finished_ && pump_.pending() == 0) || (finished_ && loop_.now() > last_); }

 private:
  void drain() {
    if (std::exchange(draining_, true)) return;
    while (true) {
      if (!finished_) machine_.on_writable(kDeliveryBuffer - std::min(kDeliveryBuffer, pump_.pending()), loop_.now());
      auto action = machine_.next_action();
      if (!action) break;
      if (auto* write = std::get_if<Write>(&*action)) {
        pump_.write(write->bytes);
        continue;
      }
      finished_ = true;
      last_ = loop_.now() + kLocalPatience;
      const LocalDelivery::Done done = std::move(done_);
      done(std::get<mail::LmtpFinished>(*action).results);
      break;
    }
    draining_ = false;
    timer_.reset();
    if (const auto deadline = machine_.deadline()) {
      timer_ = loop_.at(*deadline, [this] {
        machine_.on_time(loop_.now());
        drain();
      });
    }
  }

  Loop& loop_;
  std::shared_ptr<const mail::Deliver> message_;   // the machine reads its content
  mail::LmtpClient machine_;
  LocalDelivery::Done done_;
  LinePump pump_;
  Loop::Registration timer_;
  TimePoint last_{};
  bool draining_ = false;
  bool finished_ = false;
  bool over_ = false;
};

class LmtpDelivery : public LocalDelivery {
 public:
  LmtpDelivery(Loop& loop, std::string path, HostPort where, std::string host)
      : loop_(loop), path_(std::move(path)), where_(std::move(where)), host_(std::move(host)) {}

  void deliver(std::shared_ptr<const mail::Deliver> message, std::vector<std::string> recipients, Done done) override {
    sessions_.remove_if([](const LmtpSession& session) { return session.over(); });
    Result<std::unique_ptr<ByteStream>> line = connect();
    if (!line) {
      std::vector<mail::RecipientResult> results;
      for (const std::string& address : recipients) {
        results.push_back({address, mail::Outcome::deferred, 451, "4.4.1", printable_at_most(line.error().message(), 300)});
      }
      return done(std::move(results));
    }
    mail::LmtpOptions options;
    options.host = host_;
    options.sender = message->sender;
    options.recipients = std::move(recipients);
    options.content = message->content;
    sessions_.emplace_back(loop_, std::move(*line), std::move(message), std::move(options), std::move(done));
  }

 private:
  Result<std::unique_ptr<ByteStream>> connect() const {
    Result<UniqueFd> socket = path_.empty() ? connect_tcp(where_.host, where_.port, "", steady_now() + kLocalPatience) : connect_unix(path_);
    if (!socket) return std::move(socket).error().context("LMTP");
    return stream_of(std::move(*socket));
  }

  Loop& loop_;
  std::string path_;
  HostPort where_;
  std::string host_;
  std::list<LmtpSession> sessions_;
};

}  // namespace

Result<std::unique_ptr<LocalDelivery>> make_lmtp_delivery(Loop& loop, const std::string& server, const std::string& host) {
  const bool is_path = server.find('/') != std::string::npos;
  HostPort where;
  if (!is_path) {
    LONGLINE_TRY(where, parse_host_port(server));
  }
  return std::unique_ptr<LocalDelivery>(std::make_unique<LmtpDelivery>(loop, is_path ? server : "", std::move(where), host));
}

}  // namespace longline::sys
