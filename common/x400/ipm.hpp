// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "x400/or_name_mapping.hpp"
#include "x400/p1.hpp"

namespace longline::x400 {

/// Interpersonal messages (X.420; the 1984 form, P2, has the same tags), mapped to RFC 5322 and back (RFC 2156).

/// IPM identifier.
struct IpmId {
  std::optional<OrName> user{};
  std::string local;            ///< PrintableString, at most 64 characters when written
  bool operator==(const IpmId&) const = default;
};

struct OrDescriptor {
  std::optional<OrName> name{};
  std::string free_form{};      ///< UTF-8
  bool operator==(const OrDescriptor&) const = default;
};

enum class Importance : std::int64_t { low = 0, normal = 1, high = 2 };
/// As on the wire; 0: none.
enum class Sensitivity : std::int64_t { none = 0, personal = 1, confidential = 2, company = 3 };

struct IpmHeading {
  IpmId id;
  std::optional<OrDescriptor> originator{};
  std::vector<OrDescriptor> authorizing{}, primary{}, copy{}, blind_copy{}, reply_to{};
  std::optional<IpmId> replied_to{};
  std::vector<IpmId> obsoleted{}, related{};
  std::string subject{};        ///< UTF-8
  std::optional<WallTime> expiry{}, reply_by{};
  Importance importance = Importance::normal;
  Sensitivity sensitivity = Sensitivity::none;
  bool auto_forwarded = false;
  bool operator==(const IpmHeading&) const = default;
};

void write_heading(BerWriter& w, const IpmHeading& heading);
Result<IpmHeading> read_heading(const BerElement& set);

/// The content of type 22 for a message in stored form: `before`, then `size` bytes of the message from `from` on, then `after`.
struct IpmLayout {
  std::string before;
  std::uint64_t from = 0;
  std::uint64_t size = 0;
  std::string after;
};

/// Plain text in ASCII becomes an IA5Text body part, its header a bilaterally-defined one ([14]) behind it. Everything else goes whole as a
/// bilaterally-defined part, behind an IA5Text part with the start of its text for those who cannot read it. mail_from_ipm() makes the same bytes of
/// both again. `sender`: of the envelope, for a message without From.
IpmLayout layout_ipm(std::string_view stored, std::string_view sender, const AddressMapping& mapping);

/// A message in stored form of the content of type 2 or 22. One that layout_ipm() made comes back byte by byte; any other gets a header of its heading
/// and its envelope's trace (X400-Received, X400-MTS-Identifier; RFC 2156, 4.7 and 2.3.1), IA5, teletex and general text as text/plain,
/// forwarded messages as message/rfc822, other parts as attachments. A notification (IPN) becomes a text that says what it says.
/// `unique`: random letters and digits, for boundaries. Errc::malformed.
Result<std::string> mail_from_ipm(std::string_view content, const MessageEnvelope& envelope, const AddressMapping& mapping, std::string_view unique);

}  // namespace longline::x400
