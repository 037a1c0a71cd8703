#include "meter.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <vector>

#include "frames.h"

using namespace netloupe;
using namespace netloupe::frames;

namespace {

constexpr std::uint64_t kSecond = 1'000'000;
constexpr std::uint64_t kEpoch = 1'790'000'000 * kSecond;
constexpr const char* kOwnMac = "02:00:00:00:00:01";
constexpr const char* kPeerMac = "02:00:00:00:00:02";
constexpr const char* kOwn = "10.0.0.1";
constexpr const char* kPeer = "10.0.0.2";
constexpr unsigned S = kTcpSyn, A = kTcpAck, F = kTcpFin, R = kTcpRst;

/// A meter with its clock, the records it gave, and the checks that hold for every tick.
class Watched {
 public:
  explicit Watched(MeterOptions options = {.interfaceId = 4, .interfaceIndex = 2, .hashSecret = {3, 4}})
      : options_(options), meter(options) {
    meter.setLinkLayerAddress({2, 0, 0, 0, 0, 1});
    if (!options.recorded) {
      meter.setLocalAddresses(std::vector<LocalAddress>{{address(kOwn), 4, 24}, {address("2001:db8::1"), 6, 64}});
    }
    meter.advance(clockUs);
  }

  void frame(const Bytes& bytes, std::size_t frameBytes = 0) {
    const std::uint64_t length = frameBytes ? frameBytes : bytes.size();
    meter.frame(bytes, static_cast<std::uint32_t>(length), kEpoch + clockUs);
    sentBytes += length;
    ++sentPackets;
  }

  void out(unsigned protocol, const Bytes& transport) {
    frame(ethernet(kPeerMac, kOwnMac, 0x0800, ipv4(kOwn, kPeer, protocol, transport)));
  }
  void in(unsigned protocol, const Bytes& transport) {
    frame(ethernet(kOwnMac, kPeerMac, 0x0800, ipv4(kPeer, kOwn, protocol, transport)));
  }

  void pass(std::uint64_t us) {
    clockUs += us;
    meter.advance(clockUs);
  }

  /// A whole tick. Returns how many records it had.
  std::size_t tick(bool snapshot = false, std::size_t chunk = 7) {
    meter.advance(clockUs);
    meter.beginTick(snapshot);
    std::size_t count = 0;
    while (take(chunk) == chunk) count += chunk;
    checkSums();
    return count + lastTaken_;
  }

  std::size_t take(std::size_t chunk) {
    std::vector<FlowRecord> out(chunk);
    lastTaken_ = meter.take(out);
    for (std::size_t i = 0; i < lastTaken_; ++i) apply(out[i]);
    return lastTaken_;
  }

  void apply(const FlowRecord& record) {
    REQUIRE(record.interfaceId == options_.interfaceId);
    REQUIRE_FALSE(ended.contains(record.flowId));
    const auto before = flows.find(record.flowId);
    if (before != flows.end()) {
      REQUIRE(record.rxBytes >= before->second.rxBytes);
      REQUIRE(record.txBytes >= before->second.txBytes);
      REQUIRE(record.payloadBytes >= before->second.payloadBytes);
      REQUIRE(record.firstSeenUs == before->second.firstSeenUs);
    }
    const bool over = record.flags & kFlowEnded;
    REQUIRE(over == (record.endReason != EndReason::alive));
    REQUIRE((record.ownerId == 0) == (record.reason != Reason::none));
    if (over) {
      ended.insert(record.flowId);
      REQUIRE(record.reason != Reason::pending);
    }
    flows[record.flowId] = record;
  }

  MeterTotals sums() const {
    MeterTotals sum;
    for (const auto& [id, record] : flows) {
      sum.rxBytes += record.rxBytes;
      sum.txBytes += record.txBytes;
      sum.rxPackets += record.rxPackets;
      sum.txPackets += record.txPackets;
    }
    return sum;
  }

  void checkSums() const { REQUIRE(sums() == meter.totals()); }

  void checkEverythingCounted() {
    meter.flush();
    const MeterTotals counted = meter.counted();
    if (options_.loopback) {
      REQUIRE(counted == MeterTotals{sentBytes, sentBytes, sentPackets, sentPackets});
      return;
    }
    REQUIRE(counted.rxBytes + counted.txBytes == sentBytes);
    REQUIRE(counted.rxPackets + counted.txPackets == sentPackets);
  }

  std::vector<LookupRequest> requests() {
    std::vector<LookupRequest> all;
    std::vector<LookupRequest> some(kLookupRequestsPerMessage);
    for (std::size_t count = some.size(); count == some.size();) {
      count = meter.takeRequests(some);
      all.insert(all.end(), some.begin(), some.begin() + static_cast<std::ptrdiff_t>(count));
    }
    return all;
  }

