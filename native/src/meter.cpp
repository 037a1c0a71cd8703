#include "meter.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "flow_table.h"
#include "flow_timers.h"
#include "fragments.h"
#include "lookup_queue.h"
#include "tcp_track.h"

namespace netloupe {
namespace {

/// Frames counted together. Long enough to cover the latency of main memory, short enough for the first-level cache.
constexpr std::size_t kGroup = 32;

constexpr std::uint64_t kSecondUs = 1'000'000;

/// Clock values this far behind the latest are a step (a file put together from others), not packets out of order.
constexpr std::uint64_t kClockStepUs = 10 * kSecondUs;
/// One damaged timestamp must not carry the clock away for good.
constexpr std::uint64_t kClockJumpUs = 2 * 24 * 3600 * kSecondUs;

constexpr std::uint32_t kUdpIdleS = 60;
constexpr std::uint32_t kUdpTwoWayIdleS = 180;
constexpr std::uint32_t kOtherIdleS = 30;
constexpr std::uint32_t kActiveLimitS = 24 * 3600;

/// Flows that one advance() may end by time-out; the rest follows at the next. Bounds the pause when a flood's flows
/// are all due at once.
constexpr std::size_t kExpiriesPerAdvance = 16384;

// From this fill on, one-packet and half-open flows older than kEvictAfterS make room for newcomers.
constexpr std::size_t kPressureFlows = kMaxFlows / 8 * 7;
constexpr std::uint32_t kEvictAfterS = 2;

/// Scans of the table go on this often, by this many flows each: a bounded cost however often advance() is called.
constexpr std::uint64_t kHousekeepingUs = 100'000;
constexpr std::size_t kEvictionScan = 16384;
constexpr std::size_t kOverloadedScan = 4096;

/// Flows with traffic are verified in rounds: who holds the socket now? Each round looks at some of the flows that
/// changed since they were last reported and asks for few of them, so that it costs the look-up at most 256 requests a
/// second; with more active flows each comes up less often. Without rounds a port that is used again would be charged
/// to the process before.
constexpr std::uint64_t kVerificationRoundUs = 250'000;
constexpr std::size_t kVerificationsPerRound = 64;
constexpr std::size_t kVerificationScan = 1024;

// How many rounds a flow is left alone. A TCP connection's socket can only be handed on, a datagram's port changes
// hands.
constexpr std::uint32_t kTcpRounds = 40;
constexpr std::uint32_t kUnownedRounds = 20;
constexpr std::uint32_t kDatagramRounds = 1;

/// A flow that is over is kept this long for the answer to its look-up, all attempts included.
constexpr std::uint32_t kAnswerLimitS = 10;

/// A socket found this soon after a flow's first packet owns the flow from its beginning.
constexpr std::uint32_t kRetroactiveS = 2;

bool isIcmp(std::uint8_t protocol) {
  return protocol == kProtocolIcmp || protocol == kProtocolIcmpV6;
}

bool isBucket(const Flow& flow) {
  return flow.family == 0 && flow.kind != Reason::none;
}

/// ICMP that no socket of this machine answers for: errors, neighbour discovery, multicast listeners, and echo requests
/// that come in.
bool isKernelIcmp(const Packet& packet, bool transmitted) {
  const std::uint8_t type = packet.icmpType;
  if (packet.protocol == kProtocolIcmp) {
    return type == 3 || type == 4 || type == 5 || type == 11 || type == 12 || (type == 8 && !transmitted) ||
           (type == 0 && transmitted);
  }
  return (type >= 1 && type <= 4) || (type >= 130 && type <= 137) || type == 143 || (type == 128 && !transmitted) ||
         (type == 129 && transmitted);
}

bool hasNoSocket(const Flow& flow) {
  return flow.reason == Reason::noSocket || flow.reason == Reason::socketGone;
}

bool worthAskingAgain(Reason reason) {
  switch (reason) {
    case Reason::socketGone:
    case Reason::noSocket:
    case Reason::permission:
    case Reason::otherNamespace:
      return true;
    default:
      return false;
  }
}

}  // namespace

struct Meter::Impl {
  explicit Impl(const MeterOptions& given)
      : options(given),
        orientation(given.loopback, given.recorded),
        fragments(given.hashSecret),
        table(given.interfaceId, given.hashSecret),
        timers(table),
        dirty(kMaxFlows) {}

