// Flows that wait to be asked for: at once, or after the pause before another attempt.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "page_array.h"

namespace netloupe {

/// Pauses before the second attempt and those after it. A socket that is not found after the last of them will not be
/// found.
inline constexpr std::array<std::uint64_t, 4> kLookupPausesUs{50'000, 200'000, 1'000'000, 5'000'000};

/// First attempts and verifications in one queue, and one queue per pause: within each the order of arrival is the
/// order of coming due. Each holds kCapacity flows. A flood of new flows fills the first one; flows that find no room
/// stay overloaded and are asked for when there is room again, so it delays names but takes no memory.
class LookupQueue {
 public:
  static constexpr std::size_t kCapacity = 8192;
  static constexpr std::uint8_t kVerification = 255;

  struct Entry {
    std::uint64_t flowId;
    std::uint64_t dueUs;
    std::uint8_t attempt;
  };

  LookupQueue();

  /// `attempt` as in LookupRequest. False: no room.
  bool push(std::uint64_t flowId, std::uint8_t attempt, std::uint64_t nowUs);

  /// The next flow that is due.
  bool pop(std::uint64_t nowUs, Entry& entry);

  /// When the next flow becomes due; UINT64_MAX: none waits.
  std::uint64_t nextDueUs() const;

  /// How many more first attempts and verifications there is room for.
  std::size_t room() const { return kCapacity - queues_[0].count; }

 private:
  static constexpr std::size_t kQueues = 1 + kLookupPausesUs.size();

  struct Queue {
    std::size_t head = 0;
    std::size_t count = 0;
  };

  Entry& at(std::size_t queue, std::size_t position) { return entries_[queue * kCapacity + position % kCapacity]; }
  const Entry& at(std::size_t queue, std::size_t position) const {
    return entries_[queue * kCapacity + position % kCapacity];
  }

  std::array<Queue, kQueues> queues_{};
  PageArray<Entry> entries_;
};

}  // namespace netloupe
