// SPDX-License-Identifier: MIT
// Submissions in two different chunkings give the same message, in stored form; its seven-bit copy has seven bits.
#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "mail/dsn.hpp"
#include "mail/message.hpp"
#include "mail/mime.hpp"

using namespace longline;

namespace {

Result<mail::StoredMessage> build(std::string_view raw, std::uint8_t flags, std::size_t piece) {
  mail::SubmissionDefaults defaults;
  defaults.sender = "a@b.example";
  defaults.host = "b.example";
  defaults.unique = "u";
  defaults.recipients_from_header = (flags & 1) != 0;
  defaults.dot_ends = (flags & 2) != 0;
  mail::MessageBuilder builder(defaults);
  for (std::size_t i = 0; i < raw.size(); i += piece) builder.feed(raw.substr(i, piece));
  return builder.finish();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view raw(reinterpret_cast<const char*>(data + 2), size - 2);
  const auto whole = build(raw, data[0], raw.size() + 1);
  const auto pieces = build(raw, data[0], data[1] % 16 + 1u);
  assert(whole.has_value() == pieces.has_value());
  if (!whole) return 0;
  assert(whole->content == pieces->content);
  const std::string& content = whole->content;
  assert(content.ends_with("\r\n"));
  for (std::size_t i = 0; i < content.size(); ++i) assert(content[i] != '\n' || (i > 0 && content[i - 1] == '\r'));
  assert(mail::header_field(content, "Date") && mail::header_field(content, "From"));

  const auto high = [](char c) { return static_cast<unsigned char>(c) >= 0x80; };
  if (const auto seven = mail::to_seven_bit(content)) assert(std::none_of(seven->begin(), seven->end(), high));
  mail::DsnRequest request;
  request.original_sender = "a@b.example";
  request.original_content = content;
  request.failed = {{"c@d.example", 550, "5.1.1", "no", "d.example"}};
  request.host = "b.example";
  request.unique = "v";
  const auto dsn = mail::make_dsn(request);
  assert(dsn && dsn->content.ends_with("--=_v--\r\n"));
  return 0;
}
