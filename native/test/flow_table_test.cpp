#include "flow_table.h"

#include <doctest/doctest.h>

#include <map>
#include <random>
#include <set>
#include <tuple>

#include "flow_timers.h"
#include "frames.h"

using namespace netloupe;
using namespace netloupe::frames;

namespace {

Packet datagram(std::uint32_t source, std::uint16_t sourcePort, std::uint32_t destination,
                std::uint16_t destinationPort, Direction direction = Direction::unknown) {
  Packet packet{};
  packet.family = 4;
  packet.protocol = kProtocolUdp;
  packet.etherType = kEtherTypeIpv4;
  std::memcpy(packet.source.data(), &source, 4);
  std::memcpy(packet.destination.data(), &destination, 4);
  packet.sourcePort = sourcePort;
  packet.destinationPort = destinationPort;
  packet.direction = direction;
  return packet;
}

Packet reversed(Packet packet) {
  std::swap(packet.source, packet.destination);
  std::swap(packet.sourcePort, packet.destinationPort);
  if (packet.direction != Direction::unknown) {
    packet.direction = packet.direction == Direction::tx ? Direction::rx : Direction::tx;
  }
  return packet;
}

Slot find(const FlowTable& table, const Packet& packet, bool& transmitted) {
  return table.find(packet, table.hash(packet), transmitted);
}

}  // namespace

TEST_CASE("flow table: both directions are one flow") {
  FlowTable table(3, {11, 22});
  bool transmitted = false;
  const Packet out = datagram(1, 1000, 2, 53, Direction::tx);
  const Slot slot = table.insert(out, table.hash(out), true);
  CHECK(find(table, out, transmitted) == slot);
  CHECK(transmitted);
  CHECK(find(table, reversed(out), transmitted) == slot);
  CHECK_FALSE(transmitted);
  CHECK(table[slot].localPort == 1000);
  CHECK(table[slot].remotePort == 53);
}

TEST_CASE("flow table: a frame that is known to go the other way is another flow") {
  // On a router with one leg, a forwarded packet comes in and goes out again on the same interface.
  FlowTable table(3, {11, 22});
  bool transmitted = false;
  const Packet in = datagram(1, 1000, 2, 53, Direction::rx);
  table.insert(in, table.hash(in), false);
  Packet out = in;
  out.direction = Direction::tx;
  CHECK(find(table, out, transmitted) == kNoSlot);
  out.direction = Direction::unknown;
  CHECK(find(table, out, transmitted) != kNoSlot);
}

TEST_CASE("flow table: every member of the key tells flows apart") {
  FlowTable table(3, {11, 22});
  bool transmitted = false;
  const Packet base = datagram(1, 1000, 2, 53);
  table.insert(base, table.hash(base), true);
  const auto differs = [&](auto change) {
    Packet packet = base;
    change(packet);
    return find(table, packet, transmitted) == kNoSlot;
  };
  CHECK(differs([](Packet& p) { p.source[3] = 9; }));
  CHECK(differs([](Packet& p) { p.destination[15] = 9; }));
  CHECK(differs([](Packet& p) { p.sourcePort = 1001; }));
  CHECK(differs([](Packet& p) { p.destinationPort = 54; }));
  CHECK(differs([](Packet& p) { p.protocol = 6; }));
  CHECK(differs([](Packet& p) { p.family = 6; }));
  CHECK(differs([](Packet& p) { p.vlanId = 2; }));
  CHECK(differs([](Packet& p) { p.etherType = 1; }));
  CHECK(differs([](Packet& p) { p.reason = Reason::fragment; }));
  // The ends belong together: crossing addresses and ports over is another flow.
  CHECK(differs([](Packet& p) { std::swap(p.sourcePort, p.destinationPort); }));
}

