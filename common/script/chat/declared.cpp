// SPDX-License-Identifier: MIT
#include "script/chat/declared.hpp"

namespace longline::script::chat {

std::size_t clear_declared(std::vector<std::string>& declared, const std::string& gone, bool as_chat) {
  if (!as_chat) return std::erase(declared, gone);
  std::size_t looked_at = declared.size();
  std::vector<std::string> left;
  for (std::size_t i = 0; i < declared.size(); ++i) {
    if (declared[i] == gone && i < looked_at) --looked_at;
    else left.push_back(declared[i]);
  }
  declared.swap(left);
  return left.size() - declared.size();
}

}  // namespace longline::script::chat
