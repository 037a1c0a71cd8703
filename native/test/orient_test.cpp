#include "orient.h"

#include <doctest/doctest.h>

#include "frames.h"

using namespace netloupe;
using namespace netloupe::frames;

namespace {

constexpr const char* kOwnMac = "02:00:00:00:00:01";
constexpr const char* kPeerMac = "02:00:00:00:00:02";
constexpr const char* kThirdMac = "02:00:00:00:00:03";
constexpr const char* kBroadcastMac = "ff:ff:ff:ff:ff:ff";
constexpr const char* kGroupMac = "01:00:5e:00:00:fb";

Packet packetOf(const std::string& destinationMac, const std::string& sourceMac, const std::string& source,
                const std::string& destination, unsigned sourcePort = 40000, unsigned destinationPort = 40001) {
  const Bytes datagram = udp(sourcePort, destinationPort, 1);
  const bool four = source.find(':') == std::string::npos;
  const Bytes ip = four ? ipv4(source, destination, 17, datagram) : ipv6(source, destination, 17, datagram);
  const Bytes frame = ethernet(destinationMac, sourceMac, four ? 0x0800 : 0x86dd, ip);
  Packet packet{};
  decode(LinkLayer::ethernet, frame, static_cast<std::uint32_t>(frame.size()), packet);
  return packet;
}

Packet tcpPacket(const std::string& source, unsigned sourcePort, const std::string& destination,
                 unsigned destinationPort, unsigned flags) {
  const Bytes ip = ipv4(source, destination, 6, tcp(sourcePort, destinationPort, flags, 1, 1, 0));
  Packet packet{};
  decode(LinkLayer::raw, ip, static_cast<std::uint32_t>(ip.size()), packet);
  return packet;
}

const std::vector<LocalAddress> kOwnAddresses{{address("10.0.0.1"), 4, 24}, {address("2001:db8::1"), 6, 64}};

Orientation live() {
  Orientation orientation(false, false);
  orientation.setLinkLayerAddress({2, 0, 0, 0, 0, 1});
  orientation.setLocalAddresses(kOwnAddresses);
  return orientation;
}

Packet directed(const Orientation& orientation, Packet packet) {
  orientation.direct(packet);
  return packet;
}

}  // namespace

TEST_CASE("orient: live, the link-layer address decides first") {
  const Orientation own = live();
  CHECK(directed(own, packetOf(kPeerMac, kOwnMac, "10.0.0.1", "10.0.0.2")).direction == Direction::tx);
  CHECK(directed(own, packetOf(kOwnMac, kPeerMac, "10.0.0.2", "10.0.0.1")).direction == Direction::rx);
  // Forwarded through this machine: neither address is ours, the frames still go in and out.
  CHECK(directed(own, packetOf(kPeerMac, kOwnMac, "192.0.2.1", "192.0.2.2")).direction == Direction::tx);
  CHECK(directed(own, packetOf(kOwnMac, kPeerMac, "192.0.2.2", "192.0.2.1")).direction == Direction::rx);
  CHECK(directed(own, packetOf(kGroupMac, kPeerMac, "10.0.0.2", "224.0.0.251")).direction == Direction::rx);
  CHECK(directed(own, packetOf(kBroadcastMac, kOwnMac, "10.0.0.1", "255.255.255.255")).direction == Direction::tx);
}

TEST_CASE("orient: live, between others the IP source decides") {
  const Orientation own = live();
  CHECK(directed(own, packetOf(kThirdMac, kPeerMac, "10.0.0.1", "10.0.0.3")).direction == Direction::tx);
  const Packet foreign = directed(own, packetOf(kThirdMac, kPeerMac, "10.0.0.2", "10.0.0.3"));
  CHECK(foreign.direction == Direction::rx);
  CHECK(foreign.addressee == Addressee::otherHost);
}

