// SPDX-License-Identifier: MIT
// A batch in two different chunkings is judged alike; what was taken can be written and comes back the same.
#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "mail/batch_smtp.hpp"

using namespace longline;

namespace {

struct Read {
  std::vector<mail::Deliver> messages;
  bool good = false;
};

Read read(std::string_view text, std::size_t piece) {
  Read out;
  mail::SmtpServerOptions options;
  options.host = "h.example";
  options.local_domains = {"*"};
  options.size_limit = 100'000;
  mail::BatchReader reader(options, [&](mail::Deliver&& message) -> Result<std::string> {
    out.messages.push_back(std::move(message));
    return std::string("id");
  });
  for (std::size_t i = 0; i < text.size(); i += piece) reader.feed(text.substr(i, piece));
  out.good = reader.finish().has_value();
  assert(reader.taken() == static_cast<std::int64_t>(out.messages.size()));
  return out;
}

// BDAT carries a bare CR, and DATA, in which a batch is written, is refused with one.
bool has_bare_cr(const mail::Deliver& message) {
  const std::string_view text = message.content;
  for (std::size_t at = text.find('\r'); at != std::string_view::npos; at = text.find('\r', at + 1)) {
    if (at + 1 == text.size() || text[at + 1] != '\n') return true;
  }
  return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  const Read whole = read(text, text.size() + 1);
  const Read pieces = read(text, data[0] % 16 + 1u);
  assert(whole.good == pieces.good && whole.messages.size() == pieces.messages.size());
  mail::BatchWriter writer;
  std::string again = writer.begin("h.example");
  for (std::size_t i = 0; i < whole.messages.size(); ++i) {
    const mail::Deliver& message = whole.messages[i];
    assert(message.content == pieces.messages[i].content && message.recipients == pieces.messages[i].recipients);
    assert(!message.recipients.empty());
    again += writer.envelope(message.sender, message.recipients, message.eight_bit) + writer.body(message.content) + writer.end_message();
  }
  again += writer.end();
  const Read second = read(again, again.size() + 1);
  if (whole.messages.empty() || std::any_of(whole.messages.begin(), whole.messages.end(), has_bare_cr)) return 0;
  assert(second.messages.size() == whole.messages.size());
  for (std::size_t i = 0; i < whole.messages.size(); ++i) {
    assert(second.messages[i].content.ends_with(whole.messages[i].content));
    assert(second.messages[i].sender == whole.messages[i].sender && second.messages[i].recipients == whole.messages[i].recipients);
  }
  return 0;
}
