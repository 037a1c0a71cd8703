#include "flow_timers.h"

#include <algorithm>

namespace netloupe {

FlowTimers::FlowTimers(FlowTable& flows) : flows_(flows) {
  heads_.fill(kNoSlot);
}

void FlowTimers::schedule(Slot slot, std::uint32_t dueS) {
  Flow& flow = flows_[slot];
  cancel(slot);
  const auto distance = static_cast<std::int32_t>(dueS - hand_);
  const auto ahead = static_cast<std::uint32_t>(std::clamp<std::int32_t>(distance, 1, kHorizonS));
  const std::uint32_t bucket = (hand_ + ahead) % kBuckets;
  flow.timerBucket = static_cast<std::uint16_t>(bucket + 1);
  flow.timerPrevious = kNoSlot;
  flow.timerNext = heads_[bucket];
  if (flow.timerNext != kNoSlot) flows_[flow.timerNext].timerPrevious = slot;
  heads_[bucket] = slot;
}

void FlowTimers::cancel(Slot slot) {
  Flow& flow = flows_[slot];
  if (flow.timerBucket == 0) return;
  if (flow.timerPrevious != kNoSlot) {
    flows_[flow.timerPrevious].timerNext = flow.timerNext;
  } else {
    heads_[flow.timerBucket - 1u] = flow.timerNext;
  }
  if (flow.timerNext != kNoSlot) flows_[flow.timerNext].timerPrevious = flow.timerPrevious;
  flow.timerBucket = 0;
}

bool FlowTimers::dueBy(Slot slot, std::uint32_t dueS) const {
  const Flow& flow = flows_[slot];
  if (flow.timerBucket == 0) return false;
  const std::uint32_t ahead = (flow.timerBucket - 1u - hand_) % kBuckets;
  return static_cast<std::int32_t>(ahead) <= static_cast<std::int32_t>(dueS - hand_);
}

Slot FlowTimers::next(std::uint32_t nowS) {
  // After a pause longer than the wheel every bucket is due, and once around is enough.
  if (nowS - hand_ > kHorizonS) hand_ = nowS - kHorizonS;
  while (true) {
    const Slot slot = heads_[hand_ % kBuckets];
    if (slot != kNoSlot) {
      cancel(slot);
      return slot;
    }
    if (hand_ == nowS) return kNoSlot;
    ++hand_;
  }
}

}  // namespace netloupe
