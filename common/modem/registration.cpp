// SPDX-License-Identifier: MIT
#include "modem/registration.hpp"

#include <algorithm>
#include <vector>

#include "base/text.hpp"

namespace longline::modem {
namespace {

/// 0 not registered and not searching, 1 home, 2 searching, 3 denied, 4 unknown, 5 roaming, 6 and 7 for SMS only, 8 emergency calls
/// only, 9 and 10 home and roaming with "CSFB not preferred".
Registered meaning_of(int status) {
  switch (status) {
    case 1:
    case 9: return Registered::home;
    case 5:
    case 10: return Registered::roaming;
    case 2:
    case 6:
    case 7:
    case 8: return Registered::searching;
    case 3: return Registered::denied;
    default: return Registered::unknown;
  }
}

/// How much a status is worth beside others.
int worth(Registered state) {
  switch (state) {
    case Registered::home: return 4;
    case Registered::roaming: return 3;
    case Registered::searching: return 2;
    case Registered::denied: return 1;
    case Registered::unknown: return 0;
  }
  return 0;
}

}  // namespace

std::optional<std::string_view> Registration::next() {
  while (at_ < questions_.size()) {
    const Question& question = questions_[at_++];
    if (question.known) return question.command;
  }
  return std::nullopt;
}

/// "+CREG: n,stat[,…]". A line that the modem volunteers has no n: "+CREG: stat[,\"lac\",…]".
bool Registration::on_line(std::string_view line) {
  for (Question& question : questions_) {
    const std::string_view name = question.command.substr(0, question.command.size() - 1);
    if (!iequals(line.substr(0, name.size()), name) || line.substr(name.size(), 1) != ":") continue;
    const std::vector<std::string_view> fields = split(line.substr(name.size() + 1), ',');
    std::optional<std::int64_t> status = parse_integer(trim(fields[0]));
    if (fields.size() > 1 && trim(fields[1]).size() <= 2) {
      if (const std::optional<std::int64_t> second = parse_integer(trim(fields[1]))) status = second;
    }
    if (!status || *status < 0 || *status > 99) return false;
    question.status = static_cast<int>(*status);
    return true;
  }
  return false;
}

void Registration::unknown_command() {
  if (at_ == 0) return;
  questions_[at_ - 1].known = false;
  questions_[at_ - 1].status = -1;
}

Registered Registration::best_of(std::size_t first, std::size_t last) const {
  Registered best = Registered::unknown;
  for (std::size_t i = first; i < last; ++i) {
    if (!questions_[i].known || questions_[i].status < 0) continue;
    const Registered state = meaning_of(questions_[i].status);
    if (worth(state) > worth(best)) best = state;
  }
  return best;
}

Registered Registration::state() const {
  const Registered voice = best_of(0, 1), packet = best_of(1, 3);
  const Registered& first = packet_ ? packet : voice;
  return first != Registered::unknown ? first : packet_ ? voice : packet;
}

bool Registration::knows_none() const {
  return std::none_of(questions_.begin(), questions_.end(), [](const Question& q) { return q.known; });
}

std::string Registration::describe() const {
  switch (state()) {
    case Registered::home: return "registered at home";
    case Registered::roaming: return "roaming";
    case Registered::searching: return "searching";
    case Registered::denied: return "denied by the network";
    case Registered::unknown: return "not searching";
  }
  return "";
}

}  // namespace longline::modem
