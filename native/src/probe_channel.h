// What the front and the prober say to each other (role_channels.h has the rules): one of these structs per message,
// arrays behind it.
//
//   front ---FrontToProber (+ WantedProbe[])---> prober ---ProberToFront (+ ProbeItem[])---> front
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "flow.h"
#include "probe_reply.h"

namespace netloupe {

enum class ProbeProtocol : std::uint8_t { icmp, udp, tcp };

/// How probes are sent and what can be heard.
enum class ProbeMethod : std::uint8_t { raw, errorQueue, pingSocket };

inline constexpr std::size_t kInterfaceNameBytes = 16;  // IFNAMSIZ, with the terminating zero

/// A trace as the application asks for it, checked member by member.
struct TraceTarget {
  Address destination{};
  Address source{};  // all zero: the kernel chooses
  std::uint8_t family = 4;
  ProbeProtocol protocol = ProbeProtocol::icmp;
  std::uint8_t hasSource = 0;
  std::uint8_t stepPort = 0;
  std::uint8_t tos = 0;
  std::uint16_t port = 0;
  std::uint16_t sourcePort = 0;     // 0: the kernel chooses
  std::uint16_t packetBytes = 0;    // whole IP packet; less than the smallest: the smallest
  std::int32_t interfaceIndex = 0;  // 0: where the routes say; filled in by the prober
  char interface[kInterfaceNameBytes] = {};
};

enum class ProberAsk : std::uint32_t {
  open = 1,  // answered by opened or refused
  probes,    // behind it: WantedProbe[count]; answered by queued or refused
  close      // of an unknown trace: nothing
};

struct WantedProbe {
  std::uint8_t ttl = 1;
  std::uint8_t flow = 0;
};

struct FrontToProber {
  ProberAsk ask = ProberAsk::open;
  std::uint32_t token = 0;
  std::uint32_t traceId = 0;  // chosen by the front, never reused
  std::uint32_t round = 0;
  std::uint32_t waitMs = 0;
  std::uint32_t count = 0;
  TraceTarget target{};
};

enum class ProberTold : std::uint32_t { opened = 1, queued, refused, items };

enum class ProbeRefusal : std::uint32_t {
  none,
  refusedDestination,  // multicast, broadcast, unspecified
  noRoute,             // `error`: errno
  noSuchInterface,
  badSourceAddress,  // no address of this machine
  portInUse,
  needsNetRaw,  // TCP, or an ICMP echo that the kernel grants to nobody else
  tooManyTraces,
  tooManyProbes,
  noSuchTrace,
  internal  // `error`: errno
};

struct ProberToFront {
  ProberTold told = ProberTold::opened;
  std::uint32_t token = 0;
  std::uint32_t traceId = 0;
  std::uint32_t count = 0;  // queued, items
  ProbeRefusal refusal = ProbeRefusal::none;
  std::int32_t error = 0;
  Address source{};  // opened
  std::uint16_t sourcePort = 0;
  ProbeMethod method = ProbeMethod::raw;
};

enum class ProbeOutcome : std::uint8_t { reply, noReply, unsent, duplicate, late, forged };

// Members of a quote that something on the way has changed.
inline constexpr std::uint8_t kQuoteSource = 1;
inline constexpr std::uint8_t kQuoteSourcePort = 2;  // ICMP: the identifier
inline constexpr std::uint8_t kQuoteDestination = 4;
inline constexpr std::uint8_t kQuoteDestinationPort = 8;
inline constexpr std::uint8_t kQuoteTos = 16;
inline constexpr std::uint8_t kQuoteChecksum = 32;
inline constexpr std::uint8_t kQuoteLength = 64;

inline constexpr std::uint16_t kUnknownField = 0xffff;

/// One item of the event `probes`.
struct ProbeItem {
  std::uint64_t sentUs = 0;  // Unix time
  std::uint64_t rttUs = 0;
  std::uint32_t traceId = 0;
  std::uint32_t round = 0;
  std::uint32_t mtu = 0;   // 0: not told
  std::int32_t error = 0;  // unsent: errno
  Address address{};
  std::uint16_t icmpType = kUnknownField;
  std::uint16_t icmpCode = kUnknownField;
  std::uint16_t tcpFlags = kUnknownField;
  std::uint16_t replyTtl = kUnknownField;
  ProbeOutcome outcome = ProbeOutcome::reply;
  std::uint8_t flow = 0;
  std::uint8_t ttl = 0;
  std::uint8_t family = 4;  // of `address`; 0: no address
  std::uint8_t quoteChanged = 0;
  std::uint8_t labelCount = 0;
  MplsLabel labels[kMaxMplsLabels] = {};
};

inline constexpr std::size_t kProbeItemsPerMessage = 128;

static_assert(std::is_trivially_copyable_v<FrontToProber> && std::is_trivially_copyable_v<ProberToFront> &&
              std::is_trivially_copyable_v<ProbeItem> && std::is_trivially_copyable_v<WantedProbe>);

/// The prober's main loop (prober.cpp); gives the process's exit code. Runs with cap_net_raw effective where the helper
/// has it: it opens its sockets, gives everything up, closes its sandbox and only then serves. Ends when the channel is
/// closed.
int runProber(int frontChannel);

}  // namespace netloupe
