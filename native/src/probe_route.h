// What the kernel's routing says of a destination, before a probe is sent there.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "flow.h"
#include "netlink_socket.h"

namespace netloupe {

struct RouteAnswer {
  int error = 0;          // errno when there is no route, else 0
  std::uint8_t type = 0;  // RTN_ of rtnetlink(7)
  std::optional<Address> source{};
  int interfaceIndex = 0;
};

/// Which way the kernel would send to `destination`. `interfaceIndex` 0: any; `source`: none, the kernel chooses.
RouteAnswer findRoute(NetlinkSocket& netlink, std::uint8_t family, const Address& destination, int interfaceIndex,
                      const std::optional<Address>& source);

/// The index of the interface with this name; 0 when there is none.
int findInterface(NetlinkSocket& netlink, std::string_view name);

/// True when no probe may go there, whatever the routes say: multicast, limited broadcast, unspecified.
bool isNoHost(std::uint8_t family, const Address& address);

}  // namespace netloupe
