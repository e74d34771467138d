// SPDX-License-Identifier: MIT
// exim -bp, in two different chunkings, gives the same messages; lines of Exim's logs give fates with safe ids.
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.hpp"
#include "mail/exim_listing.hpp"

using namespace longline;

namespace {

std::vector<mail::QueuedMessage> parse(std::string_view text, std::size_t piece) {
  std::vector<mail::QueuedMessage> out;
  mail::EximListing listing([&](mail::QueuedMessage&& message) {
    out.push_back(std::move(message));
    return true;
  });
  for (std::size_t i = 0; i < text.size(); i += piece) listing.feed(text.substr(i, piece));
  listing.finish();
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  const auto whole = parse(text, text.size() + 1);
  const auto pieces = parse(text, data[0] % 16 + 1u);
  assert(whole.size() == pieces.size());
  for (std::size_t i = 0; i < whole.size(); ++i) {
    assert(mail::is_exim_id(whole[i].id) && whole[i].id == pieces[i].id);
    assert(whole[i].sender == pieces[i].sender && whole[i].recipients.size() == pieces[i].recipients.size());
    assert(whole[i].size >= 0);
    format_iso8601(whole[i].arrived);
  }
  for (const std::string_view line : split(text, '\n')) {
    if (const auto fate = mail::parse_exim_log(line)) assert(mail::is_exim_id(fate->id) && !fate->result.address.empty());
    if (const auto fate = mail::parse_exim_message_log(line)) assert(!fate->result.address.empty() && fate->result.text.find('\n') == std::string::npos);
  }
  return 0;
}
