// SPDX-License-Identifier: MIT
#include "script/scp/fix.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "base/text.hpp"
#include "script/scp/ast.hpp"
#include "script/scp/checker.hpp"

namespace longline::script::scp {
namespace {

/// Replaces [begin, end); an insertion when they are equal. Those at one place are made in the order in which they were added.
struct Edit {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::string text;
};

bool is_word(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

std::string carry_out(std::string_view text, std::vector<Edit> edits) {
  std::stable_sort(edits.begin(), edits.end(), [](const Edit& a, const Edit& b) { return a.begin < b.begin; });
  std::string out;
  std::size_t at = 0;
  for (const Edit& edit : edits) {
    if (edit.begin < at) continue;   // inside one that was made already; the next round sees it again
    out += text.substr(at, edit.begin - at);
    out += edit.text;
    at = edit.end;
    // `waitfor "x"transmit "y"` is right, and must stay so.
    if (at < text.size() && is_word(text[at]) && is_word(out.back())) out += ' ';
  }
  return out + std::string(text.substr(at));
}

bool is_missing_closer(const Diagnostic& d) {
  return d.code == "missing-endif" || d.code == "missing-endwhile" || d.code == "missing-endproc";
}

/// One round: the edits for everything in the tree that can be repaired now.
class Fixer {
 public:
  Fixer(const ParsedScript& script, const std::vector<Diagnostic>& findings, const LintOptions& options)
      : source_(*script.source), text_(source_.text()), file_(*script.file), findings_(findings), options_(options) {
    line_end_ = text_.find("\r\n") == std::string_view::npos ? "\n" : "\r\n";
  }

  std::vector<Edit> edits;
  std::vector<Diagnostic> repaired;

  void close_blocks() {
    for (const Procedure& procedure : file_.procedures) {
      close_inside(procedure.body);
      if (is_empty(procedure.closing)) insert_command(procedure.span.end, "endproc", procedure.span.begin);
    }
    repaired = findings_;
  }

  void repair_lint() {
    for (const Procedure& procedure : file_.procedures) block(procedure.body);
    for (const Diagnostic& d : findings_) {
      if (d.code != "two-spellings") continue;
      const std::size_t begin = offset_of(d);
      edits.push_back({begin, begin + d.length, d.fix});
      repaired.push_back(d);
    }
  }

 private:
  static bool is_empty(Span span) { return span.begin == span.end; }

  std::size_t offset_of(const Diagnostic& d) const {
    const std::string_view line = source_.line(d.where.line);
    return static_cast<std::size_t>(line.data() - text_.data()) + static_cast<std::size_t>(d.where.column) - 1;
  }

  const Diagnostic* finding(std::string_view code, std::size_t offset) const {
    const Where where = source_.where(offset);
    for (const Diagnostic& d : findings_) {
      if (d.code == code && d.where.line == where.line && d.where.column == where.column) return &d;
    }
    return nullptr;
  }

  std::size_t line_begin(std::size_t offset) const {
    const std::size_t newline = offset == 0 ? std::string_view::npos : text_.rfind('\n', offset - 1);
    return newline == std::string_view::npos ? 0 : newline + 1;
  }
  std::size_t end_of_line(std::size_t offset) const { return std::min(text_.find_first_of("\r\n", offset), text_.size()); }
  std::string indent(std::size_t offset) const {
    const std::size_t begin = line_begin(offset);
    return std::string(text_.substr(begin, std::min(text_.find_first_not_of(" \t", begin), text_.size()) - begin));
  }
  bool starts_its_line(std::size_t offset) const { return trim(text_.substr(line_begin(offset), offset - line_begin(offset))).empty(); }
  /// Is there nothing but a comment behind, up to the end of the line?
  bool ends_its_line(std::size_t offset) const {
    const std::string_view rest = trim(text_.substr(offset, end_of_line(offset) - offset));
    return rest.empty() || rest.front() == ';';
  }

  /// Behind the command that ends at `behind`: on a line of its own, indented like `model`, where there is room for a line.
  void insert_command(std::size_t behind, const std::string& command, std::size_t model) {
    if (!ends_its_line(behind)) {
      edits.push_back({behind, behind, " " + command});
      return;
    }
    const std::size_t at = end_of_line(behind);
    edits.push_back({at, at, line_end_ + indent(model) + command});
  }

  void close_inside(const Block& statements) {
    for (const Statement& s : statements) {
      if (const auto* branch = std::get_if<If>(&s.node)) {
        close_inside(branch->body);
        if (is_empty(branch->closing)) insert_command(s.span.end, "endif", s.span.begin);
      } else if (const auto* loop = std::get_if<While>(&s.node)) {
        close_inside(loop->body);
        if (is_empty(loop->closing)) insert_command(s.span.end, "endwhile", s.span.begin);
      }
    }
  }

  void block(const Block& statements) {
    for (std::size_t i = 0; i < statements.size(); ++i) {
      const Statement& s = statements[i];
      if (std::holds_alternative<WaitFor>(s.node)) wait_for(statements, i);
      if (const auto* transmit = std::get_if<Transmit>(&s.node)) credentials(*transmit, s);
      if (const auto* branch = std::get_if<If>(&s.node)) block(branch->body);
      if (const auto* loop = std::get_if<While>(&s.node)) block(loop->body);
    }
  }

  void wait_for(const Block& statements, std::size_t i) {
    const Statement& s = statements[i];
    if (const Diagnostic* d = finding("no-until", s.span.begin)) {
      edits.push_back({s.span.end, s.span.end, fmt::format(" until {}", time_for_each_wait())});
      repaired.push_back(*d);
      return;   // its success is the next round's
    }
    const Diagnostic* d = finding("unchecked-success", s.span.begin);
    // What follows in the same block is what depends on the wait. Where nothing follows, only the author knows.
    if (d == nullptr || i + 1 == statements.size()) return;
    insert_command(s.span.end, "if $SUCCESS then", s.span.begin);
    insert_command(statements.back().span.end, "endif", s.span.begin);
    repaired.push_back(*d);
  }

  /// A minute, or less where the deadline of the run leaves less.
  std::int64_t time_for_each_wait() const {
    std::int64_t written = 0;
    std::int64_t missing = 0;
    for (const Procedure& procedure : file_.procedures) count(procedure.body, written, missing);
    return std::clamp<std::int64_t>((options_.deadline.count() / 1000 - written) / std::max<std::int64_t>(missing, 1), 5, 60);
  }

  static void count(const Block& statements, std::int64_t& written, std::int64_t& missing) {
    const auto add = [&](const Expression& e) {
      const auto* number = std::get_if<IntegerLiteral>(&e.node);
      if (number != nullptr) written += std::min<std::int64_t>(number->value, 1'000'000);
    };
    for (const Statement& s : statements) {
      if (const auto* wait = std::get_if<WaitFor>(&s.node)) {
        if (wait->until) add(*wait->until);
        else ++missing;
      }
      if (const auto* delay = std::get_if<Delay>(&s.node)) add(*delay->seconds);
      if (const auto* branch = std::get_if<If>(&s.node)) count(branch->body, written, missing);
      if (const auto* loop = std::get_if<While>(&s.node)) count(loop->body, written, missing);
    }
  }

  static bool is_credential(const Expression& e) {
    const auto* system = std::get_if<SystemVariable>(&e.node);
    return system != nullptr && type_of(*system_name(system->name)) == Type::string;
  }

  static void terms(const Expression& e, std::vector<const Expression*>& out) {
    const auto* sum = std::get_if<Binary>(&e.node);
    if (sum == nullptr || sum->op != BinaryOp::add) {
      out.push_back(&e);
      return;
    }
    terms(*sum->left, out);
    terms(*sum->right, out);
  }

  /// `transmit $PASSWORD + "^M"` becomes one transmit for each part, since `raw` would take the sense from the rest.
  void credentials(const Transmit& transmit, const Statement& s) {
    const Diagnostic* d = finding("not-raw", transmit.value->span.begin);
    if (d == nullptr) return;
    std::vector<const Expression*> parts;
    terms(*transmit.value, parts);
    const std::string between = starts_its_line(s.span.begin) ? line_end_ + indent(s.span.begin) : " ";
    std::string out;
    bool joined = false;   // the last transmit can take another part
    for (const Expression* part : parts) {
      const std::string_view written = text_.substr(part->span.begin, part->span.end - part->span.begin);
      if (is_credential(*part)) {
        out += fmt::format("{}transmit {}, raw", out.empty() ? "" : between, written);
        joined = false;
      } else {
        if (joined) out += fmt::format(" + {}", written);
        else out += fmt::format("{}transmit {}", out.empty() ? "" : between, written);
        joined = true;
      }
    }
    edits.push_back({s.span.begin, s.span.end, out});
    repaired.push_back(*d);
  }

  const SourceText& source_;
  std::string_view text_;
  const File& file_;
  const std::vector<Diagnostic>& findings_;
  LintOptions options_;
  std::string line_end_;
};

}  // namespace
}  // namespace longline::script::scp

namespace longline::script {

Fixed fix(const std::string& name, std::string text, const LintOptions& options) {
  constexpr int kMostRounds = 8;
  Fixed out;
  for (int round = 0;; ++round) {
    out.script = parse_scp(name, text);
    std::vector<Diagnostic>& findings = out.script.diagnostics;
    for (Diagnostic& d : lint(out.script, options)) findings.push_back(std::move(d));
    std::stable_sort(findings.begin(), findings.end(), [](const Diagnostic& a, const Diagnostic& b) {
      return std::tie(a.where.line, a.where.column) < std::tie(b.where.line, b.where.column);
    });
    std::vector<Diagnostic> errors;
    std::copy_if(findings.begin(), findings.end(), std::back_inserter(errors), [](const Diagnostic& d) { return d.severity == Severity::error; });
    if (round == kMostRounds) break;
    scp::Fixer fixer(out.script, errors.empty() ? findings : errors, options);
    if (errors.empty()) fixer.repair_lint();
    else if (std::all_of(errors.begin(), errors.end(), scp::is_missing_closer)) fixer.close_blocks();
    if (fixer.edits.empty()) break;
    text = scp::carry_out(text, std::move(fixer.edits));
    std::move(fixer.repaired.begin(), fixer.repaired.end(), std::back_inserter(out.repaired));
  }
  out.text = std::move(text);
  return out;
}

}  // namespace longline::script
