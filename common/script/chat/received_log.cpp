// SPDX-License-Identifier: MIT
#include "script/chat/received_log.hpp"

#include <algorithm>
#include <utility>

#include "script/chat/text.hpp"

namespace longline::script::chat {
namespace {

constexpr std::size_t kLine = 80;
constexpr std::size_t kBuffer = 1024;
constexpr std::size_t kLeastKept = 50;

}  // namespace

void ReceivedLog::begin(std::size_t length) {
  line_.clear();
  kept_ = std::max(length, kLeastKept) - 1;
  buffered_ = 0;
}

std::vector<std::string> ReceivedLog::feed(char byte) {
  std::vector<std::string> out;
  if (byte == '\n') out.push_back(rest());
  else line_ += byte;
  if (line_.size() >= kLine) out.push_back(rest());
  if (++buffered_ >= kBuffer) {
    if (line_.size() > kept_) out.push_back(rest());
    buffered_ = kept_;
  }
  return out;
}

std::string ReceivedLog::rest() { return visible(std::exchange(line_, {})); }

}  // namespace longline::script::chat
