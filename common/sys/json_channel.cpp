// SPDX-License-Identifier: MIT
#include "sys/json_channel.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>

#include "sys/system_clock.hpp"

namespace longline::sys {
namespace {

constexpr std::size_t kMostLine = 65536;

}  // namespace

Result<std::vector<JsonObject>> JsonChannel::read() {
  std::vector<JsonObject> out;
  char buffer[4096];
  while (!ended_) {
    const ssize_t got = ::recv(fd_.get(), buffer, sizeof buffer, 0);
    if (got > 0) {
      in_.append(buffer, static_cast<std::size_t>(got));
      if (in_.size() > 2 * kMostLine) break;
      continue;
    }
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
    ended_ = true;
  }
  std::size_t begin = 0;
  for (std::size_t end = 0; (end = in_.find('\n', begin)) != std::string::npos; begin = end + 1) {
    LONGLINE_TRY(JsonObject object, parse_json_object(std::string_view(in_).substr(begin, end - begin)));
    out.push_back(std::move(object));
  }
  in_.erase(0, begin);
  if (in_.size() > kMostLine) return Error(Errc::protocol, "a control message has no end");
  if (ended_ && out.empty()) return Error(Errc::link_down, "the supervisor has ended");
  return out;
}

void JsonChannel::send(const JsonObject& object) {
  // A reader that has stopped loses what it is shown, not what it is told.
  if (out_.size() > kMostLine && object.string("msg") == "trace") return;
  out_ += object.dump();
  out_ += '\n';
  write();
}

void JsonChannel::write() {
  while (!out_.empty()) {
    const ssize_t put = ::send(fd_.get(), out_.data(), out_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
    if (put < 0) {
      out_.clear();
      return;
    }
    out_.erase(0, static_cast<std::size_t>(put));
  }
}

void JsonChannel::drain(int limit_milliseconds) {
  write();
  const TimePoint end = steady_now() + Duration(limit_milliseconds);
  while (!out_.empty()) {
    pollfd waiting{fd_.get(), POLLOUT, 0};
    const std::int64_t left = (end - steady_now()).count();
    if (left <= 0 || ::poll(&waiting, 1, static_cast<int>(left)) <= 0) return;
    write();
  }
}

}  // namespace longline::sys
