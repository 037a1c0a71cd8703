#include "sock_diag.h"

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/sock_diag.h>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <vector>

#include "socket_kit.h"

using namespace netloupe;
using namespace netloupe::test;

namespace {

constexpr std::uint8_t kTcp = 6;
constexpr std::uint8_t kUdp = 17;

/// The inode that the kernel gives for a flow; 0 none.
std::uint64_t inodeFor(SockDiag& diag, const FlowKey& key) {
  InetSocket found;
  const auto answer = diag.query(key, 1, found);
  CHECK(answer != SockDiag::Found::failed);
  return answer == SockDiag::Found::yes ? found.inode : 0;
}

}  // namespace

TEST_CASE("sock_diag: a TCP connection's two sockets and its listener") {
  SockDiag diag;
  REQUIRE(diag.isAvailable());
  for (const char* host : {"127.0.0.1", "::1"}) {
    CAPTURE(host);
    const Endpoint any = endpoint(host, 0);
    const Fd listener = openSocket(any.family, SOCK_STREAM);
    bindTo(listener, any);
    REQUIRE(::listen(listener.get(), 4) == 0);
    const Endpoint server = endpoint(host, portOf(listener));
    const Fd client = openSocket(any.family, SOCK_STREAM);
    connectTo(client, server);
    const Endpoint peer = endpoint(host, portOf(client));
    CHECK(inodeFor(diag, flowKey(kTcp, peer, server)) == inodeOf(client));

    // Not accepted: the connection is there, but nobody's.
    InetSocket found;
    REQUIRE(diag.query(flowKey(kTcp, server, peer), 1, found) == SockDiag::Found::yes);
    CHECK(found.inode == 0);
    CHECK(found.state == socket_state::kEstablished);
    REQUIRE(diag.queryListener(flowKey(kTcp, server, peer), 1, found) == SockDiag::Found::yes);
    CHECK(found.inode == inodeOf(listener));
    CHECK(found.state == socket_state::kListen);

    const Fd accepted(::accept(listener.get(), nullptr, nullptr));
    CHECK(inodeFor(diag, flowKey(kTcp, server, peer)) == inodeOf(accepted));
    CHECK(inodeFor(diag, flowKey(kTcp, peer, endpoint(host, 1))) == 0);
    CHECK(inodeFor(diag, flowKey(kUdp, peer, server)) == 0);
  }
}

TEST_CASE("sock_diag: IPv4 over an IPv6 socket") {
  SockDiag diag;
  const Fd listener = openSocket(6, SOCK_STREAM);
  bindTo(listener, endpoint("::", 0));
  REQUIRE(::listen(listener.get(), 4) == 0);
  const Endpoint server = endpoint("127.0.0.1", portOf(listener));
  const Fd client = openSocket(4, SOCK_STREAM);
  connectTo(client, server);
  const Fd accepted(::accept(listener.get(), nullptr, nullptr));
  CHECK(inodeFor(diag, flowKey(kTcp, server, endpoint("127.0.0.1", portOf(client)))) == inodeOf(accepted));

  const Fd datagram = openSocket(6, SOCK_DGRAM);
  bindTo(datagram, endpoint("::", 0));
  CHECK(inodeFor(diag, flowKey(kUdp, endpoint("127.0.0.1", portOf(datagram)), endpoint("127.0.0.1", 9))) ==
        inodeOf(datagram));
}

