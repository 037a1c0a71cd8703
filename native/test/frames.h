// Builds frames byte by byte from the standards, independently of decode.cpp. Each layer takes the bytes of the layer
// above it.
#pragma once

#include <arpa/inet.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "flow.h"

namespace netloupe::frames {

using Bytes = std::vector<std::uint8_t>;

inline void put16(Bytes& out, unsigned value) {
  out.push_back(static_cast<std::uint8_t>(value >> 8));
  out.push_back(static_cast<std::uint8_t>(value));
}

inline void put32(Bytes& out, std::uint32_t value) {
  put16(out, value >> 16);
  put16(out, value & 0xffff);
}

inline void append(Bytes& out, const Bytes& more) {
  out.insert(out.end(), more.begin(), more.end());
}

inline Bytes filler(std::size_t bytes) {
  return Bytes(bytes, 0x5a);
}

/// Family 4 or 6 by the text.
inline Address address(const std::string& text) {
  Address out{};
  inet_pton(text.find(':') == std::string::npos ? AF_INET : AF_INET6, text.c_str(), out.data());
  return out;
}

inline Bytes mac(const std::string& text) {
  Bytes out;
  for (std::size_t at = 0; at < text.size(); at += 3) {
    out.push_back(static_cast<std::uint8_t>(std::stoul(text.substr(at, 2), nullptr, 16)));
  }
  return out;
}

inline Bytes ethernet(const std::string& destination, const std::string& source, unsigned etherType,
                      const Bytes& payload) {
  Bytes out = mac(destination);
  append(out, mac(source));
  put16(out, etherType);
  append(out, payload);
  return out;
}

/// What follows the EtherType of a tag: the tag itself, the inner EtherType, the payload.
inline Bytes vlan(unsigned tag, unsigned etherType, const Bytes& payload) {
  Bytes out;
  put16(out, tag);
  put16(out, etherType);
  append(out, payload);
  return out;
}

struct Ipv4Fields {
  unsigned id = 1;
  unsigned fragmentField = 0;  // flags and offset as they stand in the header
  unsigned optionBytes = 0;
  int totalLength = -1;  // -1: the right one
};

inline Bytes ipv4(const std::string& source, const std::string& destination, unsigned protocol, const Bytes& payload,
                  Ipv4Fields fields = {}) {
  Bytes out;
  const std::size_t header = 20 + fields.optionBytes;
  out.push_back(static_cast<std::uint8_t>(0x40 | header / 4));
  out.push_back(0);
  put16(out, fields.totalLength >= 0 ? static_cast<unsigned>(fields.totalLength)
                                     : static_cast<unsigned>(header + payload.size()));
  put16(out, fields.id);
  put16(out, fields.fragmentField);
  out.push_back(64);
  out.push_back(static_cast<std::uint8_t>(protocol));
  put16(out, 0);
  const Address from = address(source);
  const Address to = address(destination);
  out.insert(out.end(), from.begin(), from.begin() + 4);
  out.insert(out.end(), to.begin(), to.begin() + 4);
  out.insert(out.end(), fields.optionBytes, 1);
  append(out, payload);
  return out;
}

inline Bytes ipv6(const std::string& source, const std::string& destination, unsigned nextHeader,
                  const Bytes& payload) {
  Bytes out{0x60, 0, 0, 0};
  put16(out, static_cast<unsigned>(payload.size()));
  out.push_back(static_cast<std::uint8_t>(nextHeader));
  out.push_back(64);
  const Address from = address(source);
  const Address to = address(destination);
  out.insert(out.end(), from.begin(), from.end());
  out.insert(out.end(), to.begin(), to.end());
  append(out, payload);
  return out;
}

/// Hop-by-hop, routing and destination options: `units` is the header's own length field.
inline Bytes ipv6Extension(unsigned nextHeader, unsigned units, const Bytes& payload) {
  Bytes out{static_cast<std::uint8_t>(nextHeader), static_cast<std::uint8_t>(units)};
  out.resize((units + 1) * 8);
  append(out, payload);
  return out;
}

inline Bytes ipv6Fragment(unsigned nextHeader, unsigned offsetBytes, bool more, std::uint32_t id,
                          const Bytes& payload) {
  Bytes out{static_cast<std::uint8_t>(nextHeader), 0};
  put16(out, offsetBytes | (more ? 1u : 0u));
  put32(out, id);
  append(out, payload);
  return out;
}

/// RFC 4302: the length field counts 4-byte words, less two.
inline Bytes authentication(unsigned nextHeader, unsigned words, const Bytes& payload) {
  Bytes out{static_cast<std::uint8_t>(nextHeader), static_cast<std::uint8_t>(words - 2)};
  out.resize(words * 4);
  append(out, payload);
  return out;
}

inline Bytes tcp(unsigned sourcePort, unsigned destinationPort, unsigned flags, std::uint32_t sequence,
                 std::uint32_t acknowledgment, std::size_t payloadBytes, unsigned optionBytes = 0) {
  Bytes out;
  put16(out, sourcePort);
  put16(out, destinationPort);
  put32(out, sequence);
  put32(out, acknowledgment);
  out.push_back(static_cast<std::uint8_t>((20 + optionBytes) / 4 << 4));
  out.push_back(static_cast<std::uint8_t>(flags));
  put16(out, 1000);
  put32(out, 0);
  out.insert(out.end(), optionBytes, 1);
  append(out, filler(payloadBytes));
  return out;
}

inline Bytes udp(unsigned sourcePort, unsigned destinationPort, std::size_t payloadBytes) {
  Bytes out;
  put16(out, sourcePort);
  put16(out, destinationPort);
  put16(out, static_cast<unsigned>(8 + payloadBytes));
  put16(out, 0);
  append(out, filler(payloadBytes));
  return out;
}

inline Bytes sctp(unsigned sourcePort, unsigned destinationPort, std::size_t payloadBytes) {
  Bytes out;
  put16(out, sourcePort);
  put16(out, destinationPort);
  put32(out, 7);
  put32(out, 0);
  append(out, filler(payloadBytes));
  return out;
}

inline Bytes icmp(unsigned type, unsigned code, unsigned identifier, std::size_t payloadBytes) {
  Bytes out{static_cast<std::uint8_t>(type), static_cast<std::uint8_t>(code)};
  put16(out, 0);
  put16(out, identifier);
  put16(out, 1);
  append(out, filler(payloadBytes));
  return out;
}

inline Bytes sll(unsigned packetType, unsigned hardwareType, unsigned etherType, const Bytes& payload) {
  Bytes out;
  put16(out, packetType);
  put16(out, hardwareType);
  put16(out, 6);
  append(out, {2, 0, 0, 0, 0, 9, 0, 0});
  put16(out, etherType);
  append(out, payload);
  return out;
}

inline Bytes sll2(unsigned packetType, unsigned hardwareType, unsigned etherType, const Bytes& payload) {
  Bytes out;
  put16(out, etherType);
  put16(out, 0);
  put32(out, 3);
  put16(out, hardwareType);
  out.push_back(static_cast<std::uint8_t>(packetType));
  out.push_back(6);
  append(out, {2, 0, 0, 0, 0, 9, 0, 0});
  append(out, payload);
  return out;
}

}  // namespace netloupe::frames
