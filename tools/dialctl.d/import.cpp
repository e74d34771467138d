// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <cstdio>

#include "base/json.hpp"
#include "base/text.hpp"
#include "config/import.hpp"
#include "dialctl.d/verbs.hpp"
#include "sys/config_file.hpp"

namespace longline::tools::dialctl {
namespace {

using Kind = config::ImportNote::Kind;

void report_json(const config::ImportNote& note) {
  JsonObject body;
  if (note.entry.empty()) body.set_null("entry");
  else body.set("entry", note.entry);
  if (note.key.empty()) body.set_null("key");
  else body.set("key", note.key);
  body.set("line", note.line).set("kind", config::to_string(note.kind)).set("reason", note.reason);
  std::fprintf(stderr, "%s\n", JsonObject().set("not_carried", body).dump().c_str());
}

std::string shown(const std::string& text) { return escape_at_most(text, 80); }

/// One line for each key that asks for a hand; those that ask for nothing together.
void report(const std::string& file, const std::vector<config::ImportNote>& notes) {
  std::string out = fmt::format("dialctl: {}: not carried, or not as it stood:\n", escape(file));
  for (std::size_t i = 0; i < notes.size();) {
    const std::string& entry = notes[i].entry;
    out += entry.empty() ? std::string("  outside of every entry:\n") : fmt::format("  [{}]\n", shown(entry));
    std::string unknown, idle;
    for (; i < notes.size() && notes[i].entry == entry; ++i) {
      const config::ImportNote& note = notes[i];
      const std::string key = fmt::format("{} (line {})", note.key.empty() ? "entry" : shown(note.key), note.line);
      if (note.kind == Kind::unknown) unknown += (unknown.empty() ? "" : ", ") + key;
      else if (note.kind == Kind::no_meaning) idle += (idle.empty() ? "" : ", ") + shown(note.key);
      else out += fmt::format("    {}: {}\n", key, escape(note.reason));
    }
    if (!unknown.empty()) out += fmt::format("    unknown: {}\n", unknown);
    if (!idle.empty()) out += fmt::format("    nothing is lost with: {}\n", idle);
  }
  std::fwrite(out.data(), 1, out.size(), stderr);
}

}  // namespace

Result<ExitStatus> import_phonebook(const Options& options) {
  constexpr std::size_t kMost = 4 << 20;
  LONGLINE_TRY(const std::string text, sys::read_file(options.file, kMost));
  const std::string name = options.file == "-" ? "stdin" : options.file;
  std::optional<config::ImportFormat> format;
  if (options.format == "rasphone") format = config::ImportFormat::rasphone;
  else if (options.format == "wvdial") format = config::ImportFormat::wvdial;
  else format = config::guess_import_format(name, text);
  if (!format) {
    return Error(Errc::malformed, fmt::format("{} looks neither like a rasphone.pbk nor like a wvdial.conf", escape(name)))
        .with_hint("say which it is: --format rasphone, --format wvdial");
  }
  Result<config::Imported> imported =
      *format == config::ImportFormat::rasphone ? config::import_rasphone(text) : config::import_wvdial(text);
  if (!imported) return std::move(imported).error().context(escape(name));
  std::fwrite(imported->toml.data(), 1, imported->toml.size(), stdout);
  std::fflush(stdout);
  if (options.common.json) {
    for (const config::ImportNote& note : imported->notes) report_json(note);
  } else if (!options.common.quiet && !imported->notes.empty()) {
    report(name, imported->notes);
  }
  if (imported->links.empty()) return Error(Errc::malformed, fmt::format("{} has no entry that is a call", escape(name)));
  return ExitStatus::ok;
}

}  // namespace longline::tools::dialctl
