#include "decode.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace netloupe {
namespace {

constexpr std::uint16_t kEtherTypeVlan = 0x8100;
constexpr std::uint16_t kEtherTypeServiceVlan = 0x88a8;
constexpr std::uint16_t kEtherTypeOldServiceVlan = 0x9100;
constexpr std::uint16_t kEtherTypeMin = 0x0600;  // below: an IEEE 802.3 length

constexpr std::uint8_t kIpv6HopByHop = 0;
constexpr std::uint8_t kIpv6Routing = 43;
constexpr std::uint8_t kIpv6Fragment = 44;
constexpr std::uint8_t kAuthentication = 51;
constexpr std::uint8_t kIpv6Destination = 60;

// More tags or headers than any real network stacks up: whoever sends them wants the loop to be long.
constexpr int kMaxVlanTags = 8;
constexpr int kMaxExtensionHeaders = 32;

/// The rest of a frame: how much of it was captured, and how much of it there was.
struct Rest {
  const std::uint8_t* at;
  std::size_t captured;
  std::size_t wire;

  bool has(std::size_t bytes) const { return captured >= bytes; }

  /// Why `bytes` bytes are not there: the snaplen cut them off, or the sender left them out.
  Reason missing(std::size_t bytes) const { return wire >= bytes ? Reason::truncated : Reason::malformed; }

  void skip(std::size_t bytes) {
    at += bytes;
    captured -= bytes;
    wire -= std::min(wire, bytes);
  }

