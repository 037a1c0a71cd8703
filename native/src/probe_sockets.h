// Raw sockets: whole packets out, ICMP errors, echo replies and TCP segments in, with the kernel's times of sending and
// arrival.
#pragma once

#include <poll.h>

#include <array>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "fd.h"
#include "probe_table.h"

namespace netloupe {

class RawProbeSockets {
 public:
  /// Opens them; needs cap_net_raw. Nothing is let in before listen().
  RawProbeSockets();

  bool isOpen(std::uint8_t family) const { return side(family).send && side(family).icmp && side(family).tcp; }

  /// Which flows' answers are let in by the kernel. `icmp`: errors and echo replies of that family; TCP segments to
  /// `ports`.
  void listen(std::uint8_t family, bool icmp, std::span<const std::uint16_t> ports);

  void addPolls(std::vector<pollfd>& polls) const;

  /// Sends the packet; 0 or errno. `interfaceIndex` 0: where the routes say. Its time of sending is told to the table
  /// by receive().
  int send(const ProbeFields& fields, std::span<const std::uint8_t> packet, int interfaceIndex, ProbeTable::Slot slot);

  /// Takes what has come, a limited number of packets each time: answers to probes of `table` become items. True: there
  /// may be more.
  bool receive(ProbeTable& table, std::vector<ProbeItem>& items);

 private:
  struct Side {
    Fd send;
    Fd icmp;
    Fd tcp;
    bool stamps = false;                                      // the kernel tells when a packet left
    std::uint32_t sent = 0;                                   // packets sent since its count began
    std::unordered_map<std::uint32_t, ProbeTable::Slot> ids;  // of packets whose time of leaving is not known yet
  };

  const Side& side(std::uint8_t family) const { return sides_[family == 4 ? 0 : 1]; }
  Side& side(std::uint8_t family) { return sides_[family == 4 ? 0 : 1]; }
  void readStamps(Side& side, ProbeTable* table);
  bool readIcmp(std::uint8_t family, ProbeTable& table, std::vector<ProbeItem>& items);
  bool readTcp(std::uint8_t family, ProbeTable& table, std::vector<ProbeItem>& items);

  std::array<Side, 2> sides_;
  std::vector<std::uint8_t> buffer_;
};

std::uint64_t unixTimeUs();
std::uint64_t steadyTimeUs();

}  // namespace netloupe
