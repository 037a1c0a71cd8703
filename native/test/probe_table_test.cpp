#include "probe_table.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <random>
#include <utility>
#include <vector>

#include "probe_answers.h"
#include "probe_reply.h"

using namespace netloupe;
using namespace netloupe::test;

namespace {

constexpr std::uint64_t kSentUs = 1'700'000'000'000'000;
constexpr std::uint64_t kSteadyUs = 9'000'000;
constexpr std::uint64_t kWaitUs = 1'000'000;
constexpr Address kRouter4{198, 51, 100, 7};
constexpr Address kRouter6{0x20, 1, 0xd, 0xb8, 0, 7};

const std::pair<std::uint8_t, std::uint8_t> kKinds[] = {{4, kProtocolIcmp},   {4, kProtocolUdp}, {4, kProtocolTcp},
                                                        {6, kProtocolIcmpV6}, {6, kProtocolUdp}, {6, kProtocolTcp}};

/// A table with one probe on the way, and the probe's packet.
struct Sent {
  std::mt19937_64 random{42};
  ProbeTable table{64, [this] { return random(); }};
  ProbeFields fields;
  Octets packet;
  ProbeTable::Slot slot = 0;

  Sent(std::uint8_t family, std::uint8_t protocol) {
    fields = {.family = family, .protocol = protocol, .ttl = 3, .tos = 0, .sourcePort = 40000, .icmpChecksum = 0x1234};
    fields.source = family == 4 ? Address{10, 0, 0, 1} : Address{0xfd, 1};
    fields.destination = family == 4 ? Address{192, 0, 2, 9} : Address{0xfd, 9};
    if (protocol == kProtocolUdp || protocol == kProtocolTcp) fields.destinationPort = 443;
    fields.packetBytes = static_cast<std::uint16_t>(smallestProbe(family, protocol) + 20);
    send();
  }

  void send(std::uint64_t later = 0) {
    table.identify(fields);
    std::array<std::uint8_t, 256> buffer;
    const auto bytes = buildProbe(fields, buffer);
    packet.assign(bytes.begin(), bytes.end());
    slot = table.add(5, 2, 1, fields, kSentUs + later, kSteadyUs + later, kWaitUs);
  }

  std::size_t header() const { return fields.family == 4 ? 20 : 40; }

  Octets timeExceeded(const Octets& of, std::size_t quoted) const {
    return icmpError(fields.family == 4 ? 11 : 3, 0, of, quoted);
  }

  std::optional<ProbeItem> hear(const Octets& icmp, std::uint64_t afterUs = 1500) {
    // A copy of exactly this length: a read behind it is found.
    const Octets bytes(icmp);
    const auto reply = fields.family == 4 ? parseIcmp4(bytes) : parseIcmp6(bytes);
    if (!reply) return std::nullopt;
    return table.take(*reply, fields.family, fields.family == 4 ? kRouter4 : kRouter6, kSentUs + afterUs,
                      kSteadyUs + afterUs);
  }

  std::optional<ProbeItem> hearTcp(std::uint8_t flags, std::uint32_t acknowledgement, std::uint16_t port = 443) {
    const TcpReply reply{.family = fields.family,
                         .flags = flags,
                         .sourcePort = port,
                         .destinationPort = fields.sourcePort,
                         .acknowledgement = acknowledgement,
                         .source = fields.destination,
                         .destination = fields.source};
    return table.take(reply, kSentUs + 1500, kSteadyUs + 1500);
  }
};

bool isCredited(const std::optional<ProbeItem>& item) {
  return item && item->outcome == ProbeOutcome::reply;
}

}  // namespace

TEST_CASE("a router's answer is credited once, with the router's address and the kernel's time") {
  for (const auto& [family, protocol] : kKinds) {
    CAPTURE(family);
    CAPTURE(protocol);
    Sent sent(family, protocol);
    const auto item = sent.hear(sent.timeExceeded(sent.packet, sent.packet.size()));
    REQUIRE(item);
    CHECK(item->outcome == ProbeOutcome::reply);
    CHECK(item->traceId == 5);
    CHECK(item->round == 2);
    CHECK(item->flow == 1);
    CHECK(item->ttl == 3);
    CHECK(item->sentUs == kSentUs);
    CHECK(item->rttUs == 1500);
    CHECK(item->address == (family == 4 ? kRouter4 : kRouter6));
    CHECK(item->icmpType == (family == 4 ? 11 : 3));
    CHECK(item->quoteChanged == 0);
    CHECK(sent.table.open() == 0);
    CHECK(sent.hear(sent.timeExceeded(sent.packet, sent.packet.size()))->outcome == ProbeOutcome::duplicate);
  }
}

