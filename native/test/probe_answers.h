// Answers to probes as routers and targets make them, written byte by byte from the RFCs and not with the code under
// test.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace netloupe::test {

using Octets = std::vector<std::uint8_t>;

inline std::uint32_t octetSum(const Octets& bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) sum += static_cast<std::uint32_t>(bytes[i]) << (i % 2 == 0 ? 8 : 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return sum;
}

inline void putChecksum(Octets& icmp) {
  icmp[2] = icmp[3] = 0;
  const std::uint32_t checksum = ~octetSum(icmp);
  icmp[2] = static_cast<std::uint8_t>(checksum >> 8);
  icmp[3] = static_cast<std::uint8_t>(checksum);
}

/// An ICMP or ICMPv6 error that quotes the first `quoted` bytes of `packet`. `lengthUnits`: RFC 4884 length in byte 5
/// (IPv4) or 4 (IPv6).
inline Octets icmpError(std::uint8_t type, std::uint8_t code, const Octets& packet, std::size_t quoted,
                        std::uint8_t lengthUnits = 0, const Octets& extensions = {}) {
  Octets icmp{type, code, 0, 0, 0, 0, 0, 0};
  icmp[packet[0] >> 4 == 4 ? 5 : 4] = lengthUnits;
  for (std::size_t i = 0; i < quoted; ++i) icmp.push_back(i < packet.size() ? packet[i] : 0);
  icmp.insert(icmp.end(), extensions.begin(), extensions.end());
  putChecksum(icmp);
  return icmp;
}

/// The reply to an echo request that stands behind `header` bytes of `packet`.
inline Octets echoReply(const Octets& packet) {
  const bool isIpv4 = packet[0] >> 4 == 4;
  Octets icmp(packet.begin() + (isIpv4 ? 20 : 40), packet.end());
  icmp[0] = isIpv4 ? 0 : 129;
  putChecksum(icmp);
  return icmp;
}

/// An extension structure with one object of class 1, c-type 1 (RFC 4950) that holds `labels` stack entries.
inline Octets mplsExtension(const std::vector<std::uint32_t>& entries) {
  Octets bytes{0x20, 0, 0, 0, 0, static_cast<std::uint8_t>(4 + 4 * entries.size()), 1, 1};
  for (const std::uint32_t entry : entries) {
    for (const int shift : {24, 16, 8, 0}) bytes.push_back(static_cast<std::uint8_t>(entry >> shift));
  }
  putChecksum(bytes);
  return bytes;
}

}  // namespace netloupe::test
