// The flows of one interface: a slab of fixed-size records and an open-addressing index over them. Knows keys, not
// traffic.
#pragma once

#include <cstddef>
#include <cstdint>

#include "bounds.h"
#include "decode.h"
#include "flow.h"
#include "key_hash.h"
#include "page_array.h"
#include "wire.h"

namespace netloupe {

/// Bits of Flow::flags.
inline constexpr std::uint8_t kFlowInUse = 1;
inline constexpr std::uint8_t kFlowOver = 2;   // ended: out of the index, waits to be taken
inline constexpr std::uint8_t kFlowDirty = 4;  // stands in the queue of flows to report
inline constexpr std::uint8_t kFlowStale = 8;  // its socket is gone: the next packet begins a new flow
inline constexpr std::uint8_t kFlowFromLocal = 16;
inline constexpr std::uint8_t kFlowFromRemote = 32;

enum class LookupState : std::uint8_t {
  never,    // no socket can own it
  waiting,  // in a queue
  asked,
  settled
};

/// Order matters: every packet touches the first two cache lines and no more; the other two are for beginnings, ends
/// and ticks.
struct alignas(64) Flow {
  Address local;
  Address remote;
  std::uint16_t localPort;
  std::uint16_t remotePort;  // ICMP echo: the identifier here too, which makes both directions one flow
  std::uint16_t etherType;
  std::uint16_t vlanId;
  std::uint8_t family;
  std::uint8_t protocol;
  Reason kind;  // none, or what kept the packets from being decoded: those never mix with others
  std::uint8_t flags;
  std::uint32_t lastActiveS;  // meter clock
  std::uint64_t lastSeenUs;   // Unix time
  TcpState state;
  std::uint8_t rxTcpFlags;
  std::uint8_t txTcpFlags;
  std::uint8_t tcpSeen;  // bits of tcp_track.cpp
  std::uint32_t retransmits;

  // Counted since the last record: what a record adds to the totals is then exact, whenever it is taken.
  std::uint64_t rxBytes;
  std::uint64_t txBytes;
  std::uint64_t rxPackets;
  std::uint64_t txPackets;
  std::uint64_t payloadBytes;
  std::uint32_t nextSequence[2];  // [0] received, [1] transmitted: one beyond the highest seen
  std::uint32_t gapBegin[2];
  std::uint32_t gapEnd[2];

  // In records already taken.
  std::uint64_t takenRxBytes;
  std::uint64_t takenTxBytes;
  std::uint64_t takenRxPackets;
  std::uint64_t takenTxPackets;
  std::uint64_t takenPayloadBytes;
  std::uint64_t flowId;
  std::uint64_t firstSeenUs;
  std::uint64_t inode;

  std::uint64_t synTimeUs;
  std::uint32_t ownerId;
  std::uint32_t uid;
  std::uint32_t handshakeRttUs;
  std::uint32_t synSequence[2];
  std::uint32_t finEnd[2];
  std::uint32_t hash;
  std::uint32_t timerNext;  // also the free list
  std::uint32_t timerPrevious;
  std::uint32_t startS;
  std::uint32_t verifiedRound;
  std::uint16_t timerBucket;  // plus one; 0: not scheduled
  Attribution attribution;
  Reason reason;
  EndReason endReason;
  LookupState lookup;
  std::uint8_t attempt;
  std::uint8_t transmittedFirst;
};
static_assert(sizeof(Flow) == 256 && offsetof(Flow, rxBytes) == 64 && offsetof(Flow, takenRxBytes) == 128);

/// Index of a flow in the slab.
using Slot = std::uint32_t;
inline constexpr Slot kNoSlot = 0xffffffff;

/// At most kMaxFlows slots. Nothing is ever evicted here: what happens at the cap is the meter's decision.
class FlowTable {
 public:
  FlowTable(std::uint32_t interfaceId, const HashSecret& secret);

  /// Hash of a packet's flow, the same for both directions.
  std::uint32_t hash(const Packet& packet) const {
    const std::uint64_t ends = hashEndpoint(secret_, packet.source, packet.sourcePort) +
                               hashEndpoint(secret_, packet.destination, packet.destinationPort);
    const std::uint64_t rest = std::uint64_t{packet.etherType} << 48 | std::uint64_t{packet.vlanId} << 32 |
                               static_cast<std::uint64_t>(packet.reason) << 16 | std::uint64_t{packet.family} << 8 |
                               packet.protocol;
    return static_cast<std::uint32_t>(foldedProduct(ends ^ rest, secret_[1] | 1));
  }

  /// Bring the index entry, then the flow's hot lines, into the cache ahead of find().
  void prefetchIndex(std::uint32_t hash) const { __builtin_prefetch(&index_[hash & kIndexMask]); }
  void prefetchFlow(std::uint32_t hash) const;

  /// The flow of a packet, kNoSlot when there is none. A packet with direction only finds flows of the same
  /// orientation; `transmitted` says which way it goes on the flow found.
  Slot find(const Packet& packet, std::uint32_t hash, bool& transmitted) const;

  /// A new, zeroed flow with key and flow id, entered in the index; kNoSlot at the cap.
  Slot insert(const Packet& packet, std::uint32_t hash, bool transmitted);

  /// Takes a flow out of the index: no packet finds it any more.
  void retire(Slot slot);

  /// Gives the slot of a retired flow back.
  void release(Slot slot);

  /// The slot that a flow id names, if it is still in use.
  Slot slotOf(std::uint64_t flowId) const;

  Flow& operator[](Slot slot) { return flows_[slot]; }
  const Flow& operator[](Slot slot) const { return flows_[slot]; }

  /// Slots in use (live flows and ended ones not yet taken); slots below touched() were used at some time.
  std::size_t used() const { return used_; }
  Slot touched() const { return touched_; }

 private:
  static constexpr std::size_t kIndexEntries = kMaxFlows * 2;  // at most half full: probes stay short
  static constexpr std::uint32_t kIndexMask = kIndexEntries - 1;
  static_assert((kIndexEntries & kIndexMask) == 0);

  struct IndexEntry {
    std::uint32_t hash;
    std::uint32_t slotPlusOne;  // 0: free
  };

  bool matches(const Flow& flow, const Packet& packet, bool& transmitted) const;

  std::uint64_t idBase_;
  HashSecret secret_;
  PageArray<Flow> flows_;
  PageArray<IndexEntry> index_;
  std::size_t used_ = 0;
  Slot touched_ = 0;
  Slot free_ = kNoSlot;
};

}  // namespace netloupe
