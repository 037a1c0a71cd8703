// Every number that bounds the helper, in one place: what it limits and what happens at the limit.
#pragma once

#include <cstddef>
#include <cstdint>

namespace netloupe {

// --- wire (PROTOCOL.md "Frames"): a larger frame is refused at its header, before anything is buffered.
inline constexpr std::size_t kMaxFrameBytes = 16u << 20;
inline constexpr std::size_t kMaxControlBytes = 64u << 10;

/// Requests that may be open at once; one more is answered with tooManyRequests.
inline constexpr std::size_t kMaxOpenRequests = 16;

/// Flow records per batch frame: about 2.4 MiB, so that a reader never has to hold a 16 MiB frame.
inline constexpr std::size_t kFlowRecordsPerBatch = 16384;

/// Control bytes that wait for a slow reader. Over it, the front stops taking answers from the look-up process (which
/// then holds them back itself) and reading requests; ticks are skipped long before.
inline constexpr std::size_t kMaxQueuedControlBytes = 4u << 20;

// --- capture
/// Interfaces captured at once (one process and one ring buffer each). Named beyond it: tooManyInterfaces; found beyond
/// it: ignored.
inline constexpr std::size_t kMaxInterfaces = 32;

/// Enough for Ethernet with two tags, IPv6 with several extension headers and TCP with all its options. What does not
/// fit is counted with reason truncated.
inline constexpr int kSnaplenBytes = 192;

/// Ring buffer of one interface: about 28,000 short frames, 140 ms at 200,000 packets/s. Smaller when many interfaces
/// are captured, so that the whole stays small; frames that find it full are counted as dropped by the kernel.
inline constexpr std::uint32_t kRingBytes = 4u << 20;
inline constexpr std::uint32_t kRingBytesMany = 1u << 20;
inline constexpr std::size_t kManyInterfaces = 4;

/// The kernel hands over a block of the ring after this time even if it is not full: bounds how late a flow's first
/// packet is seen.
inline constexpr int kRingTimeoutMs = 10;

/// Flows per interface process, live ones and ended ones not yet reported. From seven eighths of it on, half-open and
/// one-packet flows that are silent for 2 s are ended (evicted) to make room; at the cap a newcomer is counted in the
/// tableFull bucket. A flood of forged addresses can therefore cost detail, never memory, and never a byte of the
/// totals.
inline constexpr std::size_t kMaxFlows = 131072;

/// Records that one tick of one interface can hold: every flow plus the buckets.
inline constexpr std::size_t kMaxTickRecords = kMaxFlows + 64;

/// Addresses per interface that decide local from remote; later ones are ignored.
inline constexpr std::size_t kMaxLocalAddresses = 256;

/// Instructions of a compiled capture filter (BPF_MAXINSNS of the kernel).
inline constexpr std::size_t kMaxFilterInstructions = 4096;

inline constexpr std::uint32_t kMinTickMs = 100;
inline constexpr std::uint32_t kMaxTickMs = 60000;

// --- look-up
/// Owners (process incarnations) that have an id. At the cap the ones that exited longest ago are forgotten; when all
/// are alive, new ones stay without owner and ownerTableFull is said.
inline constexpr std::size_t kMaxOwners = 65536;

/// Payload of one message on the look-up process's channel to the front.
inline constexpr std::size_t kMaxLookupMessageBytes = 60u << 10;

// --- traces
/// Open at once; one more is refused with tooManyTraces.
inline constexpr std::size_t kMaxTraces = 32;

/// Probes that are queued or on the way, over all traces, and as many closed ones that late answers are matched to. A
/// request that would exceed it is refused with tooManyProbes.
inline constexpr std::size_t kMaxOpenProbes = 4096;

inline constexpr std::size_t kMaxProbesPerRequest = 256;
inline constexpr std::size_t kMaxFlowsPerTrace = 64;

/// Duplicate, late and forged answers told per turn of the prober's loop; those beyond are not told. A flood of them
/// costs no memory.
inline constexpr std::size_t kMaxExtraProbeItems = 32;

/// Items that wait for a slow front; from there on answers stay in the sockets, where the kernel drops what is too
/// much.
inline constexpr std::size_t kMaxHeldProbeItems = 8192;

// --- recovery
/// A capture or look-up process that keeps dying is started again after a pause that doubles from the first to the
/// second.
inline constexpr std::uint32_t kRestartFirstMs = 200;
inline constexpr std::uint32_t kRestartLastMs = 30000;

}  // namespace netloupe
