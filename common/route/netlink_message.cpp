// SPDX-License-Identifier: MIT
#include "route/netlink_message.hpp"

#include "base/text.hpp"

namespace longline::route {
namespace {

struct Header {  // nlmsghdr
  std::uint32_t length;
  std::uint16_t type;
  std::uint16_t flags;
  std::uint32_t sequence;
  std::uint32_t port;
};
static_assert(sizeof(Header) == nl::kHeaderSize);

struct AttributeHeader {  // nlattr
  std::uint16_t length;
  std::uint16_t type;
};

constexpr std::uint16_t kAckText = 1;  // NLMSGERR_ATTR_MSG
constexpr std::size_t kLongestText = 300;

constexpr std::size_t aligned(std::size_t size) { return (size + 3) & ~std::size_t{3}; }

}  // namespace

std::optional<NetlinkMessage> next_message(std::string_view& bytes) {
  Header header{};
  if (bytes.size() < sizeof header) return std::nullopt;
  std::memcpy(&header, bytes.data(), sizeof header);
  if (header.length < sizeof header || header.length > bytes.size()) return std::nullopt;
  const NetlinkMessage message{header.type, header.flags, header.sequence,
                               bytes.substr(sizeof header, header.length - sizeof header)};
  bytes.remove_prefix(std::min(bytes.size(), aligned(header.length)));
  return message;
}

std::optional<NetlinkAttribute> next_attribute(std::string_view& bytes) {
  AttributeHeader header{};
  if (bytes.size() < sizeof header) return std::nullopt;
  std::memcpy(&header, bytes.data(), sizeof header);
  if (header.length < sizeof header || header.length > bytes.size()) return std::nullopt;
  const NetlinkAttribute attribute{static_cast<std::uint16_t>(header.type & nl::kTypeMask),
                                   bytes.substr(sizeof header, header.length - sizeof header)};
  bytes.remove_prefix(std::min(bytes.size(), aligned(header.length)));
  return attribute;
}

std::optional<NetlinkAck> decode_ack(const NetlinkMessage& message) {
  std::int32_t error = 0;
  Header request{};
  std::string_view rest = message.payload;
  if (message.type != nl::kError || rest.size() < sizeof error + sizeof request) return std::nullopt;
  std::memcpy(&error, rest.data(), sizeof error);
  std::memcpy(&request, rest.data() + sizeof error, sizeof request);
  rest.remove_prefix(sizeof error + sizeof request);
  NetlinkAck ack;
  ack.error = error == INT32_MIN ? INT32_MAX : error < 0 ? -error : error;
  ack.sequence = message.sequence;
  if ((message.flags & nl::kFlagAckTlvs) == 0) return ack;
  if ((message.flags & nl::kFlagCapped) == 0) {
    const std::size_t body = request.length < sizeof request ? 0 : aligned(request.length) - sizeof request;
    rest.remove_prefix(std::min(rest.size(), body));
  }
  while (const std::optional<NetlinkAttribute> attribute = next_attribute(rest)) {
    if (attribute->type == kAckText) ack.text = escape_at_most(attribute->text(), kLongestText);
  }
  return ack;
}

MessageWriter::MessageWriter(std::string& out, std::uint16_t type, std::uint16_t flags, std::uint32_t sequence)
    : out_(out), start_(out.size()) {
  put(Header{0, type, flags, sequence, 0});
}

void MessageWriter::append(std::string_view bytes) {
  out_ += bytes;
  out_.append(aligned(bytes.size()) - bytes.size(), '\0');
}

void MessageWriter::attribute(std::uint16_t type, std::string_view value) {
  put(AttributeHeader{static_cast<std::uint16_t>(sizeof(AttributeHeader) + value.size()), type});
  append(value);
}

void MessageWriter::attribute_u32(std::uint16_t type, std::uint32_t value) {
  attribute(type, std::string_view(reinterpret_cast<const char*>(&value), sizeof value));
}

void MessageWriter::end() {
  const auto length = static_cast<std::uint32_t>(out_.size() - start_);
  std::memcpy(out_.data() + start_, &length, sizeof length);
}

}  // namespace longline::route
