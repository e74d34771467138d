// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "x400/ipm.hpp"

namespace longline::x400 {

/// A MIME entity: fields about its body, each with CRLF, and the body in stored form.
struct Entity {
  std::string fields;
  std::string body;
};

/// Text of UTF-8 (or, where it is not that, ISO 8859-1): line ends become CRLF; quoted-printable where it has 8-bit bytes or long lines.
Entity text_entity(std::string_view text);
/// application/octet-stream in base64. `name`: for the file; `description`: what it was in X.400; either may be "".
Entity attachment(std::string_view bytes, std::string_view name, std::string_view description);
/// One alone as it is, several as multipart/mixed.
Entity join_entities(std::vector<Entity> parts, std::string_view boundary);

/// Body parts of interpersonal messages (X.420, 7.3 and 7.4) as MIME entities; at most 1000, with those of forwarded messages.
class BodyParts {
 public:
  BodyParts(const AddressMapping& mapping, std::string_view unique) : mapping_(mapping), unique_(unique) {}

  /// The message that an IPM's heading and body make; `extra`: fields for its header, each with CRLF, before the heading's. Errc::malformed.
  Result<std::string> message(const std::vector<BerElement>& ipm, const std::string& extra, int depth);

 private:
  Result<Entity> part(const BerElement& element, int depth);
  Result<Entity> extended(const BerElement& element, int depth);
  Result<Entity> forwarded(const BerElement& ipm, int depth);
  std::string boundary();

  const AddressMapping& mapping_;
  std::string unique_;
  int boundaries_ = 0;
  std::size_t parts_ = 0;   ///< so far, of all messages
};

/// A heading's fields in RFC 5322 (RFC 2156, 4.7): each with CRLF, in seven bits.
std::string heading_fields(const IpmHeading& heading, const AddressMapping& mapping);
/// "<id@host>": what was one before stays one, others are made of the identifier and its user.
std::string message_id_of(const IpmId& id, const AddressMapping& mapping);
/// An address for a field; "" where there is none.
std::string person_text(const OrDescriptor& person, const AddressMapping& mapping);
/// One line without control characters, at most 900 bytes.
std::string field_text(std::string_view text);

/// The message that layout_ipm() was given; nullopt: the body is not one of ours.
std::optional<std::string> own_message(const std::vector<BerElement>& body);

}  // namespace longline::x400
