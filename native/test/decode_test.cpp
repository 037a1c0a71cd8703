#include "decode.h"

#include <doctest/doctest.h>

#include <random>

#include "frames.h"

using namespace netloupe;
using namespace netloupe::frames;

namespace {

constexpr const char* kOther = "02:00:00:00:00:02";
constexpr const char* kOwn = "02:00:00:00:00:01";

Packet decoded(LinkLayer link, const Bytes& frame, std::size_t snaplen = 65535, std::size_t frameBytes = 0) {
  Packet packet{};
  // A copy of exactly the captured size, so that the address sanitizer sees every read beyond it.
  const std::vector<std::uint8_t> captured(
      frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(std::min(snaplen, frame.size())));
  decode(link, captured, static_cast<std::uint32_t>(frameBytes ? frameBytes : frame.size()), packet);
  return packet;
}

Packet decodedEthernet(unsigned etherType, const Bytes& payload) {
  return decoded(LinkLayer::ethernet, ethernet(kOther, kOwn, etherType, payload));
}

Bytes udp4() {
  return ipv4("10.0.0.1", "10.0.0.2", 17, udp(5000, 53, 30));
}
Bytes udp6() {
  return ipv6("2001:db8::1", "2001:db8::2", 17, udp(5000, 53, 30));
}

void checkUdp(const Packet& packet, int family) {
  CHECK(packet.family == family);
  CHECK(packet.source == address(family == 4 ? "10.0.0.1" : "2001:db8::1"));
  CHECK(packet.destination == address(family == 4 ? "10.0.0.2" : "2001:db8::2"));
  CHECK(packet.protocol == 17);
  CHECK(packet.sourcePort == 5000);
  CHECK(packet.destinationPort == 53);
  CHECK(packet.payloadBytes == 30);
  CHECK(packet.reason == Reason::none);
}

}  // namespace

TEST_CASE("decode: UDP over IPv4 and IPv6 through every link layer") {
  for (const int family : {4, 6}) {
    const Bytes ip = family == 4 ? udp4() : udp6();
    const unsigned etherType = family == 4 ? 0x0800 : 0x86dd;
    CAPTURE(family);
    checkUdp(decodedEthernet(etherType, ip), family);
    checkUdp(decoded(LinkLayer::raw, ip), family);
    checkUdp(decoded(LinkLayer::linuxSll, sll(4, 1, etherType, ip)), family);
    checkUdp(decoded(LinkLayer::linuxSll2, sll2(4, 1, etherType, ip)), family);
    for (const unsigned value : family == 4 ? std::vector<unsigned>{2} : std::vector<unsigned>{10, 24, 28, 30}) {
      Bytes big{0, 0, 0, static_cast<std::uint8_t>(value)};
      append(big, ip);
      Bytes little{static_cast<std::uint8_t>(value), 0, 0, 0};
      append(little, ip);
      checkUdp(decoded(LinkLayer::null, big), family);
      checkUdp(decoded(LinkLayer::null, little), family);
      checkUdp(decoded(LinkLayer::loop, big), family);
    }
    const std::uint8_t pppProtocol = family == 4 ? 0x21 : 0x57;
    for (Bytes frame : {Bytes{0xff, 3, 0, pppProtocol}, Bytes{0, pppProtocol}, Bytes{pppProtocol}}) {
      append(frame, ip);
      checkUdp(decoded(LinkLayer::ppp, frame), family);
    }
  }
}

TEST_CASE("decode: the frame's bytes are those on the wire, whatever the snaplen") {
  const Packet packet = decoded(LinkLayer::ethernet, ethernet(kOther, kOwn, 0x0800, udp4()), 60, 1514);
  CHECK(packet.frameBytes == 1514);
  checkUdp(packet, 4);
}

TEST_CASE("decode: link-layer padding is no payload") {
  Bytes frame = ethernet(kOther, kOwn, 0x0800, ipv4("10.0.0.1", "10.0.0.2", 6, tcp(1, 2, kTcpAck, 0, 0, 0)));
  frame.resize(60);
  const Packet packet = decoded(LinkLayer::ethernet, frame);
  CHECK(packet.payloadBytes == 0);
  CHECK(packet.frameBytes == 60);
}