  /// The only record that satisfies `which`.
  FlowRecord only(const std::function<bool(const FlowRecord&)>& which = [](const FlowRecord&) { return true; }) const {
    std::vector<FlowRecord> found;
    for (const auto& [id, record] : flows) {
      if (which(record)) found.push_back(record);
    }
    REQUIRE(found.size() == 1);
    return found[0];
  }

  const MeterOptions options_;
  Meter meter;
  std::uint64_t clockUs = 1000 * kSecond;
  std::uint64_t sentBytes = 0;
  std::uint64_t sentPackets = 0;
  std::map<std::uint64_t, FlowRecord> flows;
  std::set<std::uint64_t> ended;

 private:
  std::size_t lastTaken_ = 0;
};

MeterOptions recorded(LinkLayer link = LinkLayer::ethernet) {
  return {.interfaceId = 1, .link = link, .recorded = true, .hashSecret = {3, 4}};
}

LookupReply owned(const LookupRequest& request, std::uint32_t owner, std::uint64_t inode) {
  return {request.flowId, inode, owner, 1000, Attribution::exact, Reason::none};
}

LookupReply unowned(const LookupRequest& request, Reason reason) {
  return {request.flowId, 0, 0, kUidUnknown, Attribution::none, reason};
}

bool isAlive(const FlowRecord& record) {
  return !(record.flags & kFlowEnded);
}
bool isEnded(const FlowRecord& record) {
  return record.flags & kFlowEnded;
}

}  // namespace

TEST_CASE("meter: a conversation is one flow with exact totals") {
  Watched w;
  w.out(17, udp(40000, 53, 30));
  w.in(17, udp(53, 40000, 100));
  w.in(17, udp(53, 40000, 200));
  REQUIRE(w.tick() == 1);
  const FlowRecord record = w.only();
  CHECK(record.txBytes == 14 + 20 + 8 + 30);
  CHECK(record.rxBytes == 2 * (14 + 20 + 8) + 300);
  CHECK(record.txPackets == 1);
  CHECK(record.rxPackets == 2);
  CHECK(record.payloadBytes == 330);
  CHECK(record.localAddress == address(kOwn));
  CHECK(record.remoteAddress == address(kPeer));
  CHECK(record.localPort == 40000);
  CHECK(record.remotePort == 53);
  CHECK(record.flags == kFlowInitiatedLocally);
  CHECK(record.reason == Reason::pending);
  CHECK(record.family == 4);
  CHECK(record.etherType == 0x0800);
  CHECK(record.firstSeenUs == kEpoch + w.clockUs);
}

TEST_CASE("meter: only what changed is reported, a snapshot reports everything") {
  Watched w;
  w.out(17, udp(1000, 53, 30));
  w.out(17, udp(1001, 53, 30));
  CHECK(w.tick() == 2);
  CHECK(w.tick() == 0);
  w.out(17, udp(1001, 53, 30));
  CHECK(w.tick() == 1);
  CHECK(w.tick(true) == 2);
}

TEST_CASE("meter: frames counted in the middle of a tick are never half reported") {
  Watched w;
  for (unsigned port = 1; port <= 20; ++port) w.out(17, udp(port, 53, 10));
  w.meter.beginTick(false);
  CHECK(w.take(8) == 8);
  for (unsigned port = 1; port <= 40; ++port) w.out(17, udp(port, 53, 10));
  w.meter.flush();
  CHECK(w.take(8) == 8);
  w.checkSums();
  CHECK(w.take(8) == 4);
  CHECK(w.meter.counted() != w.meter.totals());
  // The 8 flows taken before changed again; of those taken after, nothing is new; 20 are.
  CHECK(w.tick() == 28);
  CHECK(w.meter.counted() == w.meter.totals());
}

TEST_CASE("meter: a tick that was not taken to its end is carried on") {
  Watched w;
  for (unsigned port = 1; port <= 20; ++port) w.out(17, udp(port, 53, 10));
  w.meter.beginTick(false);
  CHECK(w.take(8) == 8);
  CHECK(w.tick() == 12);
}