  // --- frames

  void gather(std::span<const std::uint8_t> captured, std::uint32_t frameBytes, std::uint64_t timeUs) {
    if (stopped) return;
    if (options.recorded && (timeUs >= clockUs + kSecondUs || timeUs + kClockStepUs < clockUs)) {
      countGathered();
      advance(timeUs);
    }
    Packet& packet = group[gathered];
    packet.timeUs = timeUs;
    decode(options.link, captured, frameBytes, packet);
    if (packet.fragment != Fragment::none) fragments.resolve(packet);
    orientation.direct(packet);
    if (options.loopback) separateEchoEnds(packet);
    hashes[gathered] = table.hash(packet);
    table.prefetchIndex(hashes[gathered]);
    if (++gathered == kGroup) countGathered();
  }

  /// The identifier belongs to the end that asks; the kernel at the other end answers. Where both have one address, the
  /// ports alone keep the two flows apart.
  static void separateEchoEnds(Packet& packet) {
    if (!isIcmp(packet.protocol)) return;
    const bool reply = packet.icmpType == (packet.protocol == kProtocolIcmp ? 0 : 129);
    (reply ? packet.sourcePort : packet.destinationPort) = 0;
  }

  void countGathered() {
    for (std::size_t i = 0; i < gathered; ++i) table.prefetchFlow(hashes[i]);
    for (std::size_t i = 0; i < gathered; ++i) {
      count(group[i], hashes[i]);
      if (options.loopback) countReceived(group[i], hashes[i]);
    }
    gathered = 0;
  }

  /// Both ends of a loopback frame are this machine's: the receiver's flow takes it too. The hash is the same for both
  /// directions.
  void countReceived(Packet& packet, std::uint32_t hash) {
    packet.direction = Direction::rx;
    count(packet, hash);
  }

  void count(const Packet& packet, std::uint32_t hash) {
    bool transmitted = false;
    Slot slot = table.find(packet, hash, transmitted);
    if (slot != kNoSlot && (table[slot].flags & kFlowStale)) {
      end(slot, EndReason::ownerChanged);
      slot = kNoSlot;
    } else if (slot != kNoSlot && packet.protocol == kProtocolTcp &&
               beginsNewConnection(table[slot], packet, transmitted)) {
      end(slot, endReasonOf(table[slot].state));
      slot = kNoSlot;
    }
    if (slot == kNoSlot) {
      transmitted = packet.direction == Direction::unknown ? orientation.sourceIsLocal(packet)
                                                           : packet.direction == Direction::tx;
      slot = begin(packet, hash, transmitted);
    }
    add(slot, packet, transmitted);
  }

  void add(Slot slot, const Packet& packet, bool transmitted) {
    Flow& flow = table[slot];
    if (transmitted) {
      flow.txBytes += packet.frameBytes;
      ++flow.txPackets;
      all.txBytes += packet.frameBytes;
      ++all.txPackets;
    } else {
      flow.rxBytes += packet.frameBytes;
      ++flow.rxPackets;
      all.rxBytes += packet.frameBytes;
      ++all.rxPackets;
    }
    flow.payloadBytes += packet.payloadBytes;
    flow.lastActiveS = nowS;
    flow.lastSeenUs = std::max(flow.lastSeenUs, packet.timeUs);
    markDirty(slot);
    if (packet.protocol != kProtocolTcp || slot == fullBucket || packet.fragment == Fragment::later) return;
    const TcpState before = flow.state;
    trackTcp(flow, packet, transmitted);
    // Only a shorter limit needs the timer now; a longer one is seen when the old one comes due.
    if (flow.state != before) scheduleNoLater(slot, nowS + idleLimitS(flow.state));
  }

  // --- a flow's life

