// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "mail/connector_choice.hpp"
#include "mail/queue.hpp"

namespace longline::mail {

/// Names of this host and who gets their mail, as aliases(5) writes it: "root: alice@example.com, bob", comments, continued lines,
/// quoted names. A target that is a program, a file or an :include: list is not followed.
class Aliases {
 public:
  Aliases() = default;
  explicit Aliases(std::string_view text);

  /// None, and why the file is not read.
  static Aliases unread(std::string_view why);

  struct Complaint {
    int line = 0;       ///< 0: the file as a whole
    std::string what;   ///< escaped
    std::string place(const std::string& file) const { return line > 0 ? file + ":" + std::to_string(line) : file; }
  };
  /// What was not understood, at most a hundred.
  const std::vector<Complaint>& complaints() const { return complaints_; }
  bool empty() const { return targets_.empty(); }

  /// Where mail for `address` goes: itself, or, for a name of `host`, what stands for it, again and again; a name within its own
  /// expansion stands for itself. At most a thousand addresses.
  std::vector<std::string> expand(const std::string& address, std::string_view host) const;

 private:
  void take_entry(std::string_view entry, int line);
  void complain(int line, std::string_view what);

  std::map<std::string, std::vector<std::string>, std::less<>> targets_;   // by name in lower case; a name alone has no @
  std::vector<Complaint> complaints_;
};

/// Makes a submission's recipients what the spool is to hold: aliases are followed, each address is there once, and local ones are among
/// `local_recipients`.
void route_submission(Submission& submission, const Aliases& aliases, ConnectorChoice& choice, std::string_view host);

}  // namespace longline::mail
