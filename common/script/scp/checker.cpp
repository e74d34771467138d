// SPDX-License-Identifier: MIT
#include "script/scp/checker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

#include "base/overloaded.hpp"
#include "base/text.hpp"
#include "script/scp/limits.hpp"

namespace longline::script::scp {
namespace {

struct Symbol {
  Name name;             ///< as first written
  Type type = Type::unknown;
};

std::string_view symbol_of(BinaryOp op) {
  switch (op) {
    case BinaryOp::multiply: return "*";
    case BinaryOp::divide: return "/";
    case BinaryOp::add: return "+";
    case BinaryOp::subtract: return "-";
    case BinaryOp::less: return "<";
    case BinaryOp::greater: return ">";
    case BinaryOp::less_equal: return "<=";
    case BinaryOp::greater_equal: return ">=";
    case BinaryOp::equal: return "==";
    case BinaryOp::not_equal: return "!=";
    case BinaryOp::and_: return "and";
    case BinaryOp::or_: return "or";
  }
  return "";
}

/// Names that a message may suggest; bounded, because the search compares with each.
constexpr std::size_t kMostSuggestions = 1000;
/// Behind so many findings nobody reads suggestions.
constexpr std::size_t kMostSuggested = 100;

class ProcedureChecker {
 public:
  ProcedureChecker(const SourceText& source, std::vector<Diagnostic>& out) : source_(source), out_(out) {}

  void run(const Procedure& procedure) {
    collect(procedure.body);
    check(procedure.body);
  }

 private:
  void add(Severity severity, Span span, std::string code, std::string message, std::string fix = "") {
    if (out_.size() >= kMostFindings) return;
    out_.push_back({severity, std::move(code), source_.where(span.begin), std::max<std::size_t>(1, span.end - span.begin),
                    std::move(message), std::move(fix)});
  }
  void error(Span span, std::string code, std::string message, std::string fix = "") {
    add(Severity::error, span, std::move(code), std::move(message), std::move(fix));
  }
  int line(Span span) const { return source_.where(span.begin).line; }

  /// Labels may be used before they come, and a variable that comes later deserves a better message.
  void collect(const Block& block) {
    for (const Statement& statement : block) {
      if (const auto* label = std::get_if<Label>(&statement.node)) {
        const auto [old, fresh] = labels_.try_emplace(to_lower(label->name.text), label->name);
        if (!fresh) {
          error(label->name.span, "duplicate-label",
                fmt::format("label '{}' stands on line {} already", escape_at_most(label->name.text, 40), line(old->second.span)));
        }
      } else if (const auto* declaration = std::get_if<Declaration>(&statement.node)) {
        declared_later_.try_emplace(to_lower(declaration->name.text), declaration->name.span);
      } else if (const auto* branch = std::get_if<If>(&statement.node)) {
        collect(branch->body);
      } else if (const auto* loop = std::get_if<While>(&statement.node)) {
        collect(loop->body);
      }
    }
  }

  void check(const Block& block) {
    for (const Statement& statement : block) {
      std::visit([&](const auto& node) { check(node); }, statement.node);
      if (!std::holds_alternative<Declaration>(statement.node)) seen_command_ = true;
    }
  }

  void check(const Declaration& declaration) {
    if (declaration.value) require(*declaration.value, declaration.type, "its first value");
    const auto [old, fresh] = variables_.try_emplace(to_lower(declaration.name.text), Symbol{declaration.name, declaration.type});
    if (!fresh) {
      error(declaration.name.span, "redeclared", fmt::format("'{}' is declared on line {} already",
            escape_at_most(declaration.name.text, 40), line(old->second.name.span)));
    } else if (seen_command_) {
      add(Severity::note, declaration.name.span, "late-declaration",
          "declarations stand before the first command; Windows is strict about it");
    }
  }

  void check(const Assignment& assignment) {
    if (assignment.name.text[0] == '$') {
      type(*assignment.value);
      return error(assignment.name.span, "read-only", fmt::format("{} cannot be assigned to", escape_at_most(assignment.name.text, 40)));
    }
    const Type wanted = variable(assignment.name.text, assignment.name.span);
    require(*assignment.value, wanted, fmt::format("'{}'", escape_at_most(assignment.name.text, 40)));
  }

