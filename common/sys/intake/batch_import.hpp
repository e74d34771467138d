// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "mail/connector_choice.hpp"
#include "mail/smtp_server.hpp"
#include "sys/spool/spool.hpp"

namespace longline::sys {

/// Queues the messages of a batch, none of them twice: a recipient who has a message with the same Message-ID and the same bytes
/// in the spool gets no second one, nor does what an earlier import brought and a flush has sent since.
class BatchImport {
 public:
  struct Outcome {
    std::string id;          ///< "" when it is there already
    std::string message_id;
    std::vector<std::string> recipients;
  };
  /// Reads which messages are there.
  static Result<BatchImport> open(Spool spool, const config::Config& config);
  Result<Outcome> store(mail::Deliver&& message);

 private:
  BatchImport(Spool spool, const config::Config& config) : spool_(std::move(spool)), choice_(config) {}
  Result<bool> has_same_bytes(const std::string& id, std::string_view content);
  Result<std::vector<std::string>> without_known(const std::string& message_id, std::string_view content, std::vector<std::string> recipients);

  struct Known {
    std::string id;
    std::int64_t size;
    std::vector<std::string> recipients;
  };
  Spool spool_;
  mail::ConnectorChoice choice_;
  std::multimap<std::string, Known, std::less<>> known_;   // by Message-ID
};

}  // namespace longline::sys
