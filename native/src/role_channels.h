// What the helper's processes say to each other, besides flows' look-ups (lookup_channel.h). Every channel is a
// SOCK_SEQPACKET pair, every message one of these structs (and, where it says so, bytes behind it); a message of
// another size or kind ends the sender's process. All ends are the same binary, so host layout is fine. Nothing that an
// outsider chose reaches the supervisor but numbers.
//
// clang-format off
//   front ---SupervisorRequest--> supervisor  ---SupervisorEvent + fds---> front
//   front ---FrontToCapture-----> capture     ---CaptureToFront----------> front    (records: in the tick region)
//   front ---LookupQuery--------> look-up     ---LookupToFront-----------> front
//   front ---FrontToProber------> prober      ---ProberToFront-----------> front    (probe_channel.h)
//   supervisor ---NewChannel + fd---> look-up and capture
//   capture ---LookupRequest[]---> look-up    ---LookupReply[]-----------> capture  (lookup_channel.h)
// clang-format on
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "bounds.h"
#include "flow.h"
#include "orient.h"

namespace netloupe {

// --- front to supervisor

enum class SupervisorAsk : std::uint32_t { openCapture = 1, openFile, killCapture, openProber };

struct SupervisorRequest {
  SupervisorAsk ask = SupervisorAsk::openCapture;
  std::uint32_t captureId = 0;       // chosen by the front, never reused; also the interface id on the wire
  std::uint32_t interfaceIndex = 0;  // openCapture only, as the rest
  std::uint32_t ringBytes = 0;
  std::uint32_t promiscuous = 0;
};

// --- supervisor to front

enum class SupervisorTold : std::uint32_t {
  captureStarted = 1,  // fds: channel to the capture process, tick region (memfd)
  captureEnded,        // the process is gone; its channel and region stay readable
  lookupStarted,       // fd: channel to the new look-up process
  lookupEnded,
  captureRefused,  // the process could not be started at all
  proberStarted,   // fd: channel to the new prober (probe_channel.h)
  proberEnded      // it is gone, or could not be started; another is started when it is asked for
};

struct SupervisorEvent {
  SupervisorTold told = SupervisorTold::captureStarted;
  std::uint32_t captureId = 0;
};

// --- supervisor to look-up and capture processes

/// With one fd. To a look-up process: its side of lookup_channel.h to a new capture process on `interfaceIndex` (end of
/// file on it means that the capture process ended). To a capture process: its side of the channel to a (new) look-up
/// process, replacing the old.
struct NewChannel {
  std::uint32_t captureId = 0;
  std::uint32_t interfaceIndex = 0;
};

// --- front to look-up

enum class LookupAsk : std::uint32_t { sockets = 1, interfaces, routes, neighbors };

/// One request of the application. The look-up process answers each with any number of `frame` messages and one `done`.
struct LookupQuery {
  LookupAsk ask = LookupAsk::sockets;
  std::uint32_t token = 0;
};

// --- look-up to front

enum class LookupTold : std::uint32_t {
  frame = 1,  // behind it: one whole wire frame (control or socket batch), forwarded as it is, in order
  done,       // closes `token`; `count` items were sent
  failed,     // closes `token` with error `internal`; behind it: the sentence that says what failed
  degraded    // `count` holds the full set of kLookupDegraded* bits, each time it changes
};

inline constexpr std::uint32_t kLookupDegradedOverloaded = 1;             // lookupOverloaded
inline constexpr std::uint32_t kLookupDegradedSocketDiagUnavailable = 2;  // socketDiagUnavailable
inline constexpr std::uint32_t kLookupDegradedOwnerTableFull = 4;         // ownerTableFull

/// Header of every message; at most kMaxLookupMessageBytes follow. An owner's frame is sent here before the reply that
/// names it is sent to a capture process: the front empties this channel before it forwards a tick's flows.
struct LookupToFront {
  LookupTold told = LookupTold::frame;
  std::uint32_t token = 0;
  std::uint32_t count = 0;
};

// --- front to capture (live: one process per interface; read mode: one process for the file)

enum class CaptureAsk : std::uint32_t {
  begin = 1,  // behind it: the compiled capture filter (struct bpf_insn[count], none: everything). Counting starts.
  addresses,  // behind it: LocalAddress[count], every address of the machine from now on
  tick,   // live: answered by tickDone. Read mode: the tick region has been emptied, go on. The region is the capture
          // process's until it says tickDone, the front's after it.
  finish  // every flow ends with endReason, one more tickDone follows, and the process exits
};

inline constexpr std::uint32_t kTickEveryFlow = 1;  // a snapshot: not only the changed ones

struct FrontToCapture {
  CaptureAsk ask = CaptureAsk::begin;
  std::uint32_t flags = 0;
  std::uint32_t count = 0;
  std::uint32_t tickMs = 0;  // with `begin` in read mode: a tick each so much recorded time
  EndReason endReason = EndReason::alive;
  LinkLayerAddress linkLayerAddress{};  // with `addresses`: the interface's own, all zero none
};

// --- capture to front

enum class CaptureTold : std::uint32_t {
  opened = 1,     // the handle is open, every privilege dropped, the sandbox closed
  tickDone,       // `count` FlowRecords lie in the tick region
  failed,         // behind it: the sentence that says what failed; the process ends
  fileInterface,  // read mode, before its first flow: the file describes one more interface; behind it: its name
  fileTotals,     // read mode, before each tickDone: the totals of one interface
  endOfFile  // read mode, after the last tickDone: `failure` none or badFile; behind it: the sentence about the damage
};

enum class CaptureFailure : std::uint32_t {
  none,
  needsNetRaw,
  noSuchInterface,
  interfaceDown,
  badCaptureFilter,
  badFile,
  internal
};

struct CaptureTotals {
  std::uint64_t rxBytes = 0;
  std::uint64_t txBytes = 0;
  std::uint64_t rxPackets = 0;
  std::uint64_t txPackets = 0;
  std::uint64_t received = 0;  // pcap_stats(3) since the start
  std::uint64_t dropped = 0;
  std::uint64_t ifDropped = 0;
  std::uint32_t flows = 0;       // live ones
  std::uint32_t pending = 0;     // of them: look-up under way
  std::uint32_t overloaded = 0;  // of them: look-ups behind
  std::uint32_t tableFull = 0;   // 1: newcomers go to the bucket
};

struct CaptureToFront {
  CaptureTold told = CaptureTold::opened;
  std::uint32_t count = 0;
  std::uint32_t more = 0;         // with tickDone: 1 when the region was too small for the tick; the rest follows
  std::uint32_t interfaceId = 0;  // read mode: the interface that fileInterface and fileTotals are about, from 1
  LinkLayer link = LinkLayer::other;
  LinkLayerAddress linkLayerAddress{};  // of a file's interface
  std::int32_t dataLinkType = 0;        // live: DLT_ of pcap-linktype(7), for the capture filter
  CaptureFailure failure = CaptureFailure::none;
  std::uint64_t timeUs = 0;       // read mode: recorded time of the tick
  std::uint64_t offsetBytes = 0;  // read mode: bytes of the file that were understood
  std::uint64_t packets = 0;      // read mode: packets read so far
  CaptureTotals totals{};
};

static_assert(std::is_trivially_copyable_v<FrontToCapture> && std::is_trivially_copyable_v<CaptureToFront> &&
              std::is_trivially_copyable_v<LookupToFront> && std::is_trivially_copyable_v<SupervisorRequest>);

// --- the processes' main loops; each returns the process's exit code

/// The look-up process (lookup.cpp). Runs with the capabilities that are left to it, its seccomp filter not yet
/// installed: it opens its netlink sockets, then calls closeSandbox(Role::lookup) (sandbox.h) before it serves
/// anything. `supervisorChannel` brings NewChannel messages. Ends when either channel is closed. `generation` counts
/// look-up processes of this run from 0; owner ids begin at generation * 2^24 + 1 so that a new process never reuses
/// one.
int runLookup(int frontChannel, int supervisorChannel, std::uint32_t generation);

}  // namespace netloupe
