#include "probe_reply.h"

#include <algorithm>

#include "probe_packet.h"

namespace netloupe {

namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::size_t kIcmpHeaderBytes = 8;
constexpr std::size_t kQuotedTransportBytes = 8;  // what RFC 792 promises
constexpr std::size_t kIpv6HeaderBytes = 40;

// RFC 4884 section 5.5: before it there was no length, and extensions stood behind exactly this many bytes.
constexpr std::size_t kOldQuoteBytes = 128;
constexpr std::size_t kExtensionHeaderBytes = 4;
constexpr std::size_t kObjectHeaderBytes = 4;
constexpr std::uint8_t kMplsClass = 1;
constexpr std::uint8_t kIncomingStack = 1;

std::uint16_t get16(Bytes bytes, std::size_t at) {
  return static_cast<std::uint16_t>(bytes[at] << 8 | bytes[at + 1]);
}
std::uint32_t get32(Bytes bytes, std::size_t at) {
  return static_cast<std::uint32_t>(get16(bytes, at)) << 16 | get16(bytes, at + 2);
}

std::optional<Quote> parseQuote4(Bytes bytes) {
  if (bytes.size() < 20 || bytes[0] >> 4 != 4) return std::nullopt;
  const std::size_t header = (bytes[0] & 0xfu) * 4;
  if (header < 20 || bytes.size() < header + kQuotedTransportBytes) return std::nullopt;
  if ((get16(bytes, 6) & 0x1fff) != 0) return std::nullopt;  // no first fragment: no ports
  Quote quote{.family = 4,
              .protocol = bytes[9],
              .tos = bytes[1],
              .totalBytes = get16(bytes, 2),
              .identification = get16(bytes, 4)};
  std::copy_n(bytes.begin() + 12, 4, quote.source.begin());
  std::copy_n(bytes.begin() + 16, 4, quote.destination.begin());
  quote.transport = bytes.subspan(header);
  return quote;
}

std::optional<Quote> parseQuote6(Bytes bytes) {
  if (bytes.size() < kIpv6HeaderBytes + kQuotedTransportBytes || bytes[0] >> 4 != 6) return std::nullopt;
  Quote quote{.family = 6, .protocol = bytes[6], .tos = static_cast<std::uint8_t>(get16(bytes, 0) >> 4)};
  quote.totalBytes = static_cast<std::uint16_t>(std::min<std::size_t>(get16(bytes, 4) + kIpv6HeaderBytes, 0xffff));
  std::copy_n(bytes.begin() + 8, 16, quote.source.begin());
  std::copy_n(bytes.begin() + 24, 16, quote.destination.begin());
  quote.transport = bytes.subspan(kIpv6HeaderBytes);
  return quote;
}

/// The objects of an extension structure (RFC 4884 section 7); false when it is none.
bool readExtensions(Bytes bytes, IcmpReply& reply) {
  if (bytes.size() < kExtensionHeaderBytes || bytes[0] >> 4 != 2) return false;
  if (get16(bytes, 2) != 0 && fold(sumOf(bytes)) != 0xffff) return false;  // 0: the sender has computed none
  for (Bytes left = bytes.subspan(kExtensionHeaderBytes); left.size() >= kObjectHeaderBytes;) {
    const std::size_t length = get16(left, 0);
    if (length < kObjectHeaderBytes || length > left.size()) break;
    if (left[2] == kMplsClass && left[3] == kIncomingStack) {
      for (Bytes stack = left.subspan(kObjectHeaderBytes, length - kObjectHeaderBytes);
           stack.size() >= 4 && reply.labelCount < kMaxMplsLabels; stack = stack.subspan(4)) {
        const std::uint32_t entry = get32(stack, 0);
        reply.labels[reply.labelCount++] = {.label = entry >> 12,
                                            .trafficClass = static_cast<std::uint8_t>(entry >> 9 & 7),
                                            .bottom = static_cast<std::uint8_t>(entry >> 8 & 1),
                                            .ttl = static_cast<std::uint8_t>(entry)};
      }
    }
    left = left.subspan(length);
  }
  return true;
}

/// Cuts what stands behind the ICMP header into quote and extensions. `declared`: length of the quote as the header
/// tells it, 0 not at all.
Bytes quotedBytes(Bytes body, std::size_t declared, IcmpReply& reply) {
  if (declared > 0) {
    if (declared > body.size()) return body;
    readExtensions(body.subspan(declared), reply);
    return body.first(declared);
  }
  if (body.size() > kOldQuoteBytes && readExtensions(body.subspan(kOldQuoteBytes), reply))
    return body.first(kOldQuoteBytes);
  return body;
}

/// A quote is padded with zeros to 128 bytes where extensions follow.
void cutPadding(Quote& quote, std::size_t header) {
  const std::size_t sent = quote.totalBytes > header ? quote.totalBytes - header : 0;
  if (sent >= kQuotedTransportBytes && sent < quote.transport.size()) quote.transport = quote.transport.first(sent);
}

IcmpReply echoReply(Bytes message) {
  IcmpReply reply{.type = message[0], .code = message[1], .isEchoReply = true};
  reply.identifier = get16(message, 4);
  reply.sequence = get16(message, 6);
  reply.payload = message.subspan(kIcmpHeaderBytes);
  return reply;
}

}  // namespace

