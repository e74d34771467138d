// SPDX-License-Identifier: MIT
#include "sys/network/address_lease.hpp"

#include <fmt/format.h>

namespace longline::sys {

Result<AddressLease> AddressLease::take(const config::AddressPool& pool, const std::string& run_dir) {
  for (int i = 0; i < pool.callers(); ++i) {
    std::string address = config::format_ipv4(pool.caller(i));
    LONGLINE_TRY(std::optional<FileLock> lock, FileLock::try_acquire(run_dir + "/" + address + ".lease"));
    if (lock) return AddressLease(std::move(*lock), std::move(address));
  }
  return Error(Errc::pool_exhausted, fmt::format("all {} addresses of the pool are in use", pool.callers()), Stage::address)
      .with_hint("a larger pool, or fewer callers at once");
}

}  // namespace longline::sys
