// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "base/result.hpp"
#include "config/address_pool.hpp"
#include "sys/file_lock.hpp"

namespace longline::sys {

/// An address of a pool that one caller has, for as long as the object lives: a lock on RUN/ADDRESS.lease, which dies with its holder.
class AddressLease {
 public:
  /// The lowest that is free. Errc::pool_exhausted (RAS 717), stage address.
  static Result<AddressLease> take(const config::AddressPool& pool, const std::string& run_dir);
  const std::string& address() const { return address_; }

 private:
  AddressLease(FileLock lock, std::string address) : lock_(std::move(lock)), address_(std::move(address)) {}
  FileLock lock_;
  std::string address_;
};

}  // namespace longline::sys
