// SPDX-License-Identifier: MIT
#include "sys/x400/transfer_names.hpp"

#include <algorithm>
#include <string_view>

namespace longline::sys {
namespace {

// Two octets of length, then the value; the machine bounds each to far less.
void put_counted(std::string& out, std::string_view value) {
  const std::size_t size = std::min<std::size_t>(value.size(), 0xFFFF);
  out += static_cast<char>(size >> 8);
  out += static_cast<char>(size & 0xFF);
  out += value.substr(0, size);
}

std::string take_counted(std::string_view& in) {
  if (in.size() < 2) return {};
  const std::size_t size = static_cast<std::size_t>(static_cast<unsigned char>(in[0])) << 8 | static_cast<unsigned char>(in[1]);
  std::string value(in.substr(2, size));
  in.remove_prefix(std::min(in.size(), size + 2));
  return value;
}

}  // namespace

std::string stored_session(const x400::SessionId& id) {
  std::string out;
  put_counted(out, id.calling);
  put_counted(out, id.common);
  put_counted(out, id.additional);
  return out;
}

x400::SessionId session_id(const std::string& stored) {
  std::string_view in = stored;
  x400::SessionId id;
  id.calling = take_counted(in);
  id.common = take_counted(in);
  id.additional = take_counted(in);
  return id;
}

TransferName stored_name(const x400::TransferKey& key) { return {stored_session(key.session), key.activity}; }

x400::TransferKey transfer_key(const TransferName& name) { return {session_id(name.session), name.activity}; }

}  // namespace longline::sys