  /// Leaves out what follows the first `bytes` bytes (link-layer padding).
  void limit(std::size_t bytes) {
    wire = std::min(wire, bytes);
    captured = std::min(captured, bytes);
  }
};

std::uint16_t be16(const std::uint8_t* at) {
  return static_cast<std::uint16_t>(at[0] << 8 | at[1]);
}

std::uint32_t be32(const std::uint8_t* at) {
  return std::uint32_t{at[0]} << 24 | std::uint32_t{at[1]} << 16 | std::uint32_t{at[2]} << 8 | std::uint32_t{at[3]};
}

/// Whole words, because hashing reads whole words: a narrower store before a wider load stalls the processor.
void setIpv4(Address& address, const std::uint8_t* at) {
  std::uint32_t value;
  std::memcpy(&value, at, sizeof value);
  const std::uint64_t words[2] = {value, 0};
  static_assert(std::endian::native == std::endian::little);
  std::memcpy(address.data(), words, sizeof words);
}

std::uint64_t be48(const std::uint8_t* at) {
  return std::uint64_t{be16(at)} << 32 | be32(at + 2);
}

/// Member by member: out of one assignment the compiler makes a string instruction that takes longer than the rest of
/// decoding.
void blank(Packet& packet, std::uint32_t frameBytes) {
  packet.source = {};
  packet.destination = {};
  packet.sourcePort = 0;
  packet.destinationPort = 0;
  packet.etherType = 0;
  packet.vlanId = 0;
  packet.family = 0;
  packet.protocol = kProtocolNone;
  packet.tcpFlags = 0;
  packet.icmpType = 0;
  packet.reason = Reason::none;
  packet.fragment = Fragment::none;
  packet.direction = Direction::unknown;
  packet.addressee = Addressee::unknown;
  packet.frameBytes = frameBytes;
  packet.payloadBytes = 0;
  packet.tcpSequence = 0;
  packet.tcpAcknowledgment = 0;
  packet.fragmentId = 0;
  packet.linkSource = 0;
  packet.linkDestination = 0;
}

/// Only the frame's length is known: it is counted in a bucket of its reason.
void unparsed(Packet& packet, Reason reason) {
  packet.source = {};
  packet.destination = {};
  packet.family = 0;
  packet.protocol = kProtocolNone;
  packet.fragment = Fragment::none;
  packet.reason = reason;
}

/// A transport header that is not all there. Cut by the snaplen, the packet keeps its addresses; a sender's own short
/// header makes it malformed, unless a fragment boundary explains it.
void shortTransport(const Rest& rest, std::size_t needed, Packet& packet) {
  if (rest.missing(needed) == Reason::truncated) {
    packet.reason = Reason::truncated;
  } else if (packet.fragment == Fragment::first) {
    packet.reason = Reason::fragment;
  } else {
    unparsed(packet, Reason::malformed);
  }
}

void transport(Rest rest, Packet& packet) {
  const std::size_t length = rest.wire;
  std::size_t header = 0;
  switch (packet.protocol) {
    case kProtocolTcp: {
      const bool whole = rest.has(20);
      if (!whole && (!rest.has(4) || (packet.fragment == Fragment::none && rest.wire < 20))) {
        return shortTransport(rest, 20, packet);
      }
      packet.sourcePort = be16(rest.at);
      packet.destinationPort = be16(rest.at + 2);
      header = 20;
      if (rest.has(12)) {
        packet.tcpSequence = be32(rest.at + 4);
        packet.tcpAcknowledgment = be32(rest.at + 8);
      }
      if (rest.has(14)) {
        header = std::max<std::size_t>(20, std::size_t{rest.at[12]} >> 4 << 2);
        packet.tcpFlags = rest.at[13];
      }
      break;
    }
    case kProtocolUdp:
    case kProtocolSctp:
      header = packet.protocol == kProtocolUdp ? 8 : 12;
      if (!rest.has(4) || (packet.fragment == Fragment::none && rest.wire < header)) {
        return shortTransport(rest, header, packet);
      }
      packet.sourcePort = be16(rest.at);
      packet.destinationPort = be16(rest.at + 2);
      break;
    case kProtocolIcmp:
    case kProtocolIcmpV6: {
      if (!rest.has(4)) return shortTransport(rest, 4, packet);
      header = 8;
      packet.icmpType = rest.at[0];
      const bool echo = packet.protocol == kProtocolIcmp ? packet.icmpType == 8 || packet.icmpType == 0
                                                         : packet.icmpType == 128 || packet.icmpType == 129;
      if (echo && rest.has(6)) packet.sourcePort = packet.destinationPort = be16(rest.at + 4);
      break;
    }
    default:
      break;
  }
  packet.payloadBytes = static_cast<std::uint32_t>(length - std::min(length, header));
}

/// Walks extension headers (RFC 8200 section 4; AH also behind IPv4) to the transport. ESP hides what follows: it stays
/// the protocol.
void extensions(Rest rest, Packet& packet) {
  for (int headers = 0; headers < kMaxExtensionHeaders; ++headers) {
    const std::uint8_t kind = packet.protocol;
    const bool ipv6Only =
        kind == kIpv6HopByHop || kind == kIpv6Routing || kind == kIpv6Fragment || kind == kIpv6Destination;
    if (kind != kAuthentication && !(ipv6Only && packet.family == 6)) return transport(rest, packet);
    if (!rest.has(8)) return shortTransport(rest, 8, packet);
    std::size_t length = 8;
    if (kind == kIpv6Fragment) {
      const std::uint16_t field = be16(rest.at + 2);
      packet.fragmentId = be32(rest.at + 4);
      if (field & 0xfff8) {
        packet.protocol = rest.at[0];
        packet.fragment = Fragment::later;
        packet.reason = Reason::fragment;
        rest.skip(8);
        packet.payloadBytes = static_cast<std::uint32_t>(rest.wire);
        return;
      }
      if (field & 1) packet.fragment = Fragment::first;
    } else if (kind == kAuthentication) {
      length = (std::size_t{rest.at[1]} + 2) * 4;  // RFC 4302 section 2.2
    } else {
      length = (std::size_t{rest.at[1]} + 1) * 8;
    }
    if (!rest.has(length)) return shortTransport(rest, length, packet);
    packet.protocol = rest.at[0];
    rest.skip(length);
  }
  unparsed(packet, Reason::malformed);
}

void ipv4(Rest rest, Packet& packet) {
  packet.etherType = kEtherTypeIpv4;
  if (!rest.has(20)) return unparsed(packet, rest.missing(20));
  const std::size_t header = std::size_t{rest.at[0] & 0x0fu} * 4;
  std::size_t total = be16(rest.at + 2);
  if (total == 0) total = rest.wire;  // segmentation offload: the kernel leaves the length of packets over 64 KiB empty
  if (rest.at[0] >> 4 != 4 || header < 20 || total < header) return unparsed(packet, Reason::malformed);
  packet.family = 4;
  packet.protocol = rest.at[9];
  setIpv4(packet.source, rest.at + 12);
  setIpv4(packet.destination, rest.at + 16);
  const std::uint16_t field = be16(rest.at + 6);
  // RFC 791: the protocol takes part in what a fragment belongs to.
  packet.fragmentId = be16(rest.at + 4) | std::uint32_t{packet.protocol} << 16;
  rest.limit(total);
  if (!rest.has(header)) {
    if (rest.missing(header) == Reason::malformed) return unparsed(packet, Reason::malformed);
    packet.reason = Reason::truncated;
    return;
  }
  rest.skip(header);
  if (field & 0x1fff) {
    packet.fragment = Fragment::later;
    packet.reason = Reason::fragment;
    packet.payloadBytes = static_cast<std::uint32_t>(rest.wire);
    return;
  }
  if (field & 0x2000) packet.fragment = Fragment::first;
  if (packet.protocol == kAuthentication) return extensions(rest, packet);
  transport(rest, packet);
}

void ipv6(Rest rest, Packet& packet) {
  packet.etherType = kEtherTypeIpv6;
  if (!rest.has(40)) return unparsed(packet, rest.missing(40));
  if (rest.at[0] >> 4 != 6) return unparsed(packet, Reason::malformed);
  packet.family = 6;
  const std::size_t payload = be16(rest.at + 4);
  packet.protocol = rest.at[6];
  std::memcpy(packet.source.data(), rest.at + 8, 16);
  std::memcpy(packet.destination.data(), rest.at + 24, 16);
  rest.skip(40);
  if (payload != 0) rest.limit(payload);  // 0: a jumbogram (RFC 2675) or segmentation offload, as long as the frame
  extensions(rest, packet);
}

/// By EtherType, after any VLAN tags (IEEE 802.1Q, 802.1ad).
void network(std::uint16_t etherType, Rest rest, Packet& packet) {
  for (int tags = 0; tags < kMaxVlanTags; ++tags) {
    if (etherType != kEtherTypeVlan && etherType != kEtherTypeServiceVlan && etherType != kEtherTypeOldServiceVlan)
      break;
    if (!rest.has(4)) {
      packet.etherType = etherType;
      return unparsed(packet, rest.missing(4));
    }
    if (tags == 0) packet.vlanId = be16(rest.at) & 0x0fff;
    etherType = be16(rest.at + 2);
    rest.skip(4);
  }
  if (etherType == kEtherTypeIpv4) return ipv4(rest, packet);
  if (etherType == kEtherTypeIpv6) return ipv6(rest, packet);
  packet.etherType = etherType < kEtherTypeMin ? std::uint16_t{0} : etherType;
}

void ethernet(Rest rest, Packet& packet) {
  if (!rest.has(14)) return unparsed(packet, rest.missing(14));
  packet.linkDestination = be48(rest.at);
  packet.linkSource = be48(rest.at + 6);
  const std::uint16_t etherType = be16(rest.at + 12);
  rest.skip(14);
  network(etherType, rest, packet);
}

void rawIp(Rest rest, Packet& packet) {
  if (!rest.has(1)) return unparsed(packet, rest.missing(1));
  const int version = rest.at[0] >> 4;
  if (version == 4) return ipv4(rest, packet);
  if (version == 6) return ipv6(rest, packet);
  unparsed(packet, Reason::malformed);
}

/// The packet type of a cooked header (packet(7)).
void cookedType(unsigned type, Packet& packet) {
  switch (type) {
    case 0:
      packet.direction = Direction::rx;
      packet.addressee = Addressee::host;
      break;
    case 1:
    case 2:
      packet.direction = Direction::rx;
      packet.addressee = Addressee::group;
      break;
    case 3:
      packet.direction = Direction::rx;
      packet.addressee = Addressee::otherHost;
      break;
    case 4:
      packet.direction = Direction::tx;
      break;
    default:
      break;
  }
}

/// Of a cooked header: for these hardware types (ARPHRD_) the protocol field is not an EtherType.
bool hasEtherType(std::uint16_t hardwareType) {
  return hardwareType != 824 /* netlink */ && hardwareType != 801 && hardwareType != 802 &&
         hardwareType != 803 /* 802.11 */;
}

void linuxSll(Rest rest, Packet& packet) {
  if (!rest.has(16)) return unparsed(packet, rest.missing(16));
  cookedType(be16(rest.at), packet);
  const std::uint16_t etherType = hasEtherType(be16(rest.at + 2)) ? be16(rest.at + 14) : std::uint16_t{0};
  rest.skip(16);
  network(etherType, rest, packet);
}

void linuxSll2(Rest rest, Packet& packet) {
  if (!rest.has(20)) return unparsed(packet, rest.missing(20));
  cookedType(rest.at[10], packet);
  const std::uint16_t etherType = hasEtherType(be16(rest.at + 8)) ? be16(rest.at) : std::uint16_t{0};
  rest.skip(20);
  network(etherType, rest, packet);
}

/// BSD loopback: an address family in the byte order of the machine that captured (null) or in network order (loop).
/// Both orders are taken for both, and every value that a BSD or macOS gives IPv6.
void bsdLoopback(Rest rest, Packet& packet) {
  if (!rest.has(4)) return unparsed(packet, rest.missing(4));
  const std::uint32_t big = be32(rest.at);
  const std::uint32_t family = big < 0x10000 ? big : std::uint32_t{rest.at[0]} | std::uint32_t{rest.at[1]} << 8;
  rest.skip(4);
  if (family == 2) return ipv4(rest, packet);
  if (family == 10 || family == 24 || family == 28 || family == 30) return ipv6(rest, packet);
  unparsed(packet, Reason::linkType);
}

/// PPP with or without HDLC framing (RFC 1661, RFC 1662), protocol field compressed or not.
void ppp(Rest rest, Packet& packet) {
  if (rest.has(2) && rest.at[0] == 0xff && rest.at[1] == 0x03) rest.skip(2);
  if (!rest.has(2)) return unparsed(packet, rest.missing(2));
  const bool compressed = rest.at[0] & 1;
  const std::uint16_t protocol = compressed ? rest.at[0] : be16(rest.at);
  rest.skip(compressed ? 1 : 2);
  if (protocol == 0x0021) return ipv4(rest, packet);
  if (protocol == 0x0057) return ipv6(rest, packet);
}

}  // namespace

