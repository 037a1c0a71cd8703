// Counts every frame of one interface in exactly one flow or bucket (on loopback once for each end), and says at each
// tick what changed. No I/O and no clock: time is an argument. Nothing here allocates, divides or reads a clock per
// packet.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "bounds.h"
#include "decode.h"
#include "flow.h"
#include "lookup_channel.h"
#include "orient.h"
#include "wire.h"

namespace netloupe {

struct MeterOptions {
  std::uint32_t interfaceId = 0;     // goes into the records and makes flow ids unique among meters
  std::uint32_t interfaceIndex = 0;  // goes into look-up requests
  LinkLayer link = LinkLayer::ethernet;
  bool loopback = false;  // every frame is counted twice: sent by one end, received by the other
  bool recorded = false;  // packets of a file: no look-ups, reason recorded
  std::array<std::uint64_t, 2>
      hashSecret{};  // random: whoever sends packets must not be able to choose colliding flows
};

/// Totals of an interface since its start.
struct MeterTotals {
  std::uint64_t rxBytes = 0;
  std::uint64_t txBytes = 0;
  std::uint64_t rxPackets = 0;
  std::uint64_t txPackets = 0;

  bool operator==(const MeterTotals&) const = default;
};

class Meter {
 public:
  /// Reserves the address space of the whole table at once (about 40 MiB; memory is used page by page as flows come),
  /// so that nothing has to be mapped, moved or hashed again later, behind the sandbox.
  explicit Meter(const MeterOptions& options);
  ~Meter();
  Meter(const Meter&) = delete;
  Meter& operator=(const Meter&) = delete;

  void setLinkLayerAddress(const LinkLayerAddress& address);
  void setLocalAddresses(std::span<const LocalAddress> addresses);

  /// Takes one frame: `captured` is read during the call only, `frameBytes` is its length on the wire, `timeUs` is Unix
  /// time. Frames are gathered and counted in groups, which hides the cache misses of the flow table; flush() counts
  /// what was gathered.
  void frame(std::span<const std::uint8_t> captured, std::uint32_t frameBytes, std::uint64_t timeUs);
  void flush();

  /// Moves the meter's clock on: flows that were idle too long end, look-ups that wait for their next attempt become
  /// due. Live: any clock that never steps (CLOCK_BOOTTIME); recorded: the meter follows the packets' time by itself,
  /// and a call is only needed for time after the last packet. Call it at least at every tick and before
  /// takeRequests().
  void advance(std::uint64_t clockUs);

  /// Look-up requests that are due, at most out.size(); call again while it fills `out`.
  std::size_t takeRequests(std::span<LookupRequest> out);

  /// The clock value of advance() at which the next waiting request becomes due; UINT64_MAX when none waits.
  std::uint64_t nextRequestUs() const;

  /// Applies an answer. An answer for a flow that has ended is ignored.
  void reply(const LookupReply& reply);

  /// The look-up process died and its successor knows nothing: every unanswered request is asked again.
  void lookupRestarted();

  /// Begins a tick: from here take() gives every flow that changed (`snapshot`: every flow) up to now. A tick that was
  /// not taken to its end is carried on by the next.
  void beginTick(bool snapshot);

  /// Writes the next records of this tick; fewer than out.size() means that the tick is complete. Frames may be counted
  /// between two calls: each total stays equal to what its records add up to, see totals(). An ended flow is forgotten
  /// once it has been taken.
  std::size_t take(std::span<FlowRecord> out);

  /// What the records taken so far add up to, over every flow that there ever was. What is counted but not yet taken is
  /// not in it.
  const MeterTotals& totals() const;

  /// Everything counted since the start, taken or not.
  MeterTotals counted() const;

  /// Ends every flow; a tick after it gives their last records. No frame is counted after it.
  void endAll(EndReason reason);

  /// Flows that have not ended.
  std::size_t flows() const;

  /// Flows that wait for an answer of the look-up, and flows that it had no room to be asked for.
  std::size_t pendingLookups() const;
  std::size_t overloadedLookups() const;

  /// Frames (on loopback: ends of frames) that went into the tableFull bucket because the flow table was at its cap.
  std::uint64_t tableFullPackets() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace netloupe
