// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/machine.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"

namespace longline::mail {

/// What we log in with.
struct SmtpLogin {
  std::string user;
  Secret password;
  bool allow_clear = false;   ///< PLAIN and LOGIN also where the line is not encrypted
  /// HMAC-MD5 (RFC 2104) of a text, 16 bytes, or "" when it cannot be done; absent: CRAM-MD5 is not known.
  std::function<std::string(std::string_view key, std::string_view text)> hmac_md5{};
};

/// Weakest first. CRAM-MD5 (RFC 2195) does not show the password; PLAIN (RFC 4616) takes one round trip, LOGIN three.
enum class AuthMechanism { login, plain, cram_md5 };
std::string_view to_string(AuthMechanism mechanism);   ///< "CRAM-MD5"

/// The strongest that both know. `announced` as in SmtpPeer::auth. `encrypted`: nobody else can read the line.
std::optional<AuthMechanism> strongest_mechanism(const std::vector<std::string>& announced, const SmtpLogin& login, bool encrypted,
                                                 const std::vector<AuthMechanism>& except = {});

/// Everything in which the password may come back in a peer's words: for masks.
std::vector<Secret> login_secrets(const SmtpLogin& login);

/// One AUTH exchange (RFC 4954) from our side. The bytes of each Write are a line.
class AuthExchange {
 public:
  AuthExchange(AuthMechanism mechanism, const SmtpLogin& login) : mechanism_(mechanism), login_(login) {}
  AuthMechanism mechanism() const { return mechanism_; }
  Write first();
  /// The line for a 334, whose text is `challenge`. Errc::protocol: the peer asks more than the mechanism has, or nonsense; then
  /// "*" cancels the exchange.
  Result<Write> answer(std::string_view challenge);

 private:
  std::string plain() const;
  AuthMechanism mechanism_;
  SmtpLogin login_;
  int answered_ = 0;
};

}  // namespace longline::mail
