// Any bytes as an answer to probes that are on the way: whatever they are, they are read within their bounds and never
// credited, since they can't hold the random numbers. First byte: which kind of answer; the rest: the message.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <random>
#include <vector>

#include "probe_reply.h"
#include "probe_table.h"

using namespace netloupe;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1 || size > 4096) return 0;
  // From outside the fuzzer's reach: with known numbers it would learn to write right answers.
  static std::mt19937_64 random{std::random_device{}()};
  static constexpr Address kSource{10, 0, 0, 1};
  static constexpr Address kDestination{10, 0, 0, 2};
  ProbeTable table(8, [] { return random(); });
  for (const std::uint8_t protocol : {kProtocolIcmp, kProtocolIcmpV6, kProtocolUdp, kProtocolTcp}) {
    for (const std::uint8_t family : {std::uint8_t{4}, std::uint8_t{6}}) {
      if (protocol == (family == 4 ? kProtocolIcmpV6 : kProtocolIcmp)) continue;
      ProbeFields fields{.family = family,
                         .protocol = protocol,
                         .ttl = 3,
                         .source = kSource,
                         .destination = kDestination,
                         .sourcePort = 40000,
                         .destinationPort = 443};
      fields.packetBytes = static_cast<std::uint16_t>(smallestProbe(family, protocol));
      table.identify(fields);
      table.add(1, 1, 0, fields, 1'000'000, 1'000'000, 1'000'000);
    }
  }

  // A buffer of exactly the message's length: a read behind it is found.
  const std::vector<std::uint8_t> bytes(data + 1, data + size);
  const std::uint8_t family = (data[0] & 1) == 0 ? 4 : 6;
  std::optional<ProbeItem> item;
  if ((data[0] & 2) != 0) {
    if (const auto tcp = parseTcp(family, kDestination, kSource, bytes)) item = table.take(*tcp, 1'000'500, 1'000'500);
  } else if (const auto reply = family == 4 ? parseIcmp4(bytes) : parseIcmp6(bytes)) {
    if (reply->labelCount > kMaxMplsLabels) std::abort();
    item = table.take(*reply, family, kDestination, 1'000'500, 1'000'500);
  }
  parseIpv4(bytes);
  // TCP and echo numbers of 32 and 64 bits are not guessed; 16 bits of a bare quote may be, once in a while.
  if (item && item->outcome == ProbeOutcome::reply && item->icmpType == kUnknownField) std::abort();
  return 0;
}