TEST_CASE("decode: VLAN tags, outermost id") {
  const Packet one = decodedEthernet(0x8100, vlan(0x6007, 0x0800, udp4()));
  checkUdp(one, 4);
  CHECK(one.vlanId == 7);
  for (const unsigned outer : {0x88a8u, 0x9100u, 0x8100u}) {
    const Packet two = decodedEthernet(outer, vlan(100, 0x8100, vlan(200, 0x86dd, udp6())));
    checkUdp(two, 6);
    CHECK(two.vlanId == 100);
  }
  const Packet cooked = decoded(LinkLayer::linuxSll2, sll2(0, 1, 0x8100, vlan(9, 0x0800, udp4())));
  checkUdp(cooked, 4);
  CHECK(cooked.vlanId == 9);
  Bytes many = udp4();
  for (int i = 0; i < 200; ++i) many = vlan(5, i == 0 ? 0x0800 : 0x8100, many);
  CHECK(decodedEthernet(0x8100, many).family == 0);
}

TEST_CASE("decode: cooked headers tell direction and addressee") {
  const auto ofType = [](unsigned type) { return decoded(LinkLayer::linuxSll, sll(type, 1, 0x0800, udp4())); };
  CHECK(ofType(0).direction == Direction::rx);
  CHECK(ofType(0).addressee == Addressee::host);
  CHECK(ofType(1).addressee == Addressee::group);
  CHECK(ofType(2).addressee == Addressee::group);
  CHECK(ofType(3).direction == Direction::rx);
  CHECK(ofType(3).addressee == Addressee::otherHost);
  CHECK(ofType(4).direction == Direction::tx);
  CHECK(ofType(99).direction == Direction::unknown);
  CHECK(decoded(LinkLayer::linuxSll2, sll2(4, 1, 0x0800, udp4())).direction == Direction::tx);
  CHECK(decoded(LinkLayer::linuxSll, sll(4, 824, 0x0800, udp4())).family == 0);  // netlink's protocol is no EtherType
}

TEST_CASE("decode: IPv4 options") {
  checkUdp(decodedEthernet(0x0800, ipv4("10.0.0.1", "10.0.0.2", 17, udp(5000, 53, 30), {.optionBytes = 40})), 4);
}

TEST_CASE("decode: IPv6 extension headers in any order and number") {
  const Bytes datagram = udp(5000, 53, 30);
  const auto check = [](unsigned next, const Bytes& payload) {
    checkUdp(decodedEthernet(0x86dd, ipv6("2001:db8::1", "2001:db8::2", next, payload)), 6);
  };
  check(0, ipv6Extension(17, 0, datagram));
  check(0, ipv6Extension(43, 1, ipv6Extension(60, 2, ipv6Extension(17, 0, datagram))));
  check(51, authentication(17, 6, datagram));
  check(44, ipv6Fragment(17, 0, false, 1, datagram));  // an atomic fragment (RFC 6946) is whole
  check(60, ipv6Extension(51, 0, authentication(17, 3, datagram)));
  const Packet esp = decodedEthernet(0x86dd, ipv6("2001:db8::1", "2001:db8::2", 0, ipv6Extension(50, 0, filler(40))));
  CHECK(esp.protocol == 50);
  CHECK(esp.payloadBytes == 40);
  const Packet nothing = decodedEthernet(0x86dd, ipv6("2001:db8::1", "2001:db8::2", 59, {}));
  CHECK(nothing.protocol == 59);
  Bytes chain = datagram;
  for (int i = 0; i < 100; ++i) chain = ipv6Extension(i == 0 ? 17 : 60, 0, chain);
  CHECK(decodedEthernet(0x86dd, ipv6("2001:db8::1", "2001:db8::2", 60, chain)).reason == Reason::malformed);
}

TEST_CASE("decode: AH over IPv4; extension header numbers mean nothing there") {
  checkUdp(decodedEthernet(0x0800, ipv4("10.0.0.1", "10.0.0.2", 51, authentication(17, 6, udp(5000, 53, 30)))), 4);
  CHECK(decodedEthernet(0x0800, ipv4("10.0.0.1", "10.0.0.2", 43, filler(16))).protocol == 43);
}

TEST_CASE("decode: TCP header members") {
  const Packet packet = decodedEthernet(
      0x0800, ipv4("10.0.0.1", "10.0.0.2", 6, tcp(40000, 443, kTcpSyn | kTcpAck, 0xfffffff0, 0x80000001, 100, 12)));
  CHECK(packet.tcpFlags == (kTcpSyn | kTcpAck));
  CHECK(packet.tcpSequence == 0xfffffff0);
  CHECK(packet.tcpAcknowledgment == 0x80000001);
  CHECK(packet.payloadBytes == 100);
}