LinkLayer linkLayerOf(std::uint32_t linkType) {
  switch (linkType) {
    case 0:
      return LinkLayer::null;
    case 1:
      return LinkLayer::ethernet;
    case 9:
    case 50:
      return LinkLayer::ppp;
    case 12:   // DLT_RAW on most systems,
    case 14:   // on OpenBSD,
    case 101:  // LINKTYPE_RAW in files
    case 228:
    case 229:
      return LinkLayer::raw;
    case 108:
      return LinkLayer::loop;
    case 113:
      return LinkLayer::linuxSll;
    case 276:
      return LinkLayer::linuxSll2;
    default:
      return LinkLayer::other;
  }
}

const char* linkLayerName(LinkLayer link) {
  switch (link) {
    case LinkLayer::ethernet:
      return "ethernet";
    case LinkLayer::raw:
      return "raw";
    case LinkLayer::linuxSll:
      return "linuxSll";
    case LinkLayer::linuxSll2:
      return "linuxSll2";
    case LinkLayer::null:
      return "null";
    case LinkLayer::loop:
      return "loop";
    case LinkLayer::ppp:
    case LinkLayer::other:
      break;
  }
  return "other";
}

void decode(LinkLayer link, std::span<const std::uint8_t> captured, std::uint32_t frameBytes, Packet& packet) {
  blank(packet, frameBytes);
  // A file may claim a frame shorter than what it holds of it; the bytes that are there are looked at all the same.
  const Rest rest{captured.data(), captured.size(), std::max<std::size_t>(captured.size(), frameBytes)};
  switch (link) {
    case LinkLayer::ethernet:
      return ethernet(rest, packet);
    case LinkLayer::raw:
      return rawIp(rest, packet);
    case LinkLayer::linuxSll:
      return linuxSll(rest, packet);
    case LinkLayer::linuxSll2:
      return linuxSll2(rest, packet);
    case LinkLayer::null:
    case LinkLayer::loop:
      return bsdLoopback(rest, packet);
    case LinkLayer::ppp:
      return ppp(rest, packet);
    case LinkLayer::other:
      break;
  }
  unparsed(packet, Reason::linkType);
}

}  // namespace netloupe
