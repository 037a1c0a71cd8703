#include "socket_resolver.h"

#include <linux/if_ether.h>
#include <netinet/in.h>

#include <algorithm>
#include <ctime>
#include <utility>

#include "proc_net.h"

namespace netloupe {

namespace {

// What one exact question costs (two system calls; UDP: mostly also those for the others on its port). A dump is made
// when the questions at hand would cost more than the last dump did.
constexpr std::uint64_t kTcpQuestionUs = 4;
constexpr std::uint64_t kUdpQuestionUs = 40;
constexpr std::uint64_t kFirstDumpUs = 500;

// Sockets in one index (about 11 MiB); sockets beyond it are not found by dumps, only by exact questions.
constexpr std::size_t kMaxIndexed = 131072;

// Sockets that share a UDP port, by port: kept a moment, because they only tell whether an answer is ambiguous. At the
// cap all are dropped.
constexpr std::uint64_t kPortSocketsUs = 500'000;
constexpr std::size_t kMaxPorts = 1024;
constexpr std::size_t kMaxSocketsPerPort = 256;

// Raw, ping and packet sockets that are looked at; machines have a handful, an attacker without privilege can open ping
// sockets only.
constexpr std::size_t kMaxRawSockets = 4096;

constexpr std::uint8_t kIgmp = 2;
constexpr std::uint8_t kL2tp = 115;

std::uint64_t monotonicUs() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(now.tv_nsec) / 1000;
}

Resolution nobody(Reason reason, std::uint32_t uid = 0xffffffff) {
  Resolution resolution;
  resolution.reason = reason;
  resolution.uid = uid;
  return resolution;
}

/// For a flow that has no socket (any more): packets that left had one.
Reason whyNoSocket(const LookupRequest& request) {
  return request.transmitted != 0 ? Reason::socketGone : Reason::noSocket;
}

void addCandidate(Resolution& resolution, std::uint64_t inode, std::uint32_t uid) {
  if (inode != 0 && resolution.count < kMaxCandidates) resolution.candidates[resolution.count++] = {inode, uid};
}

Resolution one(const InetSocket& socket, Attribution attribution) {
  Resolution resolution;
  addCandidate(resolution, socket.inode, socket.uid);
  resolution.attribution = attribution;
  return resolution;
}

bool fitsRaw(const InetSocket& socket, const FlowKey& key) {
  return socket.family == key.family &&
         (isUnspecified(socket.localAddress) || socket.localAddress == key.localAddress) &&
         (isUnspecified(socket.remoteAddress) || socket.remoteAddress == key.remoteAddress);
}

bool isConnectable(std::uint8_t protocol) {
  return protocol == IPPROTO_UDP || protocol == IPPROTO_UDPLITE || protocol == IPPROTO_SCTP || protocol == IPPROTO_DCCP;
}

}  // namespace

void SocketResolver::resolve(std::span<const LookupRequest> requests, std::uint64_t nowUs,
                             std::vector<Resolution>& out) {
  rawRead_ = false;
  const auto prepare = [&](Tables& tables, std::uint8_t protocol, std::uint64_t questionUs) {
    tables.indexed = false;
    const auto questions = static_cast<std::uint64_t>(std::ranges::count_if(
        requests, [&](const LookupRequest& request) { return request.key.protocol == protocol; }));
    if (questions == 0) return;
    const std::uint64_t dumpUs = tables.dumpUs == 0 ? kFirstDumpUs : tables.dumpUs;
    if (!diag_.isAvailable() || questions * questionUs > dumpUs) buildIndex(tables, protocol);
  };
  prepare(tcp_, IPPROTO_TCP, kTcpQuestionUs);
  prepare(udp_, IPPROTO_UDP, kUdpQuestionUs);
  out.clear();
  out.reserve(requests.size());
  for (const LookupRequest& request : requests) out.push_back(resolveOne(request, nowUs));
  for (Tables* tables : {&tcp_, &udp_}) tables->index.clear();
}

void SocketResolver::buildIndex(Tables& tables, std::uint8_t protocol) {
  const std::uint64_t beganUs = monotonicUs();
  tables.index.clear();
  const auto add = [&](const InetSocket& socket) {
    if (tables.index.size() < kMaxIndexed) tables.index.add(socket);
  };
  if (diag_.isAvailable()) {
    tables.indexed = diag_.dump(4, protocol, 0, false, add) && diag_.dump(6, protocol, 0, false, add);
  } else {
    for (const ProcNetTable& table : protocol == IPPROTO_TCP ? kTcpTables : kUdpTables)
      readProcNet(procFolder_, table, add);
    tables.indexed = true;
  }
  tables.index.build();
  tables.dumpUs = std::max<std::uint64_t>(monotonicUs() - beganUs, 1);
}

