// SPDX-License-Identifier: MIT
#pragma once

#include "x400/p1.hpp"

namespace longline::x400::p1 {

/// Fields that messages and reports share (X.411, figures 2 and 6). Readers: Errc::malformed.

constexpr Tag kMtsId = application(4);
constexpr Tag kEncodedInformationTypes = application(5);
constexpr Tag kContentType = application(6);
constexpr Tag kPriority = application(7);
constexpr Tag kIndicators = application(8);
constexpr Tag kTrace = application(9);
constexpr Tag kContentId = application(10);

constexpr std::size_t kLongestContentId = 64;
constexpr std::size_t kContentIdBound = 16;   // ub-content-id-length
constexpr std::size_t kLongestLocalId = 32;   // ub-local-id-length

void write_domain(BerWriter& w, const GlobalDomain& domain);
Result<GlobalDomain> read_domain(const BerElement& element);

void write_id(BerWriter& w, const MtsId& id);
Result<MtsId> read_id(const BerElement& element);

void write_content_type(BerWriter& w, const ContentType& type);
/// nullopt: neither form is among the fields.
Result<std::optional<ContentType>> read_content_type(const std::vector<BerElement>& fields);

void write_trace(BerWriter& w, const std::vector<TraceElement>& trace);
Result<std::vector<TraceElement>> read_trace(const BerElement& element);

/// SET OF ExtensionField under `tag`; nothing if there are none.
void write_extensions(BerWriter& w, Tag tag, const std::vector<Extension>& extensions, const std::vector<InternalTraceElement>& internal_trace);
Result<void> read_extensions(const BerElement& element, std::vector<Extension>& extensions, std::vector<InternalTraceElement>* internal_trace);

/// Bits 1 to 4 of the per-recipient indicators, and bit 0.
BitString recipient_indicators(bool responsible, ReportRequest mta, ReportRequest originator);
void take_indicators(const BitString& bits, bool* responsible, ReportRequest& mta, ReportRequest& originator);

/// The elements of the field that has the recipients: 1 to 32,767 (ub-recipients). `whose`, for the error: "an envelope".
Result<std::vector<BerElement>> recipients_in(const std::vector<BerElement>& fields, Tag tag, std::string_view whose);

/// A text bounded to `most` characters; what the string type cannot hold becomes "?" (PrintableString) or is dropped to seven bits (IA5).
std::string printable(std::string_view text, std::size_t most);
std::string ia5(std::string_view text, std::size_t most);
/// A string of the wire, at most `most` bytes.
Result<std::string> short_text(const BerElement& element, std::size_t most);

/// EXTERNAL {5, MTS-APDU} around an APDU whose own elements have `length` bytes: the headers alone.
void write_wrapper(BerWriter& w, Tag apdu, std::uint64_t length);

}  // namespace longline::x400::p1