  void check(const Delay& delay) {
    require(*delay.seconds, Type::integer, "a delay");
    not_negative(*delay.seconds, "a delay");
  }
  void check(const Goto& jump) { label(jump.label); }
  void check(const Label&) {}
  void check(const Halt&) {}
  void check(const If& branch) {
    require(*branch.condition, Type::boolean, "a condition");
    check(branch.body);
  }
  void check(const While& loop) {
    require(*loop.condition, Type::boolean, "a condition");
    check(loop.body);
  }
  void check(const SetPort&) {}
  void check(const SetIpAddr& set) { require(*set.address, Type::string, "an address"); }
  void check(const SetScreen&) {}
  void check(const Transmit& transmit) { require(*transmit.value, Type::string, "what is transmitted"); }
  void check(const WaitFor& wait) {
    for (const WaitForItem& item : wait.items) {
      require(*item.text, Type::string, "what is waited for");
      const auto* literal = std::get_if<StringLiteral>(&item.text->node);
      if (literal != nullptr && literal->value.empty()) {
        add(Severity::warning, item.text->span, "empty-wait", "an empty string is always there: this waits for nothing");
      }
      if (item.then) label(*item.then);
    }
    if (wait.until) {
      require(*wait.until, Type::integer, "a time");
      not_negative(*wait.until, "a time");
    }
  }

  void not_negative(const Expression& expression, std::string_view what) {
    const auto* unary = std::get_if<Unary>(&expression.node);
    if (unary == nullptr || unary->op != UnaryOp::negate) return;
    const auto* number = std::get_if<IntegerLiteral>(&unary->operand->node);
    if (number != nullptr && number->value > 0) error(expression.span, "negative-time", fmt::format("{} cannot be negative", what));
  }

  void label(const Name& name) {
    const auto found = labels_.find(to_lower(name.text));
    if (found == labels_.end()) {
      return error(name.span, "unknown-label", fmt::format("there is no label '{}' in this procedure", escape_at_most(name.text, 40)),
                   suggestion(name.text, labels_, [](const Name& n) { return n.text; }));
    }
    same_spelling(name.text, name.span, found->second);
  }

  template <class Map, class Spelling>
  std::string suggestion(std::string_view name, const Map& known, Spelling spelling) const {
    std::vector<std::string> names;
    if (out_.size() > kMostSuggested || name.size() > 64) return "";
    for (const auto& [key, value] : known) {
      if (names.size() == kMostSuggestions) break;
      if (key.size() <= 64) names.push_back(spelling(value));
    }
    return nearest(name, names).value_or("");
  }

  void same_spelling(std::string_view used, Span span, const Name& first) {
    if (used == first.text || !misspelt_.insert(std::string(used)).second) return;
    add(Severity::warning, span, "two-spellings",
        fmt::format("'{}' is spelt '{}' on line {}; both are the same name here", escape_at_most(used, 40),
                    escape_at_most(first.text, 40), line(first.span)), first.text);
  }

  Type variable(const std::string& name, Span span) {
    const std::string key = to_lower(name);
    const auto found = variables_.find(key);
    if (found != variables_.end()) {
      same_spelling(name, span, found->second.name);
      return found->second.type;
    }
    if (!reported_.insert(key).second) return Type::unknown;
    const auto later = declared_later_.find(key);
    if (later != declared_later_.end()) {
      error(span, "used-before-declaration",
            fmt::format("'{}' is declared only on line {}", escape_at_most(name, 40), line(later->second)));
    } else {
      error(span, "undeclared", fmt::format("'{}' is not declared", escape_at_most(name, 40)),
            suggestion(name, variables_, [](const Symbol& s) { return s.name.text; }));
    }
    return Type::unknown;
  }

  Type system(const SystemVariable& variable, Span span) {
    if (const std::optional<SystemName> known = system_name(variable.name)) return type_of(*known);
    static const std::vector<std::string> kNames = {"$USERID", "$PASSWORD", "$SUCCESS", "$FAILURE"};
    error(span, "unknown-system-variable", fmt::format("there is no {}; there are $USERID, $PASSWORD, $SUCCESS and $FAILURE",
          escape_at_most(variable.name, 40)), nearest(variable.name.substr(0, 64), kNames).value_or(""));
    return Type::unknown;
  }

  void require(const Expression& expression, Type wanted, std::string_view what) {
    const Type found = type(expression);
    if (found == wanted || found == Type::unknown || wanted == Type::unknown) return;
    error(expression.span, "type-mismatch", fmt::format("{} is {}, and this is {}", what, to_string(wanted), to_string(found)));
  }

