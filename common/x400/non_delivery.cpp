// SPDX-License-Identifier: MIT
#include "x400/non_delivery.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace longline::x400 {
namespace {

constexpr std::array<std::string_view, 9> kReasons = {"transfer failure",
                                                      "unable to transfer",
                                                      "conversion not performed",
                                                      "physical rendition not performed",
                                                      "physical delivery not performed",
                                                      "restricted delivery",
                                                      "the directory could not be asked",
                                                      "deferred delivery not performed",
                                                      "transfer failure for reasons of security"};
constexpr std::array<std::string_view, 9> kReasonStatus = {"5.0.0", "5.4.0", "5.6.3", "5.6.3", "5.2.0", "5.7.1", "5.4.3", "5.3.3", "5.7.0"};
constexpr std::int64_t kUnableToTransfer = 1, kConversion = 2, kRestrictedRecipient = 5, kSecurity = 8;

struct DiagnosticMeaning {
  std::int64_t number;
  std::string_view status;
  std::string_view text;
};
constexpr std::array kDiagnostics = {
    DiagnosticMeaning{0, "5.1.1", "the O/R name is not known"},
    DiagnosticMeaning{1, "5.1.4", "the O/R name is ambiguous"},
    DiagnosticMeaning{2, "5.4.5", "the message transfer system is congested"},
    DiagnosticMeaning{3, "5.4.6", "a loop was detected"},
    DiagnosticMeaning{4, "5.2.1", "the recipient is not available"},
    DiagnosticMeaning{5, "5.4.7", "the time for delivery is over"},
    DiagnosticMeaning{6, "5.6.1", "the encoded information types are not supported"},
    DiagnosticMeaning{7, "5.2.3", "the content is too long"},
    DiagnosticMeaning{8, "5.6.3", "conversion is impractical"},
    DiagnosticMeaning{9, "5.6.3", "conversion is prohibited"},
    DiagnosticMeaning{10, "5.6.3", "conversion is not subscribed"},
    DiagnosticMeaning{11, "5.5.4", "invalid arguments"},
    DiagnosticMeaning{12, "5.6.0", "the content's syntax is wrong"},
    DiagnosticMeaning{13, "5.5.4", "a size constraint was violated"},
    DiagnosticMeaning{14, "5.5.0", "the protocol was violated"},
    DiagnosticMeaning{15, "5.6.1", "the content type is not supported"},
    DiagnosticMeaning{16, "5.5.3", "too many recipients"},
    DiagnosticMeaning{17, "5.7.1", "there is no bilateral agreement"},
    DiagnosticMeaning{18, "5.3.3", "a critical function is not supported"},
    DiagnosticMeaning{19, "5.6.5", "conversion with loss is prohibited"},
    DiagnosticMeaning{20, "5.6.0", "a line is too long"},
    DiagnosticMeaning{21, "5.6.0", "a page was split"},
    DiagnosticMeaning{22, "5.6.5", "pictorial symbols would be lost"},
    DiagnosticMeaning{23, "5.6.5", "punctuation would be lost"},
    DiagnosticMeaning{24, "5.6.5", "letters would be lost"},
    DiagnosticMeaning{25, "5.6.5", "information would be lost"},
    DiagnosticMeaning{26, "5.7.1", "reassignment of the recipient is prohibited"},
    DiagnosticMeaning{27, "5.4.6", "a redirection loop was detected"},
    DiagnosticMeaning{28, "5.7.2", "expansion of a distribution list is prohibited"},
    DiagnosticMeaning{29, "5.7.2", "no permission to submit to the distribution list"},
    DiagnosticMeaning{30, "5.2.4", "the distribution list could not be expanded"},
    DiagnosticMeaning{35, "5.1.1", "the recipient is not known"},
    DiagnosticMeaning{38, "5.2.1", "the recipient refused to accept it"},
    DiagnosticMeaning{40, "5.1.6", "the recipient's address has changed"},
    DiagnosticMeaning{41, "5.1.6", "the recipient's address has changed for a time"},
    DiagnosticMeaning{43, "5.1.6", "the recipient's new address is not known"},
    DiagnosticMeaning{46, "5.7.5", "secure messaging failed"},
    DiagnosticMeaning{47, "5.6.3", "it could not be downgraded"},
};

const DiagnosticMeaning* known(const NonDelivery& code) {
  if (!code.diagnostic) return nullptr;
  const auto found = std::find_if(kDiagnostics.begin(), kDiagnostics.end(), [&](const DiagnosticMeaning& d) { return d.number == *code.diagnostic; });
  return found == kDiagnostics.end() ? nullptr : &*found;
}

bool has_reason(const NonDelivery& code) { return code.reason >= 0 && code.reason < static_cast<std::int64_t>(kReasons.size()); }

struct StatusRow {
  std::string_view status;   ///< without its class
  NonDelivery code;
};
constexpr std::array kStatuses = {
    StatusRow{".1.0", {kUnableToTransfer, 0}},   StatusRow{".1.1", {kUnableToTransfer, 0}},  StatusRow{".1.2", {kUnableToTransfer, 0}},
    StatusRow{".1.3", {kUnableToTransfer, 0}},   StatusRow{".1.4", {kUnableToTransfer, 1}},  StatusRow{".1.6", {kUnableToTransfer, 43}},
    StatusRow{".2.1", {kUnableToTransfer, 4}},   StatusRow{".2.2", {kUnableToTransfer, 4}},  StatusRow{".2.3", {kUnableToTransfer, 7}},
    StatusRow{".2.4", {kUnableToTransfer, 30}},  StatusRow{".3.3", {kUnableToTransfer, 18}}, StatusRow{".3.4", {kUnableToTransfer, 7}},
    StatusRow{".4.5", {kUnableToTransfer, 2}},   StatusRow{".4.6", {kUnableToTransfer, 3}},  StatusRow{".4.7", {kUnableToTransfer, 5}},
    StatusRow{".5.3", {kUnableToTransfer, 16}},  StatusRow{".5.4", {kUnableToTransfer, 11}}, StatusRow{".6.0", {kUnableToTransfer, 12}},
    StatusRow{".6.1", {kUnableToTransfer, 15}},  StatusRow{".6.3", {kConversion, 8}},        StatusRow{".6.5", {kConversion, 19}},
    StatusRow{".7.1", {kRestrictedRecipient, std::nullopt}}, StatusRow{".7.2", {kRestrictedRecipient, 29}},    StatusRow{".7.0", {kSecurity, std::nullopt}},
};

}  // namespace

std::string non_delivery_text(const NonDelivery& code) {
  std::string out = has_reason(code) ? std::string(kReasons[static_cast<std::size_t>(code.reason)]) : fmt::format("reason {}", code.reason);
  if (const DiagnosticMeaning* diagnostic = known(code)) return out + ": " + std::string(diagnostic->text);
  return code.diagnostic ? out + fmt::format(": diagnostic {}", *code.diagnostic) : out;
}

std::string_view enhanced_status(const NonDelivery& code) {
  if (const DiagnosticMeaning* diagnostic = known(code)) return diagnostic->status;
  return has_reason(code) ? kReasonStatus[static_cast<std::size_t>(code.reason)] : "5.0.0";
}

NonDelivery from_enhanced_status(std::string_view status) {
  const std::size_t dot = status.find('.');
  if (dot == std::string_view::npos) return {};
  const auto found = std::find_if(kStatuses.begin(), kStatuses.end(), [&](const StatusRow& row) { return row.status == status.substr(dot); });
  return found == kStatuses.end() ? NonDelivery() : found->code;
}

}  // namespace longline::x400