Resolution SocketResolver::resolveOne(const LookupRequest& request, std::uint64_t nowUs) {
  const FlowKey& key = request.key;
  if (key.family != 4 && key.family != 6)
    return request.transmitted != 0 ? resolveSender(request, Reason::kernel) : nobody(Reason::kernel);
  if (key.protocol == IPPROTO_TCP) return resolveTcp(request);
  if (isConnectable(key.protocol)) return resolveUdp(request, nowUs);
  if (key.protocol == IPPROTO_ICMP || key.protocol == IPPROTO_ICMPV6) return resolveIcmp(request);
  return resolveOther(request);
}

bool SocketResolver::findIn(Tables& tables, const LookupRequest& request, InetSocket& found, bool& ambiguous) {
  if (tables.indexed) {
    const SocketMatch match = tables.index.find(request.key, request.interfaceIndex);
    if (match.best == nullptr) return false;
    found = *match.best;
    ambiguous = match.ambiguous;
    return true;
  }
  ambiguous = false;
  return diag_.query(request.key, request.interfaceIndex, found) == SockDiag::Found::yes;
}

bool SocketResolver::findListener(const LookupRequest& request, InetSocket& found) {
  if (!tcp_.indexed) return diag_.queryListener(request.key, request.interfaceIndex, found) == SockDiag::Found::yes;
  FlowKey anyone = request.key;
  anyone.remoteAddress = {};
  anyone.remotePort = 0;
  const SocketMatch match = tcp_.index.find(anyone, request.interfaceIndex);
  if (match.best != nullptr) found = *match.best;
  return match.best != nullptr;
}

Resolution SocketResolver::resolveTcp(const LookupRequest& request) {
  InetSocket socket;
  bool ambiguous = false;
  if (!findIn(tcp_, request, socket, ambiguous)) return resolveSender(request, whyNoSocket(request));
  if (socket.inode != 0 && socket.state != socket_state::kListen) return one(socket, Attribution::exact);

  // No process holds the connection: it is not accepted yet, or closed already; or there is none any more and the
  // listener was found in its place. The listener's process is the one that accepts or accepted it, unless another
  // shares the listener: hence relaxed.
  const std::uint8_t state = socket.state;
  const bool accepting = state == socket_state::kSynReceived || state == socket_state::kNewSynReceived ||
                         state == socket_state::kEstablished || state == socket_state::kCloseWait;
  // TIME_WAIT and half-open connections are told without a user.
  const bool hasUid = state != socket_state::kTimeWait && state != socket_state::kNewSynReceived;
  const std::uint32_t uid = hasUid ? socket.uid : 0xffffffff;
  InetSocket listener = socket;
  if (state != socket_state::kListen && !findListener(request, listener)) return nobody(Reason::socketGone, uid);
  if (listener.state != socket_state::kListen) return nobody(Reason::socketGone, uid);
  Resolution resolution = one(listener, Attribution::relaxed);
  resolution.provisional = accepting && request.transmitted == 0;
  return resolution;
}

Resolution SocketResolver::resolveUdp(const LookupRequest& request, std::uint64_t nowUs) {
  InetSocket socket;
  bool ambiguous = false;
  Tables notIndexed;
  Tables& tables = request.key.protocol == IPPROTO_UDP ? udp_ : notIndexed;
  if (!tables.indexed && !diag_.isAvailable()) return resolveSender(request, whyNoSocket(request));
  const bool found = findIn(tables, request, socket, ambiguous);
  const bool connected = found && socket.remotePort != 0;
  if (!tables.indexed && !connected) {
    // Another socket on this port may have sent it; or the socket is bound to a device above the one that was captured
    // on. Remembered sockets only say whether an answer is ambiguous: one that may be gone is never an answer.
    const std::vector<InetSocket>& others = socketsOnPort(request.key, nowUs, !found);
    const SocketMatch match = bestOf(others, request.key, request.interfaceIndex);
    if (!found && match.best == nullptr) return resolveSender(request, whyNoSocket(request));
    ambiguous = match.ambiguous;
    if (!found) socket = *match.best;
  } else if (!found) {
    return resolveSender(request, whyNoSocket(request));
  }
  if (socket.inode == 0) return nobody(Reason::socketGone, socket.uid);
  return one(socket, ambiguous ? Attribution::relaxed : Attribution::exact);
}