TEST_CASE("flow table: agrees with a map under random insertions and removals") {
  FlowTable table(1, {0x1234567, 0x89abcdef});
  std::mt19937 random(7);
  using Key = std::tuple<std::uint32_t, std::uint16_t>;
  std::map<Key, std::uint64_t> model;
  std::set<std::uint64_t> everUsed;
  bool transmitted = false;
  for (int step = 0; step < 200'000; ++step) {
    const Key key{random() % 50, static_cast<std::uint16_t>(random() % 40)};
    const Packet packet = datagram(std::get<0>(key), std::get<1>(key), 99, 53);
    const Slot slot = find(table, random() % 2 ? packet : reversed(packet), transmitted);
    const auto known = model.find(key);
    REQUIRE((slot != kNoSlot) == (known != model.end()));
    if (slot == kNoSlot) {
      const Slot made = table.insert(packet, table.hash(packet), true);
      const std::uint64_t id = table[made].flowId;
      REQUIRE(everUsed.insert(id).second);
      REQUIRE(table.slotOf(id) == made);
      model[key] = id;
    } else {
      REQUIRE(table[slot].flowId == known->second);
      if (random() % 3 == 0) {
        table.retire(slot);
        table.release(slot);
        REQUIRE(table.slotOf(known->second) == kNoSlot);
        model.erase(known);
      }
    }
    REQUIRE(table.used() == model.size());
  }
  CHECK(table.touched() <= 2000);  // slots are used again before new memory is
}

TEST_CASE("flow table: full to its cap, found to the last, and usable again") {
  FlowTable table(1, {5, 6});
  bool transmitted = false;
  for (std::uint32_t i = 0; i < kMaxFlows; ++i) {
    const Packet packet = datagram(i, 1, 99, 2);
    REQUIRE(table.insert(packet, table.hash(packet), true) != kNoSlot);
  }
  const Packet extra = datagram(kMaxFlows, 1, 99, 2);
  CHECK(table.insert(extra, table.hash(extra), true) == kNoSlot);
  for (std::uint32_t i = 0; i < kMaxFlows; ++i) {
    const Slot slot = find(table, datagram(i, 1, 99, 2), transmitted);
    REQUIRE(slot != kNoSlot);
    table.retire(slot);
    table.release(slot);
  }
  CHECK(table.used() == 0);
  CHECK(table.insert(extra, table.hash(extra), true) != kNoSlot);
}

TEST_CASE("flow table: forged ids are nobody's") {
  FlowTable table(1, {5, 6});
  CHECK(table.slotOf(0) == kNoSlot);
  CHECK(table.slotOf(UINT64_MAX) == kNoSlot);
  const Packet packet = datagram(1, 1, 99, 2);
  const Slot slot = table.insert(packet, table.hash(packet), true);
  CHECK(table.slotOf(table[slot].flowId + (1u << 20)) == kNoSlot);
}

TEST_CASE("flow timers: due in their second and not before, moved, cancelled, also when the clock wraps") {
  for (const std::uint32_t start : {0u, 0xfffffff0u}) {
    FlowTable table(1, {5, 6});
    FlowTimers timers(table);
    while (timers.next(start) != kNoSlot) {
    }
    std::vector<Slot> slots;
    for (std::uint32_t i = 0; i < 6; ++i) {
      const Packet packet = datagram(i, 1, 99, 2);
      slots.push_back(table.insert(packet, table.hash(packet), true));
    }
    timers.schedule(slots[0], start + 10);
    timers.schedule(slots[1], start + 10);
    timers.schedule(slots[2], start + 10);
    timers.schedule(slots[3], start + 900);
    timers.schedule(slots[4], start + 5000);  // beyond the horizon: at the horizon
    timers.schedule(slots[5], start - 3);     // past: the next second
    CHECK(timers.dueBy(slots[0], start + 10));
    CHECK_FALSE(timers.dueBy(slots[0], start + 9));
    timers.cancel(slots[1]);
    timers.schedule(slots[3], start + 12);
    CHECK(timers.next(start) == kNoSlot);
    CHECK(timers.next(start + 1) == slots[5]);
    CHECK(timers.next(start + 9) == kNoSlot);
    const std::set<Slot> due{timers.next(start + 10), timers.next(start + 10)};
    CHECK(due == std::set<Slot>{slots[0], slots[2]});
    CHECK(timers.next(start + 11) == kNoSlot);
    CHECK(timers.next(start + 12) == slots[3]);
    CHECK(timers.next(start + FlowTimers::kHorizonS - 1) == kNoSlot);
    CHECK(timers.next(start + FlowTimers::kHorizonS) == slots[4]);
    // After a pause longer than the wheel nothing is lost.
    timers.schedule(slots[0], start + 1500);
    timers.schedule(slots[1], start + 2000);
    const std::set<Slot> late{timers.next(start + 100'000), timers.next(start + 100'000)};
    CHECK(late == std::set<Slot>{slots[0], slots[1]});
    CHECK(timers.next(start + 100'000) == kNoSlot);
  }
}
