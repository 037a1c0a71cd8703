// Any netlink message through every parser of kernel answers, and through the JSON that is made of them. First byte:
// which parser (its low bits also choose the message's type); the rest: what stands behind the message header.
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "rtnetlink.h"
#include "rtnetlink_json.h"
#include "sock_diag.h"

using namespace netloupe;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1 || size > 65536) return 0;
  static constexpr std::uint16_t kTypes[] = {RTM_NEWLINK,  RTM_DELLINK,  RTM_NEWADDR,        RTM_DELADDR,
                                             RTM_NEWROUTE, RTM_NEWNEIGH, SOCK_DIAG_BY_FAMILY};
  // A buffer of exactly the message's length: a read behind it is found.
  std::vector<std::uint8_t> bytes(sizeof(nlmsghdr) + size - 1);
  if (size > 1) std::memcpy(bytes.data() + sizeof(nlmsghdr), data + 1, size - 1);
  auto& message = *reinterpret_cast<nlmsghdr*>(bytes.data());
  message.nlmsg_len = static_cast<std::uint32_t>(bytes.size());
  message.nlmsg_type = kTypes[data[0] % std::size(kTypes)];

  const InterfaceNames names = {{1, "lo"}};
  if (const auto link = parseLink(message)) {
    if (link->index <= 0 || link->name.empty() || link->linkLayerAddress.size() > 32) std::abort();
    linkItem(*link, {}, names);
  }
  if (const auto address = parseAddress(message)) {
    if (address->prefixLength > (address->family == 4 ? 32 : 128)) std::abort();
    linkItem({}, std::vector{*address}, names);
  }
  if (const auto route = parseRoute(message)) {
    if (route->family != 4 && route->family != 6) std::abort();
    routeItem(*route, names);
  }
  if (const auto neighbor = parseNeighbor(message)) neighborItem(*neighbor, names);
  if (const auto socket = parseInetSocket(message, data[0])) {
    if (socket->family != 4 && socket->family != 6) std::abort();
  }
  parsePacketSocket(message);
  return 0;
}
