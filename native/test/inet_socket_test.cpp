#include "inet_socket.h"

#include <doctest/doctest.h>

#include <string>

#include "socket_kit.h"

using namespace netloupe;
using netloupe::test::addressFrom;
using netloupe::test::endpoint;
using netloupe::test::flowKey;

namespace {

InetSocket socketOf(std::uint8_t family, const std::string& local, std::uint16_t localPort,
                    const std::string& remote = {}, std::uint16_t remotePort = 0, std::uint64_t inode = 1) {
  InetSocket socket;
  socket.family = family;
  socket.protocol = 17;
  if (!local.empty()) socket.localAddress = addressFrom(local);
  if (!remote.empty()) socket.remoteAddress = addressFrom(remote);
  socket.localPort = localPort;
  socket.remotePort = remotePort;
  socket.inode = inode;
  return socket;
}

const FlowKey kFlow = [] {
  FlowKey key;
  key.family = 4;
  key.protocol = 17;
  key.localAddress = {10, 0, 0, 1};
  key.remoteAddress = {10, 0, 0, 2};
  key.localPort = 5000;
  key.remotePort = 53;
  return key;
}();

}  // namespace

TEST_CASE("inet socket: connected before bound before wildcard") {
  const int wildcard = fitOf(socketOf(4, "", 5000), kFlow, 2, false);
  const int bound = fitOf(socketOf(4, "10.0.0.1", 5000), kFlow, 2, false);
  const int connected = fitOf(socketOf(4, "10.0.0.1", 5000, "10.0.0.2", 53), kFlow, 2, false);
  CHECK(wildcard >= 0);
  CHECK(wildcard < bound);
  CHECK(bound < connected);
}

TEST_CASE("inet socket: another port, protocol, address or peer does not fit") {
  CHECK(fitOf(socketOf(4, "", 5001), kFlow, 2, false) < 0);
  CHECK(fitOf(socketOf(4, "10.0.0.9", 5000), kFlow, 2, false) < 0);
  CHECK(fitOf(socketOf(4, "", 5000, "10.0.0.9", 53), kFlow, 2, false) < 0);
  CHECK(fitOf(socketOf(4, "", 5000, "10.0.0.2", 54), kFlow, 2, false) < 0);
  InetSocket tcp = socketOf(4, "", 5000);
  tcp.protocol = 6;
  CHECK(fitOf(tcp, kFlow, 2, false) < 0);
}

TEST_CASE("inet socket: IPv6 sockets carry IPv4 unless they may not") {
  CHECK(fitOf(socketOf(6, "", 5000), kFlow, 2, false) >= 0);
  CHECK(fitOf(socketOf(6, "::ffff:10.0.0.1", 5000), kFlow, 2, false) >= 0);
  CHECK(fitOf(socketOf(6, "::ffff:10.0.0.1", 5000, "::ffff:10.0.0.2", 53), kFlow, 2, false) >= 8);
  CHECK(fitOf(socketOf(6, "fd00::1", 5000), kFlow, 2, false) < 0);
  InetSocket only6 = socketOf(6, "", 5000);
  only6.v6Only = true;
  CHECK(fitOf(only6, kFlow, 2, false) < 0);
  const FlowKey v6 = flowKey(17, endpoint("fd00::1", 5000), endpoint("fd00::2", 53));
  CHECK(fitOf(only6, v6, 2, false) >= 0);
  CHECK(fitOf(socketOf(4, "", 5000), v6, 2, false) < 0);
}

TEST_CASE("inet socket: a bound device counts, another one only as a last resort") {
  InetSocket here = socketOf(4, "", 5000);
  here.interfaceIndex = 2;
  InetSocket there = socketOf(4, "", 5000, "", 0, 7);
  there.interfaceIndex = 9;
  CHECK(fitOf(here, kFlow, 2, false) > fitOf(socketOf(4, "", 5000), kFlow, 2, false));
  CHECK(fitOf(there, kFlow, 2, false) < 0);
  const SocketMatch match = bestOf(std::span(&there, 1), kFlow, 2);
  REQUIRE(match.best != nullptr);
  CHECK(match.best->inode == 7);
}

TEST_CASE("inet socket: several that fit are ambiguous, a connected one is not") {
  std::vector<InetSocket> sockets = {socketOf(4, "", 5000, "", 0, 1), socketOf(4, "10.0.0.1", 5000, "", 0, 2)};
  SocketMatch match = bestOf(sockets, kFlow, 2);
  REQUIRE(match.best != nullptr);
  CHECK(match.best->inode == 2);
  CHECK(match.ambiguous);
  sockets.push_back(socketOf(4, "10.0.0.1", 5000, "10.0.0.2", 53, 3));
  match = bestOf(sockets, kFlow, 2);
  REQUIRE(match.best != nullptr);
  CHECK(match.best->inode == 3);
  CHECK_FALSE(match.ambiguous);
  CHECK(bestOf({}, kFlow, 2).best == nullptr);
}

TEST_CASE("socket index: finds what a search through all would find") {
  SocketIndex index;
  std::vector<InetSocket> all;
  std::uint64_t inode = 0;
  std::uint32_t random = 1;
  const auto next = [&](std::uint32_t below) {
    random = random * 1664525 + 1013904223;
    return (random >> 8) % below;
  };
  // Few ports and addresses, so that everything meets everything.
  const auto address = [&](std::uint8_t family) {
    Address result{};
    const std::uint8_t last = static_cast<std::uint8_t>(1 + next(3));
    if (family == 4) return Address{10, 0, 0, last};
    if (next(2) == 0) return addressFrom("::ffff:10.0.0." + std::to_string(last));
    result = addressFrom("fd00::" + std::to_string(last));
    return result;
  };
  for (int i = 0; i < 300; ++i) {
    InetSocket socket;
    socket.protocol = 17;
    socket.family = next(2) == 0 ? 4 : 6;
    socket.inode = ++inode;
    socket.localPort = static_cast<std::uint16_t>(1 + next(4));
    if (next(2) == 0) socket.localAddress = address(socket.family);
    if (next(3) == 0) {
      socket.remoteAddress = address(socket.family);
      socket.remotePort = static_cast<std::uint16_t>(1 + next(4));
    }
    socket.v6Only = next(8) == 0;
    index.add(socket);
    all.push_back(socket);
  }
  index.build();
  for (int i = 0; i < 2000; ++i) {
    FlowKey key;
    key.protocol = 17;
    key.family = next(2) == 0 ? 4 : 6;
    do key.localAddress = address(key.family);
    while (key.family == 6 && isV4Mapped(key.localAddress));
    do key.remoteAddress = address(key.family);
    while (key.family == 6 && isV4Mapped(key.remoteAddress));
    key.localPort = static_cast<std::uint16_t>(1 + next(5));
    key.remotePort = static_cast<std::uint16_t>(1 + next(5));
    const SocketMatch ours = index.find(key, 2);
    const SocketMatch theirs = bestOf(all, key, 2);
    REQUIRE((ours.best == nullptr) == (theirs.best == nullptr));
    if (ours.best == nullptr) continue;
    CHECK(fitOf(*ours.best, key, 2, true) == fitOf(*theirs.best, key, 2, true));
    CHECK(ours.ambiguous == theirs.ambiguous);
  }
}