  /// The new flow of a packet, or the tableFull bucket at the cap. The last slot is kept for that bucket.
  Slot begin(const Packet& packet, std::uint32_t hash, bool transmitted) {
    const std::size_t reserved = fullBucket == kNoSlot ? 1 : 0;
    const Slot slot = table.used() + reserved < kMaxFlows ? table.insert(packet, hash, transmitted) : kNoSlot;
    if (slot == kNoSlot) return overflow(packet);
    ++live;
    Flow& flow = table[slot];
    flow.firstSeenUs = packet.timeUs;
    flow.startS = nowS;
    flow.transmittedFirst = transmitted ? 1 : 0;
    if (packet.protocol != kProtocolTcp && packet.family != 0)
      flow.flags |= transmitted ? kFlowFromLocal : kFlowFromRemote;
    timers.schedule(slot, nowS + idleLimit(flow));
    const Reason reason = reasonAtBirth(packet, transmitted);
    if (reason == Reason::pending) {
      ask(slot, 0);
    } else {
      flow.reason = reason;
    }
    return slot;
  }

  Slot overflow(const Packet& packet) {
    ++tableFullPackets;
    if (fullBucket != kNoSlot) return fullBucket;
    Packet bucket{};
    bucket.protocol = kProtocolNone;
    bucket.reason = Reason::tableFull;
    fullBucket = table.insert(bucket, table.hash(bucket), true);
    if (fullBucket == kNoSlot) return kNoSlot;
    ++live;
    Flow& flow = table[fullBucket];
    flow.firstSeenUs = packet.timeUs;
    flow.startS = nowS;
    flow.reason = Reason::tableFull;
    return fullBucket;
  }

  Reason reasonAtBirth(const Packet& packet, bool transmitted) const {
    if (packet.reason != Reason::none) return packet.reason;
    if (options.recorded) return Reason::recorded;
    if (packet.family == 0) return packet.addressee == Addressee::otherHost ? Reason::notLocal : Reason::kernel;
    const Reason foreign = orientation.foreign(packet);
    if (foreign != Reason::none) return foreign;
    if (isIcmp(packet.protocol) && isKernelIcmp(packet, transmitted)) return Reason::kernel;
    return Reason::pending;
  }

  std::uint32_t idleLimit(const Flow& flow) const {
    switch (flow.protocol) {
      case kProtocolTcp:
        return flow.kind == Reason::none ? idleLimitS(flow.state) : kOtherIdleS;
      case kProtocolUdp:
      case kProtocolSctp: {  // SCTP's heartbeats come every 30 s (RFC 9260 section 16): it needs more than the others
        const bool twoWay = flow.rxPackets + flow.takenRxPackets > 0 && flow.txPackets + flow.takenTxPackets > 0;
        return twoWay ? kUdpTwoWayIdleS : kUdpIdleS;
      }
      default:
        return kOtherIdleS;
    }
  }

  void scheduleNoLater(Slot slot, std::uint32_t dueS) {
    if (!timers.dueBy(slot, dueS)) timers.schedule(slot, dueS);
  }

  void end(Slot slot, EndReason reason) {
    Flow& flow = table[slot];
    if (flow.flags & kFlowOver) return;
    flow.flags |= kFlowOver;
    flow.endReason = reason;
    table.retire(slot);
    timers.cancel(slot);
    --live;
    if (slot == fullBucket) fullBucket = kNoSlot;
    markDirty(slot);
  }

  void endAll(EndReason reason) {
    countGathered();
    stopped = true;
    for (Slot slot = 0; slot < table.touched(); ++slot) {
      if (!(table[slot].flags & kFlowInUse)) continue;
      // No answer is waited for any more, not even for flows that ended before.
      if (table[slot].lookup != LookupState::never) table[slot].lookup = LookupState::settled;
      if (table[slot].flags & kFlowOver) {
        markDirty(slot);
      } else {
        end(slot, reason);
      }
    }
  }

  // --- time

  void advance(std::uint64_t newClockUs) {
    if (newClockUs > clockUs) {
      elapsedUs += clockUs == 0 ? 0 : std::min(newClockUs - clockUs, kClockJumpUs);
      clockUs = newClockUs;
    } else if (clockUs - newClockUs > kClockStepUs) {
      clockUs = newClockUs;
    }
    nowS = static_cast<std::uint32_t>(elapsedUs / kSecondUs);
    expire();
    const auto newRound = static_cast<std::uint32_t>(elapsedUs / kVerificationRoundUs);
    if (std::exchange(round, newRound) != newRound) verifyActive();
    if (elapsedUs - housekeptUs < kHousekeepingUs) return;
    housekeptUs = elapsedUs;
    if (table.used() >= kPressureFlows) evict();
    if (overloaded > 0) askOverloaded();
  }

