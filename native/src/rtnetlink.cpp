#include "rtnetlink.h"

#include <arpa/inet.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <string_view>
#include <utility>

namespace netloupe {

namespace {

// linux/neighbour.h's longest is 32 (MAX_ADDR_LEN); more is nonsense.
constexpr std::size_t kMaxLinkLayerBytes = 32;
// As linux/if.h: 16 with the NUL.
constexpr std::size_t kMaxInterfaceNameBytes = 15;
// Next hops of one route; the kernel's own netlink messages hold far fewer.
constexpr std::size_t kMaxNextHops = 256;

template <class Header>
const Header* payloadOf(const nlmsghdr& message) {
  if (mnl_nlmsg_get_payload_len(&message) < sizeof(Header)) return nullptr;
  return static_cast<const Header*>(mnl_nlmsg_get_payload(&message));
}

std::uint8_t familyOf(int kernelFamily) {
  return kernelFamily == AF_INET ? 4 : kernelFamily == AF_INET6 ? 6 : 0;
}

std::optional<Address> addressOf(std::span<const std::byte> bytes, std::uint8_t family) {
  const std::size_t length = family == 4 ? 4 : 16;
  if (bytes.size() < length) return std::nullopt;
  Address address{};
  std::memcpy(address.data(), bytes.data(), length);
  return address;
}

std::vector<std::uint8_t> linkLayerOf(std::span<const std::byte> bytes) {
  std::vector<std::uint8_t> address(std::min(bytes.size(), kMaxLinkLayerBytes));
  if (!address.empty()) std::memcpy(address.data(), bytes.data(), address.size());
  return address;
}

int indexOf(std::uint32_t value) {
  return value > 0x7fffffff ? 0 : static_cast<int>(value);
}

std::string deviceTypeName(std::uint16_t arpType) {
  switch (arpType) {
    case ARPHRD_ETHER:
      return "ether";
    case ARPHRD_LOOPBACK:
      return "loopback";
    case ARPHRD_NONE:
      return "none";
    case ARPHRD_PPP:
      return "ppp";
    case ARPHRD_SLIP:
      return "slip";
    case ARPHRD_INFINIBAND:
      return "infiniband";
    case ARPHRD_IEEE80211:
      return "ieee802.11";
    case ARPHRD_IEEE80211_RADIOTAP:
      return "ieee802.11/radiotap";
    case ARPHRD_TUNNEL:
      return "ipip";
    case ARPHRD_TUNNEL6:
      return "tunnel6";
    case ARPHRD_SIT:
      return "sit";
    case ARPHRD_IPGRE:
      return "gre";
    case ARPHRD_IP6GRE:
      return "gre6";
    case ARPHRD_CAN:
      return "can";
    default:
      return std::to_string(arpType);
  }
}

/// An attribute RTA_VIA: a family and an address of it.
bool takeVia(std::span<const std::byte> bytes, std::optional<Address>& gateway, std::uint8_t& family) {
  std::uint16_t kernelFamily = 0;
  if (bytes.size() < sizeof kernelFamily) return false;
  std::memcpy(&kernelFamily, bytes.data(), sizeof kernelFamily);
  const std::uint8_t viaFamily = familyOf(kernelFamily);
  if (viaFamily == 0) return false;
  gateway = addressOf(bytes.subspan(sizeof kernelFamily), viaFamily);
  family = viaFamily;
  return gateway.has_value();
}

std::vector<NextHop> nextHopsOf(std::span<const std::byte> bytes, std::uint8_t family) {
  std::vector<NextHop> hops;
  while (bytes.size() >= sizeof(rtnexthop) && hops.size() < kMaxNextHops) {
    rtnexthop header{};
    std::memcpy(&header, bytes.data(), sizeof header);
    if (header.rtnh_len < sizeof header || header.rtnh_len > bytes.size()) break;
    const NetlinkAttributes attributes(bytes.first(header.rtnh_len).subspan(sizeof header), RTA_VIA);
    NextHop hop;
    hop.gatewayFamily = family;
    hop.gateway = addressOf(attributes.bytes(RTA_GATEWAY), family);
    if (!hop.gateway) takeVia(attributes.bytes(RTA_VIA), hop.gateway, hop.gatewayFamily);
    hop.interfaceIndex = std::max(header.rtnh_ifindex, 0);
    hop.weight = header.rtnh_hops + 1u;
    hops.push_back(hop);
    bytes = bytes.subspan(std::min<std::size_t>(RTNH_ALIGN(header.rtnh_len), bytes.size()));
  }
  return hops;
}

template <class Number, std::size_t N>
std::vector<std::string> namesOf(Number bits, const std::array<std::pair<Number, const char*>, N>& names) {
  std::vector<std::string> found;
  for (const auto& [bit, name] : names) {
    if ((bits & bit) != 0) found.emplace_back(name);
  }
  return found;
}

}  // namespace

bool Link::isUp() const {
  return (flags & IFF_UP) != 0;
}
bool Link::isLoopback() const {
  return (flags & IFF_LOOPBACK) != 0;
}

std::optional<Link> parseLink(const nlmsghdr& message) {
  if (message.nlmsg_type != RTM_NEWLINK && message.nlmsg_type != RTM_DELLINK) return std::nullopt;
  const auto* header = payloadOf<ifinfomsg>(message);
  // Bridges announce their ports a second time in their own family, with other contents.
  if (header == nullptr || header->ifi_family != AF_UNSPEC || header->ifi_index <= 0) return std::nullopt;
  const NetlinkAttributes attributes(message, sizeof *header, IFLA_LINK_NETNSID);

  Link link;
  link.index = header->ifi_index;
  link.flags = header->ifi_flags;
  link.arpType = header->ifi_type;
  link.name = std::string(attributes.text(IFLA_IFNAME).substr(0, kMaxInterfaceNameBytes));
  if (link.name.empty()) return std::nullopt;
  link.operState = attributes.u8(IFLA_OPERSTATE);
  link.mtu = attributes.u32(IFLA_MTU);
  link.linkLayerAddress = linkLayerOf(attributes.bytes(IFLA_ADDRESS));
  link.master = indexOf(attributes.u32(IFLA_MASTER));
  const int parent = indexOf(attributes.u32(IFLA_LINK));
  if (!attributes.has(IFLA_LINK_NETNSID) && parent != link.index) link.parent = parent;
  link.kind = NetlinkAttributes(attributes.get(IFLA_LINKINFO), IFLA_INFO_KIND).text(IFLA_INFO_KIND).substr(0, 32);
  if (link.kind.empty()) link.kind = deviceTypeName(link.arpType);

  // Older kernels send fewer counters; the ones read here are the first of the struct.
  rtnl_link_stats64 counters{};
  const auto statistics = attributes.bytes(IFLA_STATS64);
  if (!statistics.empty()) std::memcpy(&counters, statistics.data(), std::min(statistics.size(), sizeof counters));
  link.rxBytes = counters.rx_bytes;
  link.txBytes = counters.tx_bytes;
  link.rxPackets = counters.rx_packets;
  link.txPackets = counters.tx_packets;
  link.rxErrors = counters.rx_errors;
  link.txErrors = counters.tx_errors;
  link.rxDropped = counters.rx_dropped;
  link.txDropped = counters.tx_dropped;
  return link;
}

std::optional<LinkAddress> parseAddress(const nlmsghdr& message) {
  if (message.nlmsg_type != RTM_NEWADDR && message.nlmsg_type != RTM_DELADDR) return std::nullopt;
  const auto* header = payloadOf<ifaddrmsg>(message);
  if (header == nullptr) return std::nullopt;
  LinkAddress result;
  result.family = familyOf(header->ifa_family);
  result.index = indexOf(header->ifa_index);
  if (result.family == 0 || result.index == 0) return std::nullopt;
  const NetlinkAttributes attributes(message, sizeof *header, IFA_FLAGS);
  // With a peer, IFA_ADDRESS is the peer's and IFA_LOCAL ours; without, IPv6 has IFA_ADDRESS only.
  const auto address = addressOf(attributes.bytes(attributes.has(IFA_LOCAL) ? IFA_LOCAL : IFA_ADDRESS), result.family);
  if (!address) return std::nullopt;
  result.address = *address;
  result.prefixLength = std::min<std::uint8_t>(header->ifa_prefixlen, result.family == 4 ? 32 : 128);
  result.scope = header->ifa_scope;
  result.flags = attributes.u32(IFA_FLAGS, header->ifa_flags);
  const auto cache = attributes.bytes(IFA_CACHEINFO);
  if (cache.size() >= sizeof(ifa_cacheinfo)) {
    ifa_cacheinfo info{};
    std::memcpy(&info, cache.data(), sizeof info);
    result.validS = info.ifa_valid;
    result.preferredS = info.ifa_prefered;
  }
  return result;
}

std::optional<Route> parseRoute(const nlmsghdr& message) {
  if (message.nlmsg_type != RTM_NEWROUTE) return std::nullopt;
  const auto* header = payloadOf<rtmsg>(message);
  if (header == nullptr || (header->rtm_flags & RTM_F_CLONED) != 0) return std::nullopt;
  Route route;
  route.family = familyOf(header->rtm_family);
  if (route.family == 0) return std::nullopt;
  const NetlinkAttributes attributes(message, sizeof *header, RTA_VIA);
  route.prefixLength = std::min<std::uint8_t>(header->rtm_dst_len, route.family == 4 ? 32 : 128);
  if (const auto destination = addressOf(attributes.bytes(RTA_DST), route.family)) {
    route.destination = *destination;
  } else if (route.prefixLength != 0) {
    return std::nullopt;
  }
  route.gatewayFamily = route.family;
  route.gateway = addressOf(attributes.bytes(RTA_GATEWAY), route.family);
  if (!route.gateway) takeVia(attributes.bytes(RTA_VIA), route.gateway, route.gatewayFamily);
  route.interfaceIndex = indexOf(attributes.u32(RTA_OIF));
  route.source = addressOf(attributes.bytes(RTA_PREFSRC), route.family);
  if (attributes.bytes(RTA_PRIORITY).size() >= sizeof(std::uint32_t)) route.metric = attributes.u32(RTA_PRIORITY);
  route.table = attributes.u32(RTA_TABLE, header->rtm_table);
  route.protocol = header->rtm_protocol;
  route.scope = header->rtm_scope;
  route.type = header->rtm_type;
  route.nextHops = nextHopsOf(attributes.bytes(RTA_MULTIPATH), route.family);
  return route;
}

std::optional<Neighbor> parseNeighbor(const nlmsghdr& message) {
  if (message.nlmsg_type != RTM_NEWNEIGH) return std::nullopt;
  const auto* header = payloadOf<ndmsg>(message);
  if (header == nullptr || (header->ndm_flags & NTF_PROXY) != 0) return std::nullopt;
  Neighbor neighbor;
  neighbor.family = familyOf(header->ndm_family);
  if (neighbor.family == 0 || (header->ndm_state & ~NUD_NOARP) == 0) return std::nullopt;
  const NetlinkAttributes attributes(message, sizeof *header, NDA_LLADDR);
  const auto address = addressOf(attributes.bytes(NDA_DST), neighbor.family);
  if (!address) return std::nullopt;
  neighbor.address = *address;
  neighbor.linkLayerAddress = linkLayerOf(attributes.bytes(NDA_LLADDR));
  neighbor.interfaceIndex = std::max(header->ndm_ifindex, 0);
  neighbor.nudState = header->ndm_state;
  neighbor.router = (header->ndm_flags & NTF_ROUTER) != 0;
  return neighbor;
}

nlmsghdr& buildDump(RouteTable table, std::span<std::byte> buffer) {
  nlmsghdr* message = mnl_nlmsg_put_header(buffer.data());
  message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  switch (table) {
    case RouteTable::links:
      message->nlmsg_type = RTM_GETLINK;
      mnl_nlmsg_put_extra_header(message, sizeof(ifinfomsg));  // family AF_UNSPEC
      break;
    case RouteTable::addresses:
      message->nlmsg_type = RTM_GETADDR;
      mnl_nlmsg_put_extra_header(message, sizeof(ifaddrmsg));
      break;
    case RouteTable::routes:
      message->nlmsg_type = RTM_GETROUTE;
      mnl_nlmsg_put_extra_header(message, sizeof(rtmsg));
      break;
    case RouteTable::neighbors:
      message->nlmsg_type = RTM_GETNEIGH;
      mnl_nlmsg_put_extra_header(message, sizeof(ndmsg));
      break;
  }
  return *message;
}

std::vector<std::string> linkFlagNames(std::uint32_t flags) {
  static constexpr std::array<std::pair<std::uint32_t, const char*>, 18> kNames = {{
      {IFF_LOOPBACK, "LOOPBACK"},
      {IFF_BROADCAST, "BROADCAST"},
      {IFF_POINTOPOINT, "POINTOPOINT"},
      {IFF_MULTICAST, "MULTICAST"},
      {IFF_NOARP, "NOARP"},
      {IFF_ALLMULTI, "ALLMULTI"},
      {IFF_PROMISC, "PROMISC"},
      {IFF_MASTER, "MASTER"},
      {IFF_SLAVE, "SLAVE"},
      {IFF_DEBUG, "DEBUG"},
      {IFF_DYNAMIC, "DYNAMIC"},
      {IFF_AUTOMEDIA, "AUTOMEDIA"},
      {IFF_PORTSEL, "PORTSEL"},
      {IFF_NOTRAILERS, "NOTRAILERS"},
      {IFF_UP, "UP"},
      {IFF_LOWER_UP, "LOWER_UP"},
      {IFF_DORMANT, "DORMANT"},
      {IFF_ECHO, "ECHO"},
  }};
  std::vector<std::string> names = namesOf(flags, kNames);
  // RUNNING is not printed; its absence is.
  if ((flags & IFF_UP) != 0 && (flags & IFF_RUNNING) == 0) names.insert(names.begin(), "NO-CARRIER");
  return names;
}

std::string operStateName(std::uint8_t state) {
  static constexpr const char* kNames[] = {"UNKNOWN", "NOTPRESENT", "DOWN", "LOWERLAYERDOWN",
                                           "TESTING", "DORMANT",    "UP"};
  return state < std::size(kNames) ? kNames[state] : std::to_string(state);
}

std::vector<std::string> addressFlagNames(const LinkAddress& address) {
  static constexpr std::array<std::pair<std::uint32_t, const char*>, 10> kNames = {{
      {IFA_F_OPTIMISTIC, "optimistic"},
      {IFA_F_DADFAILED, "dadfailed"},
      {IFA_F_HOMEADDRESS, "home"},
      {IFA_F_DEPRECATED, "deprecated"},
      {IFA_F_TENTATIVE, "tentative"},
      {IFA_F_NODAD, "nodad"},
      {IFA_F_MANAGETEMPADDR, "mngtmpaddr"},
      {IFA_F_NOPREFIXROUTE, "noprefixroute"},
      {IFA_F_MCAUTOJOIN, "autojoin"},
      {IFA_F_STABLE_PRIVACY, "stable-privacy"},
  }};
  std::vector<std::string> names = namesOf(address.flags, kNames);
  // One bit, two meanings.
  if ((address.flags & IFA_F_SECONDARY) != 0)
    names.insert(names.begin(), address.family == 6 ? "temporary" : "secondary");
  if ((address.flags & IFA_F_PERMANENT) == 0) names.emplace_back("dynamic");
  return names;
}

std::string scopeName(std::uint8_t scope) {
  switch (scope) {
    case RT_SCOPE_UNIVERSE:
      return "global";
    case RT_SCOPE_SITE:
      return "site";
    case RT_SCOPE_LINK:
      return "link";
    case RT_SCOPE_HOST:
      return "host";
    case RT_SCOPE_NOWHERE:
      return "nowhere";
    default:
      return std::to_string(scope);
  }
}

std::string routeTableName(std::uint32_t table) {
  switch (table) {
    case RT_TABLE_DEFAULT:
      return "default";
    case RT_TABLE_MAIN:
      return "main";
    case RT_TABLE_LOCAL:
      return "local";
    default:
      return std::to_string(table);
  }
}

std::string routeProtocolName(std::uint8_t protocol) {
  switch (protocol) {
    case RTPROT_UNSPEC:
      return "unspec";
    case RTPROT_REDIRECT:
      return "redirect";
    case RTPROT_KERNEL:
      return "kernel";
    case RTPROT_BOOT:
      return "boot";
    case RTPROT_STATIC:
      return "static";
    case RTPROT_GATED:
      return "gated";
    case RTPROT_RA:
      return "ra";
    case RTPROT_MRT:
      return "mrt";
    case RTPROT_ZEBRA:
      return "zebra";
    case RTPROT_BIRD:
      return "bird";
    case RTPROT_DNROUTED:
      return "dnrouted";
    case RTPROT_XORP:
      return "xorp";
    case RTPROT_NTK:
      return "ntk";
    case RTPROT_DHCP:
      return "dhcp";
    case RTPROT_KEEPALIVED:
      return "keepalived";
    case RTPROT_BABEL:
      return "babel";
    case RTPROT_OPENR:
      return "openr";
    case RTPROT_BGP:
      return "bgp";
    case RTPROT_ISIS:
      return "isis";
    case RTPROT_OSPF:
      return "ospf";
    case RTPROT_RIP:
      return "rip";
    case RTPROT_EIGRP:
      return "eigrp";
    default:
      return std::to_string(protocol);
  }
}

std::string routeTypeName(std::uint8_t type) {
  static constexpr const char* kNames[] = {"none",      "unicast",     "local",    "broadcast", "anycast", "multicast",
                                           "blackhole", "unreachable", "prohibit", "throw",     "nat",     "xresolve"};
  return type < std::size(kNames) ? kNames[type] : std::to_string(type);
}

std::string nudStateName(std::uint16_t state) {
  switch (state & ~NUD_NOARP) {
    case NUD_INCOMPLETE:
      return "INCOMPLETE";
    case NUD_REACHABLE:
      return "REACHABLE";
    case NUD_STALE:
      return "STALE";
    case NUD_DELAY:
      return "DELAY";
    case NUD_PROBE:
      return "PROBE";
    case NUD_FAILED:
      return "FAILED";
    case NUD_PERMANENT:
      return "PERMANENT";
    default:
      return std::to_string(state);
  }
}

std::string addressText(const Address& address, std::uint8_t family) {
  char text[INET6_ADDRSTRLEN] = "";
  ::inet_ntop(family == 4 ? AF_INET : AF_INET6, address.data(), text, sizeof text);
  return text;
}

std::string linkLayerText(const std::vector<std::uint8_t>& address) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : address) {
    if (!text.empty()) text += ':';
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

}  // namespace netloupe
