// SPDX-License-Identifier: MIT
#include "script/scp/lint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "base/text.hpp"
#include "script/prompts.hpp"
#include "script/scp/escapes.hpp"
#include "script/scp/ast.hpp"
#include "script/scp/flow.hpp"
#include "script/scp/limits.hpp"
#include "script/scp/program.hpp"

namespace longline::script::scp {
namespace {

/// What a loop's condition looks at.
struct Reads {
  std::set<std::string> variables;
  bool success = false;
  bool address = false;   ///< getip: the line itself
};

void collect(const Expression& e, Reads& out) {
  if (const auto* variable = std::get_if<Variable>(&e.node)) out.variables.insert(to_lower(variable->name));
  if (const auto* system = std::get_if<SystemVariable>(&e.node)) {
    const auto name = system_name(system->name);
    out.success = out.success || name == SystemName::success || name == SystemName::failure;
  }
  if (const auto* unary = std::get_if<Unary>(&e.node)) collect(*unary->operand, out);
  if (const auto* binary = std::get_if<Binary>(&e.node)) {
    collect(*binary->left, out);
    collect(*binary->right, out);
  }
  if (std::holds_alternative<GetIp>(e.node)) out.address = true;
}

bool has_credential(const Expression& e) {
  if (const auto* system = std::get_if<SystemVariable>(&e.node)) {
    const auto name = system_name(system->name);
    return name == SystemName::userid || name == SystemName::password;
  }
  if (const auto* binary = std::get_if<Binary>(&e.node)) return has_credential(*binary->left) || has_credential(*binary->right);
  return false;
}

bool waits_for_password(const WaitFor& wait) {
  return std::any_of(wait.items.begin(), wait.items.end(), [](const WaitForItem& item) {
    const auto* literal = std::get_if<StringLiteral>(&item.text->node);
    if (literal == nullptr) return false;
    return script::asks_for_password(literal->value);
  });
}

/// More than keys such as Return.
bool has_text(const std::string& literal) {
  const std::string bytes = translate_escapes(literal);
  return std::any_of(bytes.begin(), bytes.end(), [](char c) { return static_cast<unsigned char>(c) > 0x20; });
}

class Linter {
 public:
  Linter(const ParsedScript& script, const LintOptions& options)
      : source_(*script.source), file_(*script.file), program_(*script.program), options_(options), flow_(program_) {}

  std::vector<Diagnostic> run() {
    for (std::size_t i = 0; i < program_.code.size(); ++i) {
      if (flow_.reachable(i)) reached_.push_back(program_.code[i].offset);
    }
    std::sort(reached_.begin(), reached_.end());
    for (const Procedure& procedure : file_.procedures) {
      if (!iequals(procedure.name.text, "main")) continue;
      collect_targets(procedure.body);
      block(procedure.body);
    }
    unchecked_success();
    endless();
    too_long();
    std::stable_sort(out_.begin(), out_.end(), [](const Diagnostic& a, const Diagnostic& b) {
      return std::tie(a.where.line, a.where.column) < std::tie(b.where.line, b.where.column);
    });
    return std::move(out_);
  }

 private:
  void warn(Span span, std::string code, std::string message, std::string fix = "") {
    if (out_.size() >= kMostFindings) return;
    out_.push_back({Severity::warning, std::move(code), source_.where(span.begin), std::max<std::size_t>(1, span.end - span.begin),
                    std::move(message), std::move(fix)});
  }
  void warn_word(std::size_t offset, std::string_view word, std::string code, std::string message, std::string fix = "") {
    warn({offset, offset + word.size()}, std::move(code), std::move(message), std::move(fix));
  }
  int line(std::size_t offset) const { return source_.where(offset).line; }

  // ---- over the tree

  void collect_targets(const Block& statements) {
    for (const Statement& s : statements) {
      if (const auto* jump = std::get_if<Goto>(&s.node)) targets_.insert(to_lower(jump->label.text));
      if (const auto* wait = std::get_if<WaitFor>(&s.node)) {
        for (const WaitForItem& item : wait->items) {
          if (!item.then) continue;
          targets_.insert(to_lower(item.then->text));
          if (waits_for_password(*wait)) password_labels_.insert(to_lower(item.then->text));
        }
      }
      if (const auto* branch = std::get_if<If>(&s.node)) collect_targets(branch->body);
      if (const auto* loop = std::get_if<While>(&s.node)) collect_targets(loop->body);
    }
  }

  bool is_reached(const Statement& s) const {
    if (std::holds_alternative<Label>(s.node)) return true;
    if (const auto* declaration = std::get_if<Declaration>(&s.node); declaration != nullptr && !declaration->value) return true;
    const auto first = std::lower_bound(reached_.begin(), reached_.end(), s.span.begin);
    return first != reached_.end() && *first < s.span.end;
  }

