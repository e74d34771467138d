// SPDX-License-Identifier: MIT
#include "sys/tty_stream.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cerrno>
#include <utility>

namespace longline::sys {

Result<std::unique_ptr<TtyStream>> TtyStream::open(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
  if (!fd) {
    const int failure = errno;
    if (failure == EBUSY) return system_error(failure, path, Errc::port_in_use).in_stage(Stage::port);
    Error error = system_error(failure, path, Errc::no_device).in_stage(Stage::port);
    if (error.code == Errc::not_found) error.code = Errc::no_device;
    return error;
  }
  if (::isatty(fd.get()) == 0) {
    return Error(Errc::not_a_tty, fmt::format("{} is not a terminal device", path), Stage::port);
  }
  LONGLINE_TRY(std::unique_ptr<TtyStream> stream, adopt(std::move(fd)));
  return stream;
}

Result<std::unique_ptr<TtyStream>> TtyStream::borrow(int reader, int writer, Settings settings) {
  std::unique_ptr<TtyStream> stream(new TtyStream);
  stream->reader_ = reader;
  stream->writer_ = writer;
  LONGLINE_CHECK(stream->prepare(settings));
  return stream;
}

Result<std::unique_ptr<TtyStream>> TtyStream::adopt(UniqueFd fd) {
  std::unique_ptr<TtyStream> stream(new TtyStream);
  stream->owned_ = std::move(fd);
  stream->reader_ = stream->writer_ = stream->owned_.get();
  LONGLINE_CHECK(stream->prepare(Settings::raw));
  return stream;
}

Result<void> TtyStream::prepare(Settings settings) {
  reader_flags_ = ::fcntl(reader_, F_GETFL);
  writer_flags_ = ::fcntl(writer_, F_GETFL);
  if (reader_flags_ < 0 || writer_flags_ < 0) return system_error(errno, "the line", Errc::io);
  ::fcntl(reader_, F_SETFL, reader_flags_ | O_NONBLOCK);
  ::fcntl(writer_, F_SETFL, writer_flags_ | O_NONBLOCK);
  termios now{};
  if (::tcgetattr(reader_, &now) != 0) return {};
  before_ = now;
  raw_ = now;
  if (settings == Settings::raw) {
    ::cfmakeraw(&raw_);
    raw_.c_cflag |= CLOCAL | CREAD | HUPCL;
  } else {
    raw_.c_iflag |= IGNBRK | IGNPAR;
    raw_.c_oflag = 0;
    raw_.c_lflag = 0;
    raw_.c_cc[VERASE] = raw_.c_cc[VKILL] = 0;
  }
  raw_.c_cc[VMIN] = 1;
  raw_.c_cc[VTIME] = 0;
  // B0 left behind by a hang-up would leave the line on hook.
  if (::cfgetospeed(&raw_) == B0) ::cfsetspeed(&raw_, B38400);
  if (::tcsetattr(reader_, TCSANOW, &raw_) != 0) return system_error(errno, "the line's settings", Errc::io);
  return {};
}

TtyStream::~TtyStream() { (void)give_back(); }

Result<void> TtyStream::give_back() {
  // An owned pty goes back with its speed as it is now, so that the DTR that a hang-up dropped does not rise again.
  if (owned_ || reader_ < 0) return {};
  ::fcntl(reader_, F_SETFL, reader_flags_);
  ::fcntl(writer_, F_SETFL, writer_flags_);
  const int reader = std::exchange(reader_, -1);
  if (before_ && ::tcsetattr(reader, TCSANOW, &*before_) != 0) return system_error(errno, "the line's settings", Errc::io);
  return {};
}

Result<std::string> TtyStream::read(std::size_t most) {
  std::string out(most, '\0');
  const ssize_t got = ::read(reader_, out.data(), out.size());
  if (got > 0) {
    out.resize(static_cast<std::size_t>(got));
    return out;
  }
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return std::string();
  if (got == 0 || errno == EIO || errno == ECONNRESET || errno == ENXIO) {
    return Error(Errc::line_dropped, "the line was closed at its other end");
  }
  return system_error(errno, "reading from the line", Errc::io);
}

Result<std::size_t> TtyStream::write(std::string_view bytes) {
  const ssize_t put = ::write(writer_, bytes.data(), bytes.size());
  if (put >= 0) return static_cast<std::size_t>(put);
  if (errno == EAGAIN || errno == EINTR) return std::size_t{0};
  if (errno == EIO || errno == EPIPE || errno == ECONNRESET || errno == ENXIO) {
    return Error(Errc::line_dropped, "the line was closed at its other end");
  }
  return system_error(errno, "writing to the line", Errc::io);
}

Result<void> TtyStream::set_dtr(bool on) {
  if (!before_) return {};
  termios wanted = raw_;
  if (!on) ::cfsetspeed(&wanted, B0);
  if (::tcsetattr(reader_, TCSANOW, &wanted) != 0 && errno != EIO) return system_error(errno, "DTR", Errc::io);
  return {};
}

Result<void> TtyStream::send_break() {
  if (before_ && ::tcsendbreak(writer_, 0) != 0) return system_error(errno, "break", Errc::io);
  return {};
}

void apply_framing(termios& settings, const SetFraming& framing) {
  if (framing.data_bits) {
    constexpr tcflag_t kSizes[] = {CS5, CS6, CS7, CS8};
    settings.c_cflag = (settings.c_cflag & ~static_cast<tcflag_t>(CSIZE)) | kSizes[*framing.data_bits - 5];
  }
  if (framing.parity) {
    settings.c_cflag &= ~static_cast<tcflag_t>(PARENB | PARODD | CMSPAR);
    switch (*framing.parity) {
      case Parity::none: break;
      case Parity::odd: settings.c_cflag |= PARENB | PARODD; break;
      case Parity::even: settings.c_cflag |= PARENB; break;
      case Parity::mark: settings.c_cflag |= PARENB | PARODD | CMSPAR; break;
      case Parity::space: settings.c_cflag |= PARENB | CMSPAR; break;
    }
  }
  if (framing.stop_bits) {
    if (*framing.stop_bits == 2) settings.c_cflag |= CSTOPB;
    else settings.c_cflag &= ~static_cast<tcflag_t>(CSTOPB);
  }
}

Result<void> TtyStream::set_framing(const SetFraming& framing) {
  if (!before_) return {};
  apply_framing(raw_, framing);
  if (::tcsetattr(reader_, TCSADRAIN, &raw_) == 0) return {};
  if (errno != EINVAL) return system_error(errno, "the line's framing", Errc::io);
  // A pty has no data bits and parity: the kernel took what it could, and that is what we have now.
  ::tcgetattr(reader_, &raw_);
  return {};
}

void TtyStream::discard_output() {
  if (before_) ::tcflush(writer_, TCOFLUSH);
}

void TtyStream::set_corked(bool corked) {
  const int on = corked ? 1 : 0;
  ::setsockopt(writer_, IPPROTO_TCP, TCP_CORK, &on, sizeof on);
}

std::size_t TtyStream::unsent() const {
  int bytes = 0;
  return ::ioctl(writer_, TIOCOUTQ, &bytes) == 0 && bytes > 0 ? static_cast<std::size_t>(bytes) : 0;
}

Result<void> TtyStream::discard_input() {
  if (before_) {
    ::tcflush(reader_, TCIFLUSH);
    return {};
  }
  for (int i = 0; i < 1024; ++i) {
    const Result<std::string> got = read(65536);
    if (!got || got->empty()) break;
  }
  return {};
}

}  // namespace longline::sys
