// SPDX-License-Identifier: MIT
#include "sys/link/line_relay.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>

#include "sys/sockets.hpp"
#include "sys/system_clock.hpp"

namespace longline::sys {
namespace {

constexpr std::size_t kMostKept = 65536;
constexpr std::size_t kRead = 2048;   // small: what we have taken is not yet on the line

}  // namespace

struct LineRelay::State {
  Loop* loop = nullptr;
  std::string path;
  Handlers handlers;
  UniqueFd listener, client;
  Loop::Registration listen_watch, client_watch;
  std::string kept;
  bool held = false;
  bool deaf = false;   ///< the client has closed: it hears nothing more, but what it wrote first is still to be read

  void listen() {
    listen_watch = loop->watch(listener.get(), POLLIN, [this](short) { accept(); });
  }
  void accept() {
    Result<UniqueFd> fd = accept_connection(listener.get());
    if (!fd || !*fd) return;
    client = std::move(*fd);
    deaf = false;
    listen_watch.reset();
    client_watch = loop->watch(client.get(), POLLIN, [this](short revents) { on_client(revents); });
    if (handlers.client_came) handlers.client_came();
    write();
  }
  void arm() {
    if (!client) return;
    client_watch.set_events(static_cast<short>((held ? 0 : POLLIN) | (kept.empty() ? 0 : POLLOUT)));
  }
  void write() {
    const bool was_full = kept.size() >= kMostKept;
    if (client && deaf) kept.clear();
    while (client && !kept.empty()) {
      const ssize_t put = ::send(client.get(), kept.data(), kept.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (put < 0 && errno == EINTR) continue;
      if (put < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
      if (put < 0) {
        // Only reading tells that it has left: a command that wrote and ended is no reason to lose what it wrote.
        deaf = true;
        kept.clear();
        break;
      }
      kept.erase(0, static_cast<std::size_t>(put));
    }
    arm();
    if (was_full && kept.size() < kMostKept && handlers.has_room) handlers.has_room();
  }
  void leave() {
    client_watch.reset();
    client.reset();
    // The rest of this session is nothing for the next.
    kept.clear();
    if (listener) listen();
    if (handlers.client_left) handlers.client_left();
  }
  void on_client(short revents) {
    if ((revents & POLLOUT) != 0) write();
    if (!client || (revents & (POLLIN | POLLHUP | POLLERR)) == 0) return;
    if (held && (revents & (POLLHUP | POLLERR)) == 0) return;
    char buffer[kRead];
    const ssize_t got = ::recv(client.get(), buffer, sizeof buffer, 0);
    if (got > 0) {
      handlers.to_line(std::string(buffer, static_cast<std::size_t>(got)));
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR && errno != EWOULDBLOCK)) {
      leave();
    }
  }
};

LineRelay::LineRelay(std::unique_ptr<State> state) : state_(std::move(state)) {}

LineRelay::~LineRelay() {
  if (state_->listener) ::unlink(state_->path.c_str());
}

Result<std::unique_ptr<LineRelay>> LineRelay::open(Loop& loop, const std::string& path, Handlers handlers) {
  auto state = std::make_unique<State>();
  LONGLINE_TRY(state->listener, listen_unix(path));
  state->loop = &loop;
  state->path = path;
  state->handlers = std::move(handlers);
  state->listen();
  return std::unique_ptr<LineRelay>(new LineRelay(std::move(state)));
}

void LineRelay::deliver(std::string_view bytes) {
  state_->kept += bytes;
  state_->write();
}

bool LineRelay::full() const { return state_->kept.size() >= kMostKept; }
bool LineRelay::attached() const { return static_cast<bool>(state_->client); }

bool LineRelay::waited_for() const {
  pollfd waiting{state_->listener.get(), POLLIN, 0};
  return ::poll(&waiting, 1, 0) > 0;
}

void LineRelay::hold_client(bool hold) {
  if (state_->held == hold) return;
  state_->held = hold;
  state_->arm();
}

void LineRelay::finish(int limit_milliseconds) {
  State& s = *state_;
  s.handlers = {};
  s.listen_watch.reset();
  s.client_watch.reset();
  ::unlink(s.path.c_str());
  const TimePoint end = steady_now() + Duration(limit_milliseconds);
  while (s.client && !s.kept.empty()) {
    pollfd waiting{s.client.get(), POLLOUT, 0};
    const std::int64_t left = (end - steady_now()).count();
    if (left <= 0 || ::poll(&waiting, 1, static_cast<int>(left)) <= 0) break;
    const ssize_t put = ::send(s.client.get(), s.kept.data(), s.kept.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (put < 0 && errno != EAGAIN && errno != EINTR) break;
    if (put > 0) s.kept.erase(0, static_cast<std::size_t>(put));
  }
  s.listener.reset();
  s.client.reset();
}

}  // namespace longline::sys
