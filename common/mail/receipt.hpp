// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "mail/smtp_client.hpp"

namespace longline::mail {

/// What one flush did for one message of its snapshot: one line of `mtaq flush --json`.
struct Receipt {
  std::string id;
  std::string connector;                    ///< "" when none serves it
  std::string link;
  std::int64_t size = 0;
  std::string message_id;
  std::vector<RecipientResult> recipients;  ///< those that this flush was about
  std::optional<WallTime> next_attempt{};   ///< of what was deferred
  std::optional<Errc> cause{};              ///< why something is left, when it was not the peer's reply
  std::string reason;                       ///< escaped

  /// The worst of the recipients: in-doubt, then not-tried and deferred, then refused, then sent.
  Outcome outcome() const;
  bool left() const;
};

/// Adds what another lane did for the same message: a message that goes to several peers has one receipt. Of two causes that differ none
/// is left, so that only what is left for one reason is judged by it.
void merge(Receipt& into, const Receipt& part);

/// {"id","result","connector","link","size","recipients":[{"address","result","code","reason"}],"next_attempt","cause",
/// "reason","message_id"}; what does not apply is null.
JsonObject to_json(const Receipt& receipt);
/// The way back, for the receipts of another flush. Errc::malformed.
Result<Receipt> receipt_from_json(const std::string& text);
/// "0abc123 sent to bob@example.com (2.2 kB)": for people; without a newline.
std::string to_text(const Receipt& receipt);

/// The receipts of a whole flush, and its judgement.
class FlushTally {
 public:
  void add(const Receipt& receipt);
  /// Held messages that were not asked for by name: no part of it.
  void leave_out_held(int n) { held_out_ += n; }
  /// The given time ran out, or a signal ended it.
  void ended_by(Errc cause) { ended_by_ = cause; }

  int total() const { return sent_ + refused_ + left_; }
  int sent() const { return sent_; }
  int left() const { return left_; }
  int held_out() const { return held_out_; }
  std::int64_t bytes() const { return bytes_; }

  /// nullopt: all taken. Otherwise, in this order: deadline (124) if time ran out with something left; next_hop_unreachable (69) if all
  /// that is left is left because its next hop cannot be reached; link_down or messages_left (75); refused (65). One line, with
  /// when it will be tried again, and the reason that most have.
  std::optional<Error> judgement() const;

 private:
  int sent_ = 0, refused_ = 0, left_ = 0, unreachable_ = 0, link_down_ = 0, held_ = 0, held_out_ = 0;
  std::int64_t bytes_ = 0;
  std::optional<Errc> ended_by_;
  std::optional<WallTime> next_attempt_;
  std::vector<std::pair<std::string, int>> left_reasons_;   // in the order in which they came, not all of many
  std::string first_refused_reason_, first_link_down_;
};

/// How long a deferred recipient rests: 5 min, doubled with each answered attempt, at most 4 h. Only `due` waits for it.
Duration retry_delay(int attempts);

}  // namespace longline::mail
