// SPDX-License-Identifier: MIT
#include "sys/user_terminal.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace longline::sys {

Result<UserTerminal> UserTerminal::open(bool controlling) {
  UserTerminal out;
  out.keyboard_ = STDIN_FILENO;
  out.screen_ = STDOUT_FILENO;
  if (controlling) {
    out.owned_ = UniqueFd(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
    if (!out.owned_) return system_error(errno, "/dev/tty", Errc::not_a_tty).with_hint("give the line with --port");
    out.keyboard_ = out.screen_ = out.owned_.get();
  }
  termios now{};
  if (::tcgetattr(out.keyboard_, &now) == 0) {
    out.before_ = now;
    ::cfmakeraw(&now);
    now.c_cc[VMIN] = 1;
    now.c_cc[VTIME] = 0;
    if (::tcsetattr(out.keyboard_, TCSANOW, &now) != 0) return system_error(errno, "the terminal's settings", Errc::io);
  }
  return out;
}

UserTerminal::UserTerminal(UserTerminal&& other) noexcept
    : owned_(std::move(other.owned_)),
      keyboard_(std::exchange(other.keyboard_, -1)),
      screen_(other.screen_),
      before_(std::exchange(other.before_, std::nullopt)),
      keys_(other.keys_),
      filter_(std::move(other.filter_)),
      typed_(std::move(other.typed_)) {}

UserTerminal::~UserTerminal() {
  if (before_) ::tcsetattr(keyboard_, TCSADRAIN, &*before_);
}

UserTerminal::Keys UserTerminal::read() {
  Keys out;
  char buffer[4096];
  const ssize_t got = ::read(keyboard_, buffer, sizeof buffer);
  if (got < 0 && (errno == EINTR || errno == EAGAIN)) return out;
  const bool over = got <= 0;
  if (!over) typed_.append(buffer, static_cast<std::size_t>(got));
  std::string_view rest = typed_;
  while (!rest.empty() && !out.end && !out.send_break) {
    const script::TerminalKeys::Typed typed = keys_.feed(rest);
    out.bytes += typed.bytes;
    out.end = typed.end;
    out.send_break = typed.send_break;
    if (typed.help) tell("~. ends, ~# sends a break, ~~ sends ~, at the start of a line");
  }
  typed_ = std::string(rest);
  if (over) {
    out.bytes += keys_.flush();
    out.over = true;
  }
  return out;
}

void UserTerminal::show(std::string_view bytes) { put(filter_.feed(bytes)); }

void UserTerminal::tell(const std::string& text) { put("\r\n[chatrun: " + text + "]\r\n"); }

void UserTerminal::put(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(screen_, bytes.data(), bytes.size());
    if (n > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(n));
      continue;
    }
    if (n < 0 && errno == EINTR) continue;
    // stdin and stdout may be one open file that somebody made non-blocking. A screen that stands still does not stop the line.
    pollfd room{screen_, POLLOUT, 0};
    if (n < 0 && errno == EAGAIN && ::poll(&room, 1, 1000) == 1) continue;
    return;
  }
}

}  // namespace longline::sys
