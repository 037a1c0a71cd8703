// From a flow to the kernel socket that carries it: the first half of a look-up; whose socket it is comes after
// (socket_owners.h).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "flow.h"
#include "inet_socket.h"
#include "lookup_channel.h"
#include "sock_diag.h"

namespace netloupe {

struct SocketCandidate {
  std::uint64_t inode = 0;
  std::uint32_t uid = 0xffffffff;
};

inline constexpr std::size_t kMaxCandidates = 8;

/// The socket of a flow, or the few that it may be. With several, the flow has an owner only if all of them lead to the
/// same one, or if one owner's pid gives the ICMP identifier.
struct Resolution {
  std::array<SocketCandidate, kMaxCandidates> candidates{};
  std::uint8_t count = 0;
  Attribution attribution = Attribution::none;
  Reason reason = Reason::none;    // without candidates: why
  bool provisional = false;        // a connection that nobody has accepted yet: the listener's socket stands in
  bool byIdentifier = false;       // raw ICMP sockets: ping uses the low bits of its pid as identifier
  std::uint32_t uid = 0xffffffff;  // of a socket that no process holds any more

  std::span<const SocketCandidate> sockets() const { return std::span(candidates).first(count); }
};

class SocketResolver {
 public:
  /// Opens its netlink sockets. `procFolder` is /proc.
  explicit SocketResolver(int procFolder) : procFolder_(procFolder) {}

  /// False: without sock_diag, everything comes from /proc/net, slower and without bound devices.
  bool hasSockDiag() const { return diag_.isAvailable(); }

  /// One Resolution per request, in order. The more requests at once, the cheaper each: many are answered from one dump
  /// of the table.
  void resolve(std::span<const LookupRequest> requests, std::uint64_t nowUs, std::vector<Resolution>& out);

 private:
  /// How one protocol's sockets are found during one resolve(): asked for one by one, or in a dump that is made once.
  struct Tables {
    SocketIndex index;
    bool indexed = false;
    std::uint64_t dumpUs = 0;  // what the last dump took
  };
  struct PortSockets {
    std::vector<InetSocket> sockets;
    std::uint64_t readUs = 0;
  };

  Resolution resolveOne(const LookupRequest& request, std::uint64_t nowUs);
  Resolution resolveTcp(const LookupRequest& request);
  Resolution resolveUdp(const LookupRequest& request, std::uint64_t nowUs);
  Resolution resolveIcmp(const LookupRequest& request);
  Resolution resolveOther(const LookupRequest& request);
  /// Sockets that send whole packets: raw sockets that write their own header, packet sockets. For packets that no
  /// socket of their own protocol accounts for.
  Resolution resolveSender(const LookupRequest& request, Reason otherwise, std::uint32_t uid = 0xffffffff);

  bool findIn(Tables& tables, const LookupRequest& request, InetSocket& found, bool& ambiguous);
  bool findListener(const LookupRequest& request, InetSocket& found);
  const std::vector<InetSocket>& socketsOnPort(const FlowKey& key, std::uint64_t nowUs, bool fresh);
  void buildIndex(Tables& tables, std::uint8_t protocol);
  void readRawTables();

  int procFolder_;
  SockDiag diag_;
  Tables tcp_;
  Tables udp_;
  std::unordered_map<std::uint32_t, PortSockets> ports_;
  // Read at most once per resolve().
  bool rawRead_ = false;
  std::vector<InetSocket> rawSockets_;
  std::vector<InetSocket> pingSockets_;
  std::vector<PacketSocket> packetSockets_;
};

}  // namespace netloupe
