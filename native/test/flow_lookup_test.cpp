#include "flow_lookup.h"

#include <fcntl.h>
#include <linux/if_ether.h>

#include <doctest/doctest.h>

#include <cstdio>
#include <limits>
#include <vector>

#include "socket_kit.h"

using namespace netloupe;
using namespace netloupe::test;

namespace {

constexpr std::uint8_t kTcp = 6;
constexpr std::uint8_t kUdp = 17;
constexpr std::uint8_t kVerification = 255;

/// The whole look-up on the real kernel, without the process around it.
struct Kit {
  Fd proc{::open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  ProcSockets sockets{proc.get(), ::geteuid() == 0};
  OwnerTable table{proc.get(), 1, 0, 100, 1000};
  SocketOwners owners{sockets, table};
  SocketResolver resolver{proc.get()};
  FlowLookup lookup{resolver, sockets, owners, table};
  std::uint64_t nowUs = 1'000'000;
  std::uint64_t flowId = 0;

  std::vector<AnsweredLookup> ask(const std::vector<LookupRequest>& requests) {
    std::vector<AskedLookup> asked;
    for (const LookupRequest& request : requests) asked.push_back({1, request});
    std::vector<AnsweredLookup> out;
    lookup.ask(asked, nowUs, out);
    while (lookup.waiting() > 0) {
      REQUIRE(sockets.nextWorkUs() != std::numeric_limits<std::uint64_t>::max());
      nowUs = std::max(nowUs, sockets.nextWorkUs());
      sockets.probe(nowUs);
      if (sockets.isSearchDue(nowUs)) lookup.recheck(nowUs, out);
      sockets.work(nowUs, 100'000);
      lookup.settle(nowUs, out);
    }
    REQUIRE(out.size() == requests.size());
    return out;
  }

  LookupRequest request(const FlowKey& key, bool transmitted, std::uint8_t attempt = 0) {
    LookupRequest made;
    made.flowId = ++flowId;
    made.key = key;
    made.interfaceIndex = 1;  // lo
    made.transmitted = transmitted ? 1 : 0;
    made.attempt = attempt;
    return made;
  }

  LookupReply answer(const LookupRequest& asked) { return ask({asked}).front().reply; }
  LookupReply answer(const FlowKey& key, bool transmitted, std::uint8_t attempt = 0) {
    return answer(request(key, transmitted, attempt));
  }

  pid_t pidOf(const LookupReply& reply) const {
    const Owner* owner = table.find(reply.ownerId);
    return owner == nullptr ? 0 : owner->process.pid;
  }
};

struct Connection {
  Fd listener;
  Fd client;
  Endpoint server;
  Endpoint peer;

  explicit Connection(const char* host) {
    const Endpoint any = endpoint(host, 0);
    listener = openSocket(any.family, SOCK_STREAM);
    bindTo(listener, any);
    REQUIRE(::listen(listener.get(), 4) == 0);
    server = endpoint(host, portOf(listener));
    client = openSocket(any.family, SOCK_STREAM);
    connectTo(client, server);
    peer = endpoint(host, portOf(client));
  }
  FlowKey serverFlow() const { return flowKey(kTcp, server, peer); }
  FlowKey clientFlow() const { return flowKey(kTcp, peer, server); }
};

}  // namespace

TEST_CASE("flow look-up: both ends of a TCP connection") {
  for (const char* host : {"127.0.0.1", "::1"}) {
    CAPTURE(host);
    Kit kit;
    const Connection connection(host);
    const Fd accepted(::accept(connection.listener.get(), nullptr, nullptr));
    const LookupReply client = kit.answer(connection.clientFlow(), true);
    CHECK(client.reason == Reason::none);
    CHECK(client.attribution == Attribution::exact);
    CHECK(client.inode == inodeOf(connection.client));
    CHECK(client.uid == ::getuid());
    CHECK(kit.pidOf(client) == ::getpid());
    const LookupReply server = kit.answer(connection.serverFlow(), false);
    CHECK(server.inode == inodeOf(accepted));
    CHECK(server.ownerId == client.ownerId);
    CHECK(server.attribution == Attribution::exact);
  }
}

TEST_CASE("flow look-up: a connection that is not accepted is the listener's for the time being") {
  Kit kit;
  Connection connection("127.0.0.1");
  LookupRequest request = kit.request(connection.serverFlow(), false);
  LookupReply reply = kit.answer(request);
  CHECK(reply.reason == Reason::pending);
  CHECK(reply.attribution == Attribution::relaxed);
  CHECK(kit.pidOf(reply) == ::getpid());

  SUBCASE("accepted by another process, it is that one's") {
    Child child([&] { ::accept(connection.listener.get(), nullptr, nullptr); });
    request.attempt = 1;
    kit.nowUs += 50'000;
    reply = kit.answer(request);
    CHECK(reply.reason == Reason::none);
    CHECK(reply.attribution == Attribution::exact);
    CHECK(kit.pidOf(reply) == child.pid());
  }
  SUBCASE("closed before it was seen again, it stays the listener's") {
    connection.listener.reset();
    connection.client.reset();
    request.attempt = 1;
    reply = kit.answer(request);
    CHECK(reply.reason == Reason::none);
    CHECK(reply.attribution == Attribution::relaxed);
    CHECK(kit.pidOf(reply) == ::getpid());
  }
  SUBCASE("never accepted, it is settled in the end") {
    request.attempt = 4;
    reply = kit.answer(request);
    CHECK(reply.reason == Reason::none);
    CHECK(reply.attribution == Attribution::relaxed);
  }
}

TEST_CASE("flow look-up: a closed connection is told as gone, its listener's side as the listener's") {
  Kit kit;
  Connection connection("127.0.0.1");
  Fd accepted(::accept(connection.listener.get(), nullptr, nullptr));
  connection.client.reset();  // FIN from the client: it ends in TIME_WAIT
  accepted.reset();
  const LookupReply client = kit.answer(connection.clientFlow(), true);
  CHECK(client.ownerId == 0);
  CHECK(client.reason == Reason::socketGone);
  const LookupReply server = kit.answer(connection.serverFlow(), false);
  CHECK(kit.pidOf(server) == ::getpid());
  CHECK(server.attribution == Attribution::relaxed);
  CHECK(server.reason == Reason::none);
}

TEST_CASE("flow look-up: UDP, and the difference that another socket on the port makes") {
  for (const char* host : {"127.0.0.1", "::1"}) {
    CAPTURE(host);
    Kit kit;
    const Endpoint any = endpoint(host, 0);
    const int on = 1;
    const Fd first = openSocket(any.family, SOCK_DGRAM);
    ::setsockopt(first.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    bindTo(first, endpoint(any.family == 4 ? "0.0.0.0" : "::", 0));
    const Endpoint local = endpoint(host, portOf(first));
    const Endpoint remote = endpoint(host, 9);
    LookupReply reply = kit.answer(flowKey(kUdp, local, remote), true);
    CHECK(reply.inode == inodeOf(first));
    CHECK(reply.attribution == Attribution::exact);
    CHECK(kit.pidOf(reply) == ::getpid());

    // Another process shares the port: either may have sent it.
    Child child([&] {
      const Fd second = openSocket(any.family, SOCK_DGRAM);
      ::setsockopt(second.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
      bindTo(second, endpoint(any.family == 4 ? "0.0.0.0" : "::", local.port));
      static int keep = ::dup(second.get());
      (void)keep;
    });
    kit.nowUs += 1'000'000;
    reply = kit.answer(flowKey(kUdp, local, remote), true);
    CHECK(reply.attribution == Attribution::relaxed);
    CHECK(reply.ownerId != 0);

    const Fd connected = openSocket(any.family, SOCK_DGRAM);
    connectTo(connected, remote);
    reply = kit.answer(flowKey(kUdp, endpoint(host, portOf(connected)), remote), true);
    CHECK(reply.inode == inodeOf(connected));
    CHECK(reply.attribution == Attribution::exact);
  }
}

TEST_CASE("flow look-up: no socket") {
  Kit kit;
  const Endpoint here = endpoint("127.0.0.1", 1);
  const Endpoint there = endpoint("127.0.0.1", 2);
  CHECK(kit.answer(flowKey(kTcp, here, there), false).reason == Reason::noSocket);
  CHECK(kit.answer(flowKey(kUdp, here, there), false).reason == Reason::noSocket);
  CHECK(kit.answer(flowKey(kUdp, here, there), false, kVerification).reason == Reason::noSocket);
  CHECK(kit.answer(flowKey(2, here, there), false).reason == Reason::kernel);   // IGMP
  CHECK(kit.answer(flowKey(50, here, there), false).reason == Reason::kernel);  // ESP
  CHECK(kit.answer(flowKey(1, here, there), false).reason == Reason::kernel);   // the kernel answers echo requests
  FlowKey arp;
  arp.etherType = ETH_P_ARP;
  CHECK(kit.answer(arp, false).reason == Reason::kernel);
}

TEST_CASE("flow look-up: a port that is used again is the new process's") {
  Kit kit;
  Fd socket = openSocket(4, SOCK_DGRAM);
  bindTo(socket, endpoint("127.0.0.1", 0));
  const Endpoint local = endpoint("127.0.0.1", portOf(socket));
  const FlowKey key = flowKey(kUdp, local, endpoint("127.0.0.1", 9));
  const LookupReply before = kit.answer(key, true);
  CHECK(kit.pidOf(before) == ::getpid());
  socket.reset();
  Child child([&] {
    const Fd mine = openSocket(4, SOCK_DGRAM);
    bindTo(mine, local);
    static int keep = ::dup(mine.get());
    (void)keep;
  });
  // At once, with no time for anything to expire.
  const LookupReply after = kit.answer(key, true, kVerification);
  CHECK(kit.pidOf(after) == child.pid());
  CHECK(after.inode != before.inode);
  child.end();
  CHECK(kit.answer(key, true, kVerification).ownerId == 0);
}

TEST_CASE("flow look-up: many at once are answered like one") {
  Kit kit;
  std::vector<Fd> sockets;
  std::vector<LookupRequest> requests;
  for (int i = 0; i < 200; ++i) {
    sockets.push_back(openSocket(4, SOCK_DGRAM));
    bindTo(sockets.back(), endpoint("127.0.0.1", 0));
    requests.push_back(
        kit.request(flowKey(kUdp, endpoint("127.0.0.1", portOf(sockets.back())), endpoint("127.0.0.1", 9)), true));
  }
  const Connection connection("::1");
  for (int i = 0; i < 300; ++i) requests.push_back(kit.request(connection.clientFlow(), true));
  const auto replies = kit.ask(requests);
  std::vector<const LookupReply*> byFlow(requests.size() + 1);
  for (const AnsweredLookup& one : replies) byFlow.at(one.reply.flowId) = &one.reply;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const LookupReply* reply = byFlow[requests[i].flowId];
    REQUIRE(reply != nullptr);
    CHECK(reply->attribution == Attribution::exact);
    CHECK(reply->inode == inodeOf(i < sockets.size() ? sockets[i] : connection.client));
    CHECK(kit.pidOf(*reply) == ::getpid());
  }
}

TEST_CASE("flow look-up: raw, ping and packet sockets") {
  const Fd raw(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, 253));
  if (!raw) {
    std::printf("SKIPPED: flow look-up: raw, ping and packet sockets: opening one needs cap_net_raw\n");
    return;
  }
  Kit kit;
  const Endpoint here = endpoint("127.0.0.1", 0);
  const Endpoint there = endpoint("127.0.0.9", 0);
  const LookupReply protocol = kit.answer(flowKey(253, here, there), true);
  CHECK(protocol.inode == inodeOf(raw));
  CHECK(protocol.attribution == Attribution::exact);
  CHECK(kit.pidOf(protocol) == ::getpid());

  // Two raw ICMP sockets of different processes: the identifier tells them apart, as it is taken from the pid.
  Child child([] {
    static int mine = ::socket(AF_INET, SOCK_RAW, 1);
    (void)mine;
  });
  const Fd ping(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, 1));  // after the child, which would hold it too
  for (const pid_t pid : {::getpid(), child.pid()}) {
    const Endpoint identifier = endpoint("127.0.0.1", static_cast<std::uint16_t>(pid & 0xffff));
    CHECK(kit.pidOf(kit.answer(flowKey(1, identifier, there), true)) == pid);
  }
  const LookupReply either = kit.answer(flowKey(1, endpoint("127.0.0.1", 3), there), true);
  CHECK(either.ownerId == 0);

