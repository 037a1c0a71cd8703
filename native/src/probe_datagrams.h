// Probes without cap_net_raw: UDP sockets whose error queue tells ICMP errors (IP_RECVERR of ip(7)), and ICMP echo
// sockets (icmp(7)) where net.ipv4.ping_group_range allows them. The kernel writes the headers and matches answers to
// sockets. And the holding of ports.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "fd.h"
#include "probe_table.h"

namespace netloupe {

/// A socket that takes a port of the target's protocol (for ICMP: any UDP port) on its source address and hears
/// nothing. `port` 0: the kernel chooses, `taken` says. Empty: see errno.
Fd holdPort(const TraceTarget& target, std::uint16_t port, std::uint16_t& taken);

/// A socket that sends and hears the probes of one flow. `port` 0: the kernel chooses, `taken` says. Empty: see errno.
Fd openProbeSocket(const TraceTarget& target, ProbeMethod method, std::uint16_t port, std::uint16_t& taken);

/// Sends a probe from such a socket; 0 or errno. `buffer` is used for the payload.
int sendFromSocket(int fd, const ProbeFields& fields, int interfaceIndex, std::span<std::uint8_t> buffer);

struct ProbeSocket {
  int fd = -1;
  std::uint8_t family = 4;
  std::uint8_t protocol = 0;
  std::uint16_t sourcePort = 0;
};

/// Takes what has come, a limited number of messages. True: there may be more.
bool receiveFromSocket(const ProbeSocket& socket, ProbeTable& table, std::vector<ProbeItem>& items);

}  // namespace netloupe