std::optional<IcmpReply> parseIcmp4(Bytes message) {
  if (message.size() < kIcmpHeaderBytes) return std::nullopt;
  const bool checksumOk = fold(sumOf(message)) == 0xffff;
  constexpr std::uint8_t kEchoReply = 0, kUnreachable = 3, kTimeExceeded = 11, kParameterProblem = 12;
  if (message[0] == kEchoReply) {
    IcmpReply reply = echoReply(message);
    reply.checksumOk = checksumOk;
    return reply;
  }
  if (message[0] != kUnreachable && message[0] != kTimeExceeded && message[0] != kParameterProblem) return std::nullopt;
  IcmpReply reply{.type = message[0], .code = message[1], .checksumOk = checksumOk};
  constexpr std::uint8_t kFragmentationNeeded = 4;
  if (reply.type == kUnreachable && reply.code == kFragmentationNeeded) reply.mtu = get16(message, 6);
  reply.quote = parseQuote4(quotedBytes(message.subspan(kIcmpHeaderBytes), message[5] * 4u, reply));
  if (!reply.quote) return std::nullopt;
  cutPadding(*reply.quote, 20);
  return reply;
}

std::optional<IcmpReply> parseIcmp6(Bytes message) {
  if (message.size() < kIcmpHeaderBytes) return std::nullopt;
  constexpr std::uint8_t kUnreachable = 1, kPacketTooBig = 2, kTimeExceeded = 3, kParameterProblem = 4,
                         kEchoReply = 129;
  if (message[0] == kEchoReply) return echoReply(message);
  if (message[0] < kUnreachable || message[0] > kParameterProblem) return std::nullopt;
  IcmpReply reply{.type = message[0], .code = message[1]};
  if (reply.type == kPacketTooBig) reply.mtu = get32(message, 4);
  // RFC 4884 gives a length to these two only.
  const bool mayHaveLength = reply.type == kUnreachable || reply.type == kTimeExceeded;
  reply.quote = parseQuote6(mayHaveLength ? quotedBytes(message.subspan(kIcmpHeaderBytes), message[4] * 8u, reply)
                                          : message.subspan(kIcmpHeaderBytes));
  if (!reply.quote) return std::nullopt;
  cutPadding(*reply.quote, kIpv6HeaderBytes);
  return reply;
}

std::optional<Ipv4Packet> parseIpv4(Bytes packet) {
  if (packet.size() < 20 || packet[0] >> 4 != 4) return std::nullopt;
  const std::size_t header = (packet[0] & 0xfu) * 4;
  if (header < 20 || packet.size() < header) return std::nullopt;
  Ipv4Packet parsed{.ttl = packet[8], .payload = packet.subspan(header)};
  std::copy_n(packet.begin() + 12, 4, parsed.source.begin());
  std::copy_n(packet.begin() + 16, 4, parsed.destination.begin());
  return parsed;
}

std::optional<TcpReply> parseTcp(std::uint8_t family, const Address& source, const Address& destination,
                                 Bytes segment) {
  if (segment.size() < 20) return std::nullopt;
  const std::uint32_t pseudo = pseudoSum(family, kProtocolTcp, source, destination, segment.size());
  // A segment that never left this machine carries only the pseudo-header's sum: the device would have completed it.
  const bool isPartial = get16(segment, 16) == fold(pseudo);
  return TcpReply{.family = family,
                  .flags = segment[13],
                  .checksumOk = isPartial || fold(sumOf(segment, pseudo)) == 0xffff,
                  .sourcePort = get16(segment, 0),
                  .destinationPort = get16(segment, 2),
                  .acknowledgement = get32(segment, 8),
                  .source = source,
                  .destination = destination};
}

}  // namespace netloupe
