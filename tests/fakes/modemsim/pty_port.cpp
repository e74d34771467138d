// SPDX-License-Identifier: MIT
#include "pty_port.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>

namespace modemsim {
namespace {

constexpr int reopening_ms = 5;

bool make_raw(int fd) {
  termios settings{};
  if (::tcgetattr(fd, &settings) != 0) return false;
  ::cfmakeraw(&settings);
  return ::tcsetattr(fd, TCSANOW, &settings) == 0;
}

// Replaces the symlink in one step, so that whoever waits for it never sees half of it.
bool make_link(const std::string& target, const std::string& link) {
  struct stat status{};
  if (::lstat(link.c_str(), &status) == 0 && !S_ISLNK(status.st_mode)) {
    errno = EEXIST;
    return false;
  }
  const std::string fresh = link + ".new." + std::to_string(::getpid());
  ::unlink(fresh.c_str());
  return ::symlink(target.c_str(), fresh.c_str()) == 0 && ::rename(fresh.c_str(), link.c_str()) == 0;
}

}  // namespace

std::unique_ptr<PtyPort> PtyPort::open(const std::string& link) {
  UniqueFd master(::posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
  char name[64];
  if (!master || ::grantpt(master.get()) != 0 || ::unlockpt(master.get()) != 0) return nullptr;
  if (::ptsname_r(master.get(), name, sizeof name) != 0 || !make_raw(master.get())) return nullptr;
  // Only a slave that was open once makes the master report that it is closed.
  UniqueFd slave(::open(name, O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!slave) return nullptr;
  slave.reset();
  UniqueFd watch(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!watch || ::inotify_add_watch(watch.get(), name, IN_OPEN | IN_CLOSE) < 0) return nullptr;
  if (!link.empty() && !make_link(name, link)) return nullptr;
  return std::unique_ptr<PtyPort>(new PtyPort(std::move(master), std::move(watch), name, link));
}

PtyPort::~PtyPort() {
  char target[PATH_MAX];
  const ssize_t length = link_.empty() ? -1 : ::readlink(link_.c_str(), target, sizeof target);
  if (length > 0 && std::string_view(target, static_cast<std::size_t>(length)) == name_) ::unlink(link_.c_str());
}

bool PtyPort::hung_up() const {
  pollfd poll{master_.get(), 0, 0};
  return ::poll(&poll, 1, 0) > 0 && (poll.revents & POLLHUP) != 0;
}

void PtyPort::on_watch(std::vector<Change>& changes) {
  alignas(inotify_event) char buffer[4096];
  ssize_t length = 0;
  while ((length = ::read(watch_.get(), buffer, sizeof buffer)) > 0) {
    for (ssize_t at = 0; at < length;) {
      inotify_event event;
      std::memcpy(&event, buffer + at, sizeof event);
      at += static_cast<ssize_t>(sizeof event + event.len);
      if ((event.mask & IN_OPEN) != 0) {
        if (own_opens_ > 0) --own_opens_;
        else if (++openers_ == 1) changes.push_back(Change::opened);
      } else if ((event.mask & IN_CLOSE) != 0) {
        if ((event.mask & IN_CLOSE_NOWRITE) != 0 && own_closes_ > 0) --own_closes_;
        else if (openers_ > 0 && --openers_ == 0) changes.push_back(Change::closed);
      }
    }
  }
}

std::vector<DtePort::Change> PtyPort::update() {
  std::vector<Change> changes;
  on_watch(changes);
  // inotify folds equal events that follow each other into one, so the count may be wrong: the kernel's own word decides.
  if (openers_ == 0 && !changes.empty() && !hung_up()) {
    // Opened anew just now: the event follows at once. If none does, one of several openers has closed.
    pollfd poll{watch_.get(), POLLIN, 0};
    ::poll(&poll, 1, reopening_ms);
    on_watch(changes);
    if (openers_ == 0 && !hung_up()) {
      openers_ = 1;
      changes.pop_back();
    }
  }
  if (openers_ > 0 && hung_up()) {
    openers_ = 0;
    changes.push_back(Change::closed);
  } else if (openers_ == 0 && changes.empty() && !hung_up()) {
    openers_ = 1;
    changes.push_back(Change::opened);
  }
  if (std::find(changes.begin(), changes.end(), Change::closed) != changes.end()) flush_unread();
  return changes;
}

void PtyPort::flush_unread() {
  UniqueFd slave(::open(name_.c_str(), O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
  if (!slave) return;
  ++own_opens_;
  ++own_closes_;
  ::tcflush(slave.get(), TCIFLUSH);
}

std::string PtyPort::read(std::size_t most) {
  std::string bytes(std::min<std::size_t>(most, 4096), '\0');
  const ssize_t count = bytes.empty() ? 0 : ::read(master_.get(), bytes.data(), bytes.size());
  bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  return bytes;
}

void PtyPort::discard() {
  while (!read(4096).empty()) {
  }
}

std::size_t PtyPort::write(std::string_view bytes) {
  if (!is_open()) return bytes.size();
  const ssize_t count = ::write(master_.get(), bytes.data(), bytes.size());
  return count > 0 ? static_cast<std::size_t>(count) : 0;
}

bool PtyPort::speed_is_zero() const {
  termios settings{};
  return ::tcgetattr(master_.get(), &settings) == 0 && ::cfgetospeed(&settings) == B0;
}

void PtyPort::add_polls(std::vector<pollfd>& polls, bool wants_to_read, bool wants_to_write) const {
  polls.push_back({watch_.get(), POLLIN, 0});
  const int events = (wants_to_read ? POLLIN : 0) | (wants_to_write ? POLLOUT : 0);
  if (is_open() && events != 0) polls.push_back({master_.get(), static_cast<short>(events), 0});
}

}  // namespace modemsim
