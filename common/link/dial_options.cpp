// SPDX-License-Identifier: MIT
#include "link/dial_options.hpp"

namespace longline::link {

modem::DialOptions dial_options_of(const config::Link& link, const std::string& number) {
  modem::DialOptions options{link.init, link.dial, number, link.dial_timeout, !link.reset_command.empty()};
  if (link.modem == config::ModemKind::gsm) {
    options.gsm = modem::GsmOptions{number, link.apn, link.registration_timeout, link.roaming};
  }
  return options;
}

}  // namespace longline::link
