// SPDX-License-Identifier: MIT
#include "script/matcher.hpp"

#include <algorithm>

namespace longline::script {

Matcher::Automaton::Automaton(Compare compare) : nodes_(1) {
  for (unsigned byte = 0; byte < folded_.size(); ++byte) {
    const bool upper = byte >= 'A' && byte <= 'Z';
    folded_[byte] = static_cast<unsigned char>(compare == Compare::seven_bits            ? byte & 0x7F
                                               : compare == Compare::caseless && upper ? byte + 32
                                                                                       : byte);
  }
}

void Matcher::Automaton::add(std::string_view pattern, std::uint32_t number) {
  std::uint32_t node = 0;
  for (const char c : pattern) {
    const unsigned char byte = folded_[static_cast<unsigned char>(c)];
    std::uint32_t next = child(node, byte);
    if (next == 0) {
      next = static_cast<std::uint32_t>(nodes_.size());
      nodes_.push_back({0, nodes_[node].child, 0, kNone, byte});
      nodes_[node].child = next;
    }
    node = next;
  }
  nodes_[node].best = std::min(nodes_[node].best, number);
}

std::uint32_t Matcher::Automaton::child(std::uint32_t node, unsigned char byte) const {
  std::uint32_t next = nodes_[node].child;
  while (next != 0 && nodes_[next].byte != byte) next = nodes_[next].sibling;
  return next;
}

void Matcher::Automaton::link() {
  if (empty()) return;
  for (unsigned byte = 0; byte < root_.size(); ++byte) root_[byte] = child(0, folded_[byte]);
  std::vector<std::uint32_t> queue;   // breadth first: what fails to a shorter prefix finds it linked
  queue.reserve(nodes_.size());
  for (std::uint32_t n = nodes_[0].child; n != 0; n = nodes_[n].sibling) queue.push_back(n);
  for (std::size_t i = 0; i < queue.size(); ++i) {
    const std::uint32_t parent = queue[i];
    for (std::uint32_t n = nodes_[parent].child; n != 0; n = nodes_[n].sibling) {
      std::uint32_t fail = nodes_[parent].fail;
      while (fail != 0 && child(fail, nodes_[n].byte) == 0) fail = nodes_[fail].fail;
      nodes_[n].fail = child(fail, nodes_[n].byte);
      nodes_[n].best = std::min(nodes_[n].best, nodes_[nodes_[n].fail].best);
      queue.push_back(n);
    }
  }
}

std::uint32_t Matcher::Automaton::step(unsigned char byte) {
  const unsigned char wanted = folded_[byte];
  while (state_ != 0) {
    const std::uint32_t next = child(state_, wanted);
    if (next != 0) {
      state_ = next;
      return nodes_[next].best;
    }
    state_ = nodes_[state_].fail;
  }
  state_ = root_[byte];
  return state_ == 0 ? kNone : nodes_[state_].best;
}

Matcher::Matcher(const std::vector<Pattern>& patterns) {
  for (std::size_t i = 0; i < patterns.size(); ++i) {
    const auto number = static_cast<std::uint32_t>(i);
    if (patterns[i].bytes.empty()) empty_pattern_ = std::min(empty_pattern_, number);
    else automata_[static_cast<std::size_t>(patterns[i].compare)].add(patterns[i].bytes, number);
  }
  for (Automaton& automaton : automata_) {
    automaton.link();
    if (!automaton.empty()) used_.push_back(&automaton);
  }
}

void Matcher::restart() {
  for (Automaton* automaton : used_) automaton->restart();
}

std::optional<Matcher::Match> Matcher::feed(std::string_view bytes) {
  if (empty_pattern_ != kNone) return Match{empty_pattern_, 0};
  if (used_.empty()) return std::nullopt;
  Automaton& only = *used_.front();
  std::size_t i = 0;
  while (i < bytes.size()) {
    std::uint32_t found = kNone;
    if (used_.size() > 1) {
      for (Automaton* automaton : used_) found = std::min(found, automaton->step(static_cast<unsigned char>(bytes[i])));
    } else {
      if (only.at_root()) {
        while (i < bytes.size() && !only.starts(static_cast<unsigned char>(bytes[i]))) ++i;
        if (i == bytes.size()) break;
      }
      found = only.step(static_cast<unsigned char>(bytes[i]));
    }
    ++i;
    if (found != kNone) return Match{found, i};
  }
  return std::nullopt;
}

}  // namespace longline::script
