#include "probe_packet.h"

#include <algorithm>

namespace netloupe {

namespace {

constexpr std::size_t kIpv4HeaderBytes = 20;
constexpr std::size_t kIpv6HeaderBytes = 40;
constexpr std::size_t kUdpHeaderBytes = 8;
constexpr std::size_t kEchoHeaderBytes = 8;
constexpr std::size_t kSynBytes = 24;  // with the maximum segment size, without which some firewalls drop it
constexpr std::size_t kFillerBytes = 2;
constexpr std::size_t kPayloadBytes = kTokenBytes + kFillerBytes;

constexpr std::uint8_t kDontFragment = 0x40;
constexpr std::uint8_t kEchoRequest = 8;
constexpr std::uint8_t kEchoRequest6 = 128;
constexpr std::uint8_t kSyn = 2;

void put16(std::span<std::uint8_t> at, std::size_t offset, std::uint32_t value) {
  at[offset] = static_cast<std::uint8_t>(value >> 8);
  at[offset + 1] = static_cast<std::uint8_t>(value);
}

void put32(std::span<std::uint8_t> at, std::size_t offset, std::uint32_t value) {
  put16(at, offset, value >> 16);
  put16(at, offset + 2, value & 0xffff);
}

std::uint16_t negated(std::uint32_t sum) {
  return static_cast<std::uint16_t>(~fold(sum));
}

void putToken(std::span<std::uint8_t> payload, std::uint64_t token) {
  for (std::size_t i = 0; i < kTokenBytes; ++i)
    payload[i] = static_cast<std::uint8_t>(token >> (8 * (kTokenBytes - 1 - i)));
}

/// The word that makes a sum of `others` come out as the checksum `wanted`.
std::uint16_t fillerFor(std::uint16_t wanted, std::uint32_t others) {
  return fold(static_cast<std::uint32_t>(static_cast<std::uint16_t>(~wanted)) + negated(others));
}

std::size_t ipHeaderBytes(std::uint8_t family) {
  return family == 4 ? kIpv4HeaderBytes : kIpv6HeaderBytes;
}

void writeIp4(const ProbeFields& fields, std::span<std::uint8_t> packet) {
  packet[0] = 0x45;
  packet[1] = fields.tos;
  put16(packet, 2, fields.packetBytes);
  put16(packet, 4, fields.sequence & 0xffff);
  packet[6] = kDontFragment;
  packet[8] = fields.ttl;
  packet[9] = fields.protocol;
  std::copy_n(fields.source.begin(), 4, packet.begin() + 12);
  std::copy_n(fields.destination.begin(), 4, packet.begin() + 16);
  put16(packet, 10, negated(sumOf(packet.first(kIpv4HeaderBytes))));
}

void writeIp6(const ProbeFields& fields, std::span<std::uint8_t> packet) {
  put32(packet, 0, 6u << 28 | static_cast<std::uint32_t>(fields.tos) << 20 | (fields.flowLabel & 0xfffff));
  put16(packet, 4, static_cast<std::uint32_t>(fields.packetBytes - kIpv6HeaderBytes));
  packet[6] = fields.protocol;
  packet[7] = fields.ttl;
  std::copy_n(fields.source.begin(), 16, packet.begin() + 8);
  std::copy_n(fields.destination.begin(), 16, packet.begin() + 24);
}

/// `pseudo`: sum of the pseudo-header; 0 for ICMP over IPv4, which has none.
void writeEcho(const ProbeFields& fields, std::span<std::uint8_t> echo, std::uint32_t pseudo) {
  echo[0] = fields.family == 4 ? kEchoRequest : kEchoRequest6;
  put16(echo, 4, fields.sourcePort);
  put16(echo, 6, fields.sequence & 0xffff);
  putToken(echo.subspan(kEchoHeaderBytes), fields.token);
  put16(echo, kEchoHeaderBytes + kTokenBytes, fillerFor(fields.icmpChecksum, sumOf(echo, pseudo)));
  put16(echo, 2, fields.icmpChecksum);
}

void writeUdp(const ProbeFields& fields, std::span<std::uint8_t> udp, std::uint32_t pseudo) {
  put16(udp, 0, fields.sourcePort);
  put16(udp, 2, fields.destinationPort);
  put16(udp, 4, static_cast<std::uint32_t>(udp.size()));
  putToken(udp.subspan(kUdpHeaderBytes), fields.token);
  const auto checksum = static_cast<std::uint16_t>(fields.sequence);
  put16(udp, kUdpHeaderBytes + kTokenBytes, fillerFor(checksum, sumOf(udp, pseudo)));
  put16(udp, 6, checksum);
}

void writeSyn(const ProbeFields& fields, std::span<std::uint8_t> tcp, std::uint32_t pseudo) {
  put16(tcp, 0, fields.sourcePort);
  put16(tcp, 2, fields.destinationPort);
  put32(tcp, 4, fields.sequence);
  tcp[12] = static_cast<std::uint8_t>(kSynBytes / 4 << 4);
  tcp[13] = kSyn;
  put16(tcp, 14, 0xffff);
  tcp[20] = 2;  // maximum segment size
  tcp[21] = 4;
  put16(tcp, 22, fields.family == 4 ? 1460 : 1440);
  put16(tcp, 16, negated(sumOf(tcp, pseudo)));
}

}  // namespace

std::uint32_t sumOf(std::span<const std::uint8_t> bytes, std::uint32_t before) {
  std::uint32_t sum = before;
  std::size_t at = 0;
  for (; at + 1 < bytes.size(); at += 2) sum += static_cast<std::uint32_t>(bytes[at] << 8 | bytes[at + 1]);
  if (at < bytes.size()) sum += static_cast<std::uint32_t>(bytes[at] << 8);
  return sum;
}

std::uint16_t fold(std::uint32_t sum) {
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(sum);
}

std::uint32_t pseudoSum(std::uint8_t family, std::uint8_t protocol, const Address& source, const Address& destination,
                        std::size_t bytes) {
  if (family == 4 && protocol == kProtocolIcmp) return 0;
  const std::size_t length = family == 4 ? 4 : 16;
  const std::uint32_t addresses = sumOf(std::span(destination).first(length), sumOf(std::span(source).first(length)));
  return addresses + protocol + static_cast<std::uint32_t>(bytes);
}

std::size_t smallestProbe(std::uint8_t family, std::uint8_t protocol) {
  const std::size_t transport = protocol == kProtocolTcp
                                    ? kSynBytes
                                    : kPayloadBytes + (protocol == kProtocolUdp ? kUdpHeaderBytes : kEchoHeaderBytes);
  return ipHeaderBytes(family) + transport;
}

std::span<const std::uint8_t> buildProbe(const ProbeFields& fields, std::span<std::uint8_t> buffer) {
  const std::size_t bytes = fields.packetBytes;
  if (bytes < smallestProbe(fields.family, fields.protocol) || bytes > buffer.size()) return {};
  const std::span<std::uint8_t> packet = buffer.first(bytes);
  std::fill(packet.begin(), packet.end(), std::uint8_t{0});
  const std::span<std::uint8_t> transport = packet.subspan(ipHeaderBytes(fields.family));
  const std::uint32_t pseudo =
      pseudoSum(fields.family, fields.protocol, fields.source, fields.destination, transport.size());
  if (fields.family == 4) {
    writeIp4(fields, packet);
  } else {
    writeIp6(fields, packet);
  }
  switch (fields.protocol) {
    case kProtocolUdp:
      writeUdp(fields, transport, pseudo);
      break;
    case kProtocolTcp:
      writeSyn(fields, transport, pseudo);
      break;
    default:
      writeEcho(fields, transport, pseudo);
  }
  return packet;
}

std::span<const std::uint8_t> buildPayload(const ProbeFields& fields, std::size_t bytes,
                                           std::span<std::uint8_t> buffer) {
  if (bytes < kPayloadBytes || bytes > buffer.size()) return {};
  const std::span<std::uint8_t> payload = buffer.first(bytes);
  std::fill(payload.begin(), payload.end(), std::uint8_t{0});
  putToken(payload, fields.token);
  put16(payload, kTokenBytes, fillerFor(fields.icmpChecksum, sumOf(payload) + (fields.sequence & 0xffff)));
  return payload;
}

}  // namespace netloupe
