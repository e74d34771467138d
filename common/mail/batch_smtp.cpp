// SPDX-License-Identifier: MIT
#include "mail/batch_smtp.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.hpp"

namespace longline::mail {
namespace {

constexpr std::size_t kLongestBatchCommand = 4096;
constexpr std::size_t kDataPiece = 64 * 1024;   // of a line of data
constexpr TimePoint kNow{};                 // a file has all the time in the world

bool is_ascii(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

}  // namespace

// ---- writing

std::string BatchWriter::begin(std::string_view host) const { return fmt::format("EHLO {}\r\n", host); }

std::string BatchWriter::envelope(const std::string& sender, const std::vector<std::string>& recipients, bool eight_bit, const DsnWishes& wishes) {
  line_start_ = true;
  last_ = '\n';
  std::string out = fmt::format("MAIL FROM:<{}>", sender);
  if (eight_bit) out += " BODY=8BITMIME";
  if (!is_ascii(sender) || !std::all_of(recipients.begin(), recipients.end(), is_ascii)) out += " SMTPUTF8";
  const auto add = [&](std::string_view key, const std::string& value) {
    if (!value.empty()) out += fmt::format(" {}={}", key, value);
  };
  add("RET", wishes.ret);
  add("ENVID", wishes.envelope_id);
  out += "\r\n";
  for (const std::string& recipient : recipients) {
    const DsnWish wish = wishes.of(recipient);
    out += fmt::format("RCPT TO:<{}>", recipient);
    add("NOTIFY", wish.notify);
    add("ORCPT", wish.original);
    out += "\r\n";
  }
  return out + "DATA\r\n";
}

std::string BatchWriter::body(std::string_view piece) {
  std::string out;
  out.reserve(piece.size() + piece.size() / 64 + 2);
  for (const char c : piece) {
    if (line_start_ && c == '.') out += '.';
    out += c;
    line_start_ = c == '\n' && last_ == '\r';
    last_ = c;
  }
  return out;
}

std::string BatchWriter::end_message() { return line_start_ ? ".\r\n" : "\r\n.\r\n"; }

// ---- reading

BatchReader::BatchReader(SmtpServerOptions options, Store store) : options_(std::move(options)), store_(std::move(store)) { restart(); }
BatchReader::BatchReader(BatchReader&&) noexcept = default;
BatchReader::~BatchReader() = default;

void BatchReader::restart() {
  server_.emplace(options_);
  server_->start(kNow);
  greeted_ = false;
  talk("");
}

// What the server says to these bytes: the code of its last reply, 0 for none.
int BatchReader::talk(std::string_view bytes) {
  if (!bytes.empty()) server_->on_bytes(bytes, kNow);
  reply_.clear();
  while (auto action = server_->next_action()) {
    if (auto* write = std::get_if<Write>(&*action)) {
      reply_ += write->bytes;
    } else if (auto* deliver = std::get_if<Deliver>(&*action)) {
      Result<std::string> stored = store_(std::move(*deliver));
      if (stored) {
        ++taken_;
        server_->accept(*stored, kNow);
      } else {
        if (!store_failure_) store_failure_ = stored.error();
        server_->refuse(stored.error(), kNow);
      }
    }
  }
  const std::string_view text = trim(reply_);
  const std::size_t start = text.rfind('\n');
  reply_ = std::string(start == std::string_view::npos ? text : text.substr(start + 1));
  return static_cast<int>(parse_integer(std::string_view(reply_).substr(0, 3)).value_or(0));
}

void BatchReader::complain(std::string_view command, bool of_message) {
  if (of_message) ++refused_;
  if (first_refusal_) return;
  first_refusal_ = Error(Errc::refused, fmt::format("line {}: {}: {}", line_number_, escape_at_most(command, 100), escape_at_most(reply_, 200)),
                         Stage::queue);
}

void BatchReader::feed(std::string_view bytes) {
  while (!bytes.empty() && !malformed_) {
    if (state_ == State::chunk && chunk_left_ > 0) {
      const std::string_view piece = bytes.substr(0, std::min<std::uint64_t>(chunk_left_, bytes.size()));
      chunk_left_ -= piece.size();
      const int code = talk(piece);
      bytes.remove_prefix(piece.size());
      if (chunk_left_ > 0) continue;
      if (code >= 400) complain("BDAT", true);
      state_ = State::command;
      continue;
    }
    const std::size_t end = bytes.find('\n');
    const std::string_view piece = bytes.substr(0, end == std::string_view::npos ? bytes.size() : end + 1);
    line_ += piece;
    bytes.remove_prefix(piece.size());
    if (end != std::string_view::npos) {
      take_line();
    } else if (state_ == State::command && line_.size() > kLongestBatchCommand + 1) {
      malformed_ = Error(Errc::malformed, fmt::format("line {}: too long for a command: not a batch", line_number_ + 1), Stage::queue);
    } else if (state_ != State::command && line_.size() > kDataPiece) {
      // The CR of a line's end may be its last byte.
      const char last = line_.back();
      line_.pop_back();
      take_data(line_, false);
      line_.assign(1, last);
    }
  }
}

void BatchReader::take_line() {
  ++line_number_;
  if (first_line_) unix_ends_ = !line_.ends_with("\r\n");
  first_line_ = false;
  if (state_ == State::command) {
    std::string_view line = line_;
    line = line.substr(0, line.find_last_not_of("\r\n") + 1);
    if (line_.size() > kLongestBatchCommand + 2) {   // in whatever pieces it came
      malformed_ = Error(Errc::malformed, fmt::format("line {}: too long for a command: not a batch", line_number_), Stage::queue);
    } else {
      take_command(std::string(line));
    }
  } else {
    if (unix_ends_ && !line_.ends_with("\r\n")) line_.insert(line_.size() - 1, 1, '\r');
    take_data(line_, true);
  }
  line_.clear();
}

void BatchReader::take_command(std::string_view line) {
  if (line.empty()) return;
  const std::string verb = to_lower(first_word(line));
  any_command_ = true;
  if (verb == "ehlo" || verb == "helo") greeted_ = true;
  else if (!greeted_) {
    // Batches of other programs begin with MAIL.
    talk("EHLO batch\r\n");
    greeted_ = true;
  }
  const int code = talk(std::string(line) + "\r\n");
  if (verb == "data") {
    state_ = code == 354 ? State::data : State::passed_over;
    line_start_ = true;
    if (code != 354) complain(line, true);
  } else if (verb == "bdat") {
    std::string_view rest = trim(line.substr(4));
    const auto size = parse_integer(rest.substr(0, rest.find(' ')));
    if (!size || *size < 0) {
      malformed_ = Error(Errc::malformed, fmt::format("line {}: BDAT without a size", line_number_), Stage::queue);
      return;
    }
    if (code >= 400 && *size > 0) {
      // Before its bytes: the server cannot tell where they end.
      complain(line, true);
      malformed_ = Error(Errc::malformed, first_refusal_->what + ": not a batch", Stage::queue);
      return;
    }
    chunk_left_ = static_cast<std::uint64_t>(*size);
    state_ = chunk_left_ > 0 ? State::chunk : State::command;
    if (chunk_left_ == 0 && code >= 400) complain(line, true);
  } else if (verb == "quit") {
    restart();
  } else if (code >= 400) {
    complain(line, false);
    // A batch has MAIL, RCPT and the like; a file that has something else is none, and it is not read to its end.
    if (code == 500 || code == 421) malformed_ = Error(Errc::malformed, first_refusal_->what + ": not a batch", Stage::queue);
  }
}

void BatchReader::take_data(std::string_view line, bool whole) {
  const bool ends = line_start_ && whole && line == ".\r\n";
  if (state_ == State::data) {
    const int code = talk(line);
    if (ends && code >= 400) complain("the message that ends here", true);
    else if (!ends && code == 421) malformed_ = Error(Errc::malformed, fmt::format("line {}: {}", line_number_, escape_at_most(reply_, 200)), Stage::queue);
  }
  line_start_ = whole;
  if (ends) state_ = State::command;
}

Result<void> BatchReader::finish() {
  const bool open = state_ != State::command;
  if (!malformed_ && !line_.empty() && !open) take_line();
  if (store_failure_) return *store_failure_;
  if (malformed_) return *malformed_;
  if (open) return Error(Errc::malformed, "the batch ends within a message, which was not taken", Stage::queue);
  if (!any_command_) return Error(Errc::malformed, "nothing to import", Stage::queue);
  if (first_refusal_) return *first_refusal_;
  return {};
}

}  // namespace longline::mail
