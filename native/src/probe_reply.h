// Answers to probes, from bytes to fields. Any bytes may come in: the parsers take nothing for granted and never read
// behind them. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "decode.h"
#include "flow.h"

namespace netloupe {

/// One entry of an MPLS label stack (RFC 3032 section 2.1).
struct MplsLabel {
  std::uint32_t label = 0;
  std::uint8_t trafficClass = 0;
  std::uint8_t bottom = 0;
  std::uint8_t ttl = 0;
};

/// Labels kept of one answer; a deeper stack is cut.
inline constexpr std::size_t kMaxMplsLabels = 8;

/// The beginning of the packet that caused an ICMP error, as the error quotes it.
struct Quote {
  std::uint8_t family = 4;
  std::uint8_t protocol = 0;
  std::uint8_t tos = 0;
  std::uint16_t totalBytes = 0;
  std::uint16_t identification = 0;  // IPv4
  Address source{};
  Address destination{};
  std::span<const std::uint8_t> transport{};  // as much as is quoted, without padding
};

struct IcmpReply {
  std::uint8_t type = 0;
  std::uint8_t code = 0;
  bool checksumOk = true;
  std::uint32_t mtu = 0;  // of the next hop: "fragmentation needed" and "packet too big"; else 0
  bool isEchoReply = false;
  std::uint16_t identifier = 0;  // echo reply
  std::uint16_t sequence = 0;
  std::span<const std::uint8_t> payload{};
  std::optional<Quote> quote{};  // error
  std::array<MplsLabel, kMaxMplsLabels> labels{};
  std::uint8_t labelCount = 0;
};

/// An ICMP message (RFC 792, RFC 4884) without its IP header. None for what answers no probe: other types, quotes that
/// are cut before the first 8 bytes behind the quoted IP header.
std::optional<IcmpReply> parseIcmp4(std::span<const std::uint8_t> message);

/// An ICMPv6 message (RFC 4443, RFC 4884). The kernel has checked its checksum.
std::optional<IcmpReply> parseIcmp6(std::span<const std::uint8_t> message);

/// The packet inside an IPv4 packet whose header is checked for sense; none otherwise. `ttl`: with which it arrived.
struct Ipv4Packet {
  Address source{};
  Address destination{};
  std::uint8_t ttl = 0;
  std::span<const std::uint8_t> payload{};
};
std::optional<Ipv4Packet> parseIpv4(std::span<const std::uint8_t> packet);

struct TcpReply {
  std::uint8_t family = 4;
  std::uint8_t flags = 0;
  bool checksumOk = true;
  std::uint16_t sourcePort = 0;
  std::uint16_t destinationPort = 0;
  std::uint32_t acknowledgement = 0;
  Address source{};
  Address destination{};
};

/// A TCP segment between these addresses.
std::optional<TcpReply> parseTcp(std::uint8_t family, const Address& source, const Address& destination,
                                 std::span<const std::uint8_t> segment);

}  // namespace netloupe
