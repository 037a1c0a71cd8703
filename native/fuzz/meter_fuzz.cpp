// A whole life of a meter: frames, time, ticks and look-up answers in any order. Its totals must stay those of its
// records, and each byte must be counted once. Each step is one byte that says what happens, and what it needs.
#include <cstdlib>
#include <map>
#include <vector>

#include "meter.h"

using namespace netloupe;

namespace {

/// Gives zeros when the input is used up.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : rest_(data, size) {}
  bool empty() const { return rest_.empty(); }
  std::uint8_t byte() {
    if (rest_.empty()) return 0;
    const std::uint8_t value = rest_[0];
    rest_ = rest_.subspan(1);
    return value;
  }
  std::span<const std::uint8_t> bytes(std::size_t count) {
    const auto some = rest_.first(std::min(count, rest_.size()));
    rest_ = rest_.subspan(some.size());
    return some;
  }

 private:
  std::span<const std::uint8_t> rest_;
};

void check(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  const std::uint8_t kind = input.byte();
  Meter meter({.interfaceId = 1,
               .interfaceIndex = 1,
               .link = static_cast<LinkLayer>(kind % 8),
               .loopback = (kind & 64) != 0,
               .recorded = (kind & 128) != 0,
               .hashSecret = {1, 2}});
  meter.setLocalAddresses(std::vector<LocalAddress>{{{10, 0, 0, 1}, 4, 24}});
  std::map<std::uint64_t, FlowRecord> flows;
  std::vector<LookupRequest> asked;
  std::uint64_t clockUs = 1'000'000'000;
  std::uint64_t bytes = 0;
  const auto take = [&](std::size_t chunk) {
    std::vector<FlowRecord> records(chunk);
    const std::size_t count = meter.take(records);
    for (const FlowRecord& record : std::span(records).first(count)) {
      const auto before = flows.find(record.flowId);
      check(before == flows.end() || !(before->second.flags & kFlowEnded));
      flows[record.flowId] = record;
    }
    return count;
  };
  meter.advance(clockUs);
  while (!input.empty()) {
    const std::uint8_t what = input.byte();
    switch (what % 6) {
      case 0:
      case 1: {
        const auto frame = input.bytes(input.byte());
        const auto length = static_cast<std::uint32_t>(frame.size() + what);
        bytes += length;
        meter.frame(frame, length, clockUs);
        break;
      }
      case 2:
        clockUs += std::uint64_t{input.byte()} << (what % 32);
        meter.advance(clockUs);
        break;
      case 3:
        meter.beginTick((what & 64) != 0);
        take(1 + what / 8u);
        break;
      case 4: {
        std::vector<LookupRequest> some(8);
        some.resize(meter.takeRequests(some));
        asked.insert(asked.end(), some.begin(), some.end());
        break;
      }
      case 5:
        if (what == 255) meter.lookupRestarted();
        if (asked.empty()) break;
        meter.reply({asked.back().flowId, input.byte(), static_cast<std::uint32_t>(what % 3), 0, Attribution::exact,
                     what % 3 != 0 ? Reason::none : static_cast<Reason>(input.byte() % 16)});
        asked.pop_back();
        break;
    }
  }
  meter.endAll(EndReason::endOfFile);
  meter.beginTick(false);
  while (take(16) == 16) {
  }
  MeterTotals sum;
  for (const auto& [id, record] : flows) {
    check(record.flags & kFlowEnded);
    sum.rxBytes += record.rxBytes;
    sum.txBytes += record.txBytes;
    sum.rxPackets += record.rxPackets;
    sum.txPackets += record.txPackets;
  }
  check(sum == meter.totals() && sum == meter.counted());
  // On loopback a frame is sent and received here: it counts both ways.
  const bool isBothWays = (kind & 64) != 0;
  check(isBothWays ? sum.rxBytes == bytes && sum.txBytes == bytes : sum.rxBytes + sum.txBytes == bytes);
  check(meter.flows() == 0 && meter.pendingLookups() == 0 && meter.overloadedLookups() == 0);
  return 0;
}
