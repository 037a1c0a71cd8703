#include "orient.h"

#include <algorithm>
#include <tuple>

#include "bounds.h"
#include "key_hash.h"

namespace netloupe {
namespace {

constexpr std::uint16_t kWellKnownPorts = 1024;
constexpr std::uint16_t kEphemeralPorts = 32768;  // Linux's default ip_local_port_range begins here

constexpr std::uint64_t kGroupBit = std::uint64_t{1} << 40;  // lowest bit of an Ethernet address's first byte

/// Without link-layer addresses each packet is looked up, on machines with hundreds of addresses too.
bool comesBefore(const LocalAddress& a, const LocalAddress& b) {
  const auto rank = [](const LocalAddress& own) {
    return std::tuple(own.family, __builtin_bswap64(load64(own.address.data())),
                      __builtin_bswap64(load64(own.address.data() + 8)));
  };
  return rank(a) < rank(b);
}

bool isUnspecified(const Address& address) {
  return address == Address{};
}

}  // namespace

std::uint64_t packed(const LinkLayerAddress& address) {
  std::uint64_t value = 0;
  for (const std::uint8_t byte : address) value = value << 8 | byte;
  return value;
}

bool isGroup(const Address& address, std::uint8_t family) {
  if (family == 6) return address[0] == 0xff;
  if (family != 4) return false;
  return (address[0] & 0xf0) == 0xe0 ||
         (address[0] == 255 && address[1] == 255 && address[2] == 255 && address[3] == 255);
}

bool isPrivate(const Address& address, std::uint8_t family) {
  const std::uint8_t a = address[0];
  const std::uint8_t b = address[1];
  if (family == 4) {
    return a == 10 || a == 127 || (a == 172 && (b & 0xf0) == 16) || (a == 192 && b == 168) || (a == 169 && b == 254) ||
           (a == 100 && (b & 0xc0) == 64);
  }
  if (family != 6) return false;
  Address loopback{};
  loopback[15] = 1;
  return (a & 0xfe) == 0xfc || (a == 0xfe && (b & 0xc0) == 0x80) || address == loopback;
}

void Orientation::setLinkLayerAddress(const LinkLayerAddress& address) {
  linkAddress_ = packed(address);
}

void Orientation::setLocalAddresses(std::span<const LocalAddress> addresses) {
  const auto count = static_cast<std::ptrdiff_t>(std::min(addresses.size(), kMaxLocalAddresses));
  addresses_.assign(addresses.begin(), addresses.begin() + count);
  std::sort(addresses_.begin(), addresses_.end(), comesBefore);
}

bool Orientation::isLocal(const Address& address, std::uint8_t family) const {
  return std::binary_search(addresses_.begin(), addresses_.end(), LocalAddress{address, family, 0}, comesBefore);
}

bool Orientation::isBroadcast(const Address& address, std::uint8_t family) const {
  if (family != 4) return false;
  return std::any_of(addresses_.begin(), addresses_.end(), [&](const LocalAddress& own) {
    if (own.family != 4 || own.prefixLength > 30) return false;  // RFC 3021: a /31 has no broadcast address
    std::uint32_t theirs = 0;
    std::uint32_t ours = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      theirs = theirs << 8 | address[i];
      ours = ours << 8 | own.address[i];
    }
    return theirs == (ours | 0xffffffffu >> own.prefixLength);
  });
}

void Orientation::direct(Packet& packet) const {
  if (loopback_) {
    packet.direction = Direction::tx;
    return;
  }
  if (packet.direction != Direction::unknown) return;
  if (recorded_) {
    if (linkAddress_ != 0 && (packet.linkSource == linkAddress_ || packet.linkDestination == linkAddress_)) {
      packet.direction = packet.linkSource == linkAddress_ ? Direction::tx : Direction::rx;
      return;
    }
    const bool source = isLocal(packet.source, packet.family);
    const bool destination = isLocal(packet.destination, packet.family);
    if (source != destination) packet.direction = source ? Direction::tx : Direction::rx;
    return;
  }
  if (packet.linkSource | packet.linkDestination) {
    if (packet.linkSource == linkAddress_ && linkAddress_ != 0) {
      packet.direction = Direction::tx;
      return;
    }
    if (packet.linkDestination & kGroupBit) {
      packet.direction = Direction::rx;
      packet.addressee = Addressee::group;
      return;
    }
    if (packet.linkDestination == linkAddress_) {
      packet.direction = Direction::rx;
      packet.addressee = Addressee::host;
      return;
    }
    if (linkAddress_ != 0) packet.addressee = Addressee::otherHost;
  }
  packet.direction = isLocal(packet.source, packet.family) ? Direction::tx : Direction::rx;
}

bool Orientation::sourceIsLocal(const Packet& packet) const {
  constexpr std::uint8_t kHandshake = kTcpSyn | kTcpAck;
  const bool tcp = packet.protocol == kProtocolTcp;
  if (tcp && (packet.tcpFlags & kHandshake) == kTcpSyn) return true;
  if (tcp && (packet.tcpFlags & kHandshake) == kHandshake) return false;
  if (packet.family == 0) return true;
  if (isGroup(packet.destination, packet.family)) return true;
  const bool sourcePrivate = isPrivate(packet.source, packet.family);
  const bool destinationPrivate = isPrivate(packet.destination, packet.family);
  if (sourcePrivate != destinationPrivate) return sourcePrivate;
  if (packet.sourcePort != packet.destinationPort) {
    const std::uint16_t low = std::min(packet.sourcePort, packet.destinationPort);
    const std::uint16_t high = std::max(packet.sourcePort, packet.destinationPort);
    if (low < kWellKnownPorts || (low < kEphemeralPorts && high >= kEphemeralPorts))
      return packet.destinationPort == low;
  }
  return true;
}

Reason Orientation::foreign(const Packet& packet) const {
  if (loopback_ || recorded_ || packet.family == 0 || addresses_.empty()) return Reason::none;
  if (packet.direction == Direction::tx) {
    const bool ours = isLocal(packet.source, packet.family) || isUnspecified(packet.source);
    return ours ? Reason::none : Reason::forwarded;
  }
  if (packet.addressee == Addressee::otherHost) return Reason::notLocal;
  if (isLocal(packet.destination, packet.family)) return Reason::none;
  if (isGroup(packet.destination, packet.family) || isBroadcast(packet.destination, packet.family)) return Reason::none;
  return packet.addressee == Addressee::group ? Reason::notLocal : Reason::forwarded;
}

}  // namespace netloupe
