#pragma once
// Frames of many distinct flows, built once before the clock starts.

#include <array>
#include <cstdint>
#include <cstddef>
#include <string>
#include <vector>

namespace lab {

using Mac = std::array<uint8_t, 6>;

struct FrameSpec {
  Mac source_mac{};
  Mac destination_mac{};
  std::vector<uint16_t> vlan_ids;  // outermost first; two make QinQ
  uint32_t source_address = 0;       // IPv4, host order; flow i adds i / kPortsPerAddress
  uint32_t destination_address = 0;
  uint16_t destination_port = 9;
  bool tcp = false;  // an acknowledgement without payload semantics, otherwise UDP
  size_t frame_bytes = 60;
};

// Source ports of one address before the next address is taken.
constexpr uint32_t kPortsPerAddress = 50'000;
constexpr uint16_t kFirstSourcePort = 10'000;

// `flows` frames of spec.frame_bytes each, one after another, with right checksums. A size that cannot hold the
// headers is a usage error.
std::vector<uint8_t> build_frames(const FrameSpec& spec, size_t flows);

Mac parse_mac(const std::string& text);
// Dotted IPv4 address in host order.
uint32_t parse_ipv4(const std::string& text);

}  // namespace lab
