// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "x400/ber.hpp"
#include "x400/or_name.hpp"

namespace longline::x400 {

/// The MTS-APDUs of P1 (X.411, 12.2 and figure 6; the 1984 protocol has the same tags). Texts are as on the wire: escape() them before they are shown.

/// A management domain's identifier.
struct GlobalDomain {
  std::string country;   ///< "" is written as "WW"
  std::string admd;      ///< "" is written as " "
  std::string prmd;      ///< "": none
  bool operator==(const GlobalDomain&) const = default;
};

/// An MTS identifier: of a message, probe or report.
struct MtsId {
  GlobalDomain domain;
  std::string local;     ///< IA5, 1…32 characters when written
  bool operator==(const MtsId&) const = default;
};

/// Content types (X.411, 8.2.1.1.1.34; X.420, 18.2).
constexpr std::int64_t kUnidentifiedContent = 0;
constexpr std::int64_t kP2Content = 2;
constexpr std::int64_t kP22Content = 22;

struct ContentType {
  std::int64_t built_in = kUnidentifiedContent;
  std::string oid{};           ///< an extended one; then built_in is not used
  bool operator==(const ContentType&) const = default;
};
/// "22 (P22)", "1.2.840.113556.4.2".
std::string to_string(const ContentType& type);

enum class P1Priority : std::int64_t { normal = 0, non_urgent = 1, urgent = 2 };

/// One management domain that the message came through.
struct TraceElement {
  GlobalDomain domain;
  WallTime arrival{};
  bool rerouted = false;                      ///< false: relayed
  std::optional<GlobalDomain> attempted{};    ///< the domain that could not be reached before
  std::optional<WallTime> deferred{};
  bool redirected = false;                    ///< other-actions, bit 0: it may come through a domain again
  bool dl_expanded = false;                   ///< bit 1, the same
  bool operator==(const TraceElement&) const = default;
};

/// One MTA that it came through: extension 38, internal trace information (X.411, 12.2.1.1.1.2).
struct InternalTraceElement {
  GlobalDomain domain;
  std::string mta;                            ///< IA5, 1…32 characters when written
  WallTime arrival{};
  bool rerouted = false;
  bool redirected = false;
  bool dl_expanded = false;
  bool operator==(const InternalTraceElement&) const = default;
};

/// An extension that we do not act on.
struct Extension {
  std::int64_t number = 0;                    ///< standard extension, unless `oid` is given
  std::string oid{};
  BitString criticality{};                    ///< bit 0 for submission, 1 for transfer, 2 for delivery
  std::string value{};                        ///< encoded element; "" the default, NULL
  bool operator==(const Extension&) const = default;
};

/// What a recipient's report requests ask for.
enum class ReportRequest { none, non_delivery, report };

struct EnvelopeRecipient {
  OrName name;
  std::int64_t number = 1;                    ///< originally specified recipient number
  bool responsible = true;                    ///< whoever gets this copy is to deliver to it
  ReportRequest mta_report = ReportRequest::non_delivery;   ///< both bits (audited) are read as report
  ReportRequest originator_report = ReportRequest::non_delivery;
  std::vector<Extension> extensions{};
  bool operator==(const EnvelopeRecipient&) const = default;
};

/// MessageTransferEnvelope.
struct MessageEnvelope {
  MtsId id;
  OrName originator;
  ContentType content_type{};
  std::string content_id{};                   ///< PrintableString, at most 16 characters when written
  P1Priority priority = P1Priority::normal;
  bool disclose_recipients = false;
  bool conversion_prohibited = true;
  bool alternate_recipient_allowed = false;
  bool return_content = false;
  std::optional<WallTime> deferred_until{};
  std::vector<EnvelopeRecipient> recipients;
  std::vector<TraceElement> trace;            ///< the oldest first
  std::vector<InternalTraceElement> internal_trace{};
  std::vector<Extension> extensions{};        ///< without the internal trace
  bool operator==(const MessageEnvelope&) const = default;
};

/// What became of one recipient.
struct ReportedRecipient {
  OrName actual;
  std::int64_t number = 1;
  ReportRequest mta_report = ReportRequest::non_delivery;
  ReportRequest originator_report = ReportRequest::non_delivery;
  WallTime arrival{};                          ///< last trace: when the message came to the reporting domain
  std::optional<WallTime> delivered{};         ///< delivery; absent: non-delivery
  std::int64_t mts_user = 0;                   ///< type of the user delivered to: public 0, private 1, …
  std::int64_t reason = 0;                     ///< non-delivery-reason-code
  std::optional<std::int64_t> diagnostic{};    ///< non-delivery-diagnostic-code
  std::optional<OrName> intended{};
  std::string supplementary{};                 ///< PrintableString, at most 256 characters when written
  bool operator==(const ReportedRecipient&) const = default;
};

struct Report {
  MtsId id;
  OrName destination;                          ///< the originator of the subject
  std::vector<TraceElement> trace;
  std::vector<InternalTraceElement> internal_trace{};
  MtsId subject;                               ///< the message that it is about
  std::optional<ContentType> content_type{};
  std::string content_id{};
  std::optional<std::string> returned_content{};
  std::vector<ReportedRecipient> recipients;
  bool operator==(const Report&) const = default;
};

/// The value of the MTSE abstract syntax that RTS transfers is EXTERNAL {indirect-reference 5, single-ASN1-type MTS-APDU} (X.419, 8.2; X.208, 36):
/// 5 is the presentation context's identifier.
constexpr std::int64_t kMtseContext = 5;

/// Everything of a message's EXTERNAL up to the first byte of its content; exactly `content_size` bytes of content follow, and nothing behind them.
std::string message_prefix(const MessageEnvelope& envelope, std::uint64_t content_size);
/// A report's EXTERNAL.
std::string encode_report(const Report& report);

/// MessageTransferEnvelope and Report, without what is around them. Errc::malformed. Unknown fields are skipped.
Result<MessageEnvelope> read_envelope(const BerElement& set);
Result<Report> read_report(const BerElement& sequence);

}  // namespace longline::x400
