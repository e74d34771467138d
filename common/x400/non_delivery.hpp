// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace longline::x400 {

/// Reason and diagnostic codes of a non-delivery report (X.411, 8.3.1.2.1.10 and .11).
struct NonDelivery {
  std::int64_t reason = 0;
  std::optional<std::int64_t> diagnostic{};
  bool operator==(const NonDelivery&) const = default;
};

/// "unable to transfer: the O/R name is not known"; numbers that are not known are said as numbers.
std::string non_delivery_text(const NonDelivery& code);
/// An enhanced status (RFC 3463) of the same meaning, class 5: "5.1.1".
std::string_view enhanced_status(const NonDelivery& code);
/// The other way, for what our side says; without or with an unknown status: transfer failure, no diagnostic.
NonDelivery from_enhanced_status(std::string_view status);

}  // namespace longline::x400
