// From the captured bytes of a frame to the facts that metering needs: link, network and transport headers and nothing
// above them. Pure: no state, no clock, no I/O, no allocation. Every byte is an attacker's; nothing is read beyond what
// was captured.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "flow.h"

namespace netloupe {

/// How a frame begins. `other`: counted, never looked into.
enum class LinkLayer : std::uint8_t { ethernet, raw, linuxSll, linuxSll2, null, loop, ppp, other };

/// From libpcap's DLT_ value of a live handle, or the LINKTYPE_ value in a file
/// (https://www.tcpdump.org/linktypes.html).
LinkLayer linkLayerOf(std::uint32_t linkType);

/// The name that PROTOCOL.md gives a link type.
const char* linkLayerName(LinkLayer link);

/// Which way a frame went; unknown where the link layer can't tell.
enum class Direction : std::uint8_t { unknown, rx, tx };

/// Whom the link layer addressed; unknown where it has no addresses.
enum class Addressee : std::uint8_t { unknown, host, group, otherHost };

inline constexpr std::uint8_t kProtocolIcmp = 1;
inline constexpr std::uint8_t kProtocolTcp = 6;
inline constexpr std::uint8_t kProtocolUdp = 17;
inline constexpr std::uint8_t kProtocolIcmpV6 = 58;
inline constexpr std::uint8_t kProtocolSctp = 132;
inline constexpr std::uint8_t kProtocolNone = 255;

inline constexpr std::uint16_t kEtherTypeIpv4 = 0x0800;
inline constexpr std::uint16_t kEtherTypeArp = 0x0806;
inline constexpr std::uint16_t kEtherTypeIpv6 = 0x86dd;

inline constexpr std::uint8_t kTcpFin = 0x01;
inline constexpr std::uint8_t kTcpSyn = 0x02;
inline constexpr std::uint8_t kTcpRst = 0x04;
inline constexpr std::uint8_t kTcpAck = 0x10;

/// Where a packet stands in a fragmented datagram (RFC 791 section 3.2, RFC 8200 section 4.5).
enum class Fragment : std::uint8_t { none, first, later };

/// One frame, decoded. Integers are in host byte order.
struct Packet {
  Address source;
  Address destination;
  std::uint16_t sourcePort;  // ICMP echo: the identifier, in both ports; no ports: 0
  std::uint16_t destinationPort;
  std::uint16_t etherType;  // 802.3 length field or unknown: 0
  std::uint16_t vlanId;     // outermost tag, 0 none
  std::uint8_t family;      // 4, 6, or 0 for non-IP and what could not be parsed
  std::uint8_t protocol;    // after every extension header; kProtocolNone with family 0
  std::uint8_t tcpFlags;
  std::uint8_t icmpType;
  /// none when fully decoded. malformed, truncated and linkType with family 0: only the length is known. truncated with
  /// a family: addresses are known, ports may not be. fragment: a later fragment, its ports are still to be found.
  Reason reason;
  Fragment fragment;
  Direction direction;
  Addressee addressee;
  std::uint32_t frameBytes;    // length on the wire
  std::uint32_t payloadBytes;  // of the transport, as the IP length tells it
  std::uint32_t tcpSequence;
  std::uint32_t tcpAcknowledgment;
  std::uint32_t fragmentId;
  std::uint64_t linkSource;       // Ethernet address in the low 48 bits, 0 where there is none
  std::uint64_t linkDestination;  // likewise
  std::uint64_t timeUs;           // Unix time, set by the caller
};

/// Decodes one frame: `captured` is what the snaplen left of `frameBytes` bytes. Fills all of `packet` but timeUs.
/// Direction and addressee come from the cooked headers alone; for the other link types orient.h finds them.
void decode(LinkLayer link, std::span<const std::uint8_t> captured, std::uint32_t frameBytes, Packet& packet);

}  // namespace netloupe
