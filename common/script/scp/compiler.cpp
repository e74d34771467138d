// SPDX-License-Identifier: MIT
#include <map>
#include <unordered_map>

#include "base/text.hpp"
#include "script/scp/program.hpp"

namespace longline::script::scp {
namespace {

class Compiler {
 public:
  explicit Compiler(Program& program) : program_(program) {}

  void run(const Procedure& main) {
    block(main.body);
    emit(Op::end, main.closing.begin);
    for (const auto& [address, label] : jumps_) program_.code[address].argument = labels_.at(label);
    for (const auto& [place, label] : thens_) program_.waits[place.first].items[place.second].then = labels_.at(label);
  }

 private:
  std::size_t emit(Op op, std::size_t offset, std::size_t argument = 0) {
    program_.code.push_back({op, static_cast<std::int32_t>(argument), static_cast<std::uint32_t>(offset)});
    return program_.code.size() - 1;
  }
  std::size_t here() const { return program_.code.size(); }
  void land(std::size_t jump) { program_.code[jump].argument = static_cast<std::int32_t>(here()); }
  std::size_t variable(const std::string& name) const { return variables_.at(to_lower(name)); }

  void block(const Block& statements) {
    for (const Statement& statement : statements) {
      const std::size_t offset = statement.span.begin;
      std::visit([&](const auto& node) { put(node, offset); }, statement.node);
    }
  }

  void put(const Declaration& declaration, std::size_t offset) {
    const std::size_t number = program_.variables.size();
    program_.variables.push_back(declaration.type);
    if (declaration.value) value(*declaration.value);
    variables_[to_lower(declaration.name.text)] = number;
    if (declaration.value) emit(Op::store, offset, number);
  }
  void put(const Assignment& assignment, std::size_t offset) {
    value(*assignment.value);
    emit(Op::store, offset, variable(assignment.name.text));
  }
  void put(const Delay& delay, std::size_t offset) {
    value(*delay.seconds);
    emit(Op::delay, offset);
  }
  void put(const Goto& jump, std::size_t offset) { jumps_.emplace_back(emit(Op::jump, offset), to_lower(jump.label.text)); }
  void put(const Label& label, std::size_t) { labels_[to_lower(label.name.text)] = static_cast<std::int32_t>(here()); }
  void put(const Halt&, std::size_t offset) { emit(Op::halt, offset); }
  void put(const If& branch, std::size_t offset) {
    value(*branch.condition);
    const std::size_t skip = emit(Op::jump_if_false, offset);
    block(branch.body);
    land(skip);
  }
  void put(const While& loop, std::size_t offset) {
    const std::size_t top = here();
    value(*loop.condition);
    const std::size_t leave = emit(Op::jump_if_false, offset);
    block(loop.body);
    emit(Op::jump, offset, top);
    land(leave);
  }
  void put(const SetPort& set, std::size_t offset) {
    program_.framings.push_back(set.framing);
    emit(Op::set_port, offset, program_.framings.size() - 1);
  }
  void put(const SetIpAddr& set, std::size_t offset) {
    value(*set.address);
    emit(Op::set_ip_address, offset);
  }
  void put(const SetScreen& set, std::size_t offset) { emit(Op::set_keyboard, offset, set.keyboard ? 1 : 0); }
  void put(const Transmit& transmit, std::size_t offset) {
    value(*transmit.value);
    emit(transmit.raw ? Op::transmit_raw : Op::transmit, offset);
  }
  void put(const WaitFor& wait, std::size_t offset) {
    Wait out;
    const std::size_t number = program_.waits.size();
    for (const WaitForItem& item : wait.items) {
      value(*item.text);
      if (item.then) thens_.push_back({{number, out.items.size()}, to_lower(item.then->text)});
      out.items.push_back({item.matchcase, -1});
    }
    out.has_until = wait.until != nullptr;
    if (wait.until) value(*wait.until);
    program_.waits.push_back(std::move(out));
    emit(Op::wait, offset, number);
  }

  void value(const Expression& expression) {
    const std::size_t offset = expression.span.begin;
    std::visit([&](const auto& node) { push(node, offset); }, expression.node);
  }

  void push(const Invalid&, std::size_t) {}
  void push(const IntegerLiteral& literal, std::size_t offset) {
    program_.integers.push_back(literal.value);
    emit(Op::push_integer, offset, program_.integers.size() - 1);
  }
  void push(const StringLiteral& literal, std::size_t offset) {
    program_.strings.push_back(literal.value);
    emit(Op::push_string, offset, program_.strings.size() - 1);
  }
  void push(const BooleanLiteral& literal, std::size_t offset) { emit(Op::push_boolean, offset, literal.value ? 1 : 0); }
  void push(const Variable& name, std::size_t offset) { emit(Op::push_variable, offset, variable(name.name)); }
  void push(const SystemVariable& name, std::size_t offset) {
    const SystemName which = *system_name(name.name);
    program_.needs_user = program_.needs_user || which == SystemName::userid;
    program_.needs_password = program_.needs_password || which == SystemName::password;
    emit(Op::push_system, offset, static_cast<std::size_t>(which));
  }
  void push(const GetIp& address, std::size_t offset) {
    if (address.index) value(*address.index);
    else push(IntegerLiteral{1}, offset);
    emit(Op::getip, offset);
  }
  void push(const Unary& unary, std::size_t offset) {
    value(*unary.operand);
    emit(unary.op == UnaryOp::negate ? Op::negate : Op::not_, offset);
  }
  void push(const Binary& binary, std::size_t offset) {
    value(*binary.left);
    if (binary.op == BinaryOp::and_ || binary.op == BinaryOp::or_) {
      const std::size_t skip = emit(binary.op == BinaryOp::and_ ? Op::jump_if_false_keep : Op::jump_if_true_keep, offset);
      value(*binary.right);
      land(skip);
      return;
    }
    value(*binary.right);
    emit(op_of(binary.op), offset);
  }

  static Op op_of(BinaryOp op) {
    switch (op) {
      case BinaryOp::multiply: return Op::multiply;
      case BinaryOp::divide: return Op::divide;
      case BinaryOp::add: return Op::add;
      case BinaryOp::subtract: return Op::subtract;
      case BinaryOp::less: return Op::less;
      case BinaryOp::greater: return Op::greater;
      case BinaryOp::less_equal: return Op::less_equal;
      case BinaryOp::greater_equal: return Op::greater_equal;
      case BinaryOp::equal: return Op::equal;
      default: return Op::not_equal;
    }
  }

  Program& program_;
  std::unordered_map<std::string, std::size_t> variables_;
  std::unordered_map<std::string, std::int32_t> labels_;
  std::vector<std::pair<std::size_t, std::string>> jumps_;
  std::vector<std::pair<std::pair<std::size_t, std::size_t>, std::string>> thens_;
};

}  // namespace

Program compile(std::shared_ptr<const SourceText> source, const File& file) {
  Program program;
  program.source = std::move(source);
  for (const Procedure& procedure : file.procedures) {
    if (iequals(procedure.name.text, "main")) Compiler(program).run(procedure);
  }
  return program;
}

}  // namespace longline::script::scp
