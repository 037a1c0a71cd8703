#include "lookup_queue.h"

#include <algorithm>
#include <limits>

namespace netloupe {

LookupQueue::LookupQueue() : entries_(kQueues * kCapacity) {}

bool LookupQueue::push(std::uint64_t flowId, std::uint8_t attempt, std::uint64_t nowUs) {
  const std::size_t number = attempt == kVerification ? 0 : std::min<std::size_t>(attempt, kLookupPausesUs.size());
  Queue& queue = queues_[number];
  if (queue.count == kCapacity) return false;
  at(number, queue.head + queue.count) = {flowId, number == 0 ? nowUs : nowUs + kLookupPausesUs[number - 1], attempt};
  ++queue.count;
  return true;
}

bool LookupQueue::pop(std::uint64_t nowUs, Entry& entry) {
  for (std::size_t number = 0; number < kQueues; ++number) {
    Queue& queue = queues_[number];
    if (queue.count == 0 || at(number, queue.head).dueUs > nowUs) continue;
    entry = at(number, queue.head);
    queue.head = (queue.head + 1) % kCapacity;
    --queue.count;
    return true;
  }
  return false;
}

std::uint64_t LookupQueue::nextDueUs() const {
  std::uint64_t due = std::numeric_limits<std::uint64_t>::max();
  for (std::size_t number = 0; number < kQueues; ++number) {
    if (queues_[number].count > 0) due = std::min(due, at(number, queues_[number].head).dueUs);
  }
  return due;
}

}  // namespace netloupe
