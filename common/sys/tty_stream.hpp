// SPDX-License-Identifier: MIT
#pragma once

#include <termios.h>

#include <optional>
#include <string>

#include "sys/byte_stream.hpp"
#include "sys/unique_fd.hpp"

namespace longline::sys {

/// A pty, or any descriptors that are already open (stdin and stdout; a Unix or TCP socket). Terminals are put into
/// raw mode and get their old settings back at the end. DTR of a pty is its speed: B0 hangs up (POSIX, tcsetattr).
class TtyStream : public ByteStream {
 public:
  /// Errc::no_device when there is no such file, not_a_tty when it is something else, port_in_use when another process
  /// holds it exclusively.
  static Result<std::unique_ptr<TtyStream>> open(const std::string& path);
  enum class Settings {
    raw,
    as_chat,   ///< what chat(8) changes, and nothing else: pppd has set the rest (CLOCAL, flow control)
  };
  /// Takes over descriptors that somebody else owns; `writer` may equal `reader`.
  static Result<std::unique_ptr<TtyStream>> borrow(int reader, int writer, Settings settings = Settings::raw);
  static Result<std::unique_ptr<TtyStream>> adopt(UniqueFd fd);
  ~TtyStream() override;
  /// Gives borrowed descriptors their old settings back before the end does. Errc::io where the terminal is gone.
  Result<void> give_back();

  int read_fd() const override { return reader_; }
  int write_fd() const override { return writer_; }
  Result<std::string> read(std::size_t most) override;
  Result<std::size_t> write(std::string_view bytes) override;
  Result<void> set_dtr(bool on) override;
  Result<void> send_break() override;
  Result<void> set_framing(const SetFraming& framing) override;
  Result<void> discard_input() override;
  void discard_output() override;
  void set_corked(bool corked) override;
  std::size_t unsent() const override;

 private:
  TtyStream() = default;
  Result<void> prepare(Settings settings);
  UniqueFd owned_;
  int reader_ = -1;
  int writer_ = -1;
  int reader_flags_ = 0;
  int writer_flags_ = 0;
  std::optional<termios> before_;
  termios raw_{};
};

/// Data bits, parity and stop bits in a termios.
void apply_framing(termios& settings, const SetFraming& framing);

}  // namespace longline::sys
