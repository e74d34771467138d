// SPDX-License-Identifier: MIT
#include "route/rtnetlink.hpp"

namespace longline::route {
namespace {

struct RouteHeader {  // rtmsg
  std::uint8_t family;
  std::uint8_t to_length;
  std::uint8_t from_length;
  std::uint8_t tos;
  std::uint8_t table;
  std::uint8_t protocol;
  std::uint8_t scope;
  std::uint8_t type;
  std::uint32_t flags;
};

struct LinkHeader {  // ifinfomsg
  std::uint8_t family;
  std::uint8_t pad;
  std::uint16_t type;
  std::int32_t index;
  std::uint32_t flags;
  std::uint32_t change;
};

struct AddressHeader {  // ifaddrmsg
  std::uint8_t family;
  std::uint8_t length;
  std::uint8_t flags;
  std::uint8_t scope;
  std::uint32_t index;
};

template <class Header>
std::optional<Header> take_header(std::string_view& payload) {
  Header header{};
  if (payload.size() < sizeof header) return std::nullopt;
  std::memcpy(&header, payload.data(), sizeof header);
  payload.remove_prefix(sizeof header);
  return header;
}

Family family_of(std::uint8_t number) {
  return number == rt::kInet ? Family::ipv4 : number == rt::kInet6 ? Family::ipv6 : Family::none;
}

std::uint8_t number_of(Family family) { return family == Family::ipv6 ? rt::kInet6 : rt::kInet; }

/// false unless the value has the length of the family's addresses.
bool read_address(IpAddress& out, Family family, std::string_view value) {
  if (value.size() != static_cast<std::size_t>(address_bits(family) / 8)) return false;
  out.family = family;
  std::memcpy(out.bytes.data(), value.data(), value.size());
  return true;
}

std::string_view bytes_of(const IpAddress& address) {
  return {reinterpret_cast<const char*>(address.bytes.data()), static_cast<std::size_t>(address.byte_count())};
}

void read_metrics(KernelRoute& route, std::string_view metrics) {
  while (const std::optional<NetlinkAttribute> metric = next_attribute(metrics)) {
    if (metric->type == rt::kMtu) route.mtu = metric->as<std::uint32_t>().value_or(0);
    else route.other = true;
  }
}

/// false: the attribute's value is not what its type says.
bool read_attribute(KernelRoute& route, const NetlinkAttribute& attribute) {
  const Family family = route.to.address.family;
  const auto u32 = [&](std::uint32_t& out) {
    const std::optional<std::uint32_t> value = attribute.as<std::uint32_t>();
    if (value) out = *value;
    return value.has_value();
  };
  switch (attribute.type) {
    case rt::kDestination: return read_address(route.to.address, family, attribute.value);
    case rt::kGateway: return read_address(route.via, family, attribute.value);
    case rt::kPreferredSource: return read_address(route.source, family, attribute.value);
    case rt::kOutput: return u32(route.interface);
    case rt::kPriority: return u32(route.metric);
    case rt::kTable: return u32(route.table);
    case rt::kMetrics: read_metrics(route, attribute.value); return true;
    case rt::kCacheInfo:
    case rt::kPreference: return true;
    default: route.other = true; return true;
  }
}

std::uint8_t header_table(std::uint32_t table) { return table < 256 ? static_cast<std::uint8_t>(table) : 0; }

}  // namespace

std::optional<KernelRoute> decode_route(const NetlinkMessage& message) {
  if (message.type != rt::kNewRoute && message.type != rt::kDeleteRoute) return std::nullopt;
  std::string_view rest = message.payload;
  const std::optional<RouteHeader> header = take_header<RouteHeader>(rest);
  if (!header) return std::nullopt;
  const Family family = family_of(header->family);
  if (family == Family::none || header->to_length > address_bits(family)) return std::nullopt;
  KernelRoute route;
  route.to = default_prefix(family);
  route.to.length = header->to_length;
  route.type = header->type;
  route.protocol = header->protocol;
  route.tos = header->tos;
  route.table = header->table;
  route.onlink = (header->flags & rt::kOnlink) != 0;
  route.cloned = (header->flags & rt::kCloned) != 0;
  route.other = header->from_length != 0;
  while (const std::optional<NetlinkAttribute> attribute = next_attribute(rest)) {
    if (!read_attribute(route, *attribute)) return std::nullopt;
  }
  // Without what is no attribute: padded to its length it could become one.
  route.raw = message.payload.substr(0, message.payload.size() - rest.size());
  route.to = network_of(route.to);
  return route;
}

bool is_close_to_us(const NetlinkMessage& event) {
  if (event.type != rt::kNewRoute && event.type != rt::kDeleteRoute) return true;
  const std::optional<KernelRoute> route = decode_route(event);
  return route && !route->cloned && (route->is_own() || route->protocol == kKernelProtocol);
}

std::optional<Interface> decode_interface(const NetlinkMessage& message) {
  if (message.type != rt::kNewLink && message.type != rt::kDeleteLink) return std::nullopt;
  std::string_view rest = message.payload;
  const std::optional<LinkHeader> header = take_header<LinkHeader>(rest);
  if (!header || header->index <= 0) return std::nullopt;
  Interface interface;
  interface.index = static_cast<std::uint32_t>(header->index);
  interface.up = (header->flags & rt::kInterfaceUp) != 0;
  interface.point_to_point = (header->flags & rt::kPointToPoint) != 0;
  while (const std::optional<NetlinkAttribute> attribute = next_attribute(rest)) {
    if (attribute->type == rt::kLinkName) interface.name = attribute->text().substr(0, 15);
  }
  if (interface.name.empty()) return std::nullopt;
  return interface;
}

std::optional<InterfaceAddress> decode_address(const NetlinkMessage& message) {
  if (message.type != rt::kNewAddress && message.type != rt::kDeleteAddress) return std::nullopt;
  std::string_view rest = message.payload;
  const std::optional<AddressHeader> header = take_header<AddressHeader>(rest);
  if (!header) return std::nullopt;
  const Family family = family_of(header->family);
  if (family == Family::none || header->length > address_bits(family)) return std::nullopt;
  InterfaceAddress address;
  address.interface = header->index;
  address.network.length = header->length;
  while (const std::optional<NetlinkAttribute> attribute = next_attribute(rest)) {
    if (attribute->type == rt::kAddressAddress && !read_address(address.network.address, family, attribute->value)) return std::nullopt;
    if (attribute->type == rt::kAddressLocal && !read_address(address.local, family, attribute->value)) return std::nullopt;
  }
  if (!address.local) address.local = address.network.address;
  if (!address.network.address) address.network.address = address.local;
  if (!address.local) return std::nullopt;
  return address;
}

namespace {

void encode_new(std::string& out, const KernelRoute& route, std::uint16_t flags) {
  MessageWriter message(out, rt::kNewRoute, nl::kFlagRequest | flags, 0);
  if (route.raw.size() >= sizeof(RouteHeader)) {
    std::string_view rest = route.raw;
    RouteHeader header = *take_header<RouteHeader>(rest);
    header.flags &= rt::kOnlink;  // the others are the kernel's remarks, which it refuses to hear back
    message.put(header);
    message.append(rest);
    message.end();
    return;
  }
  const Family family = route.to.address.family;
  const bool direct = family == Family::ipv4 && route.type == rt::kUnicast && !route.via;
  message.put(RouteHeader{number_of(family), static_cast<std::uint8_t>(route.to.length), 0, route.tos,
                          header_table(route.table), route.protocol, direct ? rt::kScopeLink : rt::kScopeUniverse, route.type,
                          route.onlink ? rt::kOnlink : 0});
  if (route.to.length > 0) message.attribute(rt::kDestination, bytes_of(route.to.address));
  if (route.via) message.attribute(rt::kGateway, bytes_of(route.via));
  if (route.interface != 0) message.attribute_u32(rt::kOutput, route.interface);
  if (route.metric != 0) message.attribute_u32(rt::kPriority, route.metric);
  message.attribute_u32(rt::kTable, route.table);
  if (route.source) message.attribute(rt::kPreferredSource, bytes_of(route.source));
  if (route.mtu != 0) {
    struct {
      std::uint16_t length = 8, type = rt::kMtu;
      std::uint32_t value = 0;
    } nested;
    nested.value = route.mtu;
    message.attribute(rt::kMetrics, {reinterpret_cast<const char*>(&nested), sizeof nested});
  }
  message.end();
}

}  // namespace

void encode_add(std::string& out, const KernelRoute& route) { encode_new(out, route, nl::kFlagCreate | nl::kFlagExclusive); }

void encode_trial(std::string& out, const KernelRoute& route) { encode_new(out, route, nl::kFlagReplace | nl::kFlagExclusive); }

void encode_delete(std::string& out, const KernelRoute& route) {
  const Family family = route.to.address.family;
  MessageWriter message(out, rt::kDeleteRoute, nl::kFlagRequest, 0);
  message.put(RouteHeader{number_of(family), static_cast<std::uint8_t>(route.to.length), 0, route.tos,
                          header_table(route.table), route.protocol, rt::kScopeNowhere, route.type, 0});
  if (route.to.length > 0) message.attribute(rt::kDestination, bytes_of(route.to.address));
  // IPv6 lets a reject route out on the loopback device; to name that would only narrow the match by accident.
  if (route.type == rt::kUnicast && !route.other) {
    if (route.via) message.attribute(rt::kGateway, bytes_of(route.via));
    if (route.interface != 0) message.attribute_u32(rt::kOutput, route.interface);
  }
  if (route.metric != 0) message.attribute_u32(rt::kPriority, route.metric);
  message.attribute_u32(rt::kTable, route.table);
  message.end();
}

std::string encode_route_query(const IpAddress& address, const IpAddress& from, bool matched) {
  std::string out;
  MessageWriter message(out, rt::kGetRoute, nl::kFlagRequest | nl::kFlagAck, 0);
  const auto bits = static_cast<std::uint8_t>(address_bits(address.family));
  // Strict checking lets IPv6 ask for the match only.
  const std::uint32_t flags = (address.family == Family::ipv4 ? rt::kLookupTable : 0) | (matched ? rt::kMatched : 0);
  message.put(RouteHeader{number_of(address.family), bits, from ? bits : std::uint8_t{0}, 0, 0, 0, 0, 0, flags});
  message.attribute(rt::kDestination, bytes_of(address));
  if (from) message.attribute(rt::kSource, bytes_of(from));
  message.end();
  return out;
}

std::string encode_route_dump(Family family) {
  std::string out;
  MessageWriter message(out, rt::kGetRoute, nl::kFlagRequest | nl::kFlagDump, 0);
  message.put(RouteHeader{number_of(family), 0, 0, 0, 0, 0, 0, 0, 0});
  message.end();
  return out;
}

std::string encode_interface_dump() {
  std::string out;
  MessageWriter message(out, rt::kGetLink, nl::kFlagRequest | nl::kFlagDump, 0);
  message.put(LinkHeader{0, 0, 0, 0, 0, 0});
  message.attribute_u32(rt::kLinkExtMask, rt::kSkipStatistics);
  message.end();
  return out;
}

std::string encode_address_dump() {
  std::string out;
  MessageWriter message(out, rt::kGetAddress, nl::kFlagRequest | nl::kFlagDump, 0);
  message.put(AddressHeader{0, 0, 0, 0, 0});
  message.end();
  return out;
}

}  // namespace longline::route
