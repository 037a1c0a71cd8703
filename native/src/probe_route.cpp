#include "probe_route.h"

#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace netloupe {

namespace {

std::size_t addressBytes(std::uint8_t family) {
  return family == 4 ? 4 : 16;
}

RouteAnswer parseAnswer(const nlmsghdr& message, std::uint8_t family) {
  RouteAnswer answer;
  rtmsg route{};
  if (message.nlmsg_type != RTM_NEWROUTE || mnl_nlmsg_get_payload_len(&message) < sizeof route)
    return {.error = EPROTO};
  std::memcpy(&route, mnl_nlmsg_get_payload(&message), sizeof route);
  const NetlinkAttributes attributes(message, sizeof route, RTA_PREFSRC);
  answer.type = route.rtm_type;
  answer.interfaceIndex = static_cast<int>(attributes.u32(RTA_OIF));
  const auto source = attributes.bytes(RTA_PREFSRC);
  if (source.size() == addressBytes(family)) {
    answer.source.emplace();
    std::memcpy(answer.source->data(), source.data(), source.size());
  }
  switch (route.rtm_type) {
    case RTN_UNREACHABLE:
      answer.error = EHOSTUNREACH;
      break;
    case RTN_BLACKHOLE:
      answer.error = EINVAL;
      break;
    case RTN_PROHIBIT:
      answer.error = EACCES;
      break;
    default:
      break;
  }
  return answer;
}

}  // namespace

RouteAnswer findRoute(NetlinkSocket& netlink, std::uint8_t family, const Address& destination, int interfaceIndex,
                      const std::optional<Address>& source) {
  alignas(nlmsghdr) std::array<std::byte, 256> buffer{};
  nlmsghdr* request = mnl_nlmsg_put_header(buffer.data());
  request->nlmsg_type = RTM_GETROUTE;
  request->nlmsg_flags = NLM_F_REQUEST;
  auto* route = static_cast<rtmsg*>(mnl_nlmsg_put_extra_header(request, sizeof(rtmsg)));
  route->rtm_family = family == 4 ? AF_INET : AF_INET6;
  route->rtm_dst_len = static_cast<unsigned char>(addressBytes(family) * 8);
  mnl_attr_put(request, RTA_DST, addressBytes(family), destination.data());
  if (source) {
    route->rtm_src_len = route->rtm_dst_len;
    mnl_attr_put(request, RTA_SRC, addressBytes(family), source->data());
  }
  if (interfaceIndex != 0) mnl_attr_put_u32(request, RTA_OIF, static_cast<std::uint32_t>(interfaceIndex));
  RouteAnswer answer{.error = EPROTO};
  if (!netlink.dump(*request, [&](const nlmsghdr& message) { answer = parseAnswer(message, family); })) {
    return {.error = netlink.error() != 0 ? netlink.error() : EPROTO};
  }
  return answer;
}

int findInterface(NetlinkSocket& netlink, std::string_view name) {
  alignas(nlmsghdr) std::array<std::byte, 256> buffer{};
  nlmsghdr* request = mnl_nlmsg_put_header(buffer.data());
  request->nlmsg_type = RTM_GETLINK;
  request->nlmsg_flags = NLM_F_REQUEST;
  mnl_nlmsg_put_extra_header(request, sizeof(ifinfomsg));
  mnl_attr_put_strz(request, IFLA_IFNAME, std::string(name.substr(0, 15)).c_str());
  int index = 0;
  const bool found = netlink.dump(*request, [&](const nlmsghdr& message) {
    ifinfomsg link{};
    if (message.nlmsg_type != RTM_NEWLINK || mnl_nlmsg_get_payload_len(&message) < sizeof link) return;
    std::memcpy(&link, mnl_nlmsg_get_payload(&message), sizeof link);
    index = link.ifi_index;
  });
  return found ? index : 0;
}

bool isNoHost(std::uint8_t family, const Address& address) {
  const auto bytes = std::span(address).first(addressBytes(family));
  if (std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte == 0; })) return true;
  if (family == 6) return address[0] == 0xff;
  // 224.0.0.0/4 (RFC 5771), 0.0.0.0/8 (RFC 1122 section 3.2.1.3), and 255.255.255.255.
  return address[0] >> 4 == 0xe || address[0] == 0 ||
         std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte == 0xff; });
}

}  // namespace netloupe
