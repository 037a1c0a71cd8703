// Probes as they go on the wire, whole IP packets: ICMP echo, UDP and TCP SYN, over IPv4 and IPv6. Pure: no I/O.
//
// A router that spreads traffic chooses a path by addresses, protocol and the first four bytes behind the IP header, or
// by the IPv6 flow label. All of these stay the same for every probe of one flow (Augustin et al., "Avoiding traceroute
// anomalies with Paris traceroute", 2006). What tells probes apart stands where no router looks, yet inside the 8 bytes
// that every ICMP error quotes: the UDP checksum, the ICMP echo sequence number, the TCP sequence number.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "decode.h"
#include "flow.h"

namespace netloupe {

/// Random bytes at the beginning of the payload of ICMP and UDP probes: only who has seen the probe can quote them.
inline constexpr std::size_t kTokenBytes = 8;

/// The largest packet that is sent.
inline constexpr std::size_t kMaxProbeBytes = 9000;

/// Everything that a probe consists of. Ports in host byte order.
struct ProbeFields {
  std::uint8_t family = 4;    // 4 or 6
  std::uint8_t protocol = 0;  // kProtocolIcmp, kProtocolIcmpV6, kProtocolUdp or kProtocolTcp
  std::uint8_t ttl = 0;
  std::uint8_t tos = 0;
  Address source{};
  Address destination{};
  std::uint16_t sourcePort = 0;       // ICMP: the echo identifier
  std::uint16_t destinationPort = 0;  // ICMP: 0
  std::uint32_t flowLabel = 0;        // IPv6, 20 bits
  /// Tells the probes of one flow apart. TCP: the sequence number; ICMP: the echo sequence number, 16 bits; UDP: the
  /// checksum, 1 to 0xfffe. IPv4: its low 16 bits are the packet's identification too, for quotes whose checksum a NAT
  /// has rewritten.
  std::uint32_t sequence = 0;
  std::uint16_t icmpChecksum = 1;  // ICMP: kept at this value, 1 to 0xfffe
  std::uint64_t token = 0;
  std::uint16_t packetBytes = 0;  // whole IP packet, at least smallestProbe()
};

/// Bytes of the smallest probe of its kind.
std::size_t smallestProbe(std::uint8_t family, std::uint8_t protocol);

/// Writes the packet; gives its bytes within `buffer` (empty when that is too small).
std::span<const std::uint8_t> buildProbe(const ProbeFields& fields, std::span<std::uint8_t> buffer);

/// What stands behind the IP header of a probe sent over a socket that writes the headers itself: token and filler. The
/// filler makes the sum of sequence and payload the same for every probe, so that the checksum which the kernel
/// computes stays the same too.
std::span<const std::uint8_t> buildPayload(const ProbeFields& fields, std::size_t bytes,
                                           std::span<std::uint8_t> buffer);

// --- the Internet checksum (RFC 1071)

/// One's complement sum of 16-bit words, not yet folded; an odd last byte counts as the high one.
std::uint32_t sumOf(std::span<const std::uint8_t> bytes, std::uint32_t before = 0);
std::uint16_t fold(std::uint32_t sum);
/// Sum of the pseudo-header of UDP, TCP (RFC 9293 section 3.1) and of ICMPv6 (RFC 8200 section 8.1).
std::uint32_t pseudoSum(std::uint8_t family, std::uint8_t protocol, const Address& source, const Address& destination,
                        std::size_t bytes);

}  // namespace netloupe