TEST_CASE("a quote that is cut is credited from the eighth byte behind its IP header on, never before") {
  for (const auto& [family, protocol] : kKinds) {
    for (std::size_t quoted = 0; quoted <= Sent(family, protocol).packet.size(); ++quoted) {
      CAPTURE(family);
      CAPTURE(protocol);
      CAPTURE(quoted);
      Sent sent(family, protocol);
      const auto item = sent.hear(sent.timeExceeded(sent.packet, quoted));
      CHECK(isCredited(item) == (quoted >= sent.header() + 8));
      if (quoted < sent.header() + 8) CHECK_FALSE(item);
    }
  }
}

TEST_CASE("an ICMP message that is cut anywhere is never credited to a probe it does not prove") {
  Sent sent(4, kProtocolUdp);
  // Up to the token: to lose zeros at the end would not change the sum.
  const Octets whole = sent.timeExceeded(sent.packet, sent.header() + 8 + kTokenBytes);
  REQUIRE(whole.back() != 0);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    // Its checksum covers what is missing.
    CHECK_FALSE(isCredited(sent.hear(Octets(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length)))));
  }
}

TEST_CASE("a quote with any other bit in what identifies a probe is not credited") {
  for (const auto& [family, protocol] : kKinds) {
    Sent sent(family, protocol);
    const std::size_t header = sent.header();
    const std::size_t identity = protocol == kProtocolTcp ? header + 8 : header + 8 + kTokenBytes;
    std::vector<std::size_t> bytes{family == 4 ? std::size_t{9} : std::size_t{6}};
    for (std::size_t at = header; at < identity; ++at) bytes.push_back(at);
    for (const std::size_t at : bytes) {
      for (int bit = 0; bit < 8; ++bit) {
        CAPTURE(family);
        CAPTURE(protocol);
        CAPTURE(at);
        Octets changed = sent.packet;
        changed[at] = static_cast<std::uint8_t>(changed[at] ^ 1 << bit);
        const bool isToken = protocol != kProtocolTcp && at >= header + 8;
        const bool hasToken = protocol != kProtocolTcp && !isToken;
        // The whole token proves more than ports and checksums, which a NAT may have rewritten; only protocol, type,
        // code and an echo's number must be right.
        const bool isEcho = protocol == kProtocolIcmp || protocol == kProtocolIcmpV6;
        const bool isFixed = isEcho && (at < header + 2 || at == header + 6 || at == header + 7);
        const bool isLength = protocol == kProtocolUdp && (at == header + 4 || at == header + 5);
        Sent fresh(family, protocol);
        const auto item = fresh.hear(fresh.timeExceeded(changed, changed.size()));
        if (hasToken && at >= header && !isFixed) {
          CHECK(isCredited(item));
          CHECK((item->quoteChanged != 0) == !isLength);
        } else {
          CHECK_FALSE(isCredited(item));
        }
      }
    }
  }
}

TEST_CASE("without the token, ports and addresses must be the probe's") {
  for (const auto& [family, protocol] : kKinds) {
    Sent sent(family, protocol);
    const std::size_t quoted = sent.header() + 8;
    std::vector<std::size_t> ends{family == 4 ? std::size_t{15} : std::size_t{23},
                                  family == 4 ? std::size_t{19} : std::size_t{39}};
    if (protocol == kProtocolUdp || protocol == kProtocolTcp)
      ends.insert(ends.end(), {sent.header() + 1, sent.header() + 3});
    if (protocol == kProtocolIcmp || protocol == kProtocolIcmpV6) ends.push_back(sent.header() + 5);
    for (const std::size_t at : ends) {
      CAPTURE(family);
      CAPTURE(protocol);
      CAPTURE(at);
      Octets changed = sent.packet;
      changed[at] ^= 0x10;
      CHECK_FALSE(isCredited(sent.hear(sent.timeExceeded(changed, quoted))));
    }
    CHECK(isCredited(sent.hear(sent.timeExceeded(sent.packet, quoted))));
  }
}

TEST_CASE("what a NAT has rewritten is named") {
  Sent sent(4, kProtocolUdp);
  Octets behind = sent.packet;
  behind[12] = 100;    // source address
  behind[20] ^= 0x01;  // source port
  behind[26] ^= 0x55;  // checksum
  const auto item = sent.hear(sent.timeExceeded(behind, behind.size()));
  REQUIRE(isCredited(item));
  CHECK(item->quoteChanged == (kQuoteSource | kQuoteSourcePort | kQuoteChecksum));

  Sent another(4, kProtocolUdp);
  Octets checksumOnly = another.packet;
  checksumOnly[27] ^= 0x55;
  const auto byIdentification = another.hear(another.timeExceeded(checksumOnly, 28));
  REQUIRE(isCredited(byIdentification));
  CHECK(byIdentification->quoteChanged == kQuoteChecksum);
}

