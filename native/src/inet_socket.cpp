#include "inet_socket.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <tuple>

namespace netloupe {

namespace {

constexpr std::array<std::uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/// One form for an address, whichever family its socket has, so that the order of the index does not depend on it.
Address plain(const Address& address, std::uint8_t family) {
  Address ipv4{};
  return asIpv4(address, family, ipv4) ? ipv4 : address;
}

/// The order of the index.
using OrderKey = std::tuple<std::uint16_t, std::uint16_t, Address>;

struct Before {
  static OrderKey keyOf(const InetSocket& socket) {
    return {socket.localPort, socket.remotePort, plain(socket.remoteAddress, socket.family)};
  }
  static const OrderKey& keyOf(const OrderKey& key) { return key; }

  template <class A, class B>
  bool operator()(const A& a, const B& b) const {
    return keyOf(a) < keyOf(b);
  }
};

bool sameAddress(const InetSocket& socket, const Address& ofSocket, const FlowKey& key, const Address& ofFlow) {
  if (key.family == socket.family) return ofSocket == ofFlow;
  Address ipv4{};
  return key.family == 4 && asIpv4(ofSocket, socket.family, ipv4) && ipv4 == ofFlow;
}

}  // namespace

bool isV4Mapped(const Address& address) {
  return std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), address.begin());
}

bool asIpv4(const Address& address, std::uint8_t family, Address& ipv4) {
  if (family == 4) {
    ipv4 = address;
    return true;
  }
  if (!isV4Mapped(address)) return false;
  ipv4 = {};
  std::copy(address.begin() + kMappedPrefix.size(), address.end(), ipv4.begin());
  return true;
}

bool isUnspecified(const Address& address) {
  return address == Address{};
}

int fitOf(const InetSocket& socket, const FlowKey& key, std::uint32_t interfaceIndex, bool anyDevice) {
  if (socket.protocol != key.protocol || socket.localPort != key.localPort) return -1;
  // An IPv4 socket never carries IPv6; an IPv6 socket carries IPv4 unless it is told not to.
  if (socket.family != key.family && (key.family != 4 || socket.v6Only)) return -1;
  int fit = socket.family == key.family ? 1 : 0;
  if (!isUnspecified(socket.localAddress)) {
    if (!sameAddress(socket, socket.localAddress, key, key.localAddress)) return -1;
    fit += 4;
  }
  if (socket.remotePort != 0 || !isUnspecified(socket.remoteAddress)) {
    if (socket.remotePort != key.remotePort || !sameAddress(socket, socket.remoteAddress, key, key.remoteAddress))
      return -1;
    fit += 8;
  }
  if (socket.interfaceIndex != 0) {
    if (socket.interfaceIndex == interfaceIndex) {
      fit += 4;
    } else if (!anyDevice) {
      return -1;
    }
  }
  return fit;
}

SocketMatch bestOf(std::span<const InetSocket> candidates, const FlowKey& key, std::uint32_t interfaceIndex) {
  SocketMatch match;
  for (const bool anyDevice : {false, true}) {
    int best = -1;
    for (const InetSocket& socket : candidates) {
      const int fit = fitOf(socket, key, interfaceIndex, anyDevice);
      if (fit < 0) continue;
      // A connected socket takes all that is its own; among others any may have sent it, whichever would receive.
      if (match.best != nullptr) match.ambiguous = true;
      if (fit > best) {
        best = fit;
        match.best = &socket;
      }
    }
    if (match.best != nullptr) {
      if (best >= 8) {
        match.ambiguous = std::ranges::count_if(candidates, [&](const InetSocket& socket) {
                            return fitOf(socket, key, interfaceIndex, anyDevice) >= 8;
                          }) > 1;
      }
      return match;
    }
  }
  return match;
}

void SocketIndex::build() {
  std::sort(sockets_.begin(), sockets_.end(), Before{});
}

SocketMatch SocketIndex::find(const FlowKey& key, std::uint32_t interfaceIndex) const {
  const auto range = [&](std::uint16_t remotePort, const Address& remoteAddress) {
    const auto found = std::equal_range(sockets_.begin(), sockets_.end(),
                                        OrderKey(key.localPort, remotePort, remoteAddress), Before{});
    return std::span<const InetSocket>(found.first, found.second);
  };
  // A v4-mapped flow address can't occur on the wire, so the flow's remote address is plain already.
  const SocketMatch connected = bestOf(range(key.remotePort, key.remoteAddress), key, interfaceIndex);
  if (connected.best != nullptr) return connected;
  return bestOf(range(0, Address{}), key, interfaceIndex);
}

}  // namespace netloupe