TEST_CASE("meter: what has no owner here says why and is not asked for") {
  Watched w;
  const auto reasonOf = [&](const Bytes& bytes) {
    w.flows.clear();
    Watched fresh;
    fresh.frame(bytes);
    fresh.tick();
    const Reason reason = fresh.only().reason;
    CHECK(fresh.requests().empty() == (reason != Reason::pending));
    return reason;
  };
  const auto in = [](unsigned protocol, const Bytes& transport) {
    return ethernet(kOwnMac, kPeerMac, 0x0800, ipv4(kPeer, kOwn, protocol, transport));
  };
  const auto out = [](unsigned protocol, const Bytes& transport) {
    return ethernet(kPeerMac, kOwnMac, 0x0800, ipv4(kOwn, kPeer, protocol, transport));
  };
  CHECK(reasonOf(out(17, udp(1, 2, 3))) == Reason::pending);
  CHECK(reasonOf(ethernet(kOwnMac, kPeerMac, 0x0806, filler(46))) == Reason::kernel);
  CHECK(reasonOf(ethernet("02:00:00:00:00:09", kPeerMac, 0x0806, filler(46))) == Reason::notLocal);
  CHECK(reasonOf(ethernet(kOwnMac, kPeerMac, 0x0800, ipv4(kPeer, "192.0.2.1", 17, udp(1, 2, 3)))) == Reason::forwarded);
  CHECK(reasonOf(ethernet(kOwnMac, kPeerMac, 0x0800, filler(10))) == Reason::malformed);
  CHECK(reasonOf(ethernet(kOwnMac, kPeerMac, 0x0800, ipv4(kPeer, kOwn, 17, filler(99), {.fragmentField = 100}))) ==
        Reason::fragment);
  CHECK(reasonOf(in(1, icmp(8, 0, 77, 8))) == Reason::kernel);
  CHECK(reasonOf(out(1, icmp(8, 0, 77, 8))) == Reason::pending);
  CHECK(reasonOf(in(1, icmp(0, 0, 77, 8))) == Reason::pending);
  CHECK(reasonOf(out(1, icmp(3, 3, 0, 28))) == Reason::kernel);
  CHECK(reasonOf(ethernet(kOwnMac, kPeerMac, 0x86dd, ipv6("fe80::2", "2001:db8::1", 58, icmp(135, 0, 0, 24)))) ==
        Reason::kernel);
}

TEST_CASE("meter: ping is one flow, its identifier the local port") {
  Watched w;
  w.out(1, icmp(8, 0, 777, 56));
  w.in(1, icmp(0, 0, 777, 56));
  w.tick();
  const FlowRecord record = w.only();
  CHECK(record.localPort == 777);
  CHECK(record.remotePort == 0);
  CHECK(record.txPackets == 1);
  CHECK(record.rxPackets == 1);
  REQUIRE(w.requests().size() == 1);
}

TEST_CASE("meter: fragments join their flow") {
  Watched w;
  w.frame(ethernet(kPeerMac, kOwnMac, 0x0800,
                   ipv4(kOwn, kPeer, 17, udp(5000, 53, 1472), {.id = 9, .fragmentField = 0x2000})));
  w.frame(
      ethernet(kPeerMac, kOwnMac, 0x0800, ipv4(kOwn, kPeer, 17, filler(500), {.id = 9, .fragmentField = 1480 / 8})));
  w.tick();
  CHECK(w.only().txPackets == 2);
  CHECK(w.only().payloadBytes == 1972);
}

TEST_CASE("meter: what can't be decoded lies in one synthetic bucket per reason") {
  Watched w;
  for (int i = 0; i < 5; ++i) w.frame(ethernet(kOwnMac, kPeerMac, 0x0800, filler(static_cast<std::size_t>(i))));
  w.frame(ethernet(kOwnMac, kPeerMac, 0x0800, filler(10)), 500);
  w.tick();
  REQUIRE(w.flows.size() == 2);
  const FlowRecord malformed = w.only([](const FlowRecord& r) { return r.reason == Reason::malformed; });
  CHECK(malformed.flags == kFlowSynthetic);
  CHECK(malformed.rxPackets == 5);
  CHECK(w.only([](const FlowRecord& r) { return r.reason == Reason::truncated; }).rxBytes == 500);
}

const MeterOptions kLoopback{.interfaceId = 4, .link = LinkLayer::ethernet, .loopback = true, .hashSecret = {3, 4}};

Bytes loopbackFrame(unsigned protocol, const Bytes& transport) {
  return ethernet("00:00:00:00:00:00", "00:00:00:00:00:00", 0x0800,
                  ipv4("127.0.0.1", "127.0.0.1", protocol, transport));
}

TEST_CASE("meter: loopback, both ends have a flow and each frame is counted in both") {
  Watched w(kLoopback);
  std::size_t clientBytes = 0;
  std::size_t serverBytes = 0;
  const auto segment = [&](unsigned from, unsigned to, unsigned flags, std::uint32_t sequence, std::size_t payload) {
    const Bytes bytes = loopbackFrame(6, tcp(from, to, flags, sequence, 1, payload));
    (from == 80 ? serverBytes : clientBytes) += bytes.size();
    w.frame(bytes);
  };
  segment(40000, 80, S, 1, 0);
  segment(80, 40000, S | A, 1, 0);
  segment(40000, 80, A, 2, 10);
  segment(80, 40000, A, 2, 1000);
  w.tick();
  w.checkEverythingCounted();
  REQUIRE(w.flows.size() == 2);
  const FlowRecord client = w.only([](const FlowRecord& r) { return r.localPort == 40000; });
  const FlowRecord server = w.only([](const FlowRecord& r) { return r.localPort == 80; });
  CHECK(client.remotePort == 80);
  CHECK(server.remotePort == 40000);
  CHECK(client.txBytes == clientBytes);
  CHECK(client.rxBytes == serverBytes);
  CHECK(server.txBytes == serverBytes);
  CHECK(server.rxBytes == clientBytes);
  CHECK(client.state == TcpState::established);
  CHECK(server.state == TcpState::established);
  CHECK(client.flags == kFlowInitiatedLocally);
  CHECK(server.flags == kFlowInitiatedRemotely);
  CHECK(client.retransmits + server.retransmits == 0);
  const auto requests = w.requests();
  REQUIRE(requests.size() == 2);
  CHECK(requests[0].key.localPort == 40000);
  CHECK(requests[0].transmitted == 1);
  CHECK(requests[1].key.localPort == 80);
  CHECK(requests[1].transmitted == 0);
}

