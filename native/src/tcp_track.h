// What TCP headers tell about a connection, seen from a bystander: state, handshake time, segments seen again.
#pragma once

#include "decode.h"
#include "flow_table.h"

namespace netloupe {

/// Follows one segment of the flow; sets state, flags seen, initiator, handshake RTT and retransmits. States are those
/// of RFC 9293 as the local end has them, as far as a bystander can know: a connection first seen in its middle is
/// established.
void trackTcp(Flow& flow, const Packet& packet, bool transmitted);

/// True when the segment opens a new connection although the flow has one: SYN after its end, or SYN with another
/// initial sequence number after a second of silence (before that it is rather an old duplicate, or somebody's
/// forgery).
bool beginsNewConnection(const Flow& flow, const Packet& packet, bool transmitted);

/// Why a connection in this state that is seen no more has ended.
EndReason endReasonOf(TcpState state);

/// Seconds without a segment after which a connection in this state has ended. Established 15 min; half-open and
/// half-way through closing 30 s; 5 s for the last segments after the end.
std::uint32_t idleLimitS(TcpState state);

}  // namespace netloupe