  void expire() {
    for (std::size_t i = 0; i < kExpiriesPerAdvance; ++i) {
      const Slot slot = timers.next(nowS);
      if (slot == kNoSlot) return;
      Flow& flow = table[slot];
      if (flow.flags & kFlowOver) {
        flow.lookup = LookupState::settled;  // its answer does not come
        markDirty(slot);
        continue;
      }
      const std::uint32_t limitS = idleLimit(flow);
      const std::uint32_t idleS = nowS - flow.lastActiveS;
      const std::uint32_t ageS = nowS - flow.startS;
      if (idleS >= limitS) {
        end(slot, flow.protocol == kProtocolTcp ? endReasonOf(flow.state) : EndReason::idle);
      } else if (ageS >= kActiveLimitS) {
        end(slot, EndReason::active);
      } else {
        timers.schedule(slot, nowS + std::min(limitS - idleS, kActiveLimitS - ageS));
      }
    }
  }

  /// Makes room: the hand goes round the table, a bounded part of it each time.
  void evict() {
    const std::size_t steps = std::min<std::size_t>(kEvictionScan, table.touched());
    for (std::size_t i = 0; i < steps; ++i) {
      evictionHand = evictionHand + 1 < table.touched() ? evictionHand + 1 : 0;
      const Flow& flow = table[evictionHand];
      if ((flow.flags & (kFlowInUse | kFlowOver)) != kFlowInUse || evictionHand == fullBucket) continue;
      if (nowS - flow.lastActiveS < kEvictAfterS) continue;
      const bool halfOpen = flow.state == TcpState::synSent || flow.state == TcpState::synReceived;
      const bool onePacket = flow.rxPackets + flow.takenRxPackets + flow.txPackets + flow.takenTxPackets == 1;
      if (halfOpen || onePacket) end(evictionHand, EndReason::evicted);
    }
  }

  // --- look-ups

  void setReason(Flow& flow, Reason reason) {
    pending -= flow.reason == Reason::pending;
    overloaded -= flow.reason == Reason::overloaded;
    flow.reason = reason;
    pending += reason == Reason::pending;
    overloaded += reason == Reason::overloaded;
  }

  /// Queues a look-up for a flow without owner; with no room it is overloaded, and asked for later.
  void ask(Slot slot, std::uint8_t attempt) {
    Flow& flow = table[slot];
    const bool queued = lookups.push(flow.flowId, attempt, elapsedUs);
    flow.attempt = attempt;
    flow.lookup = queued ? LookupState::waiting : LookupState::settled;
    setReason(flow, queued ? Reason::pending : Reason::overloaded);
    if (!queued && (flow.flags & kFlowOver)) markDirty(slot);
  }

  void askOverloaded() {
    const std::size_t steps = std::min<std::size_t>(kOverloadedScan, table.touched());
    for (std::size_t i = 0; i < steps && overloaded > 0 && lookups.room() > LookupQueue::kCapacity / 2; ++i) {
      overloadedHand = overloadedHand + 1 < table.touched() ? overloadedHand + 1 : 0;
      const Flow& flow = table[overloadedHand];
      if ((flow.flags & (kFlowInUse | kFlowOver)) == kFlowInUse && flow.reason == Reason::overloaded)
        ask(overloadedHand, 0);
    }
  }

  std::size_t takeRequests(std::span<LookupRequest> out) {
    std::size_t count = 0;
    LookupQueue::Entry entry;
    while (count < out.size() && lookups.pop(elapsedUs, entry)) {
      const Slot slot = table.slotOf(entry.flowId);
      if (slot == kNoSlot || table[slot].lookup != LookupState::waiting) continue;
      Flow& flow = table[slot];
      flow.lookup = LookupState::asked;
      LookupRequest& request = out[count++];
      request = {};
      request.flowId = flow.flowId;
      request.firstSeenUs = flow.firstSeenUs;
      request.key = {flow.local,     flow.remote, flow.localPort, reportedRemotePort(flow),
                     flow.etherType, flow.vlanId, flow.family,    flow.protocol};
      request.interfaceIndex = options.interfaceIndex;
      request.transmitted = flow.transmittedFirst;
      request.attempt = entry.attempt;
    }
    return count;
  }

