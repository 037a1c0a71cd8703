// A socket as the kernel's tables tell it, and which sockets a flow may belong to. Pure: no I/O.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "flow.h"

namespace netloupe {

/// The kernel's socket states (include/net/tcp_states.h); a datagram socket is `established` when connected, else
/// `close`.
namespace socket_state {
inline constexpr std::uint8_t kEstablished = 1;
inline constexpr std::uint8_t kSynReceived = 3;
inline constexpr std::uint8_t kTimeWait = 6;
inline constexpr std::uint8_t kClose = 7;
inline constexpr std::uint8_t kCloseWait = 8;
inline constexpr std::uint8_t kListen = 10;
inline constexpr std::uint8_t kNewSynReceived = 12;
}  // namespace socket_state

struct InetSocket {
  Address localAddress{};  // as the kernel tells it: v4-mapped addresses of an IPv6 socket stay IPv6
  Address remoteAddress{};
  std::uint64_t inode = 0;  // 0: no process holds it (TIME_WAIT, closed by its process, not accepted yet)
  std::uint64_t rxBytes = 0;
  std::uint64_t txBytes = 0;
  std::uint32_t rttUs = 0;  // TCP as far as the kernel knows it, like the next three
  std::uint32_t rttVarianceUs = 0;
  std::uint32_t retransmits = 0;
  std::uint32_t congestionWindow = 0;
  std::uint32_t uid = 0xffffffff;
  std::uint32_t interfaceIndex = 0;  // bound device, 0 any
  std::uint32_t rxQueueBytes = 0;
  std::uint32_t txQueueBytes = 0;
  std::uint16_t localPort = 0;
  std::uint16_t remotePort = 0;
  std::uint8_t family = 0;  // 4 or 6, of the socket
  std::uint8_t protocol = 0;
  std::uint8_t state = 0;
  bool v6Only = false;
};

/// An IPv4 address in IPv6 clothes (RFC 4291 section 2.5.5.2).
bool isV4Mapped(const Address& address);
/// The IPv4 address in the first 4 bytes, when `address` of a socket of `family` is one or is v4-mapped.
bool asIpv4(const Address& address, std::uint8_t family, Address& ipv4);
bool isUnspecified(const Address& address);

/// How well a socket fits a flow, in the way the kernel chooses a receiver (compute_score in net/ipv4/udp.c and
/// net/ipv6/udp.c): negative: not at all; else more for a remote end that is connected, a bound address, a bound
/// device, the flow's own family. `anyDevice`: a socket bound to another device fits too, worst of all; the flow may
/// have been seen on a device below (bridge port, bond).
int fitOf(const InetSocket& socket, const FlowKey& key, std::uint32_t interfaceIndex, bool anyDevice);

struct SocketMatch {
  const InetSocket* best = nullptr;
  bool ambiguous = false;  // another socket may as well have sent or received this
};

/// The socket among `candidates` that fits best.
SocketMatch bestOf(std::span<const InetSocket> candidates, const FlowKey& key, std::uint32_t interfaceIndex);

/// Every socket of one protocol at one moment, for answering many questions at once.
class SocketIndex {
 public:
  void clear() { sockets_.clear(); }
  void add(const InetSocket& socket) { sockets_.push_back(socket); }
  std::size_t size() const { return sockets_.size(); }
  /// To be called after the last add().
  void build();

  /// The connected socket of the flow, else the listening or unconnected one that fits best.
  SocketMatch find(const FlowKey& key, std::uint32_t interfaceIndex) const;

 private:
  std::vector<InetSocket> sockets_;  // by local port, remote port, remote address
};

}  // namespace netloupe
