#include "sock_diag.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/packet_diag.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace netloupe {

namespace {

constexpr std::uint8_t kTcp = IPPROTO_TCP;
constexpr std::uint8_t kUdp = IPPROTO_UDP;
constexpr std::uint8_t kUdpLite = IPPROTO_UDPLITE;

template <class Request>
nlmsghdr& begin(std::span<std::byte> buffer, std::uint16_t flags, Request*& request) {
  nlmsghdr* message = mnl_nlmsg_put_header(buffer.data());
  message->nlmsg_type = SOCK_DIAG_BY_FAMILY;
  message->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
  request = static_cast<Request*>(mnl_nlmsg_put_extra_header(message, sizeof(Request)));
  return *message;
}

Address toAddress(const __be32 (&words)[4], std::uint8_t family) {
  Address address{};
  std::memcpy(address.data(), words, family == 4 ? 4 : 16);
  return address;
}

}  // namespace

std::optional<InetSocket> parseInetSocket(const nlmsghdr& message, std::uint8_t protocol) {
  if (message.nlmsg_type != SOCK_DIAG_BY_FAMILY || mnl_nlmsg_get_payload_len(&message) < sizeof(inet_diag_msg))
    return std::nullopt;
  const auto& answer = *static_cast<const inet_diag_msg*>(mnl_nlmsg_get_payload(&message));
  if (answer.idiag_family != AF_INET && answer.idiag_family != AF_INET6) return std::nullopt;
  const NetlinkAttributes attributes(message, sizeof answer, INET_DIAG_SKV6ONLY);

  InetSocket socket;
  socket.family = answer.idiag_family == AF_INET ? 4 : 6;
  socket.protocol = protocol;
  socket.state = answer.idiag_state;
  socket.localAddress = toAddress(answer.id.idiag_src, socket.family);
  socket.remoteAddress = toAddress(answer.id.idiag_dst, socket.family);
  socket.localPort = ntohs(answer.id.idiag_sport);
  socket.remotePort = ntohs(answer.id.idiag_dport);
  socket.interfaceIndex = answer.id.idiag_if;
  socket.inode = answer.idiag_inode;
  socket.uid = answer.idiag_uid;
  socket.rxQueueBytes = answer.idiag_rqueue;
  socket.txQueueBytes = answer.idiag_wqueue;
  socket.v6Only = attributes.u8(INET_DIAG_SKV6ONLY) != 0;

  // tcp_info has grown with the kernels: older ones send less of it.
  const auto info = attributes.bytes(INET_DIAG_INFO);
  if (info.size() >= offsetof(tcp_info, tcpi_bytes_received) + sizeof(tcp_info::tcpi_bytes_received)) {
    std::memcpy(&socket.txBytes, info.data() + offsetof(tcp_info, tcpi_bytes_acked), sizeof socket.txBytes);
    std::memcpy(&socket.rxBytes, info.data() + offsetof(tcp_info, tcpi_bytes_received), sizeof socket.rxBytes);
    std::memcpy(&socket.rttUs, info.data() + offsetof(tcp_info, tcpi_rtt), sizeof socket.rttUs);
    std::memcpy(&socket.rttVarianceUs, info.data() + offsetof(tcp_info, tcpi_rttvar), sizeof socket.rttVarianceUs);
    std::memcpy(&socket.retransmits, info.data() + offsetof(tcp_info, tcpi_total_retrans), sizeof socket.retransmits);
    std::memcpy(&socket.congestionWindow, info.data() + offsetof(tcp_info, tcpi_snd_cwnd),
                sizeof socket.congestionWindow);
  }
  return socket;
}

std::optional<PacketSocket> parsePacketSocket(const nlmsghdr& message) {
  if (message.nlmsg_type != SOCK_DIAG_BY_FAMILY || mnl_nlmsg_get_payload_len(&message) < sizeof(packet_diag_msg))
    return std::nullopt;
  const auto& answer = *static_cast<const packet_diag_msg*>(mnl_nlmsg_get_payload(&message));
  if (answer.pdiag_family != AF_PACKET) return std::nullopt;
  const NetlinkAttributes attributes(message, sizeof answer, PACKET_DIAG_UID);

  PacketSocket socket;
  socket.inode = answer.pdiag_ino;
  socket.type = answer.pdiag_type;
  socket.etherType = answer.pdiag_num;
  socket.uid = attributes.u32(PACKET_DIAG_UID, socket.uid);
  socket.captures = attributes.has(PACKET_DIAG_RX_RING);
  const auto info = attributes.bytes(PACKET_DIAG_INFO);
  if (info.size() >= sizeof socket.interfaceIndex)
    std::memcpy(&socket.interfaceIndex, info.data(), sizeof socket.interfaceIndex);
  return socket;
}