TEST_CASE("meter: loopback, a socket that talks to itself has one flow with both directions") {
  Watched w(kLoopback);
  w.frame(loopbackFrame(17, udp(5000, 5000, 20)));
  w.tick();
  w.checkEverythingCounted();
  CHECK(w.only().txBytes == w.sentBytes);
  CHECK(w.only().rxBytes == w.sentBytes);
}

TEST_CASE("meter: loopback, who pings is told from the kernel that answers") {
  Watched w(kLoopback);
  const Bytes request = loopbackFrame(1, icmp(8, 0, 77, 40));
  const Bytes reply = loopbackFrame(1, icmp(0, 0, 77, 8));
  w.frame(request);
  w.frame(reply);
  w.tick();
  w.checkEverythingCounted();
  REQUIRE(w.flows.size() == 2);
  const FlowRecord pinger = w.only([](const FlowRecord& r) { return r.reason == Reason::pending; });
  CHECK(pinger.localPort == 77);
  CHECK(pinger.txBytes == request.size());
  CHECK(pinger.rxBytes == reply.size());
  const FlowRecord kernel = w.only([](const FlowRecord& r) { return r.reason == Reason::kernel; });
  CHECK(kernel.rxBytes == request.size());
  CHECK(kernel.txBytes == reply.size());
}

TEST_CASE("meter: look-up, asked once with the flow's key, pending bytes get the owner") {
  Watched w;
  w.in(17, udp(53, 40000, 30));
  w.meter.flush();
  const auto requests = w.requests();
  REQUIRE(requests.size() == 1);
  CHECK(requests[0].key.localPort == 40000);
  CHECK(requests[0].key.remotePort == 53);
  CHECK(requests[0].key.localAddress == address(kOwn));
  CHECK(requests[0].interfaceIndex == 2);
  CHECK(requests[0].transmitted == 0);
  CHECK(requests[0].attempt == 0);
  CHECK(requests[0].firstSeenUs == kEpoch + w.clockUs);
  w.tick();
  CHECK(w.only().reason == Reason::pending);
  CHECK(w.meter.pendingLookups() == 1);
  w.meter.reply(owned(requests[0], 5, 1234));
  CHECK(w.meter.pendingLookups() == 0);
  CHECK(w.tick() == 1);
  CHECK(w.only().ownerId == 5);
  CHECK(w.only().inode == 1234);
  CHECK(w.only().uid == 1000);
  CHECK(w.only().attribution == Attribution::exact);
  CHECK(w.only().reason == Reason::none);
  CHECK(w.requests().empty());
}

TEST_CASE("meter: look-up attempts pause longer and longer, then settle") {
  Watched w;
  w.out(17, udp(40000, 53, 30));
  w.meter.flush();
  LookupRequest request = w.requests().at(0);
  unsigned attempt = 0;
  for (const std::uint64_t pauseUs : {50'000u, 200'000u, 1'000'000u, 5'000'000u}) {
    w.meter.reply(unowned(request, Reason::pending));
    CHECK(w.meter.nextRequestUs() == w.clockUs + pauseUs);
    w.pass(pauseUs - 1);
    CHECK(w.requests().empty());
    w.pass(1);
    const auto due = w.requests();
    REQUIRE(due.size() == 1);
    CHECK(due[0].attempt == ++attempt);
    request = due[0];
  }
  w.meter.reply(unowned(request, Reason::pending));
  CHECK(w.meter.nextRequestUs() == UINT64_MAX);
  w.tick();
  CHECK(w.only().reason == Reason::socketGone);
  CHECK(w.meter.pendingLookups() == 0);
}

