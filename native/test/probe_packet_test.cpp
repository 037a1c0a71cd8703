#include "probe_packet.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "probe_pacer.h"

using namespace netloupe;

namespace {

ProbeFields fieldsOf(std::uint8_t family, std::uint8_t protocol) {
  ProbeFields fields{.family = family, .protocol = protocol, .ttl = 7, .tos = 0x28, .sourcePort = 40000};
  if (family == 4) {
    fields.source = {10, 0, 0, 1};
    fields.destination = {192, 0, 2, 9};
  } else {
    fields.source = {0xfd, 0, 0, 1};
    fields.destination = {0x20, 1, 0xd, 0xb8};
  }
  if (protocol == kProtocolUdp || protocol == kProtocolTcp) fields.destinationPort = 33434;
  fields.flowLabel = 0x12345;
  fields.sequence = 0x4321;
  fields.icmpChecksum = 0xbeef;
  fields.token = 0x0102030405060708;
  fields.packetBytes = static_cast<std::uint16_t>(smallestProbe(family, protocol));
  return fields;
}

std::vector<std::uint8_t> built(const ProbeFields& fields) {
  std::array<std::uint8_t, kMaxProbeBytes> buffer;
  const auto packet = buildProbe(fields, buffer);
  return {packet.begin(), packet.end()};
}

unsigned word(const std::vector<std::uint8_t>& bytes, std::size_t at) {
  return static_cast<unsigned>(bytes[at] << 8 | bytes[at + 1]);
}

/// The sum that a receiver makes over everything that the transport checksum covers, as RFC 768, 792, 4443 and 9293
/// tell it. Written without the code under test.
unsigned receiverSum(const std::vector<std::uint8_t>& packet, std::uint8_t protocol) {
  const bool isIpv4 = packet[0] >> 4 == 4;
  const std::size_t header = isIpv4 ? 20 : 40;
  std::vector<std::uint8_t> covered(packet.begin() + static_cast<std::ptrdiff_t>(header), packet.end());
  if (covered.size() % 2 != 0) covered.push_back(0);
  unsigned sum = 0;
  if (protocol != kProtocolIcmp) {
    for (std::size_t at = isIpv4 ? 12 : 8; at < header; at += 2) sum += word(packet, at);
    sum += protocol + static_cast<unsigned>(packet.size() - header);
  }
  for (std::size_t at = 0; at < covered.size(); at += 2) sum += word(covered, at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return sum;
}

const std::pair<std::uint8_t, std::uint8_t> kKinds[] = {{4, kProtocolIcmp},   {4, kProtocolUdp}, {4, kProtocolTcp},
                                                        {6, kProtocolIcmpV6}, {6, kProtocolUdp}, {6, kProtocolTcp}};

}  // namespace

TEST_CASE("probe packets carry the checksums that their receivers compute, at every size") {
  for (const auto& [family, protocol] : kKinds) {
    for (const std::size_t more : {0u, 1u, 2u, 30u, 1400u}) {
      ProbeFields fields = fieldsOf(family, protocol);
      fields.packetBytes = static_cast<std::uint16_t>(fields.packetBytes + more);
      const auto packet = built(fields);
      CAPTURE(family);
      CAPTURE(protocol);
      CAPTURE(more);
      REQUIRE(packet.size() == fields.packetBytes);
      CHECK(receiverSum(packet, protocol) == 0xffff);
      if (family == 4) {
        unsigned sum = 0;
        for (std::size_t at = 0; at < 20; at += 2) sum += word(packet, at);
        while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
        CHECK(sum == 0xffff);
        CHECK(packet[8] == 7);
        CHECK(packet[1] == 0x28);
        CHECK(word(packet, 2) == packet.size());
      } else {
        CHECK(packet[7] == 7);
        CHECK((word(packet, 0) >> 4 & 0xff) == 0x28);
        CHECK((word(packet, 0) & 0xf) == 1);
        CHECK(word(packet, 2) == 0x2345);
        CHECK(word(packet, 4) == packet.size() - 40);
      }
    }
  }
}

TEST_CASE(
    "what routers choose paths by is the same for every probe of a flow, and every probe differs in its first 8 bytes "
    "or checksum") {
  for (const auto& [family, protocol] : kKinds) {
    CAPTURE(family);
    CAPTURE(protocol);
    ProbeFields fields = fieldsOf(family, protocol);
    const std::size_t header = family == 4 ? 20 : 40;
    const auto first = built(fields);
    for (std::uint32_t number = 1; number < 0xffff; number += 257) {
      fields.sequence = number;
      fields.token = number * 0x9e3779b97f4a7c15;
      fields.ttl = static_cast<std::uint8_t>(number);
      const auto next = built(fields);
      // Ports, or type, code and checksum of an echo request.
      CHECK(std::equal(first.begin() + static_cast<std::ptrdiff_t>(header),
                       first.begin() + static_cast<std::ptrdiff_t>(header) + 4,
                       next.begin() + static_cast<std::ptrdiff_t>(header)));
      CHECK(receiverSum(next, protocol) == 0xffff);
      const std::size_t at = header + 6;
      CHECK(word(next, at) == number);
      if (family == 6) CHECK(std::equal(first.begin(), first.begin() + 4, next.begin()));
      if (family == 4) CHECK(word(next, 4) == number);
    }
  }
}

TEST_CASE("a probe that does not fit its buffer or is smaller than its headers is not built") {
  ProbeFields fields = fieldsOf(4, kProtocolUdp);
  std::array<std::uint8_t, 40> buffer;
  fields.packetBytes = 41;
  CHECK(buildProbe(fields, buffer).empty());
  fields.packetBytes = 37;
  CHECK(buildProbe(fields, buffer).empty());
}

TEST_CASE("payloads for the kernel's own headers keep the sum of number and payload the same") {
  std::array<std::uint8_t, 64> buffer;
  ProbeFields fields = fieldsOf(4, kProtocolIcmp);
  std::optional<unsigned> first;
  for (std::uint32_t number = 1; number < 0xffff; number += 1021) {
    fields.sequence = number;
    fields.token = number * 0x9e3779b97f4a7c15;
    const auto payload = buildPayload(fields, 32, buffer);
    REQUIRE(payload.size() == 32);
    unsigned sum = number;
    for (std::size_t at = 0; at < payload.size(); at += 2)
      sum += static_cast<unsigned>(payload[at] << 8 | payload[at + 1]);
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
    if (!first) first = sum;
    CHECK(sum == *first);
  }
  CHECK(buildPayload(fields, 9, buffer).empty());
  CHECK(buildPayload(fields, 65, buffer).empty());
}

TEST_CASE("pacing: a burst of 32, then never more than 200 within any second") {
  ProbePacer pacer;
  std::vector<std::uint64_t> sent;
  const std::uint64_t start = 5'000'000'000;
  for (std::uint64_t now = start; now < start + 3'000'000; now += 500) {
    while (pacer.take(now)) sent.push_back(now);
  }
  CHECK(std::ranges::count(sent, start) == 32);
  for (std::size_t i = 200; i < sent.size(); ++i) CHECK(sent[i] - sent[i - 200] >= 1'000'000);
  CHECK(sent.size() > 500);
  while (pacer.take(start + 3'000'000)) {
  }
  const std::uint64_t next = pacer.nextUs(start + 3'000'000);
  CHECK_FALSE(pacer.take(next - 1));
  CHECK(pacer.take(next));
}

TEST_CASE("pacing: a clock that goes back gives no credit") {
  ProbePacer pacer;
  for (int i = 0; i < 32; ++i) CHECK(pacer.take(10'000'000));
  CHECK_FALSE(pacer.take(9'000'000));
  CHECK_FALSE(pacer.take(9'000'001));
}
