// SPDX-License-Identifier: MIT
#include <cstring>

#include "base/text.hpp"
#include "mail/dsn_parameters.hpp"
#include "options.hpp"

namespace longline::mtaq {
namespace {

// Options with a value that mean something only to a sendmail daemon.
constexpr std::string_view kIgnoredWithValue = "BCdDhLMOpXo";
// And those without.
constexpr std::string_view kIgnoredFlags = "AGUEmnsvx";

struct Arguments {
  const std::vector<std::string>& all;
  std::size_t next = 0;

  // "-fADDRESS" or "-f ADDRESS".
  Result<std::string> value(const std::string& argument) {
    if (argument.size() > 2) return argument.substr(2);
    if (next < all.size()) return all[next++];
    return Error(Errc::usage, "option " + argument + " needs a value");
  }
};

Result<void> set_mode(const std::string& argument, Options& out) {
  switch (argument.size() == 3 ? argument[2] : '?') {
    case 'm': return {};
    case 's':
      out.verb = Verb::receive;
      out.receive.stdio = out.receive.submission = true;
      return {};
    case 'i': out.add.checks_aliases = true; return {};
    case 'p': out.verb = Verb::list; return {};
    case 'd':
      return Error(Errc::usage, "mode -bd is not served: there is no daemon")
          .with_hint("'mtaq receive --listen HOST:PORT' receives mail; 'sendmail -q' from cron runs the queue");
    default: return Error(Errc::usage, "mode " + escape_at_most(argument, 40) + " is not served; -bm, -bs, -bp and -bi are");
  }
}

// "-q", "-qf" (in the foreground), "-q15m" and the like: how often is for whoever starts it, so each is one run.
Result<void> set_queue_run(const std::string& argument, Options& out) {
  std::string_view rest = std::string_view(argument).substr(2);
  while (!rest.empty() && std::string_view("fpq").find(rest[0]) != std::string_view::npos) rest.remove_prefix(1);
  if (rest.find_first_not_of("0123456789smhdw") != std::string_view::npos) {
    return Error(Errc::usage, "option " + escape_at_most(argument, 40) + ": a run of a part of the queue is not served; -q runs all of it")
        .with_hint("'mtaq flush ID...' sends some messages, 'mtaq flush --connector NAME' those of one connector");
  }
  out.verb = Verb::flush;
  return {};
}

// -N, -R, -V: what the sender wants to be told (RFC 3461).
Result<void> set_wish(const std::string& argument, Arguments& rest, AddOptions& add) {
  constexpr std::size_t kLongestEnvelopeId = 100;   // RFC 3461, 5.4
  LONGLINE_TRY(const std::string value, rest.value(argument));
  const auto bad = [&](const Error& why) { return Error(Errc::usage, "option " + argument.substr(0, 2) + ": " + why.what); };
  if (argument[1] == 'V') {
    if (value.empty() || value.size() > kLongestEnvelopeId) return bad(Error(Errc::usage, "an envelope id has 1 to 100 characters"));
    add.envelope_id = mail::to_xtext(value);
    return {};
  }
  auto parsed = argument[1] == 'N' ? mail::parse_notify(value) : mail::parse_ret(value);
  if (!parsed) return bad(parsed.error());
  (argument[1] == 'N' ? add.notify : add.ret) = std::move(*parsed);
  return {};
}

}  // namespace

Result<void> parse_sendmail_options(const std::vector<std::string>& arguments, Options& out) {
  out.verb = Verb::add;
  out.add.dot_ends = true;
  out.add.as_sendmail = true;
  Arguments rest{arguments};
  bool options = true;
  while (rest.next < arguments.size()) {
    const std::string argument = arguments[rest.next++];
    if (!options || argument.size() < 2 || argument[0] != '-') {
      out.add.recipients.push_back(argument);
    } else if (argument == "--") {
      options = false;
    } else if (argument == "-oi" || argument == "-oitrue") {
      out.add.dot_ends = false;
    } else if (argument.find_first_not_of("it", 1) == std::string::npos) {
      if (argument.find('i') != std::string::npos) out.add.dot_ends = false;
      if (argument.find('t') != std::string::npos) out.add.recipients_from_header = true;
    } else if (argument[1] == 'f' || argument[1] == 'r') {
      LONGLINE_TRY(out.add.sender, rest.value(argument));
    } else if (argument[1] == 'F') {
      LONGLINE_TRY(out.add.full_name, rest.value(argument));
    } else if (argument[1] == 'N' || argument[1] == 'R' || argument[1] == 'V') {
      LONGLINE_CHECK(set_wish(argument, rest, out.add));
    } else if (argument[1] == 'b') {
      LONGLINE_CHECK(set_mode(argument, out));
    } else if (argument[1] == 'q') {
      LONGLINE_CHECK(set_queue_run(argument, out));
    } else if (argument.starts_with("-o")) {
      // -oem, -oee and the like: how to report errors; the exit status does.
    } else if (kIgnoredWithValue.find(argument[1]) != std::string_view::npos) {
      LONGLINE_CHECK(rest.value(argument));
    } else if (kIgnoredFlags.find(argument[1]) == std::string_view::npos) {
      return Error(Errc::usage, "unknown option " + escape_at_most(argument, 40));
    }
  }
  if (out.verb != Verb::flush) return {};
  if (!out.add.recipients.empty() || out.add.recipients_from_header) {
    return Error(Errc::usage, "-q runs the queue, and takes no message and no recipients");
  }
  // Not before: a command line that is wrong has its hint.
  out.common.quiet = true;
  return {};
}

}  // namespace longline::mtaq