TEST_CASE("meter: another owner ends the flow; what comes next is counted in a new one") {
  Watched w;
  w.out(17, udp(40000, 53, 30));
  w.meter.flush();
  w.meter.reply(owned(w.requests().at(0), 5, 1234));
  w.tick();
  w.out(17, udp(40000, 53, 30));
  w.pass(kSecond / 4);
  const auto verification = w.requests();
  REQUIRE(verification.size() == 1);
  CHECK(verification[0].attempt == 255);
  w.meter.reply(owned(verification[0], 6, 9999));
  w.tick();
  CHECK(w.only().endReason == EndReason::ownerChanged);
  CHECK(w.only().ownerId == 5);
  CHECK(w.only().txPackets == 2);
  w.out(17, udp(40000, 53, 30));
  w.tick();
  const FlowRecord next = w.only(isAlive);
  CHECK(next.txPackets == 1);
  CHECK(next.reason == Reason::pending);
}

TEST_CASE("meter: verification that changes nothing, or only the socket's number, keeps the flow") {
  Watched w;
  w.out(17, udp(40000, 53, 30));
  w.meter.flush();
  w.meter.reply(owned(w.requests().at(0), 5, 1234));
  const auto verify = [&](std::uint32_t owner, std::uint64_t inode) {
    w.out(17, udp(40000, 53, 30));
    w.pass(kSecond / 4);
    w.meter.reply(owned(w.requests().at(0), owner, inode));
    w.tick();
    return w.only();
  };
  CHECK(verify(5, 1234).ownerId == 5);
  CHECK(verify(6, 1234).ownerId == 5);  // a socket that two processes share must not flap
  const FlowRecord record = verify(5, 77);
  CHECK(isAlive(record));
  CHECK(record.inode == 77);
}

TEST_CASE("meter: a port whose socket has gone charges nobody with later packets") {
  Watched w;
  w.in(17, udp(53, 40000, 30));
  w.meter.flush();
  w.meter.reply(owned(w.requests().at(0), 5, 1234));
  w.tick();
  w.in(17, udp(53, 40000, 30));
  w.pass(kSecond / 4);
  w.meter.reply(unowned(w.requests().at(0), Reason::noSocket));
  w.tick();
  CHECK(isAlive(w.only()));
  w.in(17, udp(53, 40000, 30));
  w.tick();
  CHECK(w.only(isEnded).rxPackets == 2);
  CHECK(w.only(isEnded).endReason == EndReason::ownerChanged);
  CHECK(w.only(isAlive).rxPackets == 1);
  CHECK(w.only(isAlive).ownerId == 0);
}

TEST_CASE("meter: a server that starts late gets the first two seconds, not more of what nobody received") {
  for (const bool late : {false, true}) {
    Watched w;
    w.in(17, udp(1000, 40000, 30));
    w.meter.flush();
    w.meter.reply(unowned(w.requests().at(0), Reason::noSocket));
    for (int rounds = late ? 13 : 2; rounds > 1; --rounds) {
      w.in(17, udp(1000, 40000, 30));
      w.pass(kSecond / 4);
      w.meter.reply(unowned(w.requests().at(0), Reason::noSocket));
    }
    w.in(17, udp(1000, 40000, 30));
    w.pass(kSecond / 4);
    w.meter.reply(owned(w.requests().at(0), 5, 1234));
    w.tick();
    CHECK(w.only().ownerId == (late ? 0 : 5));
    CHECK(w.only().endReason == (late ? EndReason::ownerChanged : EndReason::alive));
  }
}

TEST_CASE("meter: verification costs a bounded number of requests and reaches every active flow") {
  Watched w;
  constexpr unsigned kFlows = 1000;
  for (unsigned i = 0; i < kFlows; ++i) w.out(17, udp(i, 53, 30));
  w.meter.flush();
  for (const LookupRequest& request : w.requests()) w.meter.reply(owned(request, 1, 1));
  std::set<std::uint64_t> verified;
  for (unsigned round = 0; round < 4 * 20; ++round) {
    for (unsigned i = 0; i < kFlows; ++i) w.out(17, udp(i, 53, 30));
    w.pass(kSecond / 4);
    if (round % 4 == 0) w.tick();
    const auto requests = w.requests();
    CHECK(requests.size() <= 64);
    for (const LookupRequest& request : requests) {
      CHECK(request.attempt == 255);
      verified.insert(request.flowId);
      w.meter.reply(owned(request, 1, 1));
    }
  }
  CHECK(verified.size() == kFlows);
  w.pass(5 * kSecond);  // quiet flows are left alone
  w.tick();
  CHECK(w.requests().empty());
}

TEST_CASE("meter: replies for flows that are gone, forged or repeated do nothing") {
  Watched w;
  w.out(17, udp(40000, 53, 30));
  w.meter.flush();
  const LookupRequest request = w.requests().at(0);
  LookupReply stranger = owned(request, 5, 1);
  stranger.flowId += 1;
  w.meter.reply(stranger);
  stranger.flowId = UINT64_MAX;
  w.meter.reply(stranger);
  w.meter.reply(owned(request, 5, 1));
  w.meter.reply(owned(request, 6, 2));
  w.tick();
  CHECK(w.only().ownerId == 5);
  w.meter.endAll(EndReason::captureStopped);
  w.tick();
  w.meter.reply(owned(request, 7, 3));
  CHECK(w.tick() == 0);
}

