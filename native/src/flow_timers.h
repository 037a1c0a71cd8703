// When a flow is to be looked at again: a timing wheel of one-second buckets, linked through the flows themselves. Its
// cost is that of the flows that are due, however many there are.
#pragma once

#include <array>
#include <cstdint>

#include "flow_table.h"

namespace netloupe {

class FlowTimers {
 public:
  /// The farthest a flow can be scheduled ahead; whoever waits longer is scheduled again then.
  static constexpr std::uint32_t kHorizonS = 1023;

  explicit FlowTimers(FlowTable& flows);

  /// (Re)schedules a flow for the given second of the meter clock (modulo 2^32), between the next one and the horizon.
  void schedule(Slot slot, std::uint32_t dueS);

  void cancel(Slot slot);

  /// True when the flow is scheduled at or before `dueS`.
  bool dueBy(Slot slot, std::uint32_t dueS) const;

  /// Takes the next flow that is due at `nowS` out of the wheel; kNoSlot when there is none.
  Slot next(std::uint32_t nowS);

 private:
  static constexpr std::uint32_t kBuckets = kHorizonS + 1;
  static_assert((kBuckets & (kBuckets - 1)) == 0, "seconds wrap around at 2^32, buckets must wrap with them");

  FlowTable& flows_;
  std::array<Slot, kBuckets> heads_;
  std::uint32_t hand_ = 0;  // every bucket before this second has been emptied
};

}  // namespace netloupe
