#include "fragments.h"

#include <doctest/doctest.h>

#include "frames.h"

using namespace netloupe;
using namespace netloupe::frames;

namespace {

Packet fragment(std::uint32_t id, bool first, std::uint64_t timeUs = 1'000'000,
                const std::string& source = "10.0.0.1") {
  const Bytes ip = ipv4(source, "10.0.0.2", 17, first ? udp(5000, 53, 8) : filler(16),
                        {.id = id & 0xffff, .fragmentField = first ? 0x2000u : 2u});
  Packet packet{};
  decode(LinkLayer::raw, ip, static_cast<std::uint32_t>(ip.size()), packet);
  packet.fragmentId = id;
  packet.timeUs = timeUs;
  return packet;
}

bool joins(FragmentTable& table, Packet packet) {
  table.resolve(packet);
  return packet.reason == Reason::none && packet.sourcePort == 5000 && packet.destinationPort == 53;
}

}  // namespace

TEST_CASE("fragments: later ones join the first of the same datagram and no other") {
  FragmentTable table({1, 2});
  CHECK_FALSE(joins(table, fragment(7, false)));
  Packet first = fragment(7, true);
  table.resolve(first);
  CHECK(joins(table, fragment(7, false)));
  CHECK(joins(table, fragment(7, false)));
  CHECK_FALSE(joins(table, fragment(8, false)));
  CHECK_FALSE(joins(table, fragment(7, false, 1'000'000, "10.0.0.3")));
  Packet tagged = fragment(7, false);
  tagged.vlanId = 5;
  CHECK_FALSE(joins(table, tagged));
}

TEST_CASE("fragments: the transport comes from the first one") {
  FragmentTable table({1, 2});
  const Bytes start =
      ipv6("2001:db8::1", "2001:db8::2", 44, ipv6Fragment(60, 0, true, 5, ipv6Extension(17, 0, udp(5000, 53, 8))));
  const Bytes rest = ipv6("2001:db8::1", "2001:db8::2", 44, ipv6Fragment(60, 24, false, 5, filler(8)));
  Packet first{};
  Packet later{};
  decode(LinkLayer::raw, start, static_cast<std::uint32_t>(start.size()), first);
  decode(LinkLayer::raw, rest, static_cast<std::uint32_t>(rest.size()), later);
  table.resolve(first);
  table.resolve(later);
  CHECK(later.protocol == 17);
  CHECK(later.destinationPort == 53);
}

TEST_CASE("fragments: forgotten after their life time") {
  FragmentTable table({1, 2});
  Packet first = fragment(7, true, 1'000'000);
  table.resolve(first);
  CHECK(joins(table, fragment(7, false, 1'000'000 + FragmentTable::kLifetimeUs)));
  CHECK_FALSE(joins(table, fragment(7, false, 1'000'001 + FragmentTable::kLifetimeUs)));
}

TEST_CASE("fragments: a flood costs ports, not memory, and newer ones win") {
  FragmentTable table({1, 2});
  constexpr std::uint32_t kFlood = 100'000;
  for (std::uint32_t id = 0; id < kFlood; ++id) {
    Packet first = fragment(id, true, 1'000'000 + id);
    table.resolve(first);
  }
  std::size_t known = 0;
  for (std::uint32_t id = 0; id < kFlood; ++id)
    known += joins(table, fragment(id, false, 1'000'000 + kFlood)) ? 1u : 0u;
  CHECK(known <= FragmentTable::kEntries);
  CHECK(joins(table, fragment(kFlood - 1, false, 1'000'000 + kFlood)));
}
