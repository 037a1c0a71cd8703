// What a capture process and the look-up process say to each other over one SOCK_SEQPACKET socket pair per capture process:
// whole arrays of fixed-size structs, never packet bytes. Both ends are the same binary, so host byte order is fine.
#pragma once

#include <cstddef>
#include <cstdint>

#include "flow.h"

namespace netloupe {

/// "Whose socket carries this flow?" Sent on a flow's first packets, again while it stays unanswered, and to verify a flow whose
/// socket may have changed hands.
struct LookupRequest {
  std::uint64_t flowId = 0;
  std::uint64_t firstSeenUs = 0;  // Unix time of the flow's first packet
  FlowKey key;
  std::uint32_t interfaceIndex = 0;
  std::uint8_t transmitted = 0;  // 1 when this machine sent the first packet
  std::uint8_t attempt = 0;      // 0 for the first try; verification: 255
};

/// The answer: an owner, or the reason why there is none. `reason` pending means "ask again".
struct LookupReply {
  std::uint64_t flowId = 0;
  std::uint64_t inode = 0;
  std::uint32_t ownerId = 0;  // 0: none
  std::uint32_t uid = 0xffffffff;
  Attribution attribution = Attribution::none;
  Reason reason = Reason::none;
};

inline constexpr std::size_t kLookupRequestsPerMessage = 64;
inline constexpr std::size_t kLookupRepliesPerMessage = 128;

}  // namespace netloupe
