// Traces through the whole helper, spoken to as the application does, in network namespaces of their own.
#include <netinet/in.h>
#include <sys/socket.h>

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

#include "helper_process.h"
#include "own_namespace.h"

using namespace netloupe;
using namespace netloupe::test;

namespace {

/// A helper with which traces are opened and probes sent.
class Tracer {
 public:
  explicit Tracer(const HelperProcess::Options& options = {}) : helper_(options) { helper_.shakeHands(); }

  Json open(const std::string& destination, const std::string& protocol, const Json& more = Json::object()) {
    Json request{{"type", "traceOpen"},
                 {"token", ++token_},
                 {"destination", destination},
                 {"protocol", protocol},
                 {"source", ""},
                 {"interface", ""},
                 {"port", 0},
                 {"sourcePort", 0},
                 {"stepPort", false},
                 {"packetBytes", 0},
                 {"tos", 0}};
    request.update(more);
    helper_.send(request);
    return helper_.answer(token_);
  }

  std::uint32_t opened(const std::string& destination, const std::string& protocol, const Json& more = Json::object()) {
    const Json answer = open(destination, protocol, more);
    REQUIRE_MESSAGE(answer["type"] == "reply", answer.dump());
    return answer["result"]["traceId"];
  }

  void send(std::uint32_t traceId, const std::vector<std::pair<int, int>>& ttlsAndFlows, int round = 1,
            int waitMs = 1000) {
    Json probes = Json::array();
    for (const auto& [ttl, flow] : ttlsAndFlows) probes.push_back({{"ttl", ttl}, {"flow", flow}});
    helper_.send({{"type", "traceProbes"},
                  {"token", ++token_},
                  {"traceId", traceId},
                  {"round", round},
                  {"waitMs", waitMs},
                  {"probes", probes}});
  }

  /// The closing items of the next `count` probes.
  std::vector<Json> closings(std::size_t count) {
    std::vector<Json> found;
    while (found.size() < count) {
      const Json message = helper_.untilType("probes");
      for (const Json& item : message["items"]) {
        if (item["outcome"] == "reply" || item["outcome"] == "noReply" || item["outcome"] == "unsent")
          found.push_back(item);
      }
    }
    return found;
  }

  Json close(std::uint32_t traceId) {
    helper_.send({{"type", "traceClose"}, {"token", ++token_}, {"traceId", traceId}});
    return helper_.answer(token_);
  }

  std::uint32_t token() const { return token_; }
  HelperProcess& helper() { return helper_; }

 private:
  HelperProcess helper_;
  std::uint32_t token_ = 0;
};

bool upLoopback() {
  return run("ip link set lo up");
}

}  // namespace

TEST_CASE("trace: every protocol and family is answered by the machine itself") {
  inOwnNamespace([] {
    REQUIRE(upLoopback());
    Tracer tracer;
    for (const std::string destination : {"127.0.0.1", "::1"}) {
      const bool isIpv4 = destination == "127.0.0.1";
      for (const std::string protocol : {"icmp", "udp", "tcp"}) {
        CAPTURE(destination);
        CAPTURE(protocol);
        const std::uint32_t trace = tracer.opened(destination, protocol, {{"packetBytes", 100}, {"tos", 16}});
        tracer.send(trace, {{1, 0}, {2, 5}});
        for (const Json& item : tracer.closings(2)) {
          CHECK(item["outcome"] == "reply");
          CHECK(item["address"] == destination);
          CHECK(item["traceId"] == trace);
          CHECK(item["round"] == 1);
          CHECK_FALSE(item.contains("quoteChanged"));
          if (protocol == "icmp") CHECK(item["icmpType"] == (isIpv4 ? 0 : 129));
          if (protocol == "udp") CHECK(item["icmpCode"] == (isIpv4 ? 3 : 4));
          if (protocol == "tcp") CHECK((item["tcpFlags"].get<int>() & 0x04) != 0);
        }
        CHECK(tracer.close(trace)["type"] == "reply");
      }
    }
  });
}