  void apply(const LookupReply& reply) {
    const Slot slot = table.slotOf(reply.flowId);
    if (slot == kNoSlot || table[slot].lookup != LookupState::asked) return;
    Flow& flow = table[slot];
    if (flow.reason != Reason::pending) {
      verified(slot, reply);
    } else if (reply.reason == Reason::pending && flow.attempt < kLookupPausesUs.size()) {
      ask(slot, static_cast<std::uint8_t>(flow.attempt + 1));
    } else {
      settle(slot, reply);
    }
  }

  void settle(Slot slot, const LookupReply& reply) {
    Flow& flow = table[slot];
    flow.lookup = LookupState::settled;
    flow.verifiedRound = round;
    flow.inode = reply.inode;
    flow.uid = reply.uid;
    flow.ownerId = reply.ownerId;
    flow.attribution = reply.ownerId != 0 ? reply.attribution : Attribution::none;
    // Still pending after the last attempt, or no word of why: the socket was gone before it could be found.
    const bool unexplained = reply.reason == Reason::pending || reply.reason == Reason::none;
    setReason(flow, reply.ownerId != 0 ? Reason::none : unexplained ? Reason::socketGone : reply.reason);
    markDirty(slot);
  }

  /// An answer about a flow that had one before. Bytes already counted stay where they are; from the moment a socket is
  /// known to be another's, the flow is over and what comes next is counted in a new one.
  void verified(Slot slot, const LookupReply& reply) {
    Flow& flow = table[slot];
    flow.lookup = LookupState::settled;
    flow.verifiedRound = round;
    if ((flow.flags & kFlowOver) || reply.reason == Reason::pending || reply.reason == Reason::overloaded) return;
    const bool nobody = reply.ownerId == 0;
    if (flow.ownerId == 0) {
      if (!nobody && hasNoSocket(flow) && nowS - flow.startS > kRetroactiveS) {
        end(slot, EndReason::ownerChanged);
      } else if (!nobody || reply.reason != flow.reason) {
        settle(slot, reply);
      }
    } else if (nobody) {
      // A process may close its socket and stay the owner of what it sent; only a packet after that is nobody's. TCP
      // ends by itself.
      const bool socketGone = reply.reason == Reason::noSocket || reply.reason == Reason::socketGone;
      if (socketGone && flow.protocol != kProtocolTcp) flow.flags |= kFlowStale;
    } else if (reply.ownerId == flow.ownerId) {
      if (reply.inode != flow.inode) settle(slot, reply);
    } else if (reply.inode != flow.inode) {
      // The same socket with another owner is shared by both: the first answer stands, or it would flap.
      end(slot, EndReason::ownerChanged);
    }
  }

  void verifyActive() {
    std::size_t left = kVerificationsPerRound;
    const std::size_t steps = std::min(kVerificationScan, dirtyCount);
    for (std::size_t i = 0; i < steps && left > 0 && lookups.room() > LookupQueue::kCapacity / 2; ++i) {
      verificationHand = verificationHand + 1 < dirtyCount ? verificationHand + 1 : 0;
      Flow& flow = table[dirty[(dirtyHead + verificationHand) % kMaxFlows]];
      if (!dueForVerification(flow) || !lookups.push(flow.flowId, LookupQueue::kVerification, elapsedUs)) continue;
      flow.lookup = LookupState::waiting;
      --left;
    }
  }

  bool dueForVerification(const Flow& flow) const {
    if ((flow.flags & (kFlowOver | kFlowStale)) || flow.lookup != LookupState::settled) return false;
    if (nowS - flow.lastActiveS > 1) return false;
    std::uint32_t rounds = flow.protocol == kProtocolTcp ? kTcpRounds : kDatagramRounds;
    if (flow.ownerId == 0) {
      if (!worthAskingAgain(flow.reason)) return false;
      if (!hasNoSocket(flow) || flow.protocol == kProtocolTcp) rounds = kUnownedRounds;
    }
    return round - flow.verifiedRound >= rounds;
  }

  void lookupRestarted() {
    for (Slot slot = 0; slot < table.touched(); ++slot) {
      Flow& flow = table[slot];
      if (!(flow.flags & kFlowInUse) || flow.lookup != LookupState::asked) continue;
      if (flow.reason == Reason::pending) {
        ask(slot, 0);
      } else {
        flow.lookup = LookupState::settled;
      }
    }
  }

