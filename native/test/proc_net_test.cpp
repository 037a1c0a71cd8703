#include "proc_net.h"

#include <fcntl.h>

#include <doctest/doctest.h>

#include <cstdio>
#include <string>

#include "socket_kit.h"

using namespace netloupe;
using namespace netloupe::test;

TEST_CASE("proc_net: lines of the kernel's documentation") {
  const auto tcp = parseProcNetLine(
      "   0: 0100007F:1F90 0200007F:0035 01 00000010:00000020 00:00000000 00000000  1000        0 12345 1 "
      "0000000000000000 100 0 0 10 0",
      kTcpTables[0]);
  REQUIRE(tcp.has_value());
  CHECK(tcp->localAddress == addressFrom("127.0.0.1"));
  CHECK(tcp->remoteAddress == addressFrom("127.0.0.2"));
  CHECK(tcp->localPort == 8080);
  CHECK(tcp->remotePort == 53);
  CHECK(tcp->state == socket_state::kEstablished);
  CHECK(tcp->uid == 1000);
  CHECK(tcp->inode == 12345);
  CHECK(tcp->txQueueBytes == 16);
  CHECK(tcp->rxQueueBytes == 32);

  const auto udp6 = parseProcNetLine(
      "  100: 00000000000000000000000001000000:14E9 00000000000000000000000000000000:0000 07 00000000:00000000 "
      "00:00000000 00000000     0     "
      "   0 77 2 0000000000000000 0",
      kUdpTables[1]);
  REQUIRE(udp6.has_value());
  CHECK(udp6->localAddress == addressFrom("::1"));
  CHECK(udp6->localPort == 5353);
  CHECK(udp6->family == 6);

  const auto raw = parseProcNetLine(
      "   1: 00000000:0001 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 99 2 "
      "0000000000000000 0",
      kRawTables[0]);
  REQUIRE(raw.has_value());
  CHECK(raw->protocol == 1);
  CHECK(raw->localPort == 0);
}

TEST_CASE("proc_net: titles, cut and foreign lines give nothing") {
  const std::string line =
      "   0: 0100007F:1F90 0200007F:0035 01 00000010:00000020 00:00000000 00000000  1000        0 12345";
  CHECK(parseProcNetLine(line, kTcpTables[0]).has_value());
  for (std::size_t length = 0; length < line.size() - 5; ++length) {
    CAPTURE(length);
    CHECK_FALSE(parseProcNetLine(line.substr(0, length), kTcpTables[0]).has_value());
  }
  CHECK_FALSE(parseProcNetLine("  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid",
                               kTcpTables[0])
                  .has_value());
  CHECK_FALSE(parseProcNetLine(line, kTcpTables[1]).has_value());
  CHECK_FALSE(parseProcNetLine(line, kRawTables[0]).has_value());  // protocol 8080
}

TEST_CASE("proc_net: finds this process's own sockets in the kernel's tables") {
  const Fd proc(::open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const Fd datagram = openSocket(4, SOCK_DGRAM);
  bindTo(datagram, endpoint("127.0.0.1", 0));
  int seen = 0;
  REQUIRE(readProcNet(proc.get(), kUdpTables[0], [&](const InetSocket& socket) {
    if (socket.inode != inodeOf(datagram)) return;
    ++seen;
    CHECK(socket.localAddress == addressFrom("127.0.0.1"));
    CHECK(socket.localPort == portOf(datagram));
    CHECK(socket.uid == ::getuid());
  }));
  CHECK(seen == 1);
  CHECK_FALSE(readProcNet(proc.get(), {"net/no-such-table", 4, 6}, [](const InetSocket&) {}));

  const Fd raw(::socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, 253));
  if (!raw) {
    std::printf("SKIPPED: proc_net: raw sockets: opening one needs cap_net_raw\n");
    return;
  }
  seen = 0;
  REQUIRE(readProcNet(proc.get(), kRawTables[1], [&](const InetSocket& socket) {
    if (socket.inode == inodeOf(raw)) seen += socket.protocol == 253 ? 1 : 0;
  }));
  CHECK(seen == 1);
}
