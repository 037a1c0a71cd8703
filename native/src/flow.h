// The words of PROTOCOL.md as types: flow keys, states, reasons. Shared by every helper process; knows no I/O.
#pragma once

#include <array>
#include <cstdint>

namespace netloupe {

using Address = std::array<std::uint8_t, 16>;  // IPv4 in the first 4 bytes, rest 0

enum class TcpState : std::uint8_t {
  none, synSent, synReceived, established, finWait1, finWait2, closeWait, closing, lastAck, timeWait, closed, reset
};

enum class Attribution : std::uint8_t { none, relaxed, exact };

enum class Reason : std::uint8_t {
  none, pending, socketGone, forwarded, notLocal, kernel, otherNamespace, permission,
  malformed, truncated, tableFull, noSocket, recorded, overloaded, fragment, linkType
};

enum class EndReason : std::uint8_t {
  alive, fin, rst, idle, evicted, interfaceGone, captureStopped, ownerChanged, endOfFile, active
};

/// A flow's identity on one interface. Ports are host byte order; the ICMP echo identifier stands in localPort.
struct FlowKey {
  Address localAddress{};
  Address remoteAddress{};
  std::uint16_t localPort = 0;
  std::uint16_t remotePort = 0;
  std::uint16_t etherType = 0;
  std::uint16_t vlanId = 0;
  std::uint8_t family = 0;    // 4, 6, 0 for non-IP and malformed
  std::uint8_t protocol = 0;  // IP protocol number, 255 with family 0

  bool operator==(const FlowKey&) const = default;
};

}  // namespace netloupe