TEST_CASE("orient: without link-layer addresses the IP source decides") {
  const Orientation own = live();
  CHECK(directed(own, tcpPacket("10.0.0.1", 1, "192.0.2.1", 2, kTcpAck)).direction == Direction::tx);
  CHECK(directed(own, tcpPacket("192.0.2.1", 2, "10.0.0.1", 1, kTcpAck)).direction == Direction::rx);
}

TEST_CASE("orient: why a flow has no owner here") {
  const Orientation own = live();
  const auto foreign = [&](const Packet& packet) { return own.foreign(directed(own, packet)); };
  CHECK(foreign(packetOf(kPeerMac, kOwnMac, "10.0.0.1", "10.0.0.2")) == Reason::none);
  CHECK(foreign(packetOf(kOwnMac, kPeerMac, "10.0.0.2", "10.0.0.1")) == Reason::none);
  CHECK(foreign(packetOf(kOwnMac, kPeerMac, "2001:db8::2", "2001:db8::1")) == Reason::none);
  CHECK(foreign(packetOf(kOwnMac, kPeerMac, "10.0.0.2", "192.0.2.1")) == Reason::forwarded);
  CHECK(foreign(packetOf(kPeerMac, kOwnMac, "192.0.2.1", "10.0.0.2")) == Reason::forwarded);
  CHECK(foreign(packetOf(kThirdMac, kPeerMac, "10.0.0.2", "10.0.0.3")) == Reason::notLocal);
  CHECK(foreign(packetOf(kGroupMac, kPeerMac, "10.0.0.2", "224.0.0.251")) == Reason::none);
  CHECK(foreign(packetOf(kBroadcastMac, kPeerMac, "10.0.0.2", "10.0.0.255")) == Reason::none);
  CHECK(foreign(packetOf(kBroadcastMac, kPeerMac, "10.0.0.2", "10.0.0.77")) == Reason::notLocal);
  CHECK(foreign(packetOf(kBroadcastMac, kOwnMac, "0.0.0.0", "255.255.255.255")) == Reason::none);  // DHCP
}

TEST_CASE("orient: before the addresses are known nothing is called foreign") {
  Orientation unknown(false, false);
  Packet packet = packetOf(kOwnMac, kPeerMac, "10.0.0.2", "192.0.2.1");
  unknown.direct(packet);
  CHECK(packet.direction == Direction::rx);
  CHECK(unknown.foreign(packet) == Reason::none);
}

TEST_CASE("orient: loopback, the sender's view, and nothing is foreign") {
  Orientation loopback(true, false);
  loopback.setLocalAddresses(kOwnAddresses);
  for (const unsigned flags : {unsigned{kTcpSyn}, unsigned{kTcpSyn | kTcpAck}, unsigned{kTcpAck}}) {
    const Packet packet = directed(loopback, tcpPacket("127.0.0.1", 80, "127.0.0.9", 40000, flags));
    CHECK(packet.direction == Direction::tx);
    CHECK(loopback.foreign(packet) == Reason::none);
  }
}

TEST_CASE("orient: a file without addresses, each rule when those before it are silent") {
  const Orientation file(false, true);
  const auto local = [&](const Packet& packet) {
    CHECK(directed(file, packet).direction == Direction::unknown);
    return file.sourceIsLocal(packet);
  };
  // SYN beats everything: this machine may well serve from a public address.
  CHECK(local(tcpPacket("8.8.8.8", 443, "10.0.0.1", 40000, kTcpSyn)));
  CHECK_FALSE(local(tcpPacket("10.0.0.1", 40000, "8.8.8.8", 443, kTcpSyn | kTcpAck)));
  CHECK(local(packetOf(kGroupMac, kPeerMac, "8.8.8.8", "224.0.0.251", 5353, 5353)));
  CHECK(local(tcpPacket("192.168.1.5", 22, "8.8.8.8", 40000, kTcpAck)));
  CHECK_FALSE(local(tcpPacket("8.8.8.8", 40000, "192.168.1.5", 22, kTcpAck)));
  CHECK(local(tcpPacket("10.0.0.1", 40000, "10.0.0.2", 443, kTcpAck)));
  CHECK_FALSE(local(tcpPacket("10.0.0.2", 443, "10.0.0.1", 40000, kTcpAck)));
  CHECK_FALSE(local(tcpPacket("10.0.0.2", 8080, "10.0.0.1", 40000, kTcpAck)));
  CHECK(local(tcpPacket("10.0.0.2", 40000, "10.0.0.1", 50000, kTcpAck)));
  CHECK(local(tcpPacket("10.0.0.1", 50000, "10.0.0.2", 40000, kTcpAck)));
}

