// Which end of a packet is this machine, and is it this machine's business at all.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "decode.h"
#include "flow.h"

namespace netloupe {

using LinkLayerAddress = std::array<std::uint8_t, 6>;

/// An address of this machine and the length of its on-link prefix.
struct LocalAddress {
  Address address{};
  std::uint8_t family = 4;
  std::uint8_t prefixLength = 32;
};

/// What this machine answers to.
class Orientation {
 public:
  /// `loopback`: both ends are local, so that every packet goes both ways; the meter counts it once for each end.
  /// `recorded`: the packets come from a file and the addresses may be unknown or somebody else's.
  Orientation(bool loopback, bool recorded) : loopback_(loopback), recorded_(recorded) {}

  /// The interface's own Ethernet address; all zero: it has none.
  void setLinkLayerAddress(const LinkLayerAddress& address);

  /// Every address of the machine, also those of other interfaces: Linux answers to all of them on each. Replaces the
  /// earlier ones; those after the first kMaxLocalAddresses are ignored.
  void setLocalAddresses(std::span<const LocalAddress> addresses);

  /// Sets direction and addressee as far as the packet alone tells them. Live, in this order: the cooked header's
  /// packet type; source link-layer address is ours: tx; destination is ours, a group or broadcast: rx; the IP source
  /// is ours: tx; else rx. In a file only the cooked header or addresses written into the file decide; else the
  /// direction stays unknown. On loopback this says tx: the sender's view.
  void direct(Packet& packet) const;

  /// For a packet of a file that begins a flow without direction: true when its source is the local end. The first that
  /// decides: SYN comes from the local end, SYN-ACK goes to it; a group is never the local end; a private address is
  /// local to a global one; the well-known (lower) port is remote, if it is below 1024 or the other is ephemeral (32768
  /// and up); else the first packet's source is local.
  bool sourceIsLocal(const Packet& packet) const;

  /// Why a flow that begins with this packet can have no owner here: forwarded, notLocal, or none when it may have one.
  Reason foreign(const Packet& packet) const;

  bool isLocal(const Address& address, std::uint8_t family) const;

 private:
  bool isBroadcast(const Address& address, std::uint8_t family) const;

  bool loopback_;
  bool recorded_;
  std::uint64_t linkAddress_ = 0;
  std::vector<LocalAddress> addresses_;  // sorted by address
};

/// IPv4 and IPv6 multicast, and the limited broadcast address.
bool isGroup(const Address& address, std::uint8_t family);

/// Addresses that are not routed on the public internet: RFC 1918, RFC 6598, link-local, loopback, RFC 4193.
bool isPrivate(const Address& address, std::uint8_t family);

/// An Ethernet address as decode.h carries it.
std::uint64_t packed(const LinkLayerAddress& address);

}  // namespace netloupe
