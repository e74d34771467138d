// SPDX-License-Identifier: MIT
#include "script/scp/flow.hpp"

namespace longline::script::scp {
namespace {

/// TRUE or FALSE written as the condition of this jump.
std::optional<bool> constant_condition(const Program& program, std::size_t address) {
  if (address == 0 || program.code[address - 1].op != Op::push_boolean) return std::nullopt;
  return program.code[address - 1].argument != 0;
}

std::vector<std::size_t> successors(const Program& program, std::size_t address) {
  const Instruction& i = program.code[address];
  const auto target = static_cast<std::size_t>(i.argument);
  switch (i.op) {
    case Op::end:
    case Op::halt: return {};
    case Op::jump: return {target};
    case Op::jump_if_false:
      if (const auto value = constant_condition(program, address)) return {*value ? address + 1 : target};
      return {address + 1, target};
    case Op::jump_if_false_keep:
    case Op::jump_if_true_keep: return {address + 1, target};
    case Op::wait: {
      const Wait& wait = program.waits[target];
      std::vector<std::size_t> out;
      bool goes_on = wait.has_until;
      for (const WaitItem& item : wait.items) {
        if (item.then >= 0) out.push_back(static_cast<std::size_t>(item.then));
        else goes_on = true;
      }
      if (goes_on) out.push_back(address + 1);
      return out;
    }
    default: return {address + 1};
  }
}

std::vector<bool> closure(const std::vector<std::vector<std::size_t>>& edges, std::vector<std::size_t> work) {
  std::vector<bool> seen(edges.size());
  for (const std::size_t start : work) seen[start] = true;
  while (!work.empty()) {
    const std::size_t address = work.back();
    work.pop_back();
    for (const std::size_t next : edges[address]) {
      if (!seen[next]) {
        seen[next] = true;
        work.push_back(next);
      }
    }
  }
  return seen;
}

}  // namespace

Flow::Flow(const Program& program) {
  const std::size_t size = program.code.size();
  successors_.resize(size);
  std::vector<std::vector<std::size_t>> predecessors(size);
  std::vector<std::size_t> ends;
  for (std::size_t address = 0; address < size; ++address) {
    successors_[address] = successors(program, address);
    for (const std::size_t next : successors_[address]) predecessors[next].push_back(address);
    if (successors_[address].empty()) ends.push_back(address);
  }
  reachable_ = closure(successors_, {0});
  can_end_ = closure(predecessors, ends);
}

std::int64_t written_seconds(const Program& program, std::size_t address) {
  const Instruction& i = program.code[address];
  const bool timed = i.op == Op::delay || (i.op == Op::wait && program.waits[static_cast<std::size_t>(i.argument)].has_until);
  if (!timed || address == 0 || program.code[address - 1].op != Op::push_integer) return 0;
  return program.integers[static_cast<std::size_t>(program.code[address - 1].argument)];
}

}  // namespace longline::script::scp