  Type type(const Expression& expression) {
    return std::visit(Overloaded{
        [](const Invalid&) { return Type::unknown; },
        [](const IntegerLiteral&) { return Type::integer; },
        [](const StringLiteral&) { return Type::string; },
        [](const BooleanLiteral&) { return Type::boolean; },
        [&](const Variable& v) { return variable(v.name, expression.span); },
        [&](const SystemVariable& v) { return system(v, expression.span); },
        [&](const GetIp& g) {
          if (g.index) require(*g.index, Type::integer, "the number of an address");
          return Type::string;
        },
        [&](const Unary& u) {
          const Type wanted = u.op == UnaryOp::negate ? Type::integer : Type::boolean;
          require(*u.operand, wanted, u.op == UnaryOp::negate ? "the operand of '-'" : "the operand of '!'");
          return wanted;
        },
        [&](const Binary& b) { return binary(b, expression.span); }}, expression.node);
  }

  Type binary(const Binary& b, Span span) {
    const std::string operand = fmt::format("an operand of '{}'", symbol_of(b.op));
    switch (b.op) {
      case BinaryOp::and_:
      case BinaryOp::or_:
        require(*b.left, Type::boolean, operand);
        require(*b.right, Type::boolean, operand);
        return Type::boolean;
      case BinaryOp::equal:
      case BinaryOp::not_equal:
        same_types(b, span);
        return Type::boolean;
      case BinaryOp::add: {
        const Type both = same_types(b, span);
        if (both == Type::boolean) {
          error(span, "type-mismatch", "'+' adds integers or joins strings, and these are booleans");
          return Type::unknown;
        }
        return both;
      }
      default: {
        require(*b.left, Type::integer, operand);
        require(*b.right, Type::integer, operand);
        const bool compares = b.op == BinaryOp::less || b.op == BinaryOp::greater || b.op == BinaryOp::less_equal ||
                              b.op == BinaryOp::greater_equal;
        return compares ? Type::boolean : Type::integer;
      }
    }
  }

  Type same_types(const Binary& b, Span span) {
    const Type left = type(*b.left);
    const Type right = type(*b.right);
    if (left != right && left != Type::unknown && right != Type::unknown) {
      error(span, "type-mismatch", fmt::format("'{}' has {} on its left and {} on its right", symbol_of(b.op), to_string(left), to_string(right)));
      return Type::unknown;
    }
    return left == Type::unknown ? right : left;
  }

  const SourceText& source_;
  std::vector<Diagnostic>& out_;
  std::unordered_map<std::string, Name> labels_;
  std::unordered_map<std::string, Symbol> variables_;
  std::unordered_map<std::string, Span> declared_later_;
  std::set<std::string> misspelt_;
  std::set<std::string> reported_;   ///< undeclared names: once each
  bool seen_command_ = false;
};

}  // namespace

std::optional<SystemName> system_name(std::string_view name) {
  if (iequals(name, "$userid")) return SystemName::userid;
  if (iequals(name, "$password")) return SystemName::password;
  if (iequals(name, "$success")) return SystemName::success;
  if (iequals(name, "$failure")) return SystemName::failure;
  return std::nullopt;
}

Type type_of(SystemName name) {
  return name == SystemName::userid || name == SystemName::password ? Type::string : Type::boolean;
}

std::string_view to_string(Type type) {
  switch (type) {
    case Type::integer: return "an integer";
    case Type::string: return "a string";
    case Type::boolean: return "a boolean";
    case Type::unknown: return "unknown";
  }
  return "";
}

std::vector<Diagnostic> check(const SourceText& source, const File& file) {
  std::vector<Diagnostic> out;
  std::map<std::string, int> lines;
  for (const Procedure& procedure : file.procedures) {
    ProcedureChecker(source, out).run(procedure);
    const std::string key = to_lower(procedure.name.text);
    if (key.empty()) continue;
    const Where where = source.where(procedure.name.span.begin);
    const auto [old, fresh] = lines.try_emplace(key, where.line);
    const std::string shown = escape_at_most(procedure.name.text, 40);
    if (!fresh) {
      out.push_back({Severity::error, "duplicate-procedure", where, procedure.name.text.size(),
                     fmt::format("procedure '{}' stands on line {} already", shown, old->second), ""});
    } else if (key != "main") {
      out.push_back({Severity::warning, "unused-procedure", where, procedure.name.text.size(),
                     fmt::format("procedure '{}' is never run; only 'main' is", shown), ""});
    }
  }
  if (lines.find("main") == lines.end()) {
    out.push_back({Severity::error, "no-main", {source.file(), 0, 0}, 1, "there is no 'proc main' to run", "proc main"});
  }
  return out;
}

}  // namespace longline::script::scp
