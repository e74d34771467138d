// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "base/time.hpp"
#include "config/secret_source.hpp"

namespace longline::config {

/// What `[connector.NAME]` says when its protocol is x400: names and passwords of the bind (X.411), and the parameters of the Reliable
/// Transfer Service (X.218). Defaults are those of Exchange 5.5; `preset = "dial-up"` puts in those of KB Q255991.
struct X400 {
  enum class Content {
    message,   ///< a whole RFC 5322 message as content type unidentified(0): both ends must agree on it
    ipm,       ///< an interpersonal message (P22), for any user agent
  };
  static constexpr std::size_t kLongestName = 32;      ///< of an MTA (X.411, ub-mta-name-length)
  static constexpr std::size_t kLongestPassword = 62;  ///< X.411, ub-password-length
  static constexpr std::size_t kLongestSelector = 32;  ///< octets of a transport selector (X.224)

  std::string mta_name;               ///< ours; empty: the host's name
  SecretSource password;              ///< that we give
  std::string peer_mta_name;          ///< what the peer must call itself; empty: any
  SecretSource peer_password;         ///< that the peer must give; empty: it is not looked at
  int checkpoint_size = 30;           ///< units of 1024 octets; 0: no checkpoints
  int window = 5;                     ///< checkpoints that may go unacknowledged
  Duration recovery_timeout{60'000};  ///< of usable time; then a foreign peer counts as having forgotten the transfer
  Duration lifetime{300'000};         ///< an association may be idle for so long
  Duration disconnect{120'000};       ///< for the answer to a release
  int threshold = 50;                 ///< messages that wait, for each further association over TCP
  Duration timeout_urgent{1'000'000};      ///< each K (1024 octets) of a transfer
  Duration timeout_normal{2'000'000};
  Duration timeout_non_urgent{3'000'000};
  std::vector<std::string> local_domains;  ///< whose mail is taken from this peer; empty: those of the whole configuration
  std::string country = "WW";         ///< of the management domain in which Internet addresses stand (RFC 2156, 4.3)
  std::string admd = " ";             ///< a single space: none (X.402, 18.3.1)
  std::string prmd;
  Content content = Content::message;
  std::string t_selector;             ///< octets; ours, "" for none
  std::string peer_t_selector;        ///< octets
};

}  // namespace longline::config
