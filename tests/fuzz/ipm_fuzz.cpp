// SPDX-License-Identifier: MIT
// First byte even: a hostile interpersonal message, which becomes mail in stored form or an error. Odd: a message, which comes back as it was.
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "mail/message.hpp"
#include "x400/ipm.hpp"
#include "x400/p1_reader.hpp"

using namespace longline;
using namespace longline::x400;

namespace {

const AddressMapping kMapping{"WW", " ", "", "gate.example"};

std::string stored_form(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r')) out += '\r';
    out += text[i];
  }
  return out.ends_with("\r\n") ? out : out + "\r\n";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data + 1), size - 1);
  MessageEnvelope envelope;
  envelope.originator.person.surname = "Smith";
  envelope.trace.resize(1);
  if (data[0] % 2 == 1) {
    const std::string stored = stored_form(input);
    const IpmLayout layout = layout_ipm(stored, "jo@site7.example", kMapping);
    const std::string content = layout.before + stored.substr(layout.from, layout.size) + layout.after;
    const auto back = mail_from_ipm(content, envelope, kMapping, "u");
    assert(back && *back == stored);
    return 0;
  }
  const auto mail = mail_from_ipm(input, envelope, kMapping, "u");
  if (!mail) return 0;
  assert(mail->ends_with("\r\n"));
  for (std::size_t i = 0; i < mail->size(); ++i) assert((*mail)[i] != '\n' || (i > 0 && (*mail)[i - 1] == '\r'));
  const auto again = mail_from_ipm(input, envelope, kMapping, "u");
  assert(again && *again == *mail);
  return 0;
}
