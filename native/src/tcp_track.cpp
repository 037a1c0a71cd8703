#include "tcp_track.h"

#include <algorithm>
#include <limits>

namespace netloupe {
namespace {

// Bits of Flow::tcpSeen, per direction (0 received, 1 transmitted).
constexpr unsigned kSequenceKnown = 1;
constexpr unsigned kGap = 4;
constexpr unsigned kFin = 16;
constexpr unsigned kFinAcknowledged = 64;

// A reset further away from the expected sequence number than this is not believed: the receiver would not accept it
// either (RFC 5961).
constexpr std::int32_t kResetWindow = 1 << 20;

// A jump of the sequence number that no window allows: tracking begins anew there.
constexpr std::int32_t kSequenceJump = 1 << 30;

constexpr std::uint64_t kReuseAfterUs = 1'000'000;

bool has(const Flow& flow, unsigned bit, unsigned direction) {
  return flow.tcpSeen & bit << direction;
}
void set(Flow& flow, unsigned bit, unsigned direction) {
  flow.tcpSeen = static_cast<std::uint8_t>(flow.tcpSeen | bit << direction);
}
void clear(Flow& flow, unsigned bit, unsigned direction) {
  flow.tcpSeen = static_cast<std::uint8_t>(flow.tcpSeen & ~(bit << direction));
}

/// Distance on the sequence circle (RFC 9293 section 3.4).
std::int32_t distance(std::uint32_t from, std::uint32_t to) {
  return static_cast<std::int32_t>(to - from);
}

/// Counts segments that were seen before. One gap per direction (segments that overtook others, or that the capture
/// dropped) is remembered so that what fills it is not taken for a repetition; further gaps are joined with it.
void followSequence(Flow& flow, const Packet& packet, unsigned direction) {
  const bool synOrFin = packet.tcpFlags & (kTcpSyn | kTcpFin);
  const std::uint32_t begin = packet.tcpSequence;
  std::uint32_t end = begin + packet.payloadBytes;
  if (packet.tcpFlags & kTcpSyn) ++end;
  if (packet.tcpFlags & kTcpFin) ++end;
  std::uint32_t& next = flow.nextSequence[direction];
  if (!has(flow, kSequenceKnown, direction)) {
    set(flow, kSequenceKnown, direction);
    next = end;
    return;
  }
  if (begin == end) return;
  const std::int32_t ahead = distance(next, begin);
  if (ahead > kSequenceJump || ahead < -kSequenceJump) {
    clear(flow, kGap, direction);
    next = end;
    return;
  }
  if (ahead >= 0) {
    if (ahead > 0) {
      if (!has(flow, kGap, direction)) flow.gapBegin[direction] = next;
      flow.gapEnd[direction] = begin;
      set(flow, kGap, direction);
    }
    next = end;
    return;
  }
  if (has(flow, kGap, direction) && distance(flow.gapBegin[direction], begin) >= 0 &&
      distance(begin, flow.gapEnd[direction]) > 0) {
    if (begin == flow.gapBegin[direction]) {
      flow.gapBegin[direction] = end;
    } else if (end == flow.gapEnd[direction]) {
      flow.gapEnd[direction] = begin;
    }
    if (distance(flow.gapBegin[direction], flow.gapEnd[direction]) <= 0) clear(flow, kGap, direction);
    return;
  }
  const bool keepAlive = packet.payloadBytes <= 1 && !synOrFin && begin + 1 == next;  // RFC 9293 section 3.8.4
  if (!keepAlive && flow.retransmits != std::numeric_limits<std::uint32_t>::max()) ++flow.retransmits;
  if (distance(next, end) > 0) next = end;
}

void synSeen(Flow& flow, const Packet& packet, unsigned direction) {
  const bool transmitted = direction == 1;
  flow.synSequence[direction] = packet.tcpSequence;
  if (packet.tcpFlags & kTcpAck) {
    if (flow.state != TcpState::none) return;
    flow.state = transmitted ? TcpState::synReceived : TcpState::synSent;
    flow.flags |= transmitted ? kFlowFromRemote : kFlowFromLocal;
    return;
  }
  const bool answered = has(flow, kSequenceKnown, direction ^ 1);
  if (!answered) flow.synTimeUs = packet.timeUs;  // of the last try: it is the one that was answered
  if (flow.state == TcpState::none) {
    flow.state = transmitted ? TcpState::synSent : TcpState::synReceived;
    flow.flags |= transmitted ? kFlowFromLocal : kFlowFromRemote;
  } else if (flow.state == TcpState::synSent && !transmitted) {
    flow.state = TcpState::synReceived;  // simultaneous open
  }
}

void established(Flow& flow, const Packet& packet) {
  flow.state = TcpState::established;
  if (flow.synTimeUs == 0 || packet.timeUs < flow.synTimeUs) return;
  const std::uint64_t rttUs = packet.timeUs - flow.synTimeUs;
  flow.handshakeRttUs =
      static_cast<std::uint32_t>(std::min<std::uint64_t>(rttUs, std::numeric_limits<std::uint32_t>::max()));
}

/// The state that the FINs seen so far, and which of them were acknowledged, leave the local end in (RFC 9293 figure
/// 5).
TcpState closingState(const Flow& flow) {
  const bool remoteFin = has(flow, kFin, 0);
  const bool localFin = has(flow, kFin, 1);
  const bool localFinAcknowledged = has(flow, kFinAcknowledged, 1);
  if (!localFin) return remoteFin ? TcpState::closeWait : flow.state;
  if (!remoteFin) return localFinAcknowledged ? TcpState::finWait2 : TcpState::finWait1;
  const bool remoteWasFirst =
      flow.state == TcpState::closeWait || flow.state == TcpState::lastAck || flow.state == TcpState::closed;
  if (remoteWasFirst) return localFinAcknowledged ? TcpState::closed : TcpState::lastAck;
  return localFinAcknowledged ? TcpState::timeWait : TcpState::closing;
}

bool resetIsCredible(const Flow& flow, const Packet& packet, unsigned direction) {
  if (!has(flow, kSequenceKnown, direction)) return true;
  const std::int32_t off = distance(flow.nextSequence[direction], packet.tcpSequence);
  return off >= -kResetWindow && off <= kResetWindow;
}

}  // namespace

void trackTcp(Flow& flow, const Packet& packet, bool transmitted) {
  const std::uint8_t flags = packet.tcpFlags;
  if (flags == 0) return;  // cut off by the snaplen, or a null scan
  const unsigned direction = transmitted ? 1 : 0;
  std::uint8_t& seen = transmitted ? flow.txTcpFlags : flow.rxTcpFlags;
  seen |= flags;

  if (flags & kTcpRst) {
    const bool over = flow.state == TcpState::timeWait || flow.state == TcpState::closed;
    if (!over && resetIsCredible(flow, packet, direction)) flow.state = TcpState::reset;
    return;
  }
  if (flags & kTcpSyn) {
    synSeen(flow, packet, direction);
    followSequence(flow, packet, direction);
    return;
  }
  followSequence(flow, packet, direction);
  if (flow.state == TcpState::reset) return;

  const bool fromInitiator = transmitted ? flow.state == TcpState::synSent : flow.state == TcpState::synReceived;
  if (flow.state == TcpState::none) {
    flow.state = TcpState::established;
  } else if (fromInitiator && flags & kTcpAck) {
    established(flow, packet);
  } else if (flow.state == TcpState::synSent && packet.payloadBytes > 0) {
    flow.state = TcpState::established;  // the handshake's last part was not seen
  }
  if (flags & kTcpAck) {
    const unsigned other = direction ^ 1;
    if (has(flow, kGap, other) && distance(flow.gapEnd[other], packet.tcpAcknowledgment) >= 0) clear(flow, kGap, other);
    if (has(flow, kFin, other) && distance(flow.finEnd[other], packet.tcpAcknowledgment) >= 0)
      set(flow, kFinAcknowledged, other);
  }
  if (flags & kTcpFin) {
    flow.finEnd[direction] = packet.tcpSequence + packet.payloadBytes + 1;
    set(flow, kFin, direction);
  }
  if (flow.state != TcpState::timeWait && has(flow, kFin | kFin << 1, 0)) flow.state = closingState(flow);
}

bool beginsNewConnection(const Flow& flow, const Packet& packet, bool transmitted) {
  if ((packet.tcpFlags & (kTcpSyn | kTcpAck | kTcpRst)) != kTcpSyn) return false;
  switch (flow.state) {
    case TcpState::none:
      return false;
    case TcpState::closing:
    case TcpState::lastAck:
    case TcpState::timeWait:
    case TcpState::closed:
    case TcpState::reset:
      return true;
    default:
      break;
  }
  const bool sequenceKnown = (transmitted ? flow.txTcpFlags : flow.rxTcpFlags) & kTcpSyn;
  if (sequenceKnown && flow.synSequence[transmitted ? 1 : 0] == packet.tcpSequence) return false;
  return packet.timeUs > flow.lastSeenUs + kReuseAfterUs;
}

EndReason endReasonOf(TcpState state) {
  switch (state) {
    case TcpState::closing:
    case TcpState::lastAck:
    case TcpState::timeWait:
    case TcpState::closed:
      return EndReason::fin;
    case TcpState::reset:
      return EndReason::rst;
    default:
      return EndReason::idle;
  }
}

std::uint32_t idleLimitS(TcpState state) {
  switch (state) {
    case TcpState::established:
    case TcpState::closeWait:
    case TcpState::finWait2:
      return 15 * 60;
    case TcpState::timeWait:
    case TcpState::closed:
    case TcpState::reset:
      return 5;
    default:
      return 30;
  }
}

}  // namespace netloupe