  // --- ticks

  static std::uint16_t reportedRemotePort(const Flow& flow) {
    return isIcmp(flow.protocol) ? std::uint16_t{0} : flow.remotePort;
  }

  /// Each flow stands in the ring at most once, so it never overflows.
  void markDirty(Slot slot) {
    if (table[slot].flags & kFlowDirty) return;
    table[slot].flags |= kFlowDirty;
    dirty[(dirtyHead + dirtyCount) % kMaxFlows] = slot;
    ++dirtyCount;
  }

  void beginTick(bool snapshot) {
    countGathered();
    if (snapshot) {
      for (Slot slot = 0; slot < table.touched(); ++slot) {
        if ((table[slot].flags & (kFlowInUse | kFlowDirty | kFlowOver)) == kFlowInUse) markDirty(slot);
      }
    }
    tickRemaining = dirtyCount;
  }

  std::size_t take(std::span<FlowRecord> out) {
    constexpr std::size_t kAhead = 4;
    std::size_t count = 0;
    while (count < out.size() && tickRemaining > 0) {
      if (tickRemaining > kAhead) {
        const auto* lines = reinterpret_cast<const char*>(&table[dirty[(dirtyHead + kAhead) % kMaxFlows]]);
        for (std::size_t line = 0; line < sizeof(Flow); line += 64) __builtin_prefetch(lines + line, 1);
      }
      const Slot slot = dirty[dirtyHead];
      dirtyHead = (dirtyHead + 1) % kMaxFlows;
      --dirtyCount;
      --tickRemaining;
      Flow& flow = table[slot];
      flow.flags = static_cast<std::uint8_t>(flow.flags & ~kFlowDirty);
      if (awaitsAnswer(flow)) {
        timers.schedule(slot, nowS + kAnswerLimitS);
        continue;
      }
      record(flow, out[count++]);
      if (flow.flags & kFlowOver) {
        setReason(flow, Reason::none);
        timers.cancel(slot);
        table.release(slot);
      }
    }
    return count;
  }

  /// A connection that was over before its look-up was answered: its last record waits for the answer, because there is
  /// none after it.
  bool awaitsAnswer(const Flow& flow) const {
    if (!(flow.flags & kFlowOver) || flow.reason != Reason::pending) return false;
    if (flow.endReason != EndReason::fin && flow.endReason != EndReason::rst && flow.endReason != EndReason::idle)
      return false;
    return flow.lookup == LookupState::waiting || flow.lookup == LookupState::asked;
  }

  /// Writes every member: the memory behind `out` holds an older record.
  void record(Flow& flow, FlowRecord& out) {
    taken.rxBytes += flow.rxBytes;
    taken.txBytes += flow.txBytes;
    taken.rxPackets += flow.rxPackets;
    taken.txPackets += flow.txPackets;
    flow.takenRxBytes += flow.rxBytes;
    flow.takenTxBytes += flow.txBytes;
    flow.takenRxPackets += flow.rxPackets;
    flow.takenTxPackets += flow.txPackets;
    flow.takenPayloadBytes += flow.payloadBytes;
    flow.rxBytes = flow.txBytes = flow.rxPackets = flow.txPackets = flow.payloadBytes = 0;

    const bool over = flow.flags & kFlowOver;
    out.flowId = flow.flowId;
    out.firstSeenUs = flow.firstSeenUs;
    out.lastSeenUs = flow.lastSeenUs;
    out.rxBytes = flow.takenRxBytes;
    out.txBytes = flow.takenTxBytes;
    out.rxPackets = flow.takenRxPackets;
    out.txPackets = flow.takenTxPackets;
    out.inode = flow.inode;
    out.localAddress = flow.local;
    out.remoteAddress = flow.remote;
    out.localPort = flow.localPort;
    out.remotePort = reportedRemotePort(flow);
    out.interfaceId = options.interfaceId;
    out.ownerId = flow.ownerId;
    out.uid = flow.uid;
    out.handshakeRttUs = flow.handshakeRttUs;
    out.etherType = flow.etherType;
    out.vlanId = flow.vlanId;
    out.family = flow.family;
    out.protocol = flow.protocol;
    out.state = flow.state;
    out.attribution = flow.attribution;
    // Nobody will answer any more for a flow that is over.
    out.reason = over && flow.reason == Reason::pending ? Reason::overloaded : flow.reason;
    out.endReason = flow.endReason;
    out.flags = 0;
    if (over) out.flags |= kFlowEnded;
    if (flow.flags & kFlowFromLocal) out.flags |= kFlowInitiatedLocally;
    if (flow.flags & kFlowFromRemote) out.flags |= kFlowInitiatedRemotely;
    if (isBucket(flow)) out.flags |= kFlowSynthetic;
    out.rxTcpFlags = flow.rxTcpFlags;
    out.txTcpFlags = flow.txTcpFlags;
    std::fill(std::begin(out.zero), std::end(out.zero), std::uint8_t{0});
    out.retransmits = flow.retransmits;
    out.payloadBytes = flow.takenPayloadBytes;
    out.zero2 = 0;
  }

