// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

/// Phonebooks of other dialers as longline.toml(5). What they cannot say here is reported, key by key.
namespace longline::config {

/// A key that was not carried over, or not as it stands. Never holds a value: it could be a password.
struct ImportNote {
  enum class Kind {
    by_hand,       ///< something is to be done: the reason says what
    no_meaning,    ///< it is about windows, prompts, things that do not exist here
    unknown,       ///< a key that the importer does not know
    secret,        ///< a password or PIN: it belongs into a file of its own
  };
  Kind kind = Kind::by_hand;
  std::string entry;    ///< "" for what belongs to none
  std::string key;      ///< "" for the entry as a whole
  int line = 0;
  std::string reason;   ///< one clause
};

struct Imported {
  std::string toml;                 ///< what parse_config() accepts; keys that need a hand stand in it as comments
  std::vector<std::string> links;   ///< the names that it defines
  std::vector<ImportNote> notes;    ///< in order of lines
};

enum class ImportFormat { rasphone, wvdial };
std::string_view to_string(ImportNote::Kind kind);   ///< "by-hand"

/// By the file's name (.pbk), or by what stands in it; nullopt when neither tells.
std::optional<ImportFormat> guess_import_format(std::string_view name, std::string_view text);

/// Both: Errc::malformed for what is no text. The links' names are those of the entries, at most 64 bytes, made unique.
/// Windows' rasphone.pbk, versions 1 to 8. Entries that are no calls (VPN, PPPoE) are reported, not carried.
Result<Imported> import_rasphone(std::string_view text);
/// wvdial.conf(5): a link for each [Dialer NAME] as `wvdial NAME` reads it, upon [Dialer Defaults]; Defaults itself is one
/// if it has a number.
Result<Imported> import_wvdial(std::string_view text);

}  // namespace longline::config
