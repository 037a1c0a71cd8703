#include "lookup_requests.h"

#include <fcntl.h>

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include <cstring>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "channel.h"
#include "own_namespace.h"
#include "socket_kit.h"

using namespace netloupe;
using namespace netloupe::test;
using Json = nlohmann::json;

namespace {

/// The requests' half of the look-up process and the front's end of its channel.
struct Kit {
  Fd proc{::open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  std::pair<Fd, Fd> channel = makeChannel();
  LookupOutbox outbox{channel.first.get()};
  ProcSockets sockets{proc.get(), true};
  OwnerTable table{proc.get(), 1, 0, 100, 1000};
  SocketOwners owners{sockets, table};
  LookupRequests requests{proc.get(), outbox, sockets, owners};
  std::uint64_t nowUs = 1'000'000;

  std::vector<Json> items;
  std::vector<SocketRecord> records;
  std::uint32_t count = 0;
  bool done = false;

  void read() {
    std::vector<std::byte> tail(kMaxLookupMessageBytes);
    for (;;) {
      LookupToFront head;
      std::size_t bytes = 0;
      if (receiveMessage(channel.second.get(), head, std::span(tail), bytes) != Received::message) return;
      if (head.told == LookupTold::done) {
        done = true;
        count = head.count;
        return;
      }
      REQUIRE(head.told == LookupTold::frame);
      FrameHeader frame;
      REQUIRE(bytes > sizeof frame);
      std::memcpy(&frame, tail.data(), sizeof frame);
      CHECK(frame.length == bytes - sizeof frame);
      if (frame.type == FrameType::control) {
        const Json page =
            Json::parse(std::string(reinterpret_cast<const char*>(tail.data()) + sizeof frame, frame.length));
        if (page["type"] != "page") continue;
        CHECK(page["token"] == 7);
        for (const Json& item : page["items"]) items.push_back(item);
      } else {
        BatchHeader batch;
        std::memcpy(&batch, tail.data() + sizeof frame, sizeof batch);
        CHECK(batch.id == 7);
        REQUIRE(frame.length == sizeof batch + batch.count * sizeof(SocketRecord));
        const std::size_t before = records.size();
        records.resize(before + batch.count);
        std::memcpy(records.data() + before, tail.data() + sizeof frame + sizeof batch,
                    batch.count * sizeof(SocketRecord));
      }
    }
  }

  void ask(LookupAsk ask) {
    requests.add({ask, 7});
    while (!done) {
      const bool stepped = requests.step(nowUs);
      if (!stepped && sockets.nextWorkUs() != std::numeric_limits<std::uint64_t>::max()) {
        nowUs = std::max(nowUs, sockets.nextWorkUs());
        sockets.work(nowUs, 100'000);
      }
      REQUIRE(outbox.flush());
      read();
    }
  }
};

}  // namespace

TEST_CASE("look-up requests: sockets with their owners") {
  Kit kit;
  const Fd listener = openSocket(6, SOCK_STREAM);
  bindTo(listener, endpoint("::1", 0));
  REQUIRE(::listen(listener.get(), 17) == 0);
  const Fd datagram = openSocket(4, SOCK_DGRAM);
  bindTo(datagram, endpoint("127.0.0.1", 0));
  kit.ask(LookupAsk::sockets);
  CHECK(kit.count == kit.records.size());
  std::map<std::uint64_t, SocketRecord> byInode;
  for (const SocketRecord& record : kit.records) byInode[record.inode] = record;
  REQUIRE(byInode.contains(inodeOf(listener)));
  const SocketRecord& tcp = byInode[inodeOf(listener)];
  CHECK(tcp.family == 6);
  CHECK(tcp.protocol == 6);
  CHECK(tcp.state == socket_state::kListen);
  CHECK(tcp.localPort == portOf(listener));
  CHECK(tcp.localAddress == addressFrom("::1"));
  CHECK(tcp.txQueueBytes == 17);  // the backlog
  REQUIRE(kit.table.find(tcp.ownerId) != nullptr);
  CHECK(kit.table.find(tcp.ownerId)->process.pid == ::getpid());
  REQUIRE(byInode.contains(inodeOf(datagram)));
  const SocketRecord& udp = byInode[inodeOf(datagram)];
  CHECK(udp.protocol == 17);
  CHECK(udp.state == socket_state::kClose);
  CHECK(udp.ownerId == tcp.ownerId);
  CHECK(udp.reason == Reason::none);
}

TEST_CASE("look-up requests: pages of routes go through a bounded outbox") {
  inOwnNamespace([] {
    std::string batch;
    for (int i = 0; i < 3000; ++i)
      batch += "route add 10." + std::to_string(i / 250) + "." + std::to_string(i % 250) + ".0/24 dev lo\n";
    REQUIRE(run("ip link set lo up && ip -batch - <<'EOF'\n" + batch + "EOF\n"));
    Kit kit;
    kit.ask(LookupAsk::routes);
    CHECK(kit.count == kit.items.size());
    std::size_t ours = 0;
    for (const Json& item : kit.items) ours += item["table"] == "main" && item["family"] == 4 ? 1u : 0u;
    CHECK(ours == 3000);
  });
}

TEST_CASE("look-up requests: interfaces with their addresses") {
  inOwnNamespace([] {
    REQUIRE(run("ip link set lo up && ip addr add 10.4.4.4/32 dev lo"));
    Kit kit;
    kit.ask(LookupAsk::interfaces);
    REQUIRE(kit.items.size() == kit.count);
    REQUIRE(kit.items.size() >= 1);
    CHECK(kit.items[0]["name"] == "lo");
    CHECK(kit.items[0].dump().find("10.4.4.4") != std::string::npos);
    kit.items.clear();
    kit.done = false;
    kit.ask(LookupAsk::neighbors);
    CHECK(kit.items.empty());
    CHECK(kit.count == 0);
  });
}

TEST_CASE("look-up requests: nothing is made while the front takes nothing") {
  Kit kit;
  for (int i = 0; i < 20; ++i) kit.requests.add({LookupAsk::interfaces, 7});
  int steps = 0;
  while (steps < 1000 && kit.requests.step(kit.nowUs)) ++steps;
  CHECK(steps < 1000);
  CHECK_FALSE(kit.outbox.hasRoom());
  REQUIRE(kit.outbox.flush());
  CHECK(kit.requests.step(kit.nowUs));
}
