// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"

namespace longline::config {

/// Where a secret comes from; read only when it is needed, by sys/secret_file.hpp. At most one of the two is set.
struct SecretSource {
  std::string file;                   ///< absolute
  std::vector<std::string> command;   ///< argv; its first line of output is the secret
  Where where;                        ///< of the key, for errors
  bool empty() const { return file.empty() && command.empty(); }
};

}  // namespace longline::config
