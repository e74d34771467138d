// SPDX-License-Identifier: MIT
#include "sys/login/user_terminal.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace longline::sys {
namespace {

/// What the last words have to reach the screen.
constexpr int kLastWords = 200;   // ms

}  // namespace

Result<UserTerminal> UserTerminal::open(bool controlling) {
  UniqueFd owned;
  if (controlling) {
    owned = UniqueFd(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
    if (!owned) return system_error(errno, "/dev/tty", Errc::not_a_tty).with_hint("give the line with --port");
  }
  const int keyboard = controlling ? owned.get() : STDIN_FILENO;
  const int screen = controlling ? owned.get() : STDOUT_FILENO;
  UserTerminal out(std::move(owned), keyboard, screen);
  termios now{};
  if (::tcgetattr(keyboard, &now) == 0) {
    out.before_ = now;
    ::cfmakeraw(&now);
    now.c_cc[VMIN] = 1;
    now.c_cc[VTIME] = 0;
    if (::tcsetattr(keyboard, TCSANOW, &now) != 0) return system_error(errno, "the terminal's settings", Errc::io);
  }
  return out;
}

UserTerminal::UserTerminal(UserTerminal&& other) noexcept
    : owned_(std::move(other.owned_)),
      keyboard_(std::exchange(other.keyboard_, -1)),
      screen_(std::move(other.screen_)),
      before_(std::exchange(other.before_, std::nullopt)),
      keys_(other.keys_),
      filter_(std::move(other.filter_)),
      typed_(std::move(other.typed_)),
      over_(other.over_),
      unshown_(std::move(other.unshown_)) {}

UserTerminal::~UserTerminal() {
  if (keyboard_ < 0) return;
  pollfd room{screen_.fd(), POLLOUT, 0};
  if (!unshown_.empty() && ::poll(&room, 1, kLastWords) == 1) flush();
  if (before_) ::tcsetattr(keyboard_, TCSANOW, &*before_);
}

UserTerminal::Keys UserTerminal::read() {
  Keys out;
  if (typed_.empty()) {
    // Woken for nothing: a keyboard that is a terminal would be waited for here.
    pollfd there{keyboard_, POLLIN, 0};
    if (::poll(&there, 1, 0) != 1) return out;
    char buffer[4096];
    const ssize_t got = ::read(keyboard_, buffer, sizeof buffer);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) return out;
    over_ = got <= 0;
    if (!over_) typed_.assign(buffer, static_cast<std::size_t>(got));
  }
  std::string_view rest = typed_;
  while (!rest.empty() && !out.end && !out.send_break) {
    const script::TerminalKeys::Typed typed = keys_.feed(rest);
    out.bytes += typed.bytes;
    out.end = typed.end;
    out.send_break = typed.send_break;
    if (typed.help) tell("~. ends, ~# sends a break, ~~ sends ~, at the start of a line");
  }
  typed_ = std::string(rest);
  out.more = !typed_.empty();
  if (over_ && !out.more) {
    out.bytes += keys_.flush();
    out.over = true;
  }
  return out;
}

void UserTerminal::show(std::string_view bytes) { put(filter_.feed(bytes)); }

void UserTerminal::tell(const std::string& text) { put("\r\n[chatrun: " + text + "]\r\n"); }

void UserTerminal::put(std::string_view bytes) {
  if (is_behind()) return;
  unshown_ += bytes;
  flush();
}

void UserTerminal::flush() { unshown_.erase(0, screen_.write(unshown_)); }

void UserTerminal::refresh(Loop& loop) {
  if (unshown_.empty()) showing_.reset();
  else if (!showing_) showing_ = loop.watch(screen_.fd(), POLLOUT, [this](short) { flush(); });
}

}  // namespace longline::sys
