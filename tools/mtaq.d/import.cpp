// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "base/text.hpp"
#include "mail/batch_smtp.hpp"
#include "sys/intake/batch_import.hpp"
#include "sys/system_clock.hpp"
#include "verbs.hpp"

namespace longline::mtaq {
namespace {

mail::SmtpServerOptions server_options(const World& world) {
  mail::SmtpServerOptions out;
  out.host = world.host;
  out.local_domains = {"*"};   // whoever may write the spool may add any mail
  out.size_limit = 900'000'000;
  out.recipient_limit = 100'000;
  out.error_limit = 1'000'000;
  out.wall_at_start = sys::wall_now();
  return out;
}

std::optional<std::string> known(const std::string& text) { return text.empty() ? std::nullopt : std::optional(text); }

Result<void> read_all(int fd, const std::string& name, mail::BatchReader& reader) {
  std::string buffer(1 << 20, '\0');
  while (true) {
    const ssize_t n = ::read(fd, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error(errno, name);
    if (n == 0) return {};
    reader.feed(std::string_view(buffer).substr(0, static_cast<std::size_t>(n)));
  }
}

}  // namespace

Result<ExitStatus> run_import(const Options& options, World& world) {
  if (world.queue.kind != config::QueueKind::spool) {
    return Error(Errc::usage, "import queues into the spool; other mail systems read batches themselves (exim -bS)");
  }
  sys::UniqueFd file;
  const std::string& name = options.import_file;
  const bool from_stdin = name.empty() || name == "-";
  if (!from_stdin) {
    file = sys::UniqueFd(::open(name.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return system_error(errno, name);
  }
  LONGLINE_TRY(sys::Spool spool, sys::Spool::open(world.paths.spool));
  LONGLINE_TRY(sys::BatchImport import, sys::BatchImport::open(std::move(spool), world.config));
  std::int64_t skipped = 0;
  mail::BatchReader reader(server_options(world), [&](mail::Deliver&& message) -> Result<std::string> {
    LONGLINE_TRY(const sys::BatchImport::Outcome outcome, import.store(std::move(message)));
    skipped += outcome.id.empty() ? 1 : 0;
    if (options.common.quiet) return outcome.id;
    if (options.common.json) {
      JsonObject line;
      line.set("id", known(outcome.id));
      line.set("result", outcome.id.empty() ? "skipped" : "queued").set("message_id", known(outcome.message_id)).set("recipients", outcome.recipients);
      std::printf("%s\n", line.dump().c_str());
    } else if (outcome.id.empty()) {
      std::fprintf(stderr, "mtaq: %s is here already: skipped\n",
                   outcome.message_id.empty() ? "a message" : escape_at_most(outcome.message_id, 200).c_str());
    } else {
      std::printf("%s\n", outcome.id.c_str());
    }
    return outcome.id;
  });
  LONGLINE_CHECK(read_all(from_stdin ? STDIN_FILENO : file.get(), from_stdin ? "stdin" : name, reader));
  const Result<void> finished = reader.finish();
  if (!options.common.quiet && !options.common.json && tools::stderr_is_terminal()) {
    std::fprintf(stderr, "%lld queued, %lld there already, %lld refused\n", static_cast<long long>(reader.taken() - skipped),
                 static_cast<long long>(skipped), static_cast<long long>(reader.refused()));
  }
  if (!finished) return finished.error();
  return ExitStatus::ok;
}

}  // namespace longline::mtaq
