#include "flow_table.h"

#include <bit>
#include <cstring>

namespace netloupe {
namespace {

// A flow id is interface id, generation of the slot, slot: unique, found again without a search, and below 2^53 (exact
// as a JavaScript number) for the first 32,767 interfaces of a run.
constexpr unsigned kSlotBits = std::bit_width(kMaxFlows - 1);
constexpr unsigned kGenerationBits = 21;
constexpr std::uint64_t kSlotMask = (std::uint64_t{1} << kSlotBits) - 1;
constexpr std::uint64_t kGenerationMask = (std::uint64_t{1} << kGenerationBits) - 1;

// Slots that get their memory at a time.
constexpr std::size_t kSlotsPerPopulation = 1024;

std::uint64_t generation(const Flow& flow) {
  return flow.flowId >> kSlotBits & kGenerationMask;
}

}  // namespace

FlowTable::FlowTable(std::uint32_t interfaceId, const HashSecret& secret)
    : idBase_(std::uint64_t{interfaceId} << (kSlotBits + kGenerationBits)),
      secret_(secret),
      flows_(kMaxFlows),
      index_(kIndexEntries) {}

void FlowTable::prefetchFlow(std::uint32_t hash) const {
  for (std::uint32_t at = hash & kIndexMask; index_[at].slotPlusOne != 0; at = (at + 1) & kIndexMask) {
    if (index_[at].hash != hash) continue;
    const auto* lines = reinterpret_cast<const char*>(&flows_[index_[at].slotPlusOne - 1]);
    __builtin_prefetch(lines, 1);
    __builtin_prefetch(lines + 64, 1);
    return;
  }
}

bool FlowTable::matches(const Flow& flow, const Packet& packet, bool& transmitted) const {
  if (flow.protocol != packet.protocol || flow.family != packet.family || flow.etherType != packet.etherType ||
      flow.vlanId != packet.vlanId || flow.kind != packet.reason) {
    return false;
  }
  if (packet.direction != Direction::rx && flow.localPort == packet.sourcePort &&
      flow.remotePort == packet.destinationPort && sameAddress(flow.local, packet.source) &&
      sameAddress(flow.remote, packet.destination)) {
    transmitted = true;
    return true;
  }
  if (packet.direction != Direction::tx && flow.localPort == packet.destinationPort &&
      flow.remotePort == packet.sourcePort && sameAddress(flow.local, packet.destination) &&
      sameAddress(flow.remote, packet.source)) {
    transmitted = false;
    return true;
  }
  return false;
}

Slot FlowTable::find(const Packet& packet, std::uint32_t hash, bool& transmitted) const {
  for (std::uint32_t at = hash & kIndexMask; index_[at].slotPlusOne != 0; at = (at + 1) & kIndexMask) {
    if (index_[at].hash != hash) continue;
    const Slot slot = index_[at].slotPlusOne - 1;
    if (matches(flows_[slot], packet, transmitted)) return slot;
  }
  return kNoSlot;
}

Slot FlowTable::insert(const Packet& packet, std::uint32_t hash, bool transmitted) {
  Slot slot = free_;
  if (slot != kNoSlot) {
    free_ = flows_[slot].timerNext;
  } else if (touched_ < kMaxFlows) {
    slot = touched_++;
    if (slot % kSlotsPerPopulation == 0) flows_.populate(slot, kSlotsPerPopulation);
    // So many flows have touched most pages of the index already.
    if (slot == kSlotsPerPopulation) index_.populate(0, kIndexEntries);
  } else {
    return kNoSlot;
  }
  ++used_;
  Flow& flow = flows_[slot];
  const std::uint64_t nextGeneration = generation(flow) + 1;
  flow = Flow{};
  flow.flowId = idBase_ | nextGeneration << kSlotBits | slot;
  flow.local = transmitted ? packet.source : packet.destination;
  flow.remote = transmitted ? packet.destination : packet.source;
  flow.localPort = transmitted ? packet.sourcePort : packet.destinationPort;
  flow.remotePort = transmitted ? packet.destinationPort : packet.sourcePort;
  flow.etherType = packet.etherType;
  flow.vlanId = packet.vlanId;
  flow.family = packet.family;
  flow.protocol = packet.protocol;
  flow.kind = packet.reason;
  flow.flags = kFlowInUse;
  flow.uid = kUidUnknown;
  flow.hash = hash;
  std::uint32_t at = hash & kIndexMask;
  while (index_[at].slotPlusOne != 0) at = (at + 1) & kIndexMask;
  index_[at] = {hash, slot + 1};
  return slot;
}

void FlowTable::retire(Slot slot) {
  std::uint32_t hole = flows_[slot].hash & kIndexMask;
  while (index_[hole].slotPlusOne != slot + 1) hole = (hole + 1) & kIndexMask;
  // Close the hole by moving later entries of the run back, as far as their own place allows (no tombstones, so nothing
  // degrades).
  for (std::uint32_t at = (hole + 1) & kIndexMask; index_[at].slotPlusOne != 0; at = (at + 1) & kIndexMask) {
    const std::uint32_t home = index_[at].hash & kIndexMask;
    if (((at - home) & kIndexMask) >= ((at - hole) & kIndexMask)) {
      index_[hole] = index_[at];
      hole = at;
    }
  }
  index_[hole] = {};
}

void FlowTable::release(Slot slot) {
  Flow& flow = flows_[slot];
  flow.flags = 0;
  // A slot whose generations are used up (58 hours of a new flow per shortest tick) stays in use for good rather than
  // let an id repeat.
  if (generation(flow) == kGenerationMask) return;
  --used_;
  flow.timerNext = free_;
  free_ = slot;
}

Slot FlowTable::slotOf(std::uint64_t flowId) const {
  const auto slot = static_cast<Slot>(flowId & kSlotMask);
  if (slot >= touched_ || flows_[slot].flowId != flowId || !(flows_[slot].flags & kFlowInUse)) return kNoSlot;
  return slot;
}

}  // namespace netloupe