  void block(const Block& statements) {
    bool before = true;
    for (const Statement& s : statements) {
      const bool reached = is_reached(s);
      if (!reached && before) {
        const std::size_t end = std::min(s.span.end, source_.text().find_first_of("\r\n", s.span.begin));
        warn({s.span.begin, end}, "unreachable", "no way through the script leads here");
      }
      before = reached;
      if (reached) std::visit([&](const auto& node) { look(node, s); }, s.node);
    }
  }

  template <class Node>
  void look(const Node&, const Statement&) {}

  void look(const WaitFor& wait, const Statement& s) {
    if (!wait.until) {
      warn_word(s.span.begin, "waitfor", "no-until", "this waitfor has no 'until': if the peer stays silent, only the deadline of the run ends it",
                "until 60");
    }
    password_asked_ = waits_for_password(wait);
  }

  void look(const Label& label, const Statement&) {
    const std::string key = to_lower(label.name.text);
    if (targets_.count(key) == 0) warn(label.name.span, "unused-label", fmt::format("nothing jumps to '{}'", escape_at_most(label.name.text, 40)));
    if (password_labels_.count(key) != 0) password_asked_ = true;
  }

  void look(const Transmit& transmit, const Statement&) {
    if (!transmit.raw && has_credential(*transmit.value)) {
      const bool whole = std::holds_alternative<SystemVariable>(transmit.value->node);
      warn(transmit.value->span, "not-raw", "without 'raw' a ^, < or \\ in the user's name or password is sent as something else",
           whole ? fmt::format("{}, raw", source_.text().substr(transmit.value->span.begin, transmit.value->span.end - transmit.value->span.begin))
                 : "transmit it alone, with 'raw', and the rest in a transmit of its own");
    }
    const auto* literal = std::get_if<StringLiteral>(&transmit.value->node);
    if (password_asked_ && literal != nullptr && has_text(literal->value)) {
      warn(transmit.value->span, "literal-password", "a password that stands in the script is read by everybody who reads the script", "$PASSWORD, raw");
      out_.back().secret = true;
    }
    if (literal == nullptr || has_text(literal->value)) password_asked_ = false;
  }

  void look(const If& branch, const Statement&) { block(branch.body); }

  void look(const While& loop, const Statement& s) {
    Reads reads;
    collect(*loop.condition, reads);
    const bool constant = reads.variables.empty() && !reads.success && !reads.address;
    std::set<std::string> inside;
    labels_in(loop.body, inside);
    Changes changes;
    changes_in(loop.body, inside, changes);
    const bool may_change = reads.address || (reads.success && changes.waits) ||
                            std::any_of(reads.variables.begin(), reads.variables.end(),
                                        [&](const std::string& name) { return changes.variables.count(name) != 0; });
    const auto* literal = std::get_if<BooleanLiteral>(&loop.condition->node);
    const bool never = literal != nullptr && !literal->value;
    if (!may_change && !changes.leaves && !never) {
      reported_loops_.push_back(s.span);
      warn_word(s.span.begin, "while", "endless-loop",
                constant ? "nothing in this loop ends it" : "nothing in this loop changes what its condition looks at");
    }
    block(loop.body);
  }

  struct Changes {
    std::set<std::string> variables;
    bool waits = false;
    bool leaves = false;   ///< halt, or a jump to a label outside
  };

  static void labels_in(const Block& body, std::set<std::string>& out) {
    for (const Statement& s : body) {
      if (const auto* label = std::get_if<Label>(&s.node)) out.insert(to_lower(label->name.text));
      if (const auto* branch = std::get_if<If>(&s.node)) labels_in(branch->body, out);
      if (const auto* inner = std::get_if<While>(&s.node)) labels_in(inner->body, out);
    }
  }

  static void changes_in(const Block& body, const std::set<std::string>& inside, Changes& out) {
    for (const Statement& s : body) {
      if (const auto* assignment = std::get_if<Assignment>(&s.node)) out.variables.insert(to_lower(assignment->name.text));
      if (const auto* declaration = std::get_if<Declaration>(&s.node)) out.variables.insert(to_lower(declaration->name.text));
      if (std::holds_alternative<Halt>(s.node)) out.leaves = true;
      if (const auto* jump = std::get_if<Goto>(&s.node)) out.leaves = out.leaves || inside.count(to_lower(jump->label.text)) == 0;
      if (const auto* wait = std::get_if<WaitFor>(&s.node)) {
        out.waits = true;
        for (const WaitForItem& item : wait->items) {
          out.leaves = out.leaves || (item.then && inside.count(to_lower(item.then->text)) == 0);
        }
      }
      if (const auto* branch = std::get_if<If>(&s.node)) changes_in(branch->body, inside, out);
      if (const auto* inner = std::get_if<While>(&s.node)) changes_in(inner->body, inside, out);
    }
  }