  // A packet socket without a receive ring accounts for what no other socket sent; a capture library's does not.
  const Fd packet(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
  const LookupReply injected = kit.answer(flowKey(kUdp, endpoint("192.0.2.1", 7), endpoint("192.0.2.2", 7)), true);
  if (injected.ownerId != 0) CHECK(kit.pidOf(injected) == ::getpid());
  CHECK(injected.attribution != Attribution::exact);
  CHECK(kit.answer(flowKey(kUdp, endpoint("192.0.2.1", 7), endpoint("192.0.2.2", 7)), false).reason ==
        Reason::noSocket);
}

TEST_CASE("flow look-up: a socket that goes while its process is searched for is told as gone, without a search") {
  Kit kit;
  Connection connection("127.0.0.1");
  const AskedLookup asked{1, kit.request(connection.clientFlow(), true)};
  std::vector<AnsweredLookup> out;
  kit.lookup.ask(std::span(&asked, 1), kit.nowUs, out);
  REQUIRE(kit.lookup.waiting() == 1);
  connection.client.reset();
  connection.listener.reset();
  kit.lookup.recheck(kit.nowUs, out);
  REQUIRE(out.size() == 1);
  CHECK(out.front().reply.reason == Reason::socketGone);
  CHECK(kit.lookup.waiting() == 0);
  CHECK(kit.sockets.nextWorkUs() == std::numeric_limits<std::uint64_t>::max());
}

TEST_CASE("flow look-up: requests of a capture process that ended are forgotten") {
  Kit kit;
  const Connection connection("127.0.0.1");
  const AskedLookup asked{1, kit.request(connection.clientFlow(), true)};
  std::vector<AnsweredLookup> out;
  kit.lookup.ask(std::span(&asked, 1), kit.nowUs, out);
  CHECK(out.empty());
  REQUIRE(kit.lookup.waiting() == 1);
  kit.lookup.forget(2);
  CHECK(kit.lookup.waiting() == 1);
  kit.lookup.forget(1);
  CHECK(kit.lookup.waiting() == 0);
}
