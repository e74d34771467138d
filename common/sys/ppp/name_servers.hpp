// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace longline::sys {

/// A link's name servers, told to the host in the way that the host keeps them: "resolved" (systemd-resolved, which forgets them with the
/// interface), "resolvconf" (resolvconf(8) or openresolv), or "file" (/etc/resolv.conf itself, signed with a comment).
class NameServers {
 public:
  /// Looks at the host; changes nothing.
  NameServers(const std::string& link, const std::string& interface, const std::vector<std::string>& servers);
  const std::string& way() const { return way_; }
  const std::string& before() const { return before_; }   ///< of the file, when it is the file's way
  Result<void> set() const;

 private:
  std::string interface_;
  std::vector<std::string> servers_;
  std::string way_;
  std::string before_;
  std::string text_;
};

/// Undoes set(). A file that does not bear our signature any more belongs to somebody else, and stays.
Result<void> put_name_servers_back(std::string_view way, const std::string& interface, const std::string& before);

}  // namespace longline::sys