  // ---- over the ways through the program

  /// KB175410: "The success of each 'waitfor' command should also be tested before the script proceeds". Where each string has its
  /// `then`, what stands behind the wait is the failure, and that is a test too.
  void unchecked_success() {
    std::size_t budget = 4'000'000;
    for (std::size_t i = 0; i < program_.code.size(); ++i) {
      if (program_.code[i].op != Op::wait || !flow_.reachable(i)) continue;
      const Wait& wait = program_.waits[static_cast<std::size_t>(program_.code[i].argument)];
      const bool all_jump = std::all_of(wait.items.begin(), wait.items.end(), [](const WaitItem& item) { return item.then >= 0; });
      if (!wait.has_until || all_jump) continue;
      if (const auto transmit = untested_transmit(i, budget)) {
        warn_word(program_.code[i].offset, "waitfor", "unchecked-success",
                  fmt::format("the success of this waitfor is not tested before the 'transmit' on line {}", line(*transmit)),
                  "if $SUCCESS then … endif");
      }
    }
  }

  std::optional<std::size_t> untested_transmit(std::size_t wait, std::size_t& budget) const {
    std::set<std::size_t> seen{Flow::behind(wait)};
    std::vector<std::size_t> work{Flow::behind(wait)};
    std::optional<std::size_t> found;
    while (!work.empty() && budget > 0) {
      --budget;
      const std::size_t address = work.back();
      work.pop_back();
      const Instruction& i = program_.code[address];
      if (i.op == Op::wait || i.op == Op::halt) continue;
      if (i.op == Op::push_system && type_of(static_cast<SystemName>(i.argument)) == Type::boolean) continue;
      if (i.op == Op::transmit || i.op == Op::transmit_raw) {
        if (!found || i.offset < *found) found = i.offset;
        continue;
      }
      for (const std::size_t next : flow_.after(address)) {
        if (seen.insert(next).second) work.push_back(next);
      }
    }
    return found;
  }

  /// A place that is reached and from which no way leads to an end: a loop made with goto, or several.
  void endless() {
    for (std::size_t i = 0; i < program_.code.size(); ++i) {
      if (!flow_.reachable(i) || flow_.can_end(i)) continue;
      const std::size_t offset = program_.code[i].offset;
      const bool known = std::any_of(reported_loops_.begin(), reported_loops_.end(),
                                     [&](Span loop) { return offset <= loop.end; });
      if (!known) warn_word(offset, " ", "endless-loop", "from here no way leads to the end of the script");
      return;
    }
  }

  /// The longest way, each loop taken once.
  void too_long() {
    const std::size_t size = program_.code.size();
    std::vector<std::int64_t> longest(size);
    constexpr std::int64_t kMost = 1'000'000'000;
    for (std::size_t i = size; i-- > 0;) {
      for (const std::size_t next : flow_.after(i)) {
        if (next > i) longest[i] = std::max(longest[i], longest[next]);
      }
      longest[i] = std::min(kMost, longest[i] + std::clamp<std::int64_t>(written_seconds(program_, i), 0, kMost));
    }
    const std::int64_t limit = options_.deadline.count() / 1000;
    if (longest[0] <= limit) return;
    std::size_t at = 0;
    std::int64_t sum = 0;
    while (sum + written_seconds(program_, at) <= limit) {
      sum += written_seconds(program_, at);
      std::size_t next = at;
      for (const std::size_t candidate : flow_.after(at)) {
        if (candidate > at && (next == at || longest[candidate] > longest[next])) next = candidate;
      }
      if (next == at) return;
      at = next;
    }
    warn_word(program_.code[at].offset, program_.code[at].op == Op::wait ? "waitfor" : "delay", "beyond-deadline",
              fmt::format("the waits up to here add up to {}; the deadline of the run is {}",
                          format_duration(std::chrono::seconds(sum + written_seconds(program_, at))), format_duration(options_.deadline)));
  }

  const SourceText& source_;
  const File& file_;
  const Program& program_;
  LintOptions options_;
  Flow flow_;
  std::vector<std::size_t> reached_;   ///< offsets of the instructions that can be reached
  std::set<std::string> targets_;
  std::set<std::string> password_labels_;
  bool password_asked_ = false;
  std::vector<Span> reported_loops_;
  std::vector<Diagnostic> out_;
};

}  // namespace
}  // namespace longline::script::scp

namespace longline::script {

std::vector<Diagnostic> lint(const ParsedScript& script, const LintOptions& options) {
  if (script.program == nullptr) return {};
  return scp::Linter(script, options).run();
}

}  // namespace longline::script