  const MeterOptions options;
  Orientation orientation;
  FragmentTable fragments;
  FlowTable table;
  FlowTimers timers;
  LookupQueue lookups;

  std::array<Packet, kGroup> group;
  std::array<std::uint32_t, kGroup> hashes;
  std::size_t gathered = 0;

  std::uint64_t clockUs = 0;    // as given to advance()
  std::uint64_t elapsedUs = 0;  // the meter's own clock: it only goes on
  std::uint64_t housekeptUs = 0;
  std::uint32_t nowS = 0;   // of elapsedUs; wraps, so only differences count
  std::uint32_t round = 0;  // of verification, likewise

  PageArray<Slot> dirty;
  std::size_t dirtyHead = 0;
  std::size_t dirtyCount = 0;
  std::size_t tickRemaining = 0;

  MeterTotals all;
  MeterTotals taken;
  std::size_t live = 0;
  std::size_t pending = 0;
  std::size_t overloaded = 0;
  std::uint64_t tableFullPackets = 0;
  Slot fullBucket = kNoSlot;
  Slot evictionHand = 0;
  Slot overloadedHand = 0;
  std::size_t verificationHand = 0;  // position in the dirty ring
  bool stopped = false;
};

Meter::Meter(const MeterOptions& options) : impl_(std::make_unique<Impl>(options)) {}
Meter::~Meter() = default;

void Meter::setLinkLayerAddress(const LinkLayerAddress& address) {
  impl_->orientation.setLinkLayerAddress(address);
}
void Meter::setLocalAddresses(std::span<const LocalAddress> addresses) {
  impl_->orientation.setLocalAddresses(addresses);
}
void Meter::frame(std::span<const std::uint8_t> captured, std::uint32_t frameBytes, std::uint64_t timeUs) {
  impl_->gather(captured, frameBytes, timeUs);
}
void Meter::flush() {
  impl_->countGathered();
}
void Meter::advance(std::uint64_t clockUs) {
  impl_->countGathered();
  impl_->advance(clockUs);
}
std::size_t Meter::takeRequests(std::span<LookupRequest> out) {
  return impl_->takeRequests(out);
}
std::uint64_t Meter::nextRequestUs() const {
  const std::uint64_t due = impl_->lookups.nextDueUs();
  if (due == std::numeric_limits<std::uint64_t>::max()) return due;
  return due <= impl_->elapsedUs ? impl_->clockUs : impl_->clockUs + (due - impl_->elapsedUs);
}
void Meter::reply(const LookupReply& reply) {
  impl_->apply(reply);
}
void Meter::lookupRestarted() {
  impl_->lookupRestarted();
}
void Meter::beginTick(bool snapshot) {
  impl_->beginTick(snapshot);
}
std::size_t Meter::take(std::span<FlowRecord> out) {
  return impl_->take(out);
}
const MeterTotals& Meter::totals() const {
  return impl_->taken;
}
MeterTotals Meter::counted() const {
  return impl_->all;
}
void Meter::endAll(EndReason reason) {
  impl_->endAll(reason);
}
std::size_t Meter::flows() const {
  return impl_->live;
}
std::size_t Meter::pendingLookups() const {
  return impl_->pending;
}
std::size_t Meter::overloadedLookups() const {
  return impl_->overloaded;
}
std::uint64_t Meter::tableFullPackets() const {
  return impl_->tableFullPackets;
}

}  // namespace netloupe