TEST_CASE("trace: a listening port answers with SYN and ACK") {
  inOwnNamespace([] {
    REQUIRE(upLoopback());
    const Fd listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{
        .sin_family = AF_INET, .sin_port = htons(8080), .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
    REQUIRE(bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(listen(listener.get(), 1) == 0);
    Tracer tracer;
    const std::uint32_t trace = tracer.opened("127.0.0.1", "tcp", {{"port", 8080}});
    tracer.send(trace, {{9, 0}});
    CHECK(tracer.closings(1)[0]["tcpFlags"] == 0x12);
  });
}

TEST_CASE("trace: what is not one host is refused, also the broadcast address of a local network") {
  inOwnNamespace([] {
    REQUIRE(upLoopback());
    REQUIRE(run("ip link add near0 type veth peer name far0 && ip addr add 10.9.0.1/24 dev near0"));
    REQUIRE(run("ip link set near0 up && ip link set far0 up"));
    Tracer tracer;
    for (const std::string destination : {"224.0.0.1", "255.255.255.255", "10.9.0.255", "0.0.0.0", "ff02::1", "::"}) {
      CAPTURE(destination);
      CHECK(tracer.open(destination, "udp")["code"] == "refusedDestination");
    }
    CHECK(tracer.open("10.8.0.1", "udp")["code"] == "noRoute");
    CHECK(tracer.open("10.9.0.2", "udp", {{"interface", "nothing0"}})["code"] == "noSuchInterface");
    CHECK(tracer.open("10.9.0.2", "udp", {{"source", "10.7.0.1"}})["code"] == "badSourceAddress");
    CHECK(tracer.open("10.9.0.2", "udp", {{"interface", "near0"}})["type"] == "reply");
    CHECK(tracer.open("10.9.0.2", "udp", {{"source", "10.9.0.1"}, {"sourcePort", 4000}})["result"]["sourcePort"] ==
          4000);
    CHECK(tracer.open("10.9.0.3", "udp", {{"source", "10.9.0.1"}, {"sourcePort", 4000}})["code"] == "portInUse");
  });
}

TEST_CASE("trace: a probe that cannot leave is unsent, with the reason") {
  inOwnNamespace([] {
    REQUIRE(upLoopback());
    REQUIRE(run("ip link set lo mtu 1500"));
    Tracer tracer;
    const std::uint32_t trace = tracer.opened("127.0.0.1", "udp", {{"packetBytes", 1501}});
    tracer.send(trace, {{1, 0}});
    const Json item = tracer.closings(1)[0];
    CHECK(item["outcome"] == "unsent");
    CHECK(item["errorCode"] == "packetTooLarge");
  });
}

TEST_CASE("trace: silence is noReply for every probe, once, and a closed trace tells nothing more") {
  inOwnNamespace([] {
    REQUIRE(upLoopback());
    REQUIRE(
        run("nft 'add table ip t; add chain ip t in { type filter hook input priority 0; }; add rule ip t in icmp type "
            "echo-request drop'"));
    Tracer tracer;
    const std::uint32_t trace = tracer.opened("127.0.0.1", "icmp");
    std::vector<std::pair<int, int>> probes;
    for (int ttl = 1; ttl <= 40; ++ttl) probes.emplace_back(ttl, 0);
    tracer.send(trace, probes, 1, 100);
    std::set<int> ttls;
    for (const Json& item : tracer.closings(40)) {
      CHECK(item["outcome"] == "noReply");
      CHECK(ttls.insert(item["ttl"].get<int>()).second);
    }
    CHECK(tracer.close(trace)["type"] == "reply");
    CHECK(tracer.close(trace)["code"] == "noSuchTrace");
    tracer.send(trace, {{1, 0}});
    CHECK(tracer.helper().answer(tracer.token())["code"] == "noSuchTrace");
  });
}

TEST_CASE("trace: at most 32 are open") {
  inOwnNamespace([] {
    REQUIRE(upLoopback());
    Tracer tracer;
    const std::uint32_t first = tracer.opened("127.0.0.1", "udp");
    for (int i = 1; i < 32; ++i) tracer.opened("127.0.0.1", "udp");
    CHECK(tracer.open("127.0.0.1", "udp")["code"] == "tooManyTraces");
    CHECK(tracer.close(first)["type"] == "reply");
    CHECK(tracer.open("127.0.0.1", "udp")["type"] == "reply");
  });
}

TEST_CASE(
    "trace: the prober is started when it is first asked for; when it dies, its probes are unsent and another can be "
    "started") {
  inOwnNamespace([] {
    REQUIRE(upLoopback());
    REQUIRE(
        run("nft 'add table ip t; add chain ip t in { type filter hook input priority 0; }; add rule ip t in icmp type "
            "echo-request drop'"));
    Tracer tracer;
    CHECK(tracer.helper().processes().count("netloupe-probe") == 0);
    const std::uint32_t trace = tracer.opened("127.0.0.1", "icmp");
    tracer.send(trace, {{1, 0}, {2, 0}}, 1, 60'000);
    CHECK(tracer.helper().answer(tracer.token())["result"]["queued"] == 2);
    const auto processes = tracer.helper().processes();
    const auto prober = processes.find("netloupe-probe");
    REQUIRE(prober != processes.end());
    kill(prober->second, SIGKILL);
    for (const Json& item : tracer.closings(2)) CHECK(item["errorCode"] == "internal");
    tracer.send(trace, {{1, 0}});
    CHECK(tracer.helper().answer(tracer.token())["code"] == "noSuchTrace");
    CHECK(tracer.opened("127.0.0.1", "icmp") != trace);
  });
}

TEST_CASE(
    "trace: without cap_net_raw UDP and, where the system allows it, ICMP still work and say what they can't see") {
  inOwnNamespace([] {
    REQUIRE(upLoopback());
    const auto asNobody = [] {
      if (setgid(65534) != 0 || setuid(65534) != 0) _exit(126);
    };
    for (const bool allowed : {false, true}) {
      CAPTURE(allowed);
      REQUIRE(run(allowed ? "sysctl -qw net.ipv4.ping_group_range='65534 65534'"
                          : "sysctl -qw net.ipv4.ping_group_range='1 0'"));
      Tracer tracer({.beforeExec = asNobody});
      CHECK(tracer.open("127.0.0.1", "tcp")["code"] == "needsNetRaw");
      for (const std::string destination : {"127.0.0.1", "::1"}) {
        for (const std::string protocol : {"udp", "icmp"}) {
          CAPTURE(destination);
          CAPTURE(protocol);
          const Json answer = tracer.open(destination, protocol);
          if (protocol == "icmp" && !allowed) {
            CHECK(answer["code"] == "needsNetRaw");
            continue;
          }
          REQUIRE_MESSAGE(answer["type"] == "reply", answer.dump());
          CHECK(answer["result"]["method"] == (protocol == "udp" ? "errorQueue" : "pingSocket"));
          CHECK_FALSE(answer["result"]["limits"].empty());
          tracer.send(answer["result"]["traceId"], {{1, 0}, {2, 0}, {3, 1}});
          for (const Json& item : tracer.closings(3)) {
            CHECK(item["outcome"] == "reply");
            CHECK(item["address"] == destination);
          }
        }
      }
    }
  });
}
