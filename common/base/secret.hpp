// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace longline {

/// A password. Cannot be printed, compared or copied by accident; its memory is cleared when it goes.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}
  Secret(const Secret&) = default;
  Secret(Secret&& other) noexcept;
  Secret& operator=(const Secret&) = default;
  Secret& operator=(Secret&& other) noexcept;
  ~Secret();

  /// The one way to the bytes. Each call site must be a place where the bytes leave for the peer.
  const std::string& reveal() const { return value_; }
  bool empty() const { return value_.empty(); }

 private:
  void clear();
  std::string value_;
};

/// Replaces secrets in a stream of bytes by "********", also when a secret is split over several reads. Bytes that
/// may be the start of a secret are held back until it is clear, at most the length of the longest secret.
/// A secret of one byte is not masked: it would mask the dialogue.
class SecretMasker {
 public:
  static constexpr std::string_view kMask = "********";

  SecretMasker() = default;
  explicit SecretMasker(const std::vector<Secret>& secrets);
  void add(const Secret& secret);

  /// What may be shown now.
  std::string feed(std::string_view bytes);
  /// What was held back, at the end or when the stream pauses: masked if it is two or more bytes of a secret's start.
  /// Should the secret go on after the pause, the rest of it is masked too.
  std::string flush();

 private:
  std::vector<Secret> secrets_;
  std::string held_;
  std::size_t shown_ = 0;   ///< how much of held_ a flush has given out already
};

/// The whole text masked at once.
std::string mask(std::string_view text, const std::vector<Secret>& secrets);

}  // namespace longline
