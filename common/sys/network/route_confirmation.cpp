// SPDX-License-Identifier: MIT
#include "sys/network/route_confirmation.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "sys/config_file.hpp"
#include "sys/process.hpp"
#include "sys/system_clock.hpp"
#include "sys/text_file.hpp"

namespace longline::sys {
namespace {

constexpr std::size_t kLargestConfirmation = 4096;
constexpr const char* kPending = ".pending";
constexpr const char* kBefore = ".before";
constexpr const char* kConfirmed = ".confirmed";
constexpr const char* kRestored = ".restored";

}  // namespace

std::optional<route::Confirmation> RouteConfirmation::read(const char* suffix) const {
  const Result<std::string> text = read_file(base_ + suffix, kLargestConfirmation);
  return text ? route::parse_confirmation(*text) : std::nullopt;
}

std::optional<route::Confirmation> RouteConfirmation::pending() const {
  std::optional<route::Confirmation> found = read(kPending);
  if (found && standing(*found) == route::Standing::void_) return std::nullopt;
  return found;
}

route::Standing RouteConfirmation::standing(const route::Confirmation& confirmation) const {
  return route::standing(confirmation, boot_id(), since_boot());
}

std::string RouteConfirmation::before_path() const {
  // Missing: killed between the two renames of restored().
  return ::access((base_ + kBefore).c_str(), F_OK) == 0 ? base_ + kBefore : base_;
}

Result<route::Confirmation> RouteConfirmation::begin(std::string_view before, Duration limit) const {
  ::unlink((base_ + kRestored).c_str());
  LONGLINE_CHECK(rewrite_text_file(base_ + kBefore, before, /*durable=*/false));
  const Duration now = since_boot();
  const route::Confirmation confirmation{fmt::format("{}-{}", ::getpid(), now.count()), boot_id(), now + limit, limit};
  if (Result<void> written = rewrite_text_file(base_ + kPending, to_string(confirmation), /*durable=*/false); !written) {
    ::unlink((base_ + kBefore).c_str());
    return std::move(written).error();
  }
  return confirmation;
}

Result<void> RouteConfirmation::rename(const std::string& from, const std::string& to) const {
  if (std::rename(from.c_str(), to.c_str()) != 0) return system_error(errno, from);
  return {};
}

Result<void> RouteConfirmation::restored() const {
  if (before_path() != base_) LONGLINE_CHECK(rename(base_ + kBefore, base_));
  return rename(base_ + kPending, base_ + kRestored);
}

Result<void> RouteConfirmation::confirmed() const {
  LONGLINE_CHECK(rename(base_ + kPending, base_ + kConfirmed));
  ::unlink((base_ + kBefore).c_str());
  return {};
}

void RouteConfirmation::forget() const {
  ::unlink((base_ + kPending).c_str());
  ::unlink((base_ + kBefore).c_str());
}

RouteConfirmation::End RouteConfirmation::end_of(const route::Confirmation& confirmation) const {
  const std::optional<route::Confirmation> now = read(kPending);
  if (now && now->id == confirmation.id) return End::pending;
  const std::optional<route::Confirmation> confirmed = read(kConfirmed);
  return confirmed && confirmed->id == confirmation.id ? End::confirmed : End::restored;
}

bool RouteConfirmation::last_was_restored() const {
  const std::optional<route::Confirmation> last = read(kRestored);
  return last && standing(*last) != route::Standing::void_;
}

}  // namespace longline::sys
