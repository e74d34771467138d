// SPDX-License-Identifier: MIT
#include "x400/p1_reader.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace longline::x400 {
namespace {

constexpr std::size_t kDeepestElement = 64;

Error bad_p1(std::string what) { return Error(Errc::malformed, "P1: " + std::move(what)); }

}  // namespace

void P1Reader::advance(std::size_t bytes) {
  at_ += bytes;
  offset_ += bytes;
}

Result<void> P1Reader::feed(std::string_view bytes) {
  if (state_ == State::failed) return bad_p1("an error came before");
  held_ += bytes;
  while (true) {
    auto went_on = step();
    if (!went_on) {
      state_ = State::failed;
      held_.clear();
      at_ = 0;
      return std::move(went_on).error();
    }
    if (!*went_on) break;
  }
  held_.erase(0, at_);
  at_ = 0;
  if (held_.size() <= longest()) return {};
  const std::size_t most = longest();
  state_ = State::failed;
  return bad_p1(fmt::format("an envelope or a report of more than {} bytes", most));
}

Result<void> P1Reader::finish() {
  if (state_ == State::failed) return bad_p1("an error came before");
  if (state_ == State::ended && held_.empty()) return {};
  state_ = State::failed;
  return bad_p1("the transfer ends before its APDU");
}

Result<bool> P1Reader::step() {
  switch (state_) {
    case State::wrapper: return step_wrapper();
    case State::message: return step_message();
    case State::report: return step_report();
    case State::content: return step_content();
    case State::ended:
      if (!rest().empty()) return bad_p1("bytes behind the APDU");
      return false;
    case State::failed: break;
  }
  return false;
}

Result<std::optional<BerHeader>> P1Reader::header() const {
  LONGLINE_TRY(auto header, read_header(rest()));
  if (!header || !header->length) return header;
  for (const Level& level : levels_) {
    const std::uint64_t from = offset_ + header->size;
    if (level.end && (from > *level.end || *header->length > *level.end - from)) return bad_p1("an element is longer than what it is in");
  }
  return header;
}

Result<void> P1Reader::enter(const BerHeader& header) {
  if (!header.constructed) return bad_p1(fmt::format("{} is primitive", to_string(header.tag)));
  if (levels_.size() >= kDeepestElement) return bad_p1("elements are nested too deeply");
  advance(header.size);
  levels_.push_back({header.length ? std::optional(offset_ + *header.length) : std::nullopt});
  return {};
}

/// The EXTERNAL's fields before its encoding, and the APDU's tag.
Result<bool> P1Reader::step_wrapper() {
  LONGLINE_TRY(const auto next, header());
  if (!next) return false;
  if (levels_.empty() && next->tag == tags::kExternal) {
    LONGLINE_CHECK(enter(*next));
    return true;
  }
  if (levels_.size() == 1 && !in_encoding_) {
    if (next->tag.tag_class == TagClass::universal) {   // direct-reference, indirect-reference, data-value-descriptor
      if (!next->length || next->constructed || *next->length > kLongestHead) return bad_p1("an EXTERNAL whose encoding is not there");
      if (next->tag == universal(0)) return bad_p1("an EXTERNAL without its encoding");
      if (rest().size() - next->size < *next->length) return false;
      advance(next->size + static_cast<std::size_t>(*next->length));
      return true;
    }
    if (next->tag == context(0)) {
      LONGLINE_CHECK(enter(*next));
      in_encoding_ = true;
      return true;
    }
    if (next->tag == context(1) && !next->constructed) {   // octet-aligned: its bytes are those of the value
      advance(next->size);
      levels_.push_back({offset_ + *next->length});
      in_encoding_ = true;
      return true;
    }
    return bad_p1(fmt::format("an EXTERNAL whose encoding is {}", to_string(next->tag)));
  }
  if (next->tag == context(2)) return Error(Errc::refused, "P1: a probe; probes are not answered");
  if (next->tag != context(0) && next->tag != context(1)) return bad_p1(fmt::format("{} is no MTS-APDU", to_string(next->tag)));
  if (next->tag == context(1)) {
    state_ = State::report;
    head_end_ = ElementEnd(kLongestReport);
    return true;
  }
  LONGLINE_CHECK(enter(*next));
  apdu_depth_ = levels_.size();
  state_ = State::message;
  return true;
}

Result<std::optional<BerElement>> P1Reader::whole_element() {
  LONGLINE_TRY(const auto size, head_end_.find(rest()));
  if (!size) return std::optional<BerElement>();
  LONGLINE_TRY(BerElement element, BerReader::only(rest().substr(0, *size), {longest(), kDeepestElement, BerLimits{}.elements}));
  return std::optional(std::move(element));
}

