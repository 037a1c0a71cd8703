#include "frames.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cstdio>
#include <cstring>

#include "options.hpp"

namespace lab {
namespace {

constexpr size_t kIpv4HeaderBytes = 20;

void put16(uint8_t* at, uint32_t value) {
  at[0] = static_cast<uint8_t>(value >> 8);
  at[1] = static_cast<uint8_t>(value);
}

void put32(uint8_t* at, uint32_t value) {
  put16(at, value >> 16);
  put16(at + 2, value & 0xffff);
}

// RFC 1071 sum of big-endian words, not yet folded.
uint32_t word_sum(const uint8_t* data, size_t bytes) {
  uint32_t sum = 0;
  for (size_t i = 0; i + 1 < bytes; i += 2) sum += static_cast<uint32_t>(data[i] << 8 | data[i + 1]);
  if (bytes % 2) sum += static_cast<uint32_t>(data[bytes - 1] << 8);
  return sum;
}

uint32_t fold(uint32_t sum) {
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}

void build_one(const FrameSpec& spec, uint32_t flow, uint8_t* frame) {
  uint8_t* at = frame;
  std::copy(spec.destination_mac.begin(), spec.destination_mac.end(), at);
  std::copy(spec.source_mac.begin(), spec.source_mac.end(), at + 6);
  at += 12;
  for (size_t i = 0; i < spec.vlan_ids.size(); ++i) {
    const bool outer_of_two = i + 1 < spec.vlan_ids.size();
    put16(at, outer_of_two ? 0x88a8 : 0x8100);
    put16(at + 2, spec.vlan_ids[i]);
    at += 4;
  }
  put16(at, 0x0800);
  at += 2;

  const size_t ip_bytes = spec.frame_bytes - static_cast<size_t>(at - frame);
  const size_t segment_bytes = ip_bytes - kIpv4HeaderBytes;
  uint8_t* ip = at;
  ip[0] = 0x45;
  put16(ip + 2, static_cast<uint32_t>(ip_bytes));
  put16(ip + 6, 0x4000);
  ip[8] = 64;
  ip[9] = spec.tcp ? 6 : 17;
  put32(ip + 12, spec.source_address + flow / kPortsPerAddress);
  put32(ip + 16, spec.destination_address);
  put16(ip + 10, fold(word_sum(ip, kIpv4HeaderBytes)));

  uint8_t* segment = ip + kIpv4HeaderBytes;
  put16(segment, kFirstSourcePort + flow % kPortsPerAddress);
  put16(segment + 2, spec.destination_port);
  size_t checksum_at = 6;
  if (spec.tcp) {
    put32(segment + 4, flow + 1);
    put32(segment + 8, 1);
    segment[12] = 5 << 4;
    segment[13] = 0x10;
    put16(segment + 14, 64240);
    checksum_at = 16;
  } else {
    put16(segment + 4, static_cast<uint32_t>(segment_bytes));
  }
  const uint32_t pseudo = word_sum(ip + 12, 8) + ip[9] + static_cast<uint32_t>(segment_bytes);
  put16(segment + checksum_at, fold(pseudo + word_sum(segment, segment_bytes)));
}

}  // namespace

std::vector<uint8_t> build_frames(const FrameSpec& spec, size_t flows) {
  const size_t headers = 14 + 4 * spec.vlan_ids.size() + kIpv4HeaderBytes + (spec.tcp ? 20u : 8u);
  if (spec.frame_bytes < headers || spec.frame_bytes > 1514 + 4 * spec.vlan_ids.size())
    usage_error("--size must be from " + std::to_string(headers) + " to a full Ethernet frame");
  std::vector<uint8_t> frames(flows * spec.frame_bytes);
  for (size_t i = 0; i < flows; ++i)
    build_one(spec, static_cast<uint32_t>(i), frames.data() + i * spec.frame_bytes);
  return frames;
}

Mac parse_mac(const std::string& text) {
  Mac mac{};
  int consumed = 0;
  const int fields = std::sscanf(text.c_str(), "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &mac[0], &mac[1], &mac[2],
                                 &mac[3], &mac[4], &mac[5], &consumed);
  if (fields != 6 || static_cast<size_t>(consumed) != text.size()) usage_error("not a MAC address: " + text);
  return mac;
}

uint32_t parse_ipv4(const std::string& text) {
  in_addr address{};
  if (inet_pton(AF_INET, text.c_str(), &address) != 1) usage_error("not an IPv4 address: " + text);
  return ntohl(address.s_addr);
}

}  // namespace lab