TEST_CASE("a wrong ICMP checksum, a wrong token, an unknown number: forged, and the probe stays open") {
  Sent sent(4, kProtocolIcmp);
  Octets wrongChecksum = sent.timeExceeded(sent.packet, sent.packet.size());
  wrongChecksum[3] ^= 1;
  CHECK(sent.hear(wrongChecksum)->outcome == ProbeOutcome::forged);
  Octets wrongToken = sent.packet;
  wrongToken[30] ^= 1;
  CHECK(sent.hear(sent.timeExceeded(wrongToken, wrongToken.size()))->outcome == ProbeOutcome::forged);
  Octets wrongNumber = sent.packet;
  wrongNumber[27] ^= 1;
  CHECK(sent.hear(sent.timeExceeded(wrongNumber, 28))->outcome == ProbeOutcome::forged);
  CHECK(sent.table.open() == 1);
  CHECK(isCredited(sent.hear(sent.timeExceeded(sent.packet, 28))));
}

TEST_CASE("an echo reply is credited only with the whole token") {
  for (const auto& [family, protocol] : {kKinds[0], kKinds[3]}) {
    Sent sent(family, protocol);
    const Octets reply = echoReply(sent.packet);
    for (std::size_t at = 4; at < 8 + kTokenBytes; ++at) {
      Octets changed = reply;
      changed[at] ^= 1;
      putChecksum(changed);
      CHECK_FALSE(isCredited(sent.hear(changed)));
    }
    for (std::size_t length = 0; length < 8 + kTokenBytes; ++length) {
      Octets cut(reply.begin(), reply.begin() + static_cast<std::ptrdiff_t>(length));
      if (length >= 4) putChecksum(cut);
      CHECK_FALSE(isCredited(sent.hear(cut)));
    }
    CHECK(isCredited(sent.hear(reply)));
  }
}

TEST_CASE("TCP: SYN-ACK and RST that acknowledge the probe are credited, everything else is not") {
  for (const std::uint8_t family : {std::uint8_t{4}, std::uint8_t{6}}) {
    Sent sent(family, kProtocolTcp);
    const std::uint32_t right = sent.fields.sequence + 1;
    CHECK(sent.hearTcp(kTcpSyn | kTcpAck, right + 1)->outcome == ProbeOutcome::forged);
    CHECK(sent.hearTcp(kTcpRst | kTcpAck, right, 444)->outcome == ProbeOutcome::forged);
    CHECK_FALSE(sent.hearTcp(kTcpAck, right));
    CHECK(sent.table.open() == 1);
    const auto item = sent.hearTcp(kTcpSyn | kTcpAck, right);
    REQUIRE(isCredited(item));
    CHECK(item->tcpFlags == (kTcpSyn | kTcpAck));
    CHECK(sent.hearTcp(kTcpRst | kTcpAck, right)->outcome == ProbeOutcome::duplicate);
    // The probe holds 20 bytes of filling.
    CHECK(sent.hearTcp(kTcpRst | kTcpAck, right + 20)->outcome == ProbeOutcome::duplicate);
    CHECK(sent.hearTcp(kTcpSyn | kTcpAck, right + 20)->outcome == ProbeOutcome::forged);
  }
}

TEST_CASE("MPLS label stacks are read, behind a quote of declared length and behind one of 128 bytes") {
  for (const auto& [family, protocol] : {kKinds[1], kKinds[4]}) {
    const std::uint8_t type = family == 4 ? 11 : 3;
    for (const bool isDeclared : {true, false}) {
      CAPTURE(family);
      CAPTURE(isDeclared);
      Sent sent(family, protocol);
      const std::uint8_t units = isDeclared ? static_cast<std::uint8_t>(128 / (family == 4 ? 4 : 8)) : std::uint8_t{0};
      const auto item = sent.hear(icmpError(type, 0, sent.packet, 128, units,
                                            mplsExtension({100u << 12 | 5u << 9 | 1, 200u << 12 | 1u << 8 | 7})));
      REQUIRE(isCredited(item));
      REQUIRE(item->labelCount == 2);
      CHECK(item->labels[0].label == 100);
      CHECK(item->labels[0].trafficClass == 5);
      CHECK(item->labels[0].bottom == 0);
      CHECK(item->labels[0].ttl == 1);
      CHECK(item->labels[1].label == 200);
      CHECK(item->labels[1].bottom == 1);
      CHECK(item->labels[1].ttl == 7);
    }
  }
}

