// SPDX-License-Identifier: MIT
#include "mail/dropped_message.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "mail/address.hpp"
#include "mail/dsn_parameters.hpp"
#include "mail/message.hpp"

namespace longline::mail {
namespace {

constexpr std::string_view kMagic = "longline drop 1";
constexpr std::size_t kLongestDropHeader = 1024;

Error malformed(std::string_view what) { return Error(Errc::malformed, "not a dropped message: " + std::string(what), Stage::queue); }

/// "NAME VALUE\n" off the front.
Result<std::string_view> take_line(std::string_view& file, std::string_view name) {
  const std::size_t end = file.substr(0, kLongestDropHeader).find('\n');
  if (end == std::string_view::npos) return malformed("a line without an end");
  std::string_view line = file.substr(0, end);
  if (!line.starts_with(name) || line.size() < name.size() + 1 || line[name.size()] != ' ') return malformed(std::string(name) + " expected");
  file.remove_prefix(end + 1);
  return line.substr(name.size() + 1);
}

/// The "wish" lines that are next. `take`: take_mail_parameter() or take_recipient_parameter().
template <typename Take, typename Wishes>
Result<void> take_wishes(std::string_view& file, Take take, Wishes& wishes) {
  while (file.starts_with("wish ")) {
    LONGLINE_TRY(const std::string_view parameter, take_line(file, "wish"));
    const Result<bool> taken = take(parameter, wishes);
    if (!taken || !*taken) return malformed(taken ? "a wish that is none" : taken.error().what);
  }
  return {};
}

std::string wish_line(std::string_view key, const std::string& value) { return value.empty() ? "" : fmt::format("wish {}={}\n", key, value); }

/// The envelope; leaves the message in `file`.
Result<Submission> read_envelope(std::string_view& file) {
  Submission out;
  if (!file.starts_with(kMagic) || file.size() <= kMagic.size() || file[kMagic.size()] != '\n') return malformed("another beginning");
  file.remove_prefix(kMagic.size() + 1);
  LONGLINE_TRY(const std::string_view sender, take_line(file, "sender"));
  LONGLINE_TRY(const std::optional<Address> reverse, parse_reverse_path(sender));
  if (reverse) out.sender = to_string(*reverse);
  LONGLINE_TRY(const std::string_view priority, take_line(file, "priority"));
  LONGLINE_TRY(out.priority, parse_priority(priority));
  LONGLINE_CHECK(take_wishes(file, take_mail_parameter, out.dsn));
  while (file.starts_with("recipient ")) {
    if (out.recipients.size() == kMostDroppedRecipients) return malformed("too many recipients");
    LONGLINE_TRY(const std::string_view text, take_line(file, "recipient"));
    LONGLINE_TRY(const Address address, parse_address(text));
    out.recipients.push_back(to_string(address));
    DsnWish wish;
    LONGLINE_CHECK(take_wishes(file, take_recipient_parameter, wish));
    if (!wish.empty()) out.dsn.recipients[out.recipients.back()] = std::move(wish);
  }
  if (out.recipients.empty()) return malformed("no recipient");
  LONGLINE_TRY(const std::string_view size, take_line(file, "content"));
  const auto bytes = parse_integer(size);
  if (!bytes || *bytes < 0 || static_cast<std::uint64_t>(*bytes) != file.size()) return malformed("another size than it says");
  return out;
}

}  // namespace

std::string format_dropped(const Submission& submission) {
  std::string out = fmt::format("{}\nsender {}\npriority {}\n", kMagic, submission.sender, submission.priority);
  out += wish_line("RET", submission.dsn.ret) + wish_line("ENVID", submission.dsn.envelope_id);
  out.reserve(out.size() + submission.recipients.size() * 64 + submission.content.size());
  for (const std::string& recipient : submission.recipients) {
    const DsnWish wish = submission.dsn.of(recipient);
    out += fmt::format("recipient {}\n", recipient) + wish_line("NOTIFY", wish.notify) + wish_line("ORCPT", wish.original);
  }
  out += fmt::format("content {}\n", submission.content.size());
  return out += submission.content;
}

Result<Submission> read_dropped(std::string_view file, const DropOrigin& origin) {
  LONGLINE_TRY(Submission out, read_envelope(file));
  const auto named = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.'; };
  const bool good_name = !origin.user.empty() && std::all_of(origin.user.begin(), origin.user.end(), named);
  const std::string user = good_name ? origin.user : fmt::format("uid{}", origin.user_id);
  SubmissionDefaults defaults;
  defaults.sender = out.sender;
  defaults.host = origin.host;
  defaults.now = origin.at;
  defaults.unique = origin.unique;
  LONGLINE_TRY(StoredMessage message, complete_message(file, std::move(defaults)));
  if (count_header_fields(message.content, "Received") > kMostHops) return Error(Errc::refused, "too many hops, mail loop", Stage::queue);
  std::string fields = fmt::format("Received: by {} (longline, from userid {}); {}\r\n", origin.host, origin.user_id, format_rfc5322(origin.at));
  const auto own = parse_address(user, origin.host);
  if (origin.user_id != 0 && !(own && out.sender == to_string(*own))) {
    fields += fmt::format("X-Authentication-Warning: {}: {} set sender to <{}> using -f\r\n", origin.host, user, out.sender);
  }
  out.content = std::move(message.content);
  out.content.insert(0, fields);
  out.eight_bit = message.eight_bit || needs_smtputf8(fields);
  out.message_id = std::move(message.message_id);
  out.subject = std::move(message.subject);
  return out;
}

}  // namespace longline::mail
