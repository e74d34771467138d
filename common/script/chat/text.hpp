// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/machine.hpp"
#include "base/time.hpp"

/// The escapes of chat(8), translated as chat(8) does: first the text is cleaned, which leaves a backslash before what the sending itself has
/// to act on; then it is sent, piece by piece.
namespace longline::script::chat {

struct Value {
  std::string text;
  bool secret = false;
};

/// What \T, \U and $NAME stand for.
struct Values {
  std::optional<std::string> phone{};    ///< -T
  std::optional<std::string> phone2{};   ///< -U
  /// Absent: $ is a character like others (no -E). nullopt: no such variable, and nothing is put in its place.
  std::function<std::optional<Value>(const std::string& name)> variable{};
  /// Values go to the line as they are. chat(8) looks for backslashes in them once more: a \d in a password sleeps.
  bool as_they_are = false;
};

struct Pause {
  Duration length{};
  bool operator==(const Pause&) const = default;
};
using Piece = std::variant<std::string, Pause, SendBreak>;

struct Sending {
  std::vector<Piece> pieces;
  std::string shown;     ///< as -v shows it
  bool quiet = false;    ///< \q: -v does not show it
  bool secret = false;   ///< it holds a value that is secret
};

/// A send: \r is added, unless \c stands last.
Sending translate_send(std::string_view text, const Values& values);
/// The same for bytes that are no script text (a file's): nothing in them means anything.
Sending send_as_it_is(std::string bytes);
/// An expect, an ABORT or REPORT string, a TIMEOUT. Never has a NUL.
std::string translate_expect(std::string_view text, const Values& values);
/// What SAY prints: cleaned as a send is, the \r included.
std::string translate_say(std::string_view text, const Values& values);

/// chat(8)'s way to show bytes: ^M, M-x, ^?; a tab as it is.
std::string visible(std::string_view bytes);

}  // namespace longline::script::chat