const std::vector<InetSocket>& SocketResolver::socketsOnPort(const FlowKey& key, std::uint64_t nowUs, bool fresh) {
  const std::uint32_t id = static_cast<std::uint32_t>(key.protocol) << 16 | key.localPort;
  if (ports_.size() >= kMaxPorts && !ports_.contains(id)) ports_.clear();
  PortSockets& port = ports_[id];
  if (!fresh && port.readUs != 0 && nowUs - port.readUs < kPortSocketsUs) return port.sockets;
  port.readUs = nowUs;
  port.sockets.clear();
  const auto add = [&](const InetSocket& socket) {
    if (port.sockets.size() < kMaxSocketsPerPort) port.sockets.push_back(socket);
  };
  // Port 0 would ask for every socket.
  if (key.localPort != 0) {
    if (key.family == 4) diag_.dump(4, key.protocol, key.localPort, false, add);
    diag_.dump(6, key.protocol, key.localPort, false, add);
  }
  return port.sockets;
}

void SocketResolver::readRawTables() {
  if (std::exchange(rawRead_, true)) return;
  rawSockets_.clear();
  pingSockets_.clear();
  packetSockets_.clear();
  const auto addTo = [](auto& sockets) {
    return [&sockets](const auto& socket) {
      if (sockets.size() < kMaxRawSockets) sockets.push_back(socket);
    };
  };
  for (const ProcNetTable& table : kRawTables) readProcNet(procFolder_, table, addTo(rawSockets_));
  for (const ProcNetTable& table : kPingTables) readProcNet(procFolder_, table, addTo(pingSockets_));
  diag_.dumpPacketSockets(addTo(packetSockets_));
}

Resolution SocketResolver::resolveIcmp(const LookupRequest& request) {
  const FlowKey& key = request.key;
  // Answers, errors and neighbour discovery are the kernel's.
  if (key.localPort == 0 || request.transmitted == 0) return nobody(Reason::kernel);
  readRawTables();
  for (const InetSocket& socket : pingSockets_) {
    const bool local = isUnspecified(socket.localAddress) || socket.localAddress == key.localAddress;
    if (socket.localPort == key.localPort && socket.protocol == key.protocol && local)
      return one(socket, Attribution::exact);
  }
  Resolution resolution;
  resolution.attribution = Attribution::relaxed;
  resolution.byIdentifier = true;
  for (const InetSocket& socket : rawSockets_) {
    if (socket.protocol == key.protocol && fitsRaw(socket, key)) addCandidate(resolution, socket.inode, socket.uid);
  }
  return resolution.count > 0 ? resolution : resolveSender(request, Reason::socketGone);
}

Resolution SocketResolver::resolveOther(const LookupRequest& request) {
  const FlowKey& key = request.key;
  // Group membership is the kernel's, whoever listens to it.
  if (key.protocol == kIgmp) return nobody(Reason::kernel);
  readRawTables();
  Resolution resolution;
  for (const InetSocket& socket : rawSockets_) {
    if (socket.protocol == key.protocol && fitsRaw(socket, key)) addCandidate(resolution, socket.inode, socket.uid);
  }
  if (resolution.count > 0) {
    resolution.attribution = resolution.count == 1 ? Attribution::exact : Attribution::relaxed;
    return resolution;
  }
  // Tunnels and what else the kernel speaks itself have no socket.
  switch (key.protocol) {
    case IPPROTO_IPIP:
    case IPPROTO_IPV6:
    case IPPROTO_GRE:
    case IPPROTO_ESP:
    case IPPROTO_AH:
    case IPPROTO_COMP:
    case IPPROTO_PIM:
    case kL2tp:
      return nobody(Reason::kernel);
    default:
      return resolveSender(request, whyNoSocket(request));
  }
}

Resolution SocketResolver::resolveSender(const LookupRequest& request, Reason otherwise, std::uint32_t uid) {
  const FlowKey& key = request.key;
  if (request.transmitted == 0) return nobody(otherwise, uid);
  readRawTables();
  Resolution resolution;
  resolution.attribution = Attribution::relaxed;
  if (key.family != 0) {
    for (const InetSocket& socket : rawSockets_) {
      const bool sends = socket.protocol == IPPROTO_RAW || socket.protocol == key.protocol;
      if (sends && fitsRaw(socket, key)) addCandidate(resolution, socket.inode, socket.uid);
    }
  }
  if (resolution.count == 0) {
    for (const PacketSocket& socket : packetSockets_) {
      const bool here = socket.interfaceIndex == 0 || socket.interfaceIndex == request.interfaceIndex;
      // A socket that receives another kind of frame sends that kind too.
      const bool kind = socket.etherType == 0 || socket.etherType == ETH_P_ALL || socket.etherType == key.etherType;
      if (!socket.captures && here && kind) addCandidate(resolution, socket.inode, socket.uid);
    }
  }
  return resolution.count > 0 ? resolution : nobody(otherwise, uid);
}

}  // namespace netloupe
