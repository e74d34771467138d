// SPDX-License-Identifier: MIT
#include "modem/carrier_watch.hpp"

#include <utility>

namespace longline::modem {
namespace {

// V1 puts an empty line before a result code; it belongs to the modem like the words.
constexpr std::string_view kCarrierLost = "\r\nNO CARRIER\r\n";
constexpr std::size_t kBare = 2;

}  // namespace

bool CarrierWatch::extend(char c) {
  if (held_.empty()) {
    if (!line_start_) return false;
    matched_ = c == kCarrierLost[0] ? 0 : kBare;
  }
  if (matched_ == kCarrierLost.size() || c != kCarrierLost[matched_]) return false;
  held_ += c;
  ++matched_;
  return true;
}

std::string CarrierWatch::feed(std::string_view bytes, TimePoint now) {
  std::string out;
  for (const char c : bytes) {
    if (extend(c)) continue;
    if (!held_.empty()) {
      line_start_ = held_.back() == '\n';
      out += std::exchange(held_, {});
      if (extend(c)) continue;
    }
    out += c;
    line_start_ = c == '\n';
  }
  if (held_.empty()) deadline_.reset();
  else deadline_ = now + kSilence;
  return out;
}

CarrierWatch::Verdict CarrierWatch::on_time(TimePoint now) {
  if (!deadline_ || now < *deadline_) return Verdict::nothing;
  deadline_.reset();
  return matched_ == kCarrierLost.size() ? Verdict::lost : Verdict::released;
}

bool CarrierWatch::suspects() const { return deadline_ && matched_ == kCarrierLost.size(); }

std::string CarrierWatch::take() {
  line_start_ = !held_.empty() && held_.back() == '\n';
  return std::exchange(held_, {});
}

}  // namespace longline::modem
