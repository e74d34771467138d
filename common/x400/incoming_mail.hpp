// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "config/config.hpp"
#include "mail/queue.hpp"
#include "x400/or_name_mapping.hpp"
#include "x400/p1_trace.hpp"

namespace longline::x400 {

/// What we are to the peer of a connector. `host`: our mail name, which is the MTA's where the connector has none; what is beyond 32 characters of it
/// is left out.
OurMta our_mta(const config::Connector& connector, const std::string& host);
AddressMapping address_mapping(const config::Connector& connector, const std::string& host);

/// An envelope that came, in the Internet's words.
struct IncomingMail {
  struct Recipient {
    std::int64_t number = 1;              ///< EnvelopeRecipient::number
    std::string mailbox;                  ///< "" where it cannot be one
    std::string why{};                    ///< then: why not, escaped
  };
  std::string sender;
  std::vector<Recipient> recipients;      ///< those that this copy is for; at least one
  int priority = mail::kNormal;
  mail::DsnWishes wishes{};
};
/// Errc::malformed: the originator has no Internet address. Errc::refused: it is for nobody here, has been here before, or has to be treated in a way that
/// we do not know.
Result<IncomingMail> read_incoming(const MessageEnvelope& envelope, const OurMta& ours, const AddressMapping& mapping);

/// What the queue holds (mail/message.hpp): lines that end in LF get a CR, the last line gets an end. Of a message that is in stored form nothing changes.
std::string in_stored_form(std::string content);

}  // namespace longline::x400
