// SPDX-License-Identifier: MIT
// A hostile peer's transfer, in two chunkings: the same envelope or report and content, or the same refusal; and what is read is written again.
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "x400/outgoing_envelope.hpp"
#include "x400/p1_reader.hpp"
#include "x400/report_mail.hpp"

using namespace longline;
using namespace longline::x400;

namespace {

const AddressMapping kMapping{"WW", " ", "", "gate.example"};
const OurMta kOurs{{"WW", " ", ""}, "HUB"};

struct Seen {
  std::string error;
  std::string content;
  std::optional<MessageEnvelope> message{};
  std::optional<Report> report{};
  bool operator==(const Seen&) const = default;
};

Seen read(std::string_view input, std::size_t piece) {
  P1Reader reader;
  Seen out;
  for (std::size_t i = 0; i < input.size() && out.error.empty(); i += piece) {
    if (const auto fed = reader.feed(input.substr(i, piece)); !fed) out.error = to_string(fed.error().code);
    out.content += reader.take_content();
  }
  if (out.error.empty()) {
    if (const auto end = reader.finish(); !end) out.error = to_string(end.error().code);
  }
  assert(out.content.size() <= input.size());
  if (!out.error.empty()) return {out.error, "", {}, {}};
  if (reader.message() != nullptr) out.message = *reader.message();
  if (reader.report() != nullptr) out.report = *reader.report();
  assert(out.message.has_value() != out.report.has_value());
  return out;
}

void look_at(const MessageEnvelope& message, const std::string& content) {
  (void)find_loop(message.trace, message.internal_trace, kOurs, 30);
  (void)find_unsupported(message.extensions);
  (void)to_mailbox(message.originator, kMapping);
  std::vector<DeliveryOutcome> outcomes;
  for (const EnvelopeRecipient& recipient : message.recipients) outcomes.push_back({recipient.number, false, {}, "5.1.1", "no"});
  if (outcomes.size() < 100) (void)make_report(message, outcomes, kOurs, {kOurs.domain, "R"}, WallTime{});
  const auto again = read_transfer(message_prefix(message, content.size()) + content);
  assert(again && again->message && again->content == content);
  // Once written, it stays as it is.
  const auto third = read_transfer(message_prefix(*again->message, content.size()) + content);
  assert(third && third->message == again->message);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data + 1), size - 1);
  const Seen whole = read(input, input.size() + 1);
  const Seen pieces = read(input, data[0] % 16 + 1u);
  assert(whole == pieces);
  if (whole.message) look_at(*whole.message, whole.content);
  if (whole.report) {
    (void)read_news(*whole.report, kMapping, "HUB", "gate.example", "u", WallTime{});
    const auto again = read_transfer(encode_report(*whole.report));
    assert(again && again->report);
    const auto third = read_transfer(encode_report(*again->report));
    assert(third && third->report == again->report);
  }
  return 0;
}