TEST_CASE("sock_diag: UDP sockets, connected, bound and unconnected") {
  SockDiag diag;
  for (const char* host : {"127.0.0.1", "::1"}) {
    CAPTURE(host);
    const std::uint8_t family = endpoint(host, 0).family;
    const Fd wildcard = openSocket(family, SOCK_DGRAM);
    const int on = 1;
    ::setsockopt(wildcard.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    bindTo(wildcard, endpoint(family == 4 ? "0.0.0.0" : "::", 0));
    const Endpoint local = endpoint(host, portOf(wildcard));
    const Endpoint remote = endpoint(host, 9);
    CHECK(inodeFor(diag, flowKey(kUdp, local, remote)) == inodeOf(wildcard));

    const Fd bound = openSocket(family, SOCK_DGRAM);
    ::setsockopt(bound.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    bindTo(bound, local);
    CHECK(inodeFor(diag, flowKey(kUdp, local, remote)) == inodeOf(bound));

    const Fd connected = openSocket(family, SOCK_DGRAM);
    ::setsockopt(connected.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    bindTo(connected, local);
    connectTo(connected, remote);
    CHECK(inodeFor(diag, flowKey(kUdp, local, remote)) == inodeOf(connected));
    CHECK(inodeFor(diag, flowKey(kUdp, local, endpoint(host, 10))) == inodeOf(bound));

    std::vector<std::uint64_t> onPort;
    REQUIRE(
        diag.dump(family, kUdp, local.port, false, [&](const InetSocket& socket) { onPort.push_back(socket.inode); }));
    CHECK(onPort.size() == 3);
    // The pure choice agrees with the kernel's.
    std::vector<InetSocket> sockets;
    REQUIRE(diag.dump(family, kUdp, local.port, false, [&](const InetSocket& socket) { sockets.push_back(socket); }));
    const SocketMatch match = bestOf(sockets, flowKey(kUdp, local, remote), 1);
    REQUIRE(match.best != nullptr);
    CHECK(match.best->inode == inodeOf(connected));
  }
}

TEST_CASE("sock_diag: a dump has byte counts, users and devices") {
  SockDiag diag;
  const Fd listener = openSocket(4, SOCK_STREAM);
  bindTo(listener, endpoint("127.0.0.1", 0));
  REQUIRE(::listen(listener.get(), 4) == 0);
  const Fd client = openSocket(4, SOCK_STREAM);
  connectTo(client, endpoint("127.0.0.1", portOf(listener)));
  const Fd accepted(::accept(listener.get(), nullptr, nullptr));
  REQUIRE(::send(client.get(), "12345", 5, 0) == 5);
  char buffer[8];
  REQUIRE(::recv(accepted.get(), buffer, sizeof buffer, 0) == 5);
  InetSocket found;
  REQUIRE(diag.dump(4, kTcp, 0, true, [&](const InetSocket& socket) {
    if (socket.inode == inodeOf(accepted)) found = socket;
  }));
  CHECK(found.rxBytes == 5);
  CHECK(found.uid == ::getuid());
  CHECK(found.localPort == portOf(listener));
  CHECK(found.remotePort == portOf(client));
  CHECK(found.interfaceIndex == 0);
}

TEST_CASE("sock_diag: packet sockets, those that only capture told apart") {
  const Fd sender(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
  if (!sender) {
    std::printf("SKIPPED: sock_diag: packet sockets: opening one needs cap_net_raw\n");
    return;
  }
  const Fd capturer(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL)));
  tpacket_req ring{};
  ring.tp_block_size = 4096;
  ring.tp_block_nr = 1;
  ring.tp_frame_size = 2048;
  ring.tp_frame_nr = 2;
  REQUIRE(::setsockopt(capturer.get(), SOL_PACKET, PACKET_RX_RING, &ring, sizeof ring) == 0);
  SockDiag diag;
  int seen = 0;
  REQUIRE(diag.dumpPacketSockets([&](const PacketSocket& socket) {
    if (socket.inode == inodeOf(sender)) {
      ++seen;
      CHECK_FALSE(socket.captures);
      CHECK(socket.etherType == 0);
    }
    if (socket.inode == inodeOf(capturer)) {
      ++seen;
      CHECK(socket.captures);
      CHECK(socket.etherType == ETH_P_ALL);
      CHECK(socket.interfaceIndex == 0);
    }
  }));
  CHECK(seen == 2);
}

TEST_CASE("sock_diag: messages cut anywhere are taken without harm") {
  const Fd datagram = openSocket(6, SOCK_DGRAM);
  bindTo(datagram, endpoint("::", 0));
  NetlinkSocket netlink(NETLINK_SOCK_DIAG);
  // A made-up answer with every attribute type, each too short to be what it says.
  std::vector<std::byte> message(512);
  auto& header = *mnl_nlmsg_put_header(message.data());
  header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  auto* body = static_cast<std::uint8_t*>(mnl_nlmsg_put_extra_header(&header, 72));
  body[0] = AF_INET6;
  for (std::uint16_t type = 0; type < 20; ++type) mnl_attr_put(&header, type, type % 4, "abcd");
  const std::uint32_t whole = header.nlmsg_len;
  for (std::uint32_t length = sizeof(nlmsghdr); length <= whole; ++length) {
    std::vector<std::byte> part(message.begin(), message.begin() + length);
    auto& cut = *reinterpret_cast<nlmsghdr*>(part.data());
    cut.nlmsg_len = length;
    CHECK(parseInetSocket(cut, kTcp).has_value() == (length >= sizeof(nlmsghdr) + 72));
    if (length > sizeof(nlmsghdr)) part[sizeof(nlmsghdr)] = std::byte{AF_PACKET};
    parsePacketSocket(cut);
  }
}
