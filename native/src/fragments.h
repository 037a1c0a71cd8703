// Later fragments carry no ports: this remembers, for a while, to which flow the first one belonged.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "decode.h"

namespace netloupe {

/// At most kEntries datagrams in flight, each for kLifetimeUs (RFC 791 suggests 15 s, Linux holds them 30 s). A
/// newcomer takes the place of the oldest of its four candidates, so a flood of forged first fragments can only make
/// later fragments lose their ports: they are then counted in the flow of their addresses with reason fragment.
class FragmentTable {
 public:
  static constexpr std::size_t kWays = 4;
  static constexpr std::size_t kSets = 256;
  static constexpr std::size_t kEntries = kWays * kSets;
  static constexpr std::uint64_t kLifetimeUs = 30'000'000;

  explicit FragmentTable(const std::array<std::uint64_t, 2>& hashSecret) : secret_(hashSecret) {}

  /// Takes a first fragment's ports and protocol in, or gives them to a later one, whose reason is then none.
  void resolve(Packet& packet);

 private:
  struct Entry {
    Address source;
    Address destination;
    std::uint64_t timeUs;
    std::uint32_t fragmentId;
    std::uint16_t vlanId;
    std::uint16_t sourcePort;
    std::uint16_t destinationPort;
    std::uint8_t family;  // 0: free
    std::uint8_t protocol;
  };

  Entry* set(const Packet& packet);

  std::array<std::uint64_t, 2> secret_;
  std::vector<Entry> entries_;  // made with the first fragment: most interfaces never see one
};

}  // namespace netloupe