Result<bool> P1Reader::step_message() {
  LONGLINE_CHECK(header());
  LONGLINE_TRY(const auto envelope, whole_element());
  if (!envelope) return false;
  LONGLINE_TRY(message_, read_envelope(*envelope));
  advance(envelope->whole.size());
  state_ = State::content;
  return true;
}

Result<bool> P1Reader::step_report() {
  if (!report_) {
    LONGLINE_CHECK(header());
    LONGLINE_TRY(const auto sequence, whole_element());
    if (!sequence) return false;
    LONGLINE_TRY(report_, read_report(*sequence));
    advance(sequence->whole.size());
  }
  if (levels_.empty()) {
    state_ = State::ended;
    return true;
  }
  return close_level();
}

/// Leaves the innermost element, whose end must be here.
Result<bool> P1Reader::close_level() {
  if (levels_.back().end) {
    if (*levels_.back().end != offset_) return bad_p1("bytes behind what an element should hold");
  } else {
    if (rest().size() < kEndOfContents.size()) return false;
    if (!rest().starts_with(kEndOfContents)) return bad_p1("bytes behind what an element should hold");
    advance(kEndOfContents.size());
  }
  levels_.pop_back();
  return true;
}

/// The content is an OCTET STRING; in pieces, they lie in levels_ behind apdu_depth_.
Result<bool> P1Reader::step_content() {
  if (piece_left_ > 0) {
    const std::size_t taken = static_cast<std::size_t>(std::min<std::uint64_t>(piece_left_, rest().size()));
    content_ += rest().substr(0, taken);
    advance(taken);
    piece_left_ -= taken;
    return taken > 0;
  }
  if (content_done_) {
    if (levels_.empty()) {
      state_ = State::ended;
      return true;
    }
    return close_level();
  }
  const bool in_pieces = levels_.size() > apdu_depth_;
  if (in_pieces) {
    const Level& level = levels_.back();
    const bool ends = level.end ? *level.end == offset_ : rest().starts_with(kEndOfContents);
    if (ends) {
      LONGLINE_CHECK(close_level());
      content_done_ = levels_.size() == apdu_depth_;
      return true;
    }
  }
  LONGLINE_TRY(const auto next, header());
  if (!next) return false;
  if (next->tag != tags::kOctetString) return bad_p1(fmt::format("{} where the content is due", to_string(next->tag)));
  if (next->constructed) {
    LONGLINE_CHECK(enter(*next));
    return true;
  }
  advance(next->size);
  piece_left_ = *next->length;
  if (!in_pieces) {
    content_size_ = piece_left_;
    content_done_ = true;
  }
  return true;
}

Result<std::optional<std::size_t>> ElementEnd::find(std::string_view bytes) {
  while (!begun_ || open_ > 0) {
    if (at_ > longest_) break;
    if (at_ >= bytes.size()) return std::optional<std::size_t>();
    const std::string_view rest = bytes.substr(at_);
    if (open_ > 0 && rest.front() == '\0') {
      if (rest.size() < kEndOfContents.size()) return std::optional<std::size_t>();
      if (rest.starts_with(kEndOfContents)) {
        --open_;
        at_ += kEndOfContents.size();
        continue;
      }
    }
    LONGLINE_TRY(const auto header, read_header(rest));
    if (!header) return std::optional<std::size_t>();
    begun_ = true;
    at_ += header->size;
    if (header->length) {
      if (*header->length > longest_) return bad_p1(fmt::format("{} of {} bytes, at most {} are taken", to_string(header->tag), *header->length, longest_));
      at_ += static_cast<std::size_t>(*header->length);
    } else if (++open_ > static_cast<int>(kDeepestElement)) {
      return bad_p1("elements are nested too deeply");
    }
  }
  if (at_ > longest_) return bad_p1(fmt::format("an envelope or a report of more than {} bytes", longest_));
  if (at_ > bytes.size()) return std::optional<std::size_t>();
  return std::optional(at_);
}

Result<P1Transfer> read_transfer(std::string_view bytes) {
  P1Reader reader;
  LONGLINE_CHECK(reader.feed(bytes));
  LONGLINE_CHECK(reader.finish());
  P1Transfer out;
  out.content = reader.take_content();
  if (reader.message() != nullptr) out.message = *reader.message();
  if (reader.report() != nullptr) out.report = *reader.report();
  return out;
}

}  // namespace longline::x400