TEST_CASE("decode: SCTP ports; other protocols by number") {
  const Packet packet = decodedEthernet(0x0800, ipv4("10.0.0.1", "10.0.0.2", 132, sctp(3868, 3869, 16)));
  CHECK(packet.sourcePort == 3868);
  CHECK(packet.destinationPort == 3869);
  CHECK(packet.payloadBytes == 16);
  const Packet gre = decodedEthernet(0x0800, ipv4("10.0.0.1", "10.0.0.2", 47, filler(24)));
  CHECK(gre.protocol == 47);
  CHECK(gre.sourcePort == 0);
  CHECK(gre.payloadBytes == 24);
}

TEST_CASE("decode: the identifier of an ICMP echo stands in both ports") {
  for (const unsigned type : {8u, 0u}) {
    const Packet packet = decodedEthernet(0x0800, ipv4("10.0.0.1", "10.0.0.2", 1, icmp(type, 0, 777, 56)));
    CHECK(packet.sourcePort == 777);
    CHECK(packet.destinationPort == 777);
    CHECK(packet.payloadBytes == 56);
  }
  for (const unsigned type : {128u, 129u}) {
    CHECK(decodedEthernet(0x86dd, ipv6("fe80::1", "fe80::2", 58, icmp(type, 0, 777, 8))).sourcePort == 777);
  }
  const Packet unreachable = decodedEthernet(0x0800, ipv4("10.0.0.1", "10.0.0.2", 1, icmp(3, 1, 777, 28)));
  CHECK(unreachable.sourcePort == 0);
  CHECK(unreachable.icmpType == 3);
}

TEST_CASE("decode: fragments") {
  const Packet first = decodedEthernet(
      0x0800, ipv4("10.0.0.1", "10.0.0.2", 17, udp(5000, 53, 1472), {.id = 77, .fragmentField = 0x2000}));
  CHECK(first.fragment == Fragment::first);
  CHECK(first.sourcePort == 5000);
  CHECK(first.reason == Reason::none);
  const Packet later =
      decodedEthernet(0x0800, ipv4("10.0.0.1", "10.0.0.2", 17, filler(100), {.id = 77, .fragmentField = 1480 / 8}));
  CHECK(later.fragment == Fragment::later);
  CHECK(later.reason == Reason::fragment);
  CHECK(later.fragmentId == first.fragmentId);
  CHECK(later.sourcePort == 0);
  CHECK(later.payloadBytes == 100);
  const Packet later6 = decodedEthernet(
      0x86dd, ipv6("2001:db8::1", "2001:db8::2", 44, ipv6Fragment(17, 1480, true, 0xabcdef01, filler(64))));
  CHECK(later6.fragment == Fragment::later);
  CHECK(later6.fragmentId == 0xabcdef01);
  CHECK(later6.protocol == 17);
  CHECK(later6.payloadBytes == 64);
  // A first fragment too small for the ports is allowed by RFC 791, and no reason to call it malformed.
  const Packet tiny =
      decodedEthernet(0x0800, ipv4("10.0.0.1", "10.0.0.2", 6, Bytes{0x12}, {.id = 9, .fragmentField = 0x2000}));
  CHECK(tiny.reason == Reason::fragment);
  CHECK(tiny.family == 4);
}

TEST_CASE("decode: non-IP frames carry their EtherType, 802.3 lengths none") {
  const Packet arp = decodedEthernet(0x0806, filler(46));
  CHECK(arp.family == 0);
  CHECK(arp.protocol == 255);
  CHECK(arp.etherType == 0x0806);
  CHECK(arp.reason == Reason::none);
  CHECK(decodedEthernet(38, filler(46)).etherType == 0);
  CHECK(decoded(LinkLayer::other, filler(40)).reason == Reason::linkType);
  CHECK(decoded(LinkLayer::null, Bytes{0, 0, 0, 99, 1, 2, 3}).reason == Reason::linkType);
}