TEST_CASE("meter: a new look-up process is asked again") {
  Watched w;
  w.out(17, udp(40000, 53, 30));
  w.out(17, udp(40001, 53, 30));
  w.meter.flush();
  const auto first = w.requests();
  REQUIRE(first.size() == 2);
  w.meter.reply(owned(first[0], 5, 1));
  w.meter.lookupRestarted();
  const auto again = w.requests();
  REQUIRE(again.size() == 1);
  CHECK(again[0].flowId == first[1].flowId);
}

TEST_CASE("meter: more new flows than the look-up can take are overloaded, then asked") {
  Watched w;
  constexpr unsigned kFlows = 20'000;
  for (unsigned i = 0; i < kFlows; ++i) w.out(17, udp(i, 53, 30));
  w.meter.flush();
  CHECK(w.meter.overloadedLookups() > 0);
  CHECK(w.meter.pendingLookups() + w.meter.overloadedLookups() == kFlows);
  std::set<std::uint64_t> asked;
  for (int round = 0; round < 100 && asked.size() < kFlows; ++round) {
    for (const LookupRequest& request : w.requests()) {
      if (request.attempt == 0) REQUIRE(asked.insert(request.flowId).second);
      w.meter.reply(owned(request, 1, 1));
    }
    w.pass(100'000);
  }
  CHECK(asked.size() == kFlows);
  CHECK(w.meter.overloadedLookups() == 0);
  w.tick();
  CHECK(std::all_of(w.flows.begin(), w.flows.end(), [](const auto& entry) { return entry.second.ownerId == 1; }));
}

TEST_CASE("meter: a short connection waits for its owner before its last record") {
  Watched w;
  w.out(6, tcp(40000, 80, S, 100, 0, 0));
  w.in(6, tcp(80, 40000, R | A, 0, 101, 0));
  w.meter.flush();
  const auto requests = w.requests();
  w.pass(6 * kSecond);
  w.tick();
  CHECK(w.ended.empty());
  w.meter.reply(owned(requests.at(0), 5, 1));
  w.tick();
  CHECK(w.only().endReason == EndReason::rst);
  CHECK(w.only().ownerId == 5);
}

TEST_CASE("meter: a connection over before its answer does not wait for ever") {
  Watched w;
  w.out(6, tcp(40000, 80, S, 100, 0, 0));
  w.in(6, tcp(80, 40000, R | A, 0, 101, 0));
  w.meter.flush();
  w.requests();
  w.pass(6 * kSecond);
  w.tick();
  CHECK(w.ended.empty());
  w.pass(11 * kSecond);
  w.tick();
  CHECK(w.only(isEnded).reason == Reason::overloaded);
  CHECK(w.meter.pendingLookups() == 0);
}

TEST_CASE("meter: idle time-outs per protocol") {
  const auto endsAfter = [](const std::function<void(Watched&)>& traffic, unsigned limitS, EndReason reason) {
    Watched w;
    traffic(w);
    w.meter.flush();
    w.pass((limitS - 1) * kSecond);
    w.tick();
    CHECK(w.ended.empty());
    w.pass(2 * kSecond);
    // Nobody answers the look-up here; what ends while it waits for an answer is given up after its own limit.
    w.meter.lookupRestarted();
    w.tick();
    w.pass(11 * kSecond);
    w.tick();
    REQUIRE(w.ended.size() == 1);
    CHECK(w.only().endReason == reason);
    CHECK(w.meter.flows() == 0);
  };
  endsAfter([](Watched& w) { w.out(17, udp(1, 2, 3)); }, 60, EndReason::idle);
  endsAfter(
      [](Watched& w) {
        w.out(17, udp(1, 2, 3));
        w.in(17, udp(2, 1, 3));
      },
      180, EndReason::idle);
  endsAfter([](Watched& w) { w.out(6, tcp(1, 2, S, 5, 0, 0)); }, 30, EndReason::idle);
  endsAfter([](Watched& w) { w.out(6, tcp(1, 2, A, 5, 5, 1)); }, 900, EndReason::idle);
  endsAfter([](Watched& w) { w.out(47, filler(10)); }, 30, EndReason::idle);
  endsAfter(
      [](Watched& w) {
        w.out(6, tcp(1, 2, F | A, 5, 5, 1));
        w.in(6, tcp(2, 1, F | A, 5, 7, 0));
        w.out(6, tcp(1, 2, A, 7, 6, 0));
      },
      5, EndReason::fin);
}

TEST_CASE("meter: activity puts the time-out off") {
  Watched w;
  for (int i = 0; i < 10; ++i) {
    w.out(17, udp(1, 2, 3));
    w.meter.flush();
    w.pass(50 * kSecond);
  }
  w.tick();
  CHECK(w.ended.empty());
  CHECK(w.only().txPackets == 10);
}

TEST_CASE("meter: a flow of a whole day ends and goes on as a new one") {
  Watched w;
  for (int i = 0; i < 25 * 3600 / 50; ++i) {
    w.out(17, udp(1, 2, 3));
    w.meter.flush();
    w.pass(50 * kSecond);
  }
  w.tick();
  CHECK(w.only(isEnded).endReason == EndReason::active);
  CHECK(isAlive(w.only(isAlive)));
}

TEST_CASE("meter: a connection on used ports is another flow") {
  Watched w;
  w.out(6, tcp(40000, 80, S, 100, 0, 0));
  w.in(6, tcp(80, 40000, R | A, 0, 101, 0));
  w.out(6, tcp(40000, 80, S, 9000, 0, 0));
  w.meter.flush();
  const auto requests = w.requests();
  REQUIRE(requests.size() == 2);
  w.meter.reply(owned(requests[0], 5, 1));
  w.tick();
  CHECK(w.only(isEnded).endReason == EndReason::rst);
  CHECK(w.only(isEnded).ownerId == 5);
  CHECK(w.only(isAlive).txPackets == 1);
  CHECK(w.only(isAlive).state == TcpState::synSent);
}

TEST_CASE("meter: ended at the end") {
  Watched w;
  for (unsigned i = 0; i < 100; ++i) w.out(17, udp(i, 53, 30));
  w.tick();
  w.meter.endAll(EndReason::captureStopped);
  CHECK(w.tick() == 100);
  CHECK(w.ended.size() == 100);
  CHECK(w.meter.flows() == 0);
  CHECK(w.meter.pendingLookups() == 0);
  w.meter.frame(filler(60), 60, kEpoch);
  CHECK(w.tick() == 0);
  w.checkEverythingCounted();
}

TEST_CASE("meter: a flood of forged connections is bounded, honest, and leaves real flows alone") {
  Watched w;
  w.out(6, tcp(40000, 443, S, 100, 0, 0));
  w.in(6, tcp(443, 40000, S | A, 500, 101, 0));
  w.out(6, tcp(40000, 443, A, 101, 501, 10));
  std::mt19937 random(1);
  std::size_t most = 0;
  for (int i = 0; i < 400'000; ++i) {
    const auto source = static_cast<std::uint32_t>(random());
    Bytes frame =
        ethernet(kOwnMac, kPeerMac, 0x0800, ipv4("192.0.2.1", kOwn, 6, tcp(source & 0xffff, 443, S, source, 0, 0)));
    for (std::size_t at = 0; at < 4; ++at) frame[14 + 12 + at] = static_cast<std::uint8_t>(source >> 8 * at);
    w.frame(frame);
    if (i % 40'000 == 39'999) {
      w.pass(500'000);
      w.meter.beginTick(false);
      while (w.take(16384) == 16384) {
      }
      most = std::max(most, w.meter.flows());
    }
  }
  CHECK(most <= kMaxFlows);
  CHECK(w.meter.tableFullPackets() > 0);
  w.meter.endAll(EndReason::captureStopped);
  w.tick(false, 16384);
  CHECK(w.only([](const FlowRecord& r) { return r.reason == Reason::tableFull; }).rxPackets ==
        w.meter.tableFullPackets());
  CHECK(w.only([](const FlowRecord& r) { return r.state == TcpState::established; }).endReason ==
        EndReason::captureStopped);
  CHECK(std::any_of(w.flows.begin(), w.flows.end(),
                    [](const auto& e) { return e.second.endReason == EndReason::evicted; }));
  w.checkEverythingCounted();
  CHECK(w.meter.counted() == w.meter.totals());
}

TEST_CASE("meter: recorded packets follow their own time and are never looked up") {
  Watched w(recorded());
  const Bytes datagram = ethernet(kPeerMac, kOwnMac, 0x0800, ipv4(kOwn, kPeer, 17, udp(40000, 53, 10)));
  const auto at = [&](std::uint64_t second) { w.meter.frame(datagram, 100, second * kSecond); };
  at(1'000);
  at(1'010);
  at(1'100);  // idle for 90 s
  w.meter.beginTick(false);
  w.take(10);
  CHECK(w.flows.size() == 2);
  CHECK(w.ended.size() == 1);
  for (const auto& [id, record] : w.flows) CHECK(record.reason == Reason::recorded);
  CHECK(w.requests().empty());
}

TEST_CASE("meter: recorded, a damaged timestamp does not carry the clock away") {
  Watched w(recorded());
  const Bytes datagram = ethernet(kPeerMac, kOwnMac, 0x0800, ipv4(kOwn, kPeer, 17, udp(40000, 53, 10)));
  const auto at = [&](std::uint64_t second) { w.meter.frame(datagram, 100, second * kSecond); };
  at(1'000);
  at(4'000'000'000);
  at(1'001);
  at(1'002);
  at(1'100);
  w.meter.beginTick(false);
  w.take(10);
  // Split at the jump and at the pause of 98 s, and nowhere else.
  CHECK(w.flows.size() == 3);
  at(0);
  at(UINT64_MAX / kSecond);
  w.meter.beginTick(false);
  w.take(10);
  w.checkSums();
}

TEST_CASE("meter: any traffic, any ticks, any answers: every byte is in exactly one flow") {
  for (const unsigned seed : {1u, 2u, 3u, 4u, 5u, 6u}) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    const auto any32 = [&] { return static_cast<std::uint32_t>(random()); };
    const auto upTo = [&](unsigned limit) { return static_cast<unsigned>(random() % limit); };
    const bool fromFile = seed % 3 == 0;
    const bool loopback = seed % 3 == 1;
    Watched w({.interfaceId = seed, .loopback = loopback, .recorded = fromFile, .hashSecret = {random(), random()}});
    const char* addresses[] = {kOwn,         kPeer,         "192.0.2.7", "224.0.0.251",
                               "10.0.0.255", "2001:db8::1", "fe80::2",   "ff02::1"};
    const char* macs[] = {kOwnMac, kPeerMac, "02:00:00:00:00:03", "ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:fb"};
    std::vector<LookupRequest> open;
    for (int step = 0; step < 15'000; ++step) {
      const bool four = upTo(2) == 0;
      const char* from = four ? addresses[upTo(5)] : addresses[5 + upTo(3)];
      const char* to = four ? addresses[upTo(5)] : addresses[5 + upTo(3)];
      const unsigned protocols[] = {6, 6, 6, 17, 1, 58, 132, 47};
      const unsigned protocol = protocols[upTo(8)];
      Bytes transport;
      switch (protocol) {
        case 6:
          transport = tcp(upTo(4), upTo(4), upTo(32), any32(), any32(), upTo(50));
          break;
        case 17:
          transport = udp(upTo(6), upTo(6), upTo(50));
          break;
        case 1:
          transport = icmp(upTo(14), 0, upTo(3), upTo(50));
          break;
        case 58:
          transport = icmp(126 + upTo(12), 0, upTo(3), upTo(50));
          break;
        default:
          transport = filler(20);
      }
      Bytes ip = four
                     ? ipv4(from, to, protocol, transport, {.id = upTo(4), .fragmentField = upTo(6) ? 0 : upTo(0x4000)})
                     : ipv6(from, to, protocol, transport);
      if (upTo(20) == 0) ip[upTo(static_cast<unsigned>(ip.size()))] = static_cast<std::uint8_t>(random());
      Bytes frame = upTo(10)
                        ? ethernet(macs[upTo(5)], macs[upTo(5)], four ? 0x0800 : 0x86dd, ip)
                        : ethernet(macs[upTo(5)], macs[upTo(5)], 0x8100, vlan(upTo(3), four ? 0x0800 : 0x86dd, ip));
      const std::size_t length = frame.size();
      if (upTo(20) == 0) frame.resize(upTo(static_cast<unsigned>(length)));
      w.frame(frame, length);
      if (upTo(50) == 0) w.pass(upTo(10) * kSecond / 10);
      if (upTo(3000) == 0) w.pass(upTo(100) * kSecond);
      if (upTo(200) == 0) w.tick(upTo(4) == 0, 1 + upTo(40));
      if (upTo(150) == 0) {
        w.meter.beginTick(false);  // and left unfinished
        w.take(1 + upTo(10));
      }
      if (upTo(30) == 0) {
        const auto more = w.requests();
        REQUIRE_FALSE((fromFile && !more.empty()));
        open.insert(open.end(), more.begin(), more.end());
      }
      while (!open.empty() && upTo(3) == 0) {
        const LookupRequest request = open.back();
        open.pop_back();
        const Reason reasons[] = {Reason::pending, Reason::noSocket, Reason::socketGone, Reason::kernel,
                                  Reason::permission};
        w.meter.reply(upTo(2) ? owned(request, 1 + upTo(3), 1 + upTo(5)) : unowned(request, reasons[upTo(5)]));
      }
      if (upTo(5000) == 0) {
        open.clear();
        w.meter.lookupRestarted();
      }
    }
    w.checkEverythingCounted();
    w.meter.endAll(EndReason::endOfFile);
    w.tick();
    CHECK(w.meter.counted() == w.meter.totals());
    CHECK(w.sums() == w.meter.counted());
    CHECK(w.ended.size() == w.flows.size());
    CHECK(w.meter.flows() == 0);
    CHECK(w.meter.pendingLookups() == 0);
    CHECK(w.meter.overloadedLookups() == 0);
  }
}