TEST_CASE("extensions that are cut or whose checksum is wrong give no labels, and a deep stack is cut") {
  const std::vector<std::uint32_t> deep(40, 7u << 12);
  Sent sent(4, kProtocolUdp);
  CHECK(sent.hear(icmpError(11, 0, sent.packet, 128, 32, mplsExtension(deep)))->labelCount == kMaxMplsLabels);
  Octets wrong = mplsExtension({7u << 12});
  wrong[9] ^= 1;
  CHECK(sent.hear(icmpError(11, 0, sent.packet, 128, 32, wrong))->labelCount == 0);
  const Octets whole = mplsExtension({7u << 12, 8u << 12 | 1u << 8});
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const Octets cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
    const auto item = sent.hear(icmpError(11, 0, sent.packet, 128, 32, cut));
    REQUIRE(item);
    CHECK(item->labelCount == 0);
  }
}

TEST_CASE("unanswered probes close when their time is over; a later answer is late, then nothing of them is known") {
  Sent sent(4, kProtocolUdp);
  std::vector<ProbeItem> closed;
  CHECK(sent.table.nextDueUs() == kSteadyUs + kWaitUs);
  sent.table.expire(kSteadyUs + kWaitUs - 1, closed);
  CHECK(closed.empty());
  sent.table.expire(kSteadyUs + kWaitUs, closed);
  REQUIRE(closed.size() == 1);
  CHECK(closed[0].outcome == ProbeOutcome::noReply);
  CHECK(closed[0].family == 0);
  CHECK(sent.table.nextDueUs() == UINT64_MAX);
  CHECK(sent.hear(sent.timeExceeded(sent.packet, 28), kWaitUs + 10)->outcome == ProbeOutcome::late);
  sent.table.expire(kSteadyUs + kWaitUs + kRememberUs, closed);
  CHECK(closed.size() == 1);
  CHECK_FALSE(sent.hear(sent.timeExceeded(sent.packet, sent.packet.size()), kWaitUs + kRememberUs));
}

TEST_CASE("a table remembers as many closed probes as it may have open ones, and forgets a closed trace") {
  Sent sent(4, kProtocolUdp);
  const Octets oldest = sent.packet;
  std::vector<ProbeItem> closed;
  for (std::uint64_t i = 1; i < 200; ++i) {
    sent.send(i);
    if (sent.table.isFull()) sent.table.expire(kSteadyUs + i + kWaitUs, closed);
  }
  CHECK_FALSE(isCredited(sent.hear(sent.timeExceeded(oldest, oldest.size()))));
  const Octets newest = sent.packet;
  sent.table.forget(5);
  CHECK(sent.table.open() == 0);
  CHECK(sent.table.nextDueUs() == UINT64_MAX);
  CHECK_FALSE(sent.hear(sent.timeExceeded(newest, newest.size())));
}

TEST_CASE("when the clock is set between sending and answer, the steady clock tells the time") {
  Sent sent(4, kProtocolUdp);
  const auto heardAt = [&](std::uint64_t unixUs) {
    const Octets answer = sent.timeExceeded(sent.packet, 28);
    return sent.table.take(*parseIcmp4(answer), 4, kRouter4, unixUs, kSteadyUs + 700);
  };
  CHECK(heardAt(kSentUs - 5'000'000)->rttUs == 700);
  sent.send();
  CHECK(heardAt(kSentUs + 3'600'000'000)->rttUs == 700);
}

TEST_CASE("random answers are never credited") {
  std::mt19937 random(7);
  for (const auto& [family, protocol] : kKinds) {
    Sent sent(family, protocol);
    for (int i = 0; i < 2000; ++i) {
      Octets bytes(random() % 200);
      std::ranges::generate(bytes, [&] { return static_cast<std::uint8_t>(random()); });
      if (bytes.size() >= 8) {
        static constexpr std::uint8_t kTypes4[] = {0, 3, 11, 12};
        static constexpr std::uint8_t kTypes6[] = {1, 2, 3, 4, 129};
        bytes[0] = family == 4 ? kTypes4[random() % 4] : kTypes6[random() % 5];
        if (bytes.size() > 9) bytes[8] = family == 4 ? 0x45 : 0x60;
        putChecksum(bytes);
      }
      CHECK_FALSE(isCredited(sent.hear(bytes)));
      parseIpv4(bytes);
      if (const auto tcp = parseTcp(family, sent.fields.destination, sent.fields.source, bytes)) {
        CHECK_FALSE(isCredited(sent.table.take(*tcp, kSentUs, kSteadyUs)));
      }
    }
    CHECK(sent.table.open() == 1);
  }
}
