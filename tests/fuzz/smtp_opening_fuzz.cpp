// SPDX-License-Identifier: MIT
// A hostile server before the first command: whatever it says, the opening ends once, the password leaves only in writes that are
// marked as secret and only where that is allowed, and no error holds it. Byte 0: options; byte 1: how the replies are cut. In the
// input a NUL lets a minute pass, and 0x01 ends a TLS handshake well, 0x02 badly, where one is under way.
#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/base64.hpp"
#include "mail/smtp_opening.hpp"

using namespace longline;
using namespace longline::mail;

namespace {

constexpr const char* kPassword = "Pq7!xyzzy";

struct Driver {
  SmtpOpening& machine;
  bool clear_allowed;
  bool encrypted;
  bool has_login;
  bool handshake = false;
  int opened = 0, failed = 0, writes = 0;

  void drain() {
    while (auto action = machine.next_action()) {
      assert(opened + failed == 0);
      if (const auto* write = std::get_if<Write>(&*action)) {
        ++writes;
        assert(write->bytes.ends_with("\r\n") && write->bytes.size() < 4096);
        const bool shows = write->bytes.find(to_base64(kPassword)) != std::string::npos ||
                           write->bytes.find(to_base64(std::string("\0site7\0", 7) + kPassword)) != std::string::npos;
        assert(!shows || (write->secret && (encrypted || clear_allowed)));
        assert(write->bytes.find(kPassword) == std::string::npos);
      } else if (std::holds_alternative<StartTls>(*action)) {
        assert(!encrypted && !handshake);
        handshake = true;
      } else if (const auto* open = std::get_if<SmtpOpened>(&*action)) {
        ++opened;
        assert(open->peer.secure == encrypted);
      } else {
        ++failed;
        const Error& error = std::get<SmtpNotOpened>(*action).error;
        assert(error.what.size() < 1500 && (!has_login || error.what.find(kPassword) == std::string::npos));
        assert(error.what.find_first_of("\r\n\x1B") == std::string::npos);
      }
    }
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  SmtpOpeningOptions options;
  options.helo = "here.example";
  options.starttls = static_cast<StartTlsUse>(data[0] % 3);
  options.encrypted = (data[0] & 4) != 0;
  options.peer_name = (data[0] & 8) != 0 ? "far.example" : "";
  options.skip_before_greeting = (data[0] & 16) != 0 ? 100 : 0;
  if ((data[0] & 32) != 0) {
    options.login = SmtpLogin{"site7", Secret(kPassword), (data[0] & 64) != 0, {}};
    if ((data[0] & 128) != 0) options.login->hmac_md5 = [](std::string_view, std::string_view text) { return std::string(16, text.empty() ? 'a' : 'b'); };
  }
  SmtpOpening machine(options);
  Driver driver{machine, (data[0] & 64) != 0, options.encrypted, options.login.has_value()};
  TimePoint now{};
  machine.start(now);
  const std::size_t piece = data[1] % 32 + 1u;
  std::string_view rest(reinterpret_cast<const char*>(data + 2), size - 2);
  while (!rest.empty()) {
    const char first = rest.front();
    if (first == '\0') {
      now += std::chrono::minutes(1);
      machine.on_time(now);
      rest.remove_prefix(1);
    } else if (driver.handshake && (first == '\1' || first == '\2')) {
      driver.handshake = false;
      driver.encrypted = first == '\1';
      if (first == '\1') machine.on_secured(now);
      else machine.on_tls_failed(Error(Errc::protocol, "TLS: no"), now);
      rest.remove_prefix(1);
    } else {
      const std::string_view bytes = rest.substr(0, std::min(piece, std::max<std::size_t>(1, rest.find('\0'))));
      machine.on_bytes(bytes, now);
      rest.remove_prefix(bytes.size());
    }
    driver.drain();
  }
  for (int i = 0; i < 100 && machine.deadline(); ++i) {
    now = *machine.deadline();
    machine.on_time(now);
    driver.drain();
  }
  assert(driver.opened + driver.failed == 1 && !machine.deadline() && driver.writes < 200);
  return 0;
}
