// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace longline::route {

/// Netlink messages (RFC 3549, 2.3; linux/netlink.h) as bytes, in host byte order. Pure: whoever reads hostile bytes
/// gets fewer messages or attributes, never a read beyond them.

namespace nl {
inline constexpr std::uint16_t kError = 2;            // NLMSG_ERROR
inline constexpr std::uint16_t kDone = 3;             // NLMSG_DONE
inline constexpr std::uint16_t kFlagRequest = 0x01;   // NLM_F_*
inline constexpr std::uint16_t kFlagMulti = 0x02;
inline constexpr std::uint16_t kFlagAck = 0x04;
inline constexpr std::uint16_t kFlagDumpInterrupted = 0x10;
inline constexpr std::uint16_t kFlagDump = 0x300;     // ROOT | MATCH
inline constexpr std::uint16_t kFlagReplace = 0x100;
inline constexpr std::uint16_t kFlagExclusive = 0x200;
inline constexpr std::uint16_t kFlagCreate = 0x400;
inline constexpr std::uint16_t kFlagCapped = 0x100;   // in an error: only the header of the request comes back
inline constexpr std::uint16_t kFlagAckTlvs = 0x200;  // in an error: attributes follow
inline constexpr std::uint16_t kTypeMask = 0x3FFF;    // without NLA_F_NESTED and NLA_F_NET_BYTEORDER
inline constexpr std::size_t kHeaderSize = 16;
}  // namespace nl

struct NetlinkMessage {
  std::uint16_t type = 0;
  std::uint16_t flags = 0;
  std::uint32_t sequence = 0;
  std::string_view payload;     ///< behind the header
};

/// Takes the first message off `bytes`; nullopt when none is left, or the rest is no message.
std::optional<NetlinkMessage> next_message(std::string_view& bytes);

struct NetlinkAttribute {
  std::uint16_t type = 0;       ///< without flags
  std::string_view value;

  /// nullopt unless the value has exactly the size of T.
  template <class T>
  std::optional<T> as() const {
    if (value.size() != sizeof(T)) return std::nullopt;
    T out;
    std::memcpy(&out, value.data(), sizeof(T));
    return out;
  }
  std::string_view text() const { return value.substr(0, value.find('\0')); }
};

/// Takes the first attribute off `bytes`; nullopt when none is left, or the rest is no attribute.
std::optional<NetlinkAttribute> next_attribute(std::string_view& bytes);

/// NLMSG_ERROR and its extended acknowledgement.
struct NetlinkAck {
  int error = 0;                ///< errno, positive; 0: done
  std::uint32_t sequence = 0;
  std::string text;             ///< the kernel's own words, escaped; may be empty
};
std::optional<NetlinkAck> decode_ack(const NetlinkMessage& message);

/// Appends one message to a buffer; end() closes it. Lengths and padding are kept right.
class MessageWriter {
 public:
  MessageWriter(std::string& out, std::uint16_t type, std::uint16_t flags, std::uint32_t sequence);
  template <class T>
  void put(const T& fixed) {
    append(std::string_view(reinterpret_cast<const char*>(&fixed), sizeof(T)));
  }
  void attribute(std::uint16_t type, std::string_view value);
  void attribute_u32(std::uint16_t type, std::uint32_t value);
  /// Attributes that are encoded already.
  void append(std::string_view bytes);
  void end();

 private:
  std::string& out_;
  std::size_t start_;
};

}  // namespace longline::route
