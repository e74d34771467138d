// SPDX-License-Identifier: MIT
#include "mail/smtp_auth.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/base64.hpp"

namespace longline::mail {
namespace {

constexpr std::size_t kLongestAuthCommand = 510;      // RFC 5321, 4.5.3.1.4, without CRLF
constexpr std::size_t kLongestChallenge = 2048;

constexpr std::array kStrongestFirst = {AuthMechanism::cram_md5, AuthMechanism::plain, AuthMechanism::login};

std::string hexadecimal(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return out;
}

Write secret_line(std::string_view text) { return Write{std::string(text) + "\r\n", true}; }

}  // namespace

std::string_view to_string(AuthMechanism mechanism) {
  switch (mechanism) {
    case AuthMechanism::cram_md5: return "CRAM-MD5";
    case AuthMechanism::plain: return "PLAIN";
    case AuthMechanism::login: break;
  }
  return "LOGIN";
}

std::optional<AuthMechanism> strongest_mechanism(const std::vector<std::string>& announced, const SmtpLogin& login, bool encrypted,
                                                 const std::vector<AuthMechanism>& except) {
  for (const AuthMechanism mechanism : kStrongestFirst) {
    const bool known = std::find(announced.begin(), announced.end(), to_string(mechanism)) != announced.end();
    const bool tried = std::find(except.begin(), except.end(), mechanism) != except.end();
    const bool fit = mechanism == AuthMechanism::cram_md5 ? static_cast<bool>(login.hmac_md5) : encrypted || login.allow_clear;
    if (known && fit && !tried) return mechanism;
  }
  return std::nullopt;
}

std::vector<Secret> login_secrets(const SmtpLogin& login) {
  const std::string& password = login.password.reveal();
  std::vector<Secret> secrets;
  secrets.emplace_back(password);
  secrets.emplace_back(to_base64(password));
  secrets.emplace_back(to_base64(std::string(1, '\0') + login.user + '\0' + password));
  return secrets;
}

std::string AuthExchange::plain() const {
  return to_base64(std::string(1, '\0') + login_.user + '\0' + login_.password.reveal());
}

Write AuthExchange::first() {
  const std::string command = fmt::format("AUTH {}", to_string(mechanism_));
  if (mechanism_ != AuthMechanism::plain) return Write{command + "\r\n"};
  const std::string whole = command + " " + plain();
  if (whole.size() > kLongestAuthCommand) return Write{command + "\r\n"};
  answered_ = 1;
  return secret_line(whole);
}

Result<Write> AuthExchange::answer(std::string_view challenge) {
  const int round = answered_++;
  const int most = mechanism_ == AuthMechanism::login ? 2 : 1;
  if (round >= most) return Error(Errc::protocol, fmt::format("the peer asks for more than AUTH {} has", to_string(mechanism_)), Stage::auth);
  switch (mechanism_) {
    case AuthMechanism::plain: return secret_line(plain());
    case AuthMechanism::login: return secret_line(to_base64(round == 0 ? login_.user : login_.password.reveal()));
    case AuthMechanism::cram_md5: break;
  }
  const auto text = challenge.size() <= kLongestChallenge ? from_base64(challenge) : std::nullopt;
  if (!text || text->empty()) return Error(Errc::protocol, "the peer's challenge for CRAM-MD5 is not base64", Stage::auth);
  const std::string digest = login_.hmac_md5(login_.password.reveal(), *text);
  if (digest.empty()) return Error(Errc::os, "this system cannot compute MD5, which CRAM-MD5 needs", Stage::auth);
  return secret_line(to_base64(login_.user + " " + hexadecimal(digest)));
}

}  // namespace longline::mail
