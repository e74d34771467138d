// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "base/text.hpp"
#include "route/route_key.hpp"
#include "route/route_text.hpp"

namespace longline::route {
namespace {

std::string folder_of(const std::string& file) {
  const std::size_t slash = file.rfind('/');
  return slash == std::string::npos ? "" : file.substr(0, slash + 1);
}

constexpr std::size_t kMostFiles = 1000;

class FileParser {
 public:
  explicit FileParser(const ReadInclude& read_include) : read_include_(read_include) {}

  ParsedRoutes parse(const std::string& file, std::string text) {
    out_.sources.reserve(kMostFiles);  // read() looks into the texts there while others are added
    read(file, std::move(text));
    find_duplicates();
    return std::move(out_);
  }

 private:
  bool full() const { return out_.diagnostics.size() >= kMostDiagnostics; }

  void fail(const std::string& file, int line, std::string_view line_text, std::string_view word, std::string code,
            std::string message) {
    const int column = static_cast<int>(word.data() - line_text.data()) + 1;
    out_.diagnostics.push_back({Severity::error, std::move(code), {file, line, column},
                                std::max<std::size_t>(1, word.size()), std::move(message), ""});
  }

  void read(const std::string& file, std::string text) {
    if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);  // the mark that Notepad puts in front of UTF-8
    bytes_ += text.size();
    lines_ += static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
    if (bytes_ > kMostBytes || lines_ > kMostLines) {
      out_.diagnostics.push_back({Severity::error, "too-large", {file, 0, 0}, 1,
                                  fmt::format("with what it includes there are more than {} lines or {} bytes", kMostLines, kMostBytes), ""});
      return;
    }
    const auto source = static_cast<std::uint32_t>(out_.sources.size());
    out_.sources.emplace_back(file, std::move(text));
    open_.push_back(file);
    out_.routes.reserve(out_.routes.size() + static_cast<std::size_t>(out_.sources.back().line_count()));
    std::string_view rest = out_.sources.back().text();
    for (int number = 1; !rest.empty() && !full(); ++number) {
      const std::size_t end = rest.find('\n');
      const std::string_view line = rest.substr(0, end);
      rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
      if (const std::string_view content = trim(line); content.starts_with("include ") || content.starts_with("include\t")) {
        include(file, number, line, trim(content.substr(8)));
        continue;
      }
      if (std::optional<Wanted> wanted = parse_route_line(line, number, file, out_.diagnostics)) {
        wanted->source = source;
        out_.routes.push_back(std::move(*wanted));
      }
    }
    open_.pop_back();
  }

  void include(const std::string& file, int number, std::string_view line, std::string_view name) {
    if (const std::size_t comment = name.find(" #"); comment != std::string_view::npos) name = trim(name.substr(0, comment));
    const std::string path = name.starts_with('/') ? std::string(name) : folder_of(file) + std::string(name);
    if (open_.size() >= static_cast<std::size_t>(kDeepestInclude)) {
      return fail(file, number, line, name, "include-depth", fmt::format("includes go deeper than {} files", kDeepestInclude));
    }
    if (out_.sources.size() >= kMostFiles) {
      return fail(file, number, line, name, "include-count", fmt::format("more than {} files are included", kMostFiles));
    }
    if (std::find(open_.begin(), open_.end(), path) != open_.end()) {
      return fail(file, number, line, name, "include-cycle", fmt::format("'{}' includes itself", escape(path)));
    }
    if (name.empty() || name.find('\0') != std::string_view::npos) {
      return fail(file, number, line, name, "include", "'include' needs the name of a file");
    }
    Result<std::string> text = read_include_(path);
    if (!text) return fail(file, number, line, name, "include", escape(text.error().message()));
    read(path, std::move(*text));
  }

  void find_duplicates() {
    // A file in the order of its networks needs no index.
    const auto ascends = [](const Wanted& a, const Wanted& b) { return key_of(a.route) < key_of(b.route); };
    if (std::adjacent_find(out_.routes.begin(), out_.routes.end(), std::not_fn(ascends)) == out_.routes.end()) return;
    KeyIndex index(out_.routes.size());
    for (std::size_t i = 0; i < out_.routes.size() && !full(); ++i) {
      const Wanted& wanted = out_.routes[i];
      const std::size_t first = index.insert(key_of(wanted.route), i);
      if (first == i) continue;
      const Where other = out_.where(out_.routes[first]);
      const Where here = out_.where(wanted);
      out_.diagnostics.push_back(
          {Severity::error, "duplicate", here, 1,
           fmt::format("{} with metric {} stands in {}:{} too; the kernel holds one of them", to_string(wanted.route.to),
                       effective_metric(wanted.route), escape(other.file), other.line),
           "another metric: the lower one is preferred"});
    }
  }

  const ReadInclude& read_include_;
  std::vector<std::string> open_;
  std::size_t bytes_ = 0, lines_ = 0;
  ParsedRoutes out_;
};

}  // namespace

Where ParsedRoutes::where(const Wanted& wanted) const {
  return {wanted.source < sources.size() ? sources[wanted.source].file() : "", wanted.line, wanted.column};
}

std::string ParsedRoutes::rendered(bool colour) const {
  std::string out;
  const SourceText nothing("", "");
  for (const Diagnostic& d : diagnostics) {
    const auto source = std::find_if(sources.begin(), sources.end(),
                                     [&](const SourceText& s) { return s.file() == d.where.file; });
    out += render(d, source == sources.end() ? nothing : *source, colour);
  }
  return out;
}

ParsedRoutes parse_routes(const std::string& file, std::string text, const ReadInclude& read_include) {
  return FileParser(read_include).parse(file, std::move(text));
}

}  // namespace longline::route
