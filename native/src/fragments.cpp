#include "fragments.h"

#include <span>

#include "key_hash.h"

namespace netloupe {

FragmentTable::Entry* FragmentTable::set(const Packet& packet) {
  if (entries_.empty()) entries_.resize(kEntries);
  const std::uint64_t hash = hashEndpoint(secret_, packet.source, packet.fragmentId) ^
                             hashEndpoint(secret_, packet.destination, std::uint64_t{packet.vlanId} << 32);
  return &entries_[(hash >> 32) % kSets * kWays];
}

void FragmentTable::resolve(Packet& packet) {
  if (packet.fragment == Fragment::none || packet.family == 0) return;
  if (packet.fragment == Fragment::first && packet.reason != Reason::none) return;
  const std::span<Entry, kWays> ways(set(packet), kWays);
  Entry* oldest = &ways[0];
  for (Entry& entry : ways) {
    const bool same = entry.family == packet.family && entry.fragmentId == packet.fragmentId &&
                      entry.vlanId == packet.vlanId && entry.source == packet.source &&
                      entry.destination == packet.destination;
    if (same && packet.fragment == Fragment::later) {
      if (packet.timeUs > entry.timeUs + kLifetimeUs) break;
      packet.protocol = entry.protocol;
      packet.sourcePort = entry.sourcePort;
      packet.destinationPort = entry.destinationPort;
      packet.reason = Reason::none;
      return;
    }
    if (same) {
      oldest = &entry;
      break;
    }
    if (entry.timeUs < oldest->timeUs) oldest = &entry;
  }
  if (packet.fragment == Fragment::later) return;
  *oldest = Entry{packet.source,     packet.destination,     packet.timeUs, packet.fragmentId, packet.vlanId,
                  packet.sourcePort, packet.destinationPort, packet.family, packet.protocol};
}

}  // namespace netloupe
