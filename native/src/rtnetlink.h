// Links, addresses, routes and neighbours as the kernel tells them over rtnetlink(7), with the names that `ip -j`
// prints. The parsers take any bytes: a message that is too short or means something else gives no value.
#pragma once

#include <libmnl/libmnl.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "flow.h"
#include "netlink_socket.h"

namespace netloupe {

struct Link {
  int index = 0;
  std::string name;
  std::string kind;            // bridge, veth, vlan, .. ; devices without a kind: by their type: ether, loopback, ..
  std::uint32_t flags = 0;     // IFF_ of netdevice(7)
  std::uint16_t arpType = 0;   // ARPHRD_ of linux/if_arp.h
  std::uint8_t operState = 0;  // IF_OPER_ of linux/if.h
  std::vector<std::uint8_t> linkLayerAddress;
  std::uint32_t mtu = 0;
  int master = 0;  // index, 0 none
  int parent = 0;  // index of the device below (vlan, veth's peer, ..), 0 none or in another namespace
  std::uint64_t rxBytes = 0;
  std::uint64_t txBytes = 0;
  std::uint64_t rxPackets = 0;
  std::uint64_t txPackets = 0;
  std::uint64_t rxErrors = 0;
  std::uint64_t txErrors = 0;
  std::uint64_t rxDropped = 0;
  std::uint64_t txDropped = 0;

  bool isUp() const;
  bool isLoopback() const;
};

inline constexpr std::uint32_t kForever = 0xffffffff;

struct LinkAddress {
  int index = 0;
  std::uint8_t family = 4;
  std::uint8_t prefixLength = 0;
  std::uint8_t scope = 0;  // RT_SCOPE_ of linux/rtnetlink.h
  Address address{};
  std::uint32_t flags = 0;  // IFA_F_ of linux/if_addr.h
  std::uint32_t validS = kForever;
  std::uint32_t preferredS = kForever;

  bool operator==(const LinkAddress&) const = default;
};

struct NextHop {
  std::optional<Address> gateway;
  std::uint8_t gatewayFamily = 4;
  int interfaceIndex = 0;
  std::uint32_t weight = 1;
};

struct Route {
  std::uint8_t family = 4;
  Address destination{};
  std::uint8_t prefixLength = 0;  // 0: default
  std::optional<Address> gateway;
  std::uint8_t gatewayFamily = 4;  // IPv4 routes may have an IPv6 gateway (RFC 5549)
  int interfaceIndex = 0;
  std::optional<Address> source;
  std::optional<std::uint32_t> metric;
  std::uint32_t table = 0;
  std::uint8_t protocol = 0;
  std::uint8_t scope = 0;
  std::uint8_t type = 0;
  std::vector<NextHop> nextHops;
};

struct Neighbor {
  std::uint8_t family = 4;
  Address address{};
  std::vector<std::uint8_t> linkLayerAddress;
  int interfaceIndex = 0;
  std::uint16_t nudState = 0;
  bool router = false;
};

/// RTM_NEWLINK or RTM_DELLINK.
std::optional<Link> parseLink(const nlmsghdr& message);
/// RTM_NEWADDR or RTM_DELADDR; IPv4 and IPv6 only. The local address, also where there is a peer.
std::optional<LinkAddress> parseAddress(const nlmsghdr& message);
/// RTM_NEWROUTE; none for cloned (cached) routes.
std::optional<Route> parseRoute(const nlmsghdr& message);
/// RTM_NEWNEIGH of IPv4 and IPv6; none for proxies and for addresses that need no resolution (NUD_NOARP, NUD_NONE), as
/// `ip neigh`.
std::optional<Neighbor> parseNeighbor(const nlmsghdr& message);

/// Dump requests, to be built into `buffer` (MNL_SOCKET_BUFFER_SIZE is ample) and sent with NetlinkSocket.
enum class RouteTable { links, addresses, routes, neighbors };
nlmsghdr& buildDump(RouteTable table, std::span<std::byte> buffer);

// Names as `ip -j` prints them; numbers for what has none.
std::vector<std::string> linkFlagNames(std::uint32_t flags);
std::string operStateName(std::uint8_t state);
std::vector<std::string> addressFlagNames(const LinkAddress& address);
std::string scopeName(std::uint8_t scope);
std::string routeTableName(std::uint32_t table);
std::string routeProtocolName(std::uint8_t protocol);
std::string routeTypeName(std::uint8_t type);
std::string nudStateName(std::uint16_t state);

std::string addressText(const Address& address, std::uint8_t family);
/// aa:bb:cc:dd:ee:ff, as long as the address is; empty for none.
std::string linkLayerText(const std::vector<std::uint8_t>& address);

}  // namespace netloupe
