// SPDX-License-Identifier: MIT
#include "chatrun.d/trace.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "base/text.hpp"

namespace longline::tools::chatrun {

Result<Trace> Trace::open(const std::string& path, bool live, bool quiet, const std::vector<Secret>& secrets, TimePoint now) {
  Trace trace(secrets, now);
  trace.is_live_ = live;
  trace.quiet_ = quiet;
  if (!path.empty()) {
    trace.fd_ = sys::UniqueFd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0600));
    if (!trace.fd_) return system_error(errno, "transcript " + path, Errc::cannot_create);
    struct stat file {};
    // One that was there may be open to others; a device or pipe stays as it is.
    if (::fstat(trace.fd_.get(), &file) == 0 && S_ISREG(file.st_mode)) (void)::fchmod(trace.fd_.get(), 0600);
  }
  return trace;
}

void Trace::typed(std::string_view, TimePoint now) {
  if (!std::exchange(typing_, true) && fd_) put(file_.comment("typed at the terminal", now));
}

void Trace::received(std::string_view bytes, TimePoint now) {
  typing_ = typing_ && bytes.find('\n') == std::string_view::npos;
  if (fd_) put(file_.received(bytes, now));
  if (is_live_) show(live_.received(bytes, now));
}

void Trace::sent(const Write& write, TimePoint now) {
  if (fd_) put(file_.sent(write, now));
  if (is_live_) show(live_.sent(write, now));
}

void Trace::carrier_lost(TimePoint now) {
  if (fd_) put(file_.carrier_lost(now));
  if (is_live_) show(live_.carrier_lost(now));
}

void Trace::idle(TimePoint now) {
  if (is_live_) show(live_.finish(now));
}

void Trace::finish(const std::string& how, TimePoint now) {
  if (fd_) put(file_.comment(how, now));
  idle(now);
}

/// A disk that is full does not end the login; the file ends, and stderr says why.
void Trace::put(const std::string& lines) {
  std::string_view rest = lines;
  while (!rest.empty() && fd_) {
    const ssize_t n = ::write(fd_.get(), rest.data(), rest.size());
    if (n > 0) {
      rest.remove_prefix(static_cast<std::size_t>(n));
    } else if (errno != EINTR) {
      std::fprintf(stderr, "chatrun: the transcript ends early: %s\n", std::strerror(errno));
      fd_.reset();
    }
  }
}

void Trace::show(const std::string& lines) { stderr_.write(lines); }

void Trace::notice(const script::Notice& notice, TimePoint) {
  if (quiet_ || (notice.kind != script::Notice::Kind::say && notice.kind != script::Notice::Kind::report)) return;
  const bool is_report = notice.kind == script::Notice::Kind::report;
  stderr_.write(is_report ? "chatrun: " + escape(notice.text) + '\n' : notice.text);
}

void Trace::add_secret(const Secret& secret) {
  file_.add_secret(secret);
  live_.add_secret(secret);
}

}  // namespace longline::tools::chatrun
