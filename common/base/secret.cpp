// SPDX-License-Identifier: MIT
#include "base/secret.hpp"

#include <algorithm>

namespace longline {

Secret::Secret(Secret&& other) noexcept : value_(other.value_) { other.clear(); }

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    clear();
    value_ = other.value_;
    other.clear();
  }
  return *this;
}

Secret::~Secret() { clear(); }

void Secret::clear() {
  // Through volatile, so that the compiler does not remove stores to memory that is about to be freed.
  volatile char* bytes = value_.data();
  for (std::size_t i = 0; i < value_.size(); ++i) bytes[i] = 0;
  value_.clear();
}

namespace {

/// Does the text begin with these bytes? A peer at 7E1 echoes a secret with parity in the eighth bit.
bool begins_with(std::string_view text, std::string_view bytes) {
  if (text.size() < bytes.size()) return false;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const bool plain = static_cast<unsigned char>(bytes[i]) < 0x80;
    if ((plain ? static_cast<char>(text[i] & 0x7F) : text[i]) != bytes[i]) return false;
  }
  return true;
}

/// Does the text end in the midst of these bytes?
bool may_become(std::string_view text, std::string_view bytes) {
  if (text.size() >= bytes.size()) return false;
  return begins_with(text, bytes.substr(0, text.size()));
}

}  // namespace

SecretMasker::SecretMasker(const std::vector<Secret>& secrets) {
  for (const Secret& secret : secrets) add(secret);
}

void SecretMasker::add(const Secret& secret) {
  if (secret.reveal().size() < 2) return;
  secrets_.push_back(secret);
  // The longest first, so that a secret that contains another is masked whole.
  std::stable_sort(secrets_.begin(), secrets_.end(),
                   [](const Secret& a, const Secret& b) { return a.reveal().size() > b.reveal().size(); });
}

std::string SecretMasker::feed(std::string_view bytes) {
  if (secrets_.empty()) return std::string(bytes);
  held_ += bytes;
  std::string out;
  std::size_t at = 0;
  while (at < held_.size()) {
    const std::string_view rest = std::string_view(held_).substr(at);
    std::size_t matched = 0;
    bool incomplete = false;
    for (const Secret& secret : secrets_) {
      const std::string& s = secret.reveal();
      if (begins_with(rest, s)) {
        matched = s.size();
        break;
      }
      if (may_become(rest, s)) {
        incomplete = true;
        break;
      }
    }
    if (incomplete) break;
    if (matched > 0) {
      at += matched;
      if (at > shown_) out += kMask;
    } else {
      if (at >= shown_) out += held_[at];
      ++at;
    }
  }
  held_.erase(0, at);
  shown_ -= std::min(shown_, at);
  return out;
}

std::string SecretMasker::flush() {
  const std::string rest = held_.substr(shown_);
  shown_ = held_.size();
  return held_.size() >= 2 && !rest.empty() ? std::string(kMask) : rest;
}

std::string mask(std::string_view text, const std::vector<Secret>& secrets) {
  SecretMasker masker(secrets);
  std::string out = masker.feed(text);
  return out + masker.flush();
}

}  // namespace longline
