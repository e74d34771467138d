// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace longline::modem {

/// Where a modem stands in its network (3GPP TS 27.007, 7.2, 10.1.20, 10.1.22), out of +CREG, +CGREG and +CEREG.
enum class Registered { unknown, home, roaming, searching, denied };

/// The three questions and what was answered. For packet data +CEREG (LTE) and +CGREG (GPRS) decide; +CREG (voice) where the modem has
/// neither, or has not attached to the packet network yet, which dialling does. For a circuit-switched call +CREG decides.
class Registration {
 public:
  explicit Registration(bool packet) : packet_(packet) {}

  /// The next question of this round, "+CREG?"; nullopt when all that the modem knows were asked.
  std::optional<std::string_view> next();
  /// A line of the modem. False if it answers none of the questions.
  bool on_line(std::string_view line);
  /// The last question was answered with ERROR: it is not asked again.
  void unknown_command();
  void new_round() { at_ = 0; }

  /// After a round.
  Registered state() const;
  /// The modem knows none of the three.
  bool knows_none() const;
  /// "searching", "denied by the network", …
  std::string describe() const;

 private:
  struct Question {
    std::string_view command;
    bool known = true;
    int status = -1;          ///< as the modem says it; -1: not answered
  };
  Registered best_of(std::size_t first, std::size_t last) const;

  bool packet_;
  std::array<Question, 3> questions_{{{"+CREG?"}, {"+CGREG?"}, {"+CEREG?"}}};
  std::size_t at_ = 0;        ///< behind the question that was asked last
};

}  // namespace longline::modem