TEST_CASE("orient: a file that names its addresses") {
  Orientation byIp(false, true);
  byIp.setLocalAddresses(std::vector<LocalAddress>{{address("8.8.8.8"), 4, 24}});
  CHECK(directed(byIp, tcpPacket("8.8.8.8", 443, "10.0.0.1", 40000, kTcpAck)).direction == Direction::tx);
  CHECK(directed(byIp, tcpPacket("10.0.0.1", 40000, "8.8.8.8", 443, kTcpAck)).direction == Direction::rx);
  CHECK(directed(byIp, tcpPacket("10.0.0.1", 40000, "10.0.0.2", 443, kTcpAck)).direction == Direction::unknown);
  Orientation byMac(false, true);
  byMac.setLinkLayerAddress({2, 0, 0, 0, 0, 1});
  CHECK(directed(byMac, packetOf(kPeerMac, kOwnMac, "10.0.0.1", "10.0.0.2")).direction == Direction::tx);
  CHECK(directed(byMac, packetOf(kOwnMac, kPeerMac, "10.0.0.2", "10.0.0.1")).direction == Direction::rx);
  CHECK(byMac.foreign(packetOf(kThirdMac, kPeerMac, "10.0.0.2", "10.0.0.3")) == Reason::none);
}

TEST_CASE("orient: every address of the machine is known, whatever their order") {
  std::vector<LocalAddress> many;
  for (unsigned i = 0; i < 200; ++i) many.push_back({address("10.9." + std::to_string(i * 7 % 200) + ".1"), 4, 24});
  many.push_back({address("2001:db8::9"), 6, 64});
  Orientation orientation(false, false);
  orientation.setLocalAddresses(many);
  for (const LocalAddress& own : many) CHECK(orientation.isLocal(own.address, own.family));
  CHECK_FALSE(orientation.isLocal(address("10.9.200.1"), 4));
  CHECK_FALSE(orientation.isLocal(address("10.9.5.2"), 4));
  CHECK_FALSE(orientation.isLocal(address("10.9.5.1"), 6));
  CHECK_FALSE(orientation.isLocal(address("2001:db8::a"), 6));
}

TEST_CASE("orient: private and group addresses") {
  for (const char* text :
       {"10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.0.1", "169.254.1.1", "100.64.0.1", "127.0.0.1"}) {
    CAPTURE(text);
    CHECK(isPrivate(address(text), 4));
  }
  for (const char* text : {"11.0.0.1", "172.32.0.1", "172.15.0.1", "192.169.0.1", "100.128.0.1", "8.8.8.8"}) {
    CAPTURE(text);
    CHECK_FALSE(isPrivate(address(text), 4));
  }
  for (const char* text : {"fd00::1", "fc12::1", "fe80::1", "febf::1", "::1"}) CHECK(isPrivate(address(text), 6));
  for (const char* text : {"2001:db8::1", "fec0::1", "ff02::1", "::2"}) CHECK_FALSE(isPrivate(address(text), 6));
  CHECK(isGroup(address("224.0.0.1"), 4));
  CHECK(isGroup(address("239.255.255.255"), 4));
  CHECK(isGroup(address("255.255.255.255"), 4));
  CHECK_FALSE(isGroup(address("240.0.0.1"), 4));
  CHECK(isGroup(address("ff02::fb"), 6));
  CHECK_FALSE(isGroup(address("fe80::1"), 6));
}
