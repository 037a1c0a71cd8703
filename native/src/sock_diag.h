// The kernel's socket tables over sock_diag(7): one socket by its exact addresses, or all of them.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "flow.h"
#include "inet_socket.h"
#include "netlink_socket.h"

namespace netloupe {

/// A packet(7) socket.
struct PacketSocket {
  std::uint64_t inode = 0;
  std::uint32_t uid = 0xffffffff;
  std::uint32_t interfaceIndex = 0;  // 0: all
  std::uint16_t etherType = 0;       // that it receives; ETH_P_ALL: every one, 0: none (a socket that only sends)
  std::uint8_t type = 0;             // SOCK_RAW or SOCK_DGRAM
  bool captures = false;             // has a receive ring: a capture library, not a sender
};

/// Parsers of one answer; none for anything else or shorter.
std::optional<InetSocket> parseInetSocket(const nlmsghdr& message, std::uint8_t protocol);
std::optional<PacketSocket> parsePacketSocket(const nlmsghdr& message);

class SockDiag {
 public:
  enum class Found { yes, no, failed };

  /// Opens the netlink socket and asks a first question, to see whether this kernel answers at all.
  SockDiag();

  /// False: the kernel has no sock_diag for TCP and UDP, or this process may not use it.
  bool isAvailable() const { return available_; }

  /// The socket that the kernel itself would give a packet of this flow to: for TCP the connection, else the listener;
  /// for UDP the best fit, connected or not.
  Found query(const FlowKey& key, std::uint32_t interfaceIndex, InetSocket& found);

  /// The TCP socket that listens for this flow, whether there is a connection or not.
  Found queryListener(const FlowKey& key, std::uint32_t interfaceIndex, InetSocket& found);

  /// Every socket of a protocol and a socket family (4 or 6), or those on one local port. `withBytes` asks for the byte
  /// counts of TCP. False: it failed; what was given until then is incomplete.
  bool dump(std::uint8_t family, std::uint8_t protocol, std::uint16_t localPort, bool withBytes,
            const std::function<void(const InetSocket&)>& each);

  bool dumpPacketSockets(const std::function<void(const PacketSocket&)>& each);

 private:
  Found ask(const FlowKey& key, std::uint32_t interfaceIndex, bool listener, InetSocket& found);

  NetlinkSocket netlink_;
  bool available_ = false;
};

}  // namespace netloupe