SockDiag::SockDiag() : netlink_(NETLINK_SOCK_DIAG) {
  if (!netlink_.isOpen()) return;
  // Port 0 has no socket: "no such socket" is the answer of a kernel that can answer.
  available_ = true;
  for (const std::uint8_t protocol : {kTcp, kUdp}) {
    FlowKey nobody;
    nobody.family = 4;
    nobody.protocol = protocol;
    InetSocket found;
    available_ = available_ && query(nobody, 0, found) != Found::failed;
  }
}

SockDiag::Found SockDiag::query(const FlowKey& key, std::uint32_t interfaceIndex, InetSocket& found) {
  return ask(key, interfaceIndex, false, found);
}

SockDiag::Found SockDiag::queryListener(const FlowKey& key, std::uint32_t interfaceIndex, InetSocket& found) {
  return ask(key, interfaceIndex, true, found);
}

SockDiag::Found SockDiag::ask(const FlowKey& key, std::uint32_t interfaceIndex, bool listener, InetSocket& found) {
  std::array<std::byte, 256> buffer{};
  inet_diag_req_v2* request = nullptr;
  nlmsghdr& message = begin(std::span(buffer), 0, request);
  request->sdiag_family = key.family == 4 ? AF_INET : AF_INET6;
  request->sdiag_protocol = key.protocol;
  request->idiag_states = ~0u;
  request->id.idiag_if = interfaceIndex;
  request->id.idiag_cookie[0] = request->id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;

  // For UDP the kernel reads the two ends as those of a received packet: source is the remote one (udp_dump_one,
  // net/ipv4/udp_diag.c).
  const bool swapped = key.protocol == kUdp || key.protocol == kUdpLite;
  auto& local = swapped ? request->id.idiag_dst : request->id.idiag_src;
  auto& remote = swapped ? request->id.idiag_src : request->id.idiag_dst;
  auto& localPort = swapped ? request->id.idiag_dport : request->id.idiag_sport;
  auto& remotePort = swapped ? request->id.idiag_sport : request->id.idiag_dport;
  std::memcpy(local, key.localAddress.data(), key.localAddress.size());
  localPort = htons(key.localPort);
  if (!listener) {
    // No connection has remote port 0, so leaving it out leaves the listener.
    std::memcpy(remote, key.remoteAddress.data(), key.remoteAddress.size());
    remotePort = htons(key.remotePort);
  }

  if (!netlink_.send(std::span(buffer).first(message.nlmsg_len))) return Found::failed;
  bool got = false;
  for (;;) {
    const auto step = netlink_.receive([&](const nlmsghdr& answer) {
      if (auto socket = parseInetSocket(answer, key.protocol)) {
        found = *socket;
        got = true;
      }
    });
    if (step == NetlinkSocket::Step::more) continue;
    if (step == NetlinkSocket::Step::done) return got ? Found::yes : Found::no;
    // ENOENT also means that the kernel has no diag module for this protocol; SockDiag() found out about TCP and UDP.
    return netlink_.error() == ENOENT ? Found::no : Found::failed;
  }
}

bool SockDiag::dump(std::uint8_t family, std::uint8_t protocol, std::uint16_t localPort, bool withBytes,
                    const std::function<void(const InetSocket&)>& each) {
  std::array<std::byte, 256> buffer{};
  inet_diag_req_v2* request = nullptr;
  nlmsghdr& message = begin(std::span(buffer), NLM_F_DUMP, request);
  request->sdiag_family = family == 4 ? AF_INET : AF_INET6;
  request->sdiag_protocol = protocol;
  request->idiag_states = ~0u;
  request->idiag_ext = withBytes && protocol == kTcp ? 1u << (INET_DIAG_INFO - 1) : 0u;
  request->id.idiag_sport = htons(localPort);
  return netlink_.dump(message, [&](const nlmsghdr& answer) {
    if (const auto socket = parseInetSocket(answer, protocol)) each(*socket);
  });
}

bool SockDiag::dumpPacketSockets(const std::function<void(const PacketSocket&)>& each) {
  std::array<std::byte, 256> buffer{};
  packet_diag_req* request = nullptr;
  nlmsghdr& message = begin(std::span(buffer), NLM_F_DUMP, request);
  request->sdiag_family = AF_PACKET;
  request->pdiag_show = PACKET_SHOW_INFO | PACKET_SHOW_RING_CFG;
  return netlink_.dump(message, [&](const nlmsghdr& answer) {
    if (const auto socket = parsePacketSocket(answer)) each(*socket);
  });
}

}  // namespace netloupe
