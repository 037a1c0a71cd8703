// How fast probes may leave. Pure: time is handed in.
#pragma once

#include <algorithm>
#include <cstdint>

namespace netloupe {

/// A token bucket: kBurst probes at once, refilled such that no second ever sees more than kMaxPerSecond.
class ProbePacer {
 public:
  static constexpr std::uint64_t kMaxPerSecond = 200;
  static constexpr std::uint64_t kBurst = 32;

  /// True when a probe may leave now, which is counted.
  bool take(std::uint64_t nowUs) {
    fill(nowUs);
    if (credit_ < kCost) return false;
    credit_ -= kCost;
    return true;
  }

  /// When the next one may leave.
  std::uint64_t nextUs(std::uint64_t nowUs) {
    fill(nowUs);
    return credit_ >= kCost ? nowUs : nowUs + (kCost - credit_ + kRefill - 1) / kRefill;
  }

 private:
  // Credit is counted in millionths of a probe.
  static constexpr std::uint64_t kCost = 1'000'000;
  static constexpr std::uint64_t kRefill = kMaxPerSecond - kBurst;

  void fill(std::uint64_t nowUs) {
    const std::uint64_t passedUs =
        std::min<std::uint64_t>(nowUs - std::min(lastUs_, nowUs), kBurst * kCost / kRefill + 1);
    credit_ = std::min(credit_ + passedUs * kRefill, kBurst * kCost);
    lastUs_ = nowUs;
  }

  std::uint64_t credit_ = kBurst * kCost;
  std::uint64_t lastUs_ = 0;
};

}  // namespace netloupe