TEST_CASE("decode: what its sender left too short is malformed") {
  CHECK(decoded(LinkLayer::ethernet, filler(13)).reason == Reason::malformed);
  CHECK(decoded(LinkLayer::ethernet, {}).reason == Reason::malformed);
  CHECK(decodedEthernet(0x0800, filler(19)).reason == Reason::malformed);
  CHECK(decodedEthernet(0x86dd, udp4()).reason == Reason::malformed);
  CHECK(decodedEthernet(0x0800, udp6()).reason == Reason::malformed);
  CHECK(decoded(LinkLayer::raw, Bytes{0x50, 1, 2, 3}).reason == Reason::malformed);
  CHECK(decodedEthernet(0x0800, ipv4("10.0.0.1", "10.0.0.2", 17, udp(1, 2, 0), {.totalLength = 19})).reason ==
        Reason::malformed);
  CHECK(decodedEthernet(0x0800, ipv4("10.0.0.1", "10.0.0.2", 6, filler(12))).reason == Reason::malformed);
  CHECK(decodedEthernet(0x8100, Bytes{0, 1}).reason == Reason::malformed);
  // The datagram's own length hides the header, even though padding bytes follow it.
  Bytes hidden = ipv4("10.0.0.1", "10.0.0.2", 17, udp(1, 2, 20), {.totalLength = 24});
  const Packet packet = decodedEthernet(0x0800, hidden);
  CHECK(packet.reason == Reason::malformed);
  CHECK(packet.family == 0);
  CHECK(packet.source == Address{});
}

TEST_CASE("decode: what the snaplen cut off is truncated, not malformed") {
  const Bytes frame =
      ethernet(kOther, kOwn, 0x0800, ipv4("10.0.0.1", "10.0.0.2", 6, tcp(40000, 443, kTcpAck, 1, 2, 100)));
  CHECK(decoded(LinkLayer::ethernet, frame, 10, frame.size()).reason == Reason::truncated);
  CHECK(decoded(LinkLayer::ethernet, frame, 30, frame.size()).family == 0);
  const Packet addressesOnly = decoded(LinkLayer::ethernet, frame, 34, frame.size());
  CHECK(addressesOnly.reason == Reason::truncated);
  CHECK(addressesOnly.family == 4);
  CHECK(addressesOnly.source == address("10.0.0.1"));
  const Packet portsOnly = decoded(LinkLayer::ethernet, frame, 38, frame.size());
  CHECK(portsOnly.reason == Reason::none);
  CHECK(portsOnly.sourcePort == 40000);
  CHECK(portsOnly.tcpFlags == 0);
  const Bytes extended =
      ethernet(kOther, kOwn, 0x86dd, ipv6("2001:db8::1", "2001:db8::2", 0, ipv6Extension(17, 3, udp(1, 2, 3))));
  const Packet cut = decoded(LinkLayer::ethernet, extended, 64, extended.size());
  CHECK(cut.reason == Reason::truncated);
  CHECK(cut.family == 6);
}

TEST_CASE("decode: segmentation offload leaves the length empty") {
  const Packet four =
      decodedEthernet(0x0800, ipv4("10.0.0.1", "10.0.0.2", 6, tcp(1, 2, kTcpAck, 0, 0, 70000), {.totalLength = 0}));
  CHECK(four.payloadBytes == 70000);
  Bytes jumbo = ipv6("2001:db8::1", "2001:db8::2", 6, tcp(1, 2, kTcpAck, 0, 0, 70000));
  jumbo[4] = jumbo[5] = 0;
  CHECK(decodedEthernet(0x86dd, jumbo).payloadBytes == 70000);
}

TEST_CASE("decode: any bytes at any cut end in a packet of the right length") {
  std::mt19937 random(20260923);
  const std::vector<Bytes> seeds{
      ethernet(kOther, kOwn, 0x8100,
               vlan(100, 0x86dd,
                    ipv6("2001:db8::1", "2001:db8::2", 0,
                         ipv6Extension(44, 0, ipv6Fragment(6, 0, true, 1, tcp(1, 2, 16, 3, 4, 20, 8)))))),
      ethernet(kOther, kOwn, 0x0800,
               ipv4("10.0.0.1", "10.0.0.2", 51, authentication(6, 6, tcp(1, 2, 16, 3, 4, 20)), {.optionBytes = 8})),
      sll(0, 1, 0x0800, udp4()),
      sll2(0, 1, 0x86dd, udp6()),
      udp4(),
      udp6()};
  for (const Bytes& seed : seeds) {
    for (std::size_t cut = 0; cut <= seed.size(); ++cut) {
      for (int link = 0; link <= static_cast<int>(LinkLayer::other); ++link) {
        Bytes frame = seed;
        if (!frame.empty()) frame[random() % frame.size()] = static_cast<std::uint8_t>(random());
        const Packet packet = decoded(static_cast<LinkLayer>(link), frame, cut);
        REQUIRE(packet.frameBytes == frame.size());
        REQUIRE(packet.payloadBytes <= frame.size());
        if (packet.family == 0) REQUIRE(packet.source == Address{});
      }
    }
  }
}
