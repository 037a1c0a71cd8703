#pragma once
// Pacing to an absolute schedule: unit k is due at start + k / rate, so that late wake-ups never add up.

#include <cstdint>
#include <time.h>

namespace lab {

inline uint64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(now.tv_nsec);
}

class Pace {
 public:
  // Units per second; 0 is as fast as possible.
  explicit Pace(uint64_t units_per_second) : rate_(units_per_second), start_ns_(now_ns()) {}

  // Returns when `units` units may have been sent in all.
  void wait_for(uint64_t units) const {
    if (rate_ == 0) return;
    const auto due_ns =
        start_ns_ + static_cast<uint64_t>(static_cast<__uint128_t>(units) * 1'000'000'000u / rate_);
    // A sleep wakes up some ten microseconds late: the last stretch is spun.
    constexpr uint64_t kSpinNs = 60'000;
    if (now_ns() + kSpinNs < due_ns) {
      const uint64_t wake_ns = due_ns - kSpinNs;
      const timespec wake{static_cast<time_t>(wake_ns / 1'000'000'000u),
                          static_cast<long>(wake_ns % 1'000'000'000u)};
      clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &wake, nullptr);
    }
    while (now_ns() < due_ns) {
    }
  }

 private:
  uint64_t rate_;
  uint64_t start_ns_;
};

}  // namespace lab
