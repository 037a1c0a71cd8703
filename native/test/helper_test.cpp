// The whole helper, as the application meets it: order of the protocol, every refusal, real interfaces in a namespace,
// and what happens when one of its processes dies or its reader stalls.
#include <doctest/doctest.h>

#include <arpa/inet.h>
#include <grp.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <array>
#include <fstream>
#include <string>

#include "bounds.h"
#include "helper_process.h"
#include "own_namespace.h"

using namespace netloupe;
using namespace netloupe::test;

namespace {

std::string golden(const std::string& name) {
  const char* folder = std::getenv("NETLOUPE_GOLDEN");
  REQUIRE_MESSAGE(folder != nullptr, "`make test` sets NETLOUPE_GOLDEN");
  std::ifstream file(std::string(folder) + "/" + name, std::ios::binary);
  REQUIRE_MESSAGE(file.good(), name);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Two ends of a cable: `a0` with addresses (captured), `b0` without.
void makeLink() {
  REQUIRE(run(
      "ip link add a0 type veth peer name b0 && ip addr add 10.77.0.1/24 dev a0 && "
      "ip link set a0 addrgenmode none && ip link set b0 addrgenmode none && ip link set b0 up && ip link set a0 up && "
      "ip neigh add 10.77.0.2 lladdr 02:00:00:00:00:02 dev a0"));
}

/// Sends datagrams out of a0; gives the bytes that they take on the wire.
std::uint64_t sendDatagrams(std::uint16_t port, int count, std::size_t payloadBytes) {
  Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  inet_pton(AF_INET, "10.77.0.2", &to.sin_addr);
  const std::string payload(payloadBytes, 'x');
  for (int i = 0; i < count; ++i) {
    REQUIRE(::sendto(socket.get(), payload.data(), payload.size(), 0, reinterpret_cast<sockaddr*>(&to), sizeof to) ==
            static_cast<ssize_t>(payload.size()));
  }
  constexpr std::size_t kHeaders = 14 + 20 + 8;
  return static_cast<std::uint64_t>(count) * (payloadBytes + kHeaders);
}

/// What the kernel itself counted on a0.
std::uint64_t wireBytes(const char* direction) {
  return Json::parse(outputOf("ip -s -j link show dev a0"))[0]["stats64"][direction]["bytes"];
}

Json fatalAfter(const std::string& bytes, int exitCode) {
  HelperProcess helper;
  helper.untilType("hello");
  helper.sendBytes(bytes);
  const Json error = helper.untilType("error");
  CHECK(error["fatal"] == true);
  CHECK_FALSE(error["message"].get<std::string>().empty());
  CHECK_FALSE(error.contains("token"));
  CHECK(helper.exitCode() == exitCode);
  return error;
}

std::string controlText(const Json& json) {
  return controlFrame(json.dump());
}
const Json kAck{{"type", "helloAck"}, {"protocol", {{"major", 1}, {"minor", 0}}}};

/// Reads until a tick's totals for `id` reach `txBytes`.
void untilTransmitted(HelperProcess& helper, Ledger& ledger, std::uint32_t id, std::uint64_t txBytes) {
  helper.onFrame = [&](const Frame& frame) { ledger.take(frame); };
  helper.until(
      [&](const Json& json) {
        if (json["type"] != "tick") return false;
        for (const Json& one : json["interfaces"]) {
          if (one["id"] == id && one["txBytes"] >= txBytes) return true;
        }
        return false;
      },
      "the bytes that were sent");
}

Json untilState(HelperProcess& helper, const std::string& name, const std::string& state) {
  return helper.until(
      [&](const Json& json) { return json["type"] == "interface" && json["name"] == name && json["state"] == state; },
      state.c_str());
}

std::map<std::string, std::string> statusOf(pid_t pid) {
  std::map<std::string, std::string> status;
  std::ifstream file("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(':');
    const std::size_t value = line.find_first_not_of(" \t", colon + 1);
    if (value != std::string::npos) status[line.substr(0, colon)] = line.substr(value);
  }
  return status;
}

}  // namespace

TEST_CASE("helper: hello comes first, degraded after helloAck, and end of input ends it") {
  HelperProcess helper;
  const Json hello = helper.next()->control;
  CHECK(hello["type"] == "hello");
  CHECK(hello["protocol"] == Json{{"major", 1}, {"minor", 1}});
  CHECK(hello["mode"] == "live");
  CHECK(hello["pid"] == helper.pid());
  CHECK(hello["limits"]["maxControlBytes"] == 65536);
  CHECK(hello["bootId"].get<std::string>().size() == 36);
  helper.send(kAck);
  CHECK(helper.next()->control["type"] == "degraded");
  helper.closeInput();
  CHECK(helper.exitCode() == 0);
}

TEST_CASE("helper: what can't be trusted is refused with a typed error and exit code 4") {
  CHECK(fatalAfter(golden("bad-type.frame"), 4)["code"] == "badFrame");
  CHECK(fatalAfter(golden("bad-flags.frame"), 4)["code"] == "badFrame");
  CHECK(fatalAfter(golden("bad-zero.frame"), 4)["code"] == "badFrame");
  CHECK(fatalAfter(golden("too-large-control.frame"), 4)["code"] == "frameTooLarge");
  CHECK(fatalAfter(golden("flow-batch.frame"), 4)["code"] == "badFrame");
  CHECK(fatalAfter(controlFrame("{"), 4)["code"] == "badJson");
  CHECK(fatalAfter(controlFrame("{}"), 4)["code"] == "badJson");
  CHECK(fatalAfter(controlText({{"type", "stop"}, {"token", 1}}), 4)["code"] == "badSequence");
  CHECK(fatalAfter(controlText({{"type", "dance"}, {"token", 1}}), 4)["code"] == "badSequence");
  CHECK(fatalAfter(controlText(kAck) + controlText(kAck), 4)["code"] == "badSequence");
}

TEST_CASE("helper: another major version is refused with exit code 3") {
  const Json error = fatalAfter(controlText({{"type", "helloAck"}, {"protocol", {{"major", 2}, {"minor", 0}}}}), 3);
  CHECK(error["code"] == "protocolMismatch");
}

TEST_CASE("helper: a later minor version is welcome") {
  HelperProcess helper;
  helper.untilType("hello");
  helper.send({{"type", "helloAck"}, {"protocol", {{"major", 1}, {"minor", 7}}}, {"later", true}});
  CHECK(helper.untilType("degraded")["type"] == "degraded");
}

TEST_CASE("helper: a wrong request is answered by its token and the helper goes on") {
  HelperProcess helper;
  helper.shakeHands();
  const auto codeOf = [&](Json request) {
    static std::uint32_t token = 100;
    request["token"] = ++token;
    helper.send(request);
    const Json answer = helper.answer(token);
    CHECK(answer["type"] == "error");
    CHECK_FALSE(answer["message"].get<std::string>().empty());
    CHECK(answer.contains("fix"));
    return answer["code"].get<std::string>();
  };
  CHECK(codeOf({{"type", "dance"}}) == "unknownRequest");
  CHECK(codeOf({{"type", "start"}}) == "badRequest");
  CHECK(codeOf({{"type", "stop"}}) == "notStarted");
  CHECK(codeOf({{"type", "snapshot"}}) == "notStarted");
  CHECK(codeOf({{"type", "configure"}, {"tickMs", 500}}) == "notStarted");
  helper.closeInput();
  CHECK(helper.exitCode() == 0);
}

TEST_CASE("helper: it is started in one way only") {
  for (const char* argument : {"--help", "-i", "--read=x", ""}) {
    HelperProcess helper({.arguments = {argument}});
    CHECK(helper.exitCode() == 2);
  }
  {
    HelperProcess helper({.arguments = {"--read", "--read"}});
    CHECK(helper.exitCode() == 2);
  }
  {
    HelperProcess helper({.arguments = {"--read"}});  // no descriptor 3
    CHECK(helper.exitCode() == 2);
  }
  {
    HelperProcess helper({.beforeExec = [] { dup2(open("/dev/null", O_RDWR), STDIN_FILENO); }});
    CHECK(helper.exitCode() == 2);
  }
  {
    HelperProcess helper({.arguments = {"--version"}});
    CHECK(helper.exitCode() == 0);
  }
}

TEST_CASE("helper: every byte that was sent is in one flow and in the interface's totals") {
  inOwnNamespace([] {
    makeLink();
    HelperProcess helper;
    helper.shakeHands();
    const auto interfaces = helper.start();
    REQUIRE(interfaces.contains("a0"));
    CHECK_FALSE(interfaces.contains("b0"));  // no address
    CHECK_FALSE(interfaces.contains("lo"));
    const Json& a0 = interfaces.at("a0");
    CHECK(a0["linkType"] == "ethernet");
    CHECK(a0["state"] == "capturing");
    CHECK(a0["addresses"][0] == Json{{"address", "10.77.0.1"}, {"prefixLength", 24}, {"scope", "global"}});

    Ledger ledger;
    const std::uint64_t sent = sendDatagrams(4000, 50, 100) + sendDatagrams(4001, 3, 1400);
    untilTransmitted(helper, ledger, a0["id"], sent);
    ledger.checkSums();
    CHECK(ledger.interfaces[a0["id"]]["txBytes"] == sent);
    CHECK(wireBytes("tx") == sent);
    std::uint64_t toPort4000 = 0;
    for (const auto& [id, record] : ledger.flows) {
      if (record.remotePort != 4000) continue;
      toPort4000 += record.txBytes;
      CHECK(record.protocol == 17);
      CHECK(record.txPackets == 50);
      CHECK(record.payloadBytes == 5000);
      CHECK(record.flags == kFlowInitiatedLocally);
    }
    CHECK(toPort4000 == 50 * 142);

    helper.send({{"type", "stop"}, {"token", 2}});
    CHECK(helper.answer(2)["type"] == "reply");
    for (const auto& [id, record] : ledger.flows) {
      CHECK((record.flags & kFlowEnded) != 0);
      CHECK(record.endReason == EndReason::captureStopped);
    }
    CHECK_FALSE(ledger.endedTwice);
    ledger.checkSums();
    helper.closeInput();
    CHECK(helper.exitCode() == 0);
  });
}

TEST_CASE("helper: a snapshot carries every live flow under the tick that was promised") {
  inOwnNamespace([] {
    makeLink();
    HelperProcess helper;
    helper.shakeHands();
    const std::uint32_t id = helper.start().at("a0")["id"];
    Ledger before;
    std::uint64_t sent = 0;
    for (std::uint16_t port = 5000; port < 5020; ++port) sent += sendDatagrams(port, 1, 10);
    untilTransmitted(helper, before, id, sent);

    helper.send({{"type", "snapshot"}, {"token", 3}});
    const std::uint32_t promised = helper.answer(3)["result"]["tick"];
    std::map<std::uint32_t, std::size_t> flowsOfTick;
    helper.onFrame = [&](const Frame& frame) { flowsOfTick[frame.id] += frame.flows.size(); };
    helper.until([&](const Json& json) { return json["type"] == "tick" && json["tick"] == promised; },
                 "the promised tick");
    CHECK(flowsOfTick[promised] >= 20);
  });
}

TEST_CASE("helper: start names what it can't do") {
  inOwnNamespace([] {
    makeLink();
    HelperProcess helper;
    helper.shakeHands();
    std::uint32_t token = 10;
    const auto refused = [&](const Json& members) {
      Json request{{"type", "start"}, {"token", ++token}, {"tickMs", 100}};
      request.update(members);
      helper.send(request);
      return helper.answer(token)["code"].get<std::string>();
    };
    CHECK(refused({{"interfaces", {"a0", "nowhere0"}}}) == "noSuchInterface");
    CHECK(refused({{"captureFilter", "tcp port or"}}) == "badCaptureFilter");
    CHECK(refused({{"captureFilter", "host name.example"}}) == "badCaptureFilter");
    std::vector<std::string> many;
    for (std::size_t i = 0; i <= kMaxInterfaces; ++i) many.push_back("x" + std::to_string(i));
    CHECK(refused({{"interfaces", many}}) == "tooManyInterfaces");
    helper.start();
    CHECK(refused(Json::object()) == "alreadyStarted");
  });
}

TEST_CASE("helper: a capture filter decides what is counted") {
  inOwnNamespace([] {
    makeLink();
    HelperProcess helper;
    helper.shakeHands();
    const std::uint32_t id = helper.start({{"captureFilter", "udp port 6001"}}).at("a0")["id"];
    sendDatagrams(6000, 10, 10);
    const std::uint64_t wanted = sendDatagrams(6001, 5, 10);
    Ledger ledger;
    untilTransmitted(helper, ledger, id, wanted);
    helper.untilType("tick");
    CHECK(ledger.interfaces[id]["txBytes"] == wanted);
  });
}

TEST_CASE("helper: interfaces come, change and go while it captures") {
  inOwnNamespace([] {
    makeLink();
    HelperProcess helper;
    helper.shakeHands();
    const std::uint32_t id = helper.start().at("a0")["id"];

    REQUIRE(run("ip link set a0 down"));
    CHECK(untilState(helper, "a0", "down")["id"] == id);
    REQUIRE(run("ip link set a0 up && ip neigh replace 10.77.0.2 lladdr 02:00:00:00:00:02 dev a0"));
    CHECK(untilState(helper, "a0", "capturing")["id"] == id);
    Ledger ledger;
    untilTransmitted(helper, ledger, id, sendDatagrams(7000, 4, 10));  // it still counts

    REQUIRE(run("ip link set a0 down && ip link set a0 name c0 && ip link set c0 up"));
    CHECK(untilState(helper, "c0", "capturing")["id"] == id);

    REQUIRE(run("ip link add d0 type veth peer name e0 && ip addr add 10.78.0.1/24 dev d0 && ip link set d0 up"));
    const std::uint32_t newId = untilState(helper, "d0", "capturing")["id"];
    CHECK(newId > id);
    REQUIRE(run("ip link del d0"));
    CHECK(untilState(helper, "d0", "gone")["id"] == newId);

    REQUIRE(run("ip link del c0"));
    CHECK(untilState(helper, "c0", "gone")["id"] == id);
    helper.until(
        [&](const Json& json) {
          if (json["type"] != "tick") return false;
          for (const Json& one : json["interfaces"]) {
            if (one["id"] == id) return false;
          }
          return true;
        },
        "a tick without the interface");
    for (const auto& [flowId, record] : ledger.flows) {
      CHECK((record.flags & kFlowEnded) != 0);
      CHECK(record.endReason == EndReason::interfaceGone);
    }
    ledger.checkSums();
  });
}

TEST_CASE("helper: a killed capture process is replaced, and its interface gets a new id") {
  inOwnNamespace([] {
    makeLink();
    HelperProcess helper;
    helper.shakeHands();
    const std::uint32_t id = helper.start().at("a0")["id"];
    kill(helper.processes().find("netloupe-pcap")->second, SIGKILL);
    const Json failed = untilState(helper, "a0", "failed");
    CHECK(failed["id"] == id);
    CHECK(failed["error"]["code"] == "internal");
    const Json again = untilState(helper, "a0", "capturing");
    CHECK(again["id"] > id);
    Ledger ledger;
    untilTransmitted(helper, ledger, again["id"], sendDatagrams(7100, 4, 10));
  });
}

TEST_CASE("helper: a killed capture process is told as captureRestarted") {
  inOwnNamespace([] {
    makeLink();
    HelperProcess helper;
    helper.shakeHands();
    helper.start();
    kill(helper.processes().find("netloupe-pcap")->second, SIGKILL);
    helper.until(
        [](const Json& json) {
          if (json["type"] != "degraded") return false;
          for (const Json& reason : json["reasons"]) {
            if (reason["code"] == "captureRestarted") return true;
          }
          return false;
        },
        "captureRestarted");
  });
}

TEST_CASE("helper: a killed look-up process is replaced") {
  HelperProcess helper;
  helper.shakeHands();
  std::uint32_t token = 20;
  helper.send({{"type", "interfaces"}, {"token", token}});
  CHECK(helper.answer(token)["type"] == "reply");
  kill(helper.processes().find("netloupe-lookup")->second, SIGKILL);
  const auto deadline = Clock::now() + kPatience;
  Json answer;
  do {
    helper.send({{"type", "interfaces"}, {"token", ++token}});
    answer = helper.answer(token);
  } while (answer["type"] == "error" && Clock::now() < deadline);
  CHECK(answer["result"]["count"] >= 1);
}

TEST_CASE("helper: without its front it ends, and nothing stays behind") {
  HelperProcess helper;
  helper.shakeHands();
  const auto processes = helper.processes();
  REQUIRE(processes.size() == 2);
  kill(processes.find("netloupe-front")->second, SIGKILL);
  CHECK(helper.exitCode() == 1);
  CHECK(kill(processes.find("netloupe-lookup")->second, 0) != 0);
}

TEST_CASE("helper: when the supervisor is killed its processes die with it") {
  inOwnNamespace([] {
    makeLink();
    HelperProcess helper;
    helper.shakeHands();
    helper.start();
    const auto processes = helper.processes();
    REQUIRE(processes.size() == 3);
    kill(helper.pid(), SIGKILL);
    CHECK(helper.exitCode() == -SIGKILL);
    // Every one of them held the pipe: end of file comes when the last is gone.
    while (helper.next()) {
    }
    const auto deadline = Clock::now() + kPatience;
    for (const auto& [name, pid] : processes) {
      while (kill(pid, 0) == 0 && statusOf(pid)["State"][0] != 'Z' && Clock::now() < deadline) usleep(1000);
      CHECK_MESSAGE((kill(pid, 0) != 0 || statusOf(pid)["State"][0] == 'Z'), name);
    }
  });
}

TEST_CASE("helper: SIGTERM and SIGINT end it cleanly") {
  for (const int signal : {SIGTERM, SIGINT}) {
    HelperProcess helper;
    helper.shakeHands();
    kill(helper.pid(), signal);
    CHECK(helper.exitCode() == 0);
  }
}

TEST_CASE("helper: a stalled reader costs ticks, not counts, and memory stays bounded") {
  inOwnNamespace([] {
    makeLink();
    HelperProcess helper;
    helper.shakeHands();
    const std::uint32_t id = helper.start().at("a0")["id"];
    Ledger ledger;
    helper.onFrame = [&](const Frame& frame) { ledger.take(frame); };
    helper.untilType("tick");
    // More flows than a pipe holds records of, so that the first tick after this can't be written out.
    std::uint64_t sent = 0;
    for (std::uint16_t port = 10000; port < 12000; ++port) sent += sendDatagrams(port, 1, 10);
    // Nobody reads while fifteen ticks are due: the clock alone makes them due, so this is real time.
    usleep(1'500'000);
    for (std::uint16_t port = 10000; port < 12000; ++port) sent += sendDatagrams(port, 1, 10);
    untilTransmitted(helper, ledger, id, sent);
    ledger.checkSums();
    CHECK(ledger.interfaces[id]["txBytes"] == sent);
    CHECK(ledger.interfaces[id]["dropped"] == 0);
    // Fewer ticks came than were due, and the gap in their numbers says so.
    CHECK(ledger.ticks.back() - ledger.ticks.front() + 1 > ledger.ticks.size());
    for (const auto& [name, pid] : helper.processes()) {
      CHECK_MESSAGE(std::stoul(statusOf(pid)["VmRSS"]) < 40'000, name);
    }
  });
}

TEST_CASE("helper: each process has the capabilities of its role and a sandbox") {
  inOwnNamespace([] {
    makeLink();
    HelperProcess helper;
    helper.shakeHands();
    helper.start();
    // Bits of linux/capability.h: dac_read_search 2, net_raw 13, sys_ptrace 19.
    const std::map<std::string, std::array<std::uint64_t, 2>> table{
        {"netloupe-helper", {1u << 2 | 1u << 13 | 1u << 19, 0}},  // only to pass them on
        {"netloupe-front", {0, 0}},
        {"netloupe-pcap", {0, 0}},
        {"netloupe-lookup", {1u << 2 | 1u << 19, 1u << 2 | 1u << 19}},
    };
    auto processes = helper.processes();
    processes.emplace("netloupe-helper", helper.pid());
    REQUIRE(processes.size() == table.size());
    for (const auto& [name, pid] : processes) {
      INFO(name);
      auto status = statusOf(pid);
      REQUIRE(table.contains(name));
      CHECK(std::stoull(status["CapPrm"], nullptr, 16) == table.at(name)[0]);
      CHECK(std::stoull(status["CapEff"], nullptr, 16) == table.at(name)[1]);
      CHECK(std::stoull(status["CapInh"], nullptr, 16) == 0);
      CHECK(std::stoull(status["CapAmb"], nullptr, 16) == 0);
      CHECK(status["NoNewPrivs"] == "1");
      CHECK(status["Seccomp"] == "2");
      std::string environment;
      std::getline(std::ifstream("/proc/" + std::to_string(pid) + "/environ"), environment);
      CHECK(environment.empty());
    }
  });
}

TEST_CASE("helper: the processes that see packets or JSON hold no descriptor that they don't need") {
  inOwnNamespace([] {
    makeLink();
    HelperProcess helper;
    helper.shakeHands();
    helper.start();
    for (const auto& [name, pid] : helper.processes()) {
      if (name == "netloupe-lookup") continue;
      INFO(name);
      const std::string open = outputOf("ls -l /proc/" + std::to_string(pid) + "/fd | sed 's/.*-> //' | sort | uniq");
      CHECK(open.find("/proc") == std::string::npos);
      if (name == "netloupe-pcap") CHECK(open.find("pipe:") == std::string::npos);  // not the application's
    }
  });
}

TEST_CASE("helper: without capabilities it says what is missing and serves the rest") {
  if (getuid() != 0) return;  // an ordinary user has this case in every other test
  HelperProcess helper({.beforeExec = [] {
    REQUIRE(setgroups(0, nullptr) == 0);
    REQUIRE(setresgid(65534, 65534, 65534) == 0);
    REQUIRE(setresuid(65534, 65534, 65534) == 0);
  }});
  const Json hello = helper.shakeHands();
  CHECK(hello["privileges"] == Json{{"netRaw", false}, {"sysPtrace", false}, {"dacReadSearch", false}});
  std::vector<std::string> codes;
  const Json degraded = helper.untilType("degraded");
  for (const Json& reason : degraded["reasons"]) {
    codes.push_back(reason["code"]);
    CHECK(reason["fix"].get<std::string>().find("setcap") != std::string::npos);
  }
  CHECK(codes == std::vector<std::string>{"needsNetRaw", "needsSysPtrace", "needsDacReadSearch"});
  helper.send({{"type", "start"}, {"token", 1}, {"tickMs", 100}});
  CHECK(helper.answer(1)["code"] == "needsNetRaw");
  std::uint32_t token = 1;
  for (const char* request : {"sockets", "interfaces", "routes", "neighbors"}) {
    helper.send({{"type", request}, {"token", ++token}});
    CHECK(helper.answer(token)["type"] == "reply");
  }
}

TEST_CASE("helper: a token that is still open ends the stream") {
  HelperProcess helper;
  helper.shakeHands();
  const Json request{{"type", "sockets"}, {"token", 5}};
  helper.sendBytes(controlText(request) + controlText(request));
  CHECK(helper.untilType("error")["code"] == "badSequence");
  CHECK(helper.exitCode() == 4);
}

TEST_CASE("helper: one request too many is told so") {
  HelperProcess helper;
  helper.shakeHands();
  std::string burst;
  for (std::uint32_t token = 1; token <= kMaxOpenRequests + 1; ++token)
    burst += controlText({{"type", "sockets"}, {"token", token}});
  helper.sendBytes(burst);
  CHECK(helper.answer(kMaxOpenRequests + 1)["code"] == "tooManyRequests");
  helper.closeInput();
  CHECK(helper.exitCode() == 0);
}

namespace {

/// A pcap file of one second apart UDP packets, little-endian, microseconds (draft-ietf-opsawg-pcap).
std::string pcapFile(int packets) {
  std::string file;
  const auto u32 = [&](std::uint32_t value) { file.append(reinterpret_cast<const char*>(&value), 4); };
  u32(0xa1b2c3d4);
  u32(0x00040002);
  u32(0);
  u32(0);
  u32(65535);
  u32(1);
  const unsigned char frame[] = {0x02, 0, 0,  0, 0,    2,    0x02, 0,  0,  0,  0, 1,  0x08, 0,  0x45,
                                 0,    0, 30, 0, 0,    0x40, 0,    64, 17, 0,  0, 10, 0,    0,  1,
                                 192,  0, 2,  1, 0x9c, 0x40, 0,    53, 0,  10, 0, 0,  'h',  'i'};
  for (int i = 0; i < packets; ++i) {
    u32(1700000000u + static_cast<std::uint32_t>(i));
    u32(0);
    u32(sizeof frame);
    u32(sizeof frame);
    file.append(reinterpret_cast<const char*>(frame), sizeof frame);
  }
  return file;
}

Fd memoryFile(const std::string& bytes) {
  Fd file(memfd_create("test", MFD_CLOEXEC));
  REQUIRE(::write(file.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  REQUIRE(lseek(file.get(), 0, SEEK_SET) == 0);
  return file;
}

struct ReadRun {
  Ledger ledger;
  Json answer;
  Json end;
  int exitCode = -1;
};

ReadRun readFile(const Fd& file, const std::string& filter = "", std::uint32_t tickMs = 1000) {
  ReadRun result;
  HelperProcess helper({.arguments = {"--read"}, .file = file.get()});
  const Json hello = helper.shakeHands();
  CHECK(hello["mode"] == "read");
  CHECK(hello["privileges"]["netRaw"] == false);
  helper.onFrame = [&](const Frame& frame) { result.ledger.take(frame); };
  helper.send({{"type", "start"}, {"token", 1}, {"captureFilter", filter}, {"tickMs", tickMs}});
  result.answer = helper.answer(1);
  if (result.answer["type"] == "reply") result.end = helper.untilType("end");
  helper.closeInput();
  result.exitCode = helper.exitCode();
  return result;
}

}  // namespace

TEST_CASE("helper: a capture file is read to its end in recorded time") {
  const std::string bytes = pcapFile(10);
  const ReadRun read = readFile(memoryFile(bytes));
  CHECK(read.answer["result"]["interfaces"][0]["linkType"] == "ethernet");
  CHECK(read.end["reason"] == "endOfFile");
  CHECK(read.end["packets"] == 10);
  CHECK(read.end["offsetBytes"] == bytes.size());
  CHECK(read.exitCode == 0);
  CHECK(read.ledger.ticks.size() >= 9);
  REQUIRE(read.ledger.flows.size() == 1);
  const FlowRecord& flow = read.ledger.flows.begin()->second;
  CHECK(flow.txBytes == 440);
  CHECK(flow.firstSeenUs == 1700000000'000000);
  CHECK(flow.lastSeenUs == 1700000009'000000);
  CHECK(flow.endReason == EndReason::endOfFile);
  CHECK(flow.reason == Reason::recorded);
  read.ledger.checkSums();
}

TEST_CASE("helper: a long silence in a file is one tick") {
  std::string bytes = pcapFile(2);
  const std::uint32_t later = 1700000000u + 86400 * 365;
  std::memcpy(bytes.data() + 24 + 16 + 44, &later, 4);
  CHECK(readFile(memoryFile(bytes)).ledger.ticks.size() == 2);
}

TEST_CASE("helper: what was readable of a damaged file is counted, and the place is named") {
  const std::string whole = pcapFile(5);
  const ReadRun read = readFile(memoryFile(whole.substr(0, whole.size() - 10)));
  CHECK(read.end["reason"] == "damagedFile");
  CHECK(read.end["offsetBytes"] == whole.size() - 60);
  CHECK_FALSE(read.end["message"].get<std::string>().empty());
  CHECK(read.ledger.flows.begin()->second.txPackets == 4);
  CHECK(read.exitCode == 0);
}

TEST_CASE("helper: what is no capture file is refused by its token") {
  const ReadRun read = readFile(memoryFile("root:x:0:0:root:/root:/bin/bash\n"));
  CHECK(read.answer["code"] == "badFile");
  CHECK(read.exitCode == 0);
}

TEST_CASE("helper: a capture filter works on a file as well") {
  CHECK(readFile(memoryFile(pcapFile(3)), "udp port 53").ledger.flows.size() == 1);
  CHECK(readFile(memoryFile(pcapFile(3)), "tcp").ledger.flows.empty());
  CHECK(readFile(memoryFile(pcapFile(3)), "port or").answer["code"] == "badCaptureFilter");
}

TEST_CASE("helper: a file that comes through a pipe is read as it comes") {
  int ends[2];
  REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
  Fd reading(ends[0]);
  Fd writing(ends[1]);
  const std::string bytes = pcapFile(3);
  REQUIRE(::write(writing.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  writing.reset();
  const ReadRun read = readFile(reading);
  CHECK(read.end["packets"] == 3);
}

TEST_CASE("helper: reading can be stopped half-way") {
  int ends[2];
  REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
  Fd reading(ends[0]);
  Fd writing(ends[1]);  // stays open: the file never ends
  const std::string bytes = pcapFile(3);
  REQUIRE(::write(writing.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  HelperProcess helper({.arguments = {"--read"}, .file = reading.get()});
  helper.shakeHands();
  helper.send({{"type", "start"}, {"token", 1}, {"tickMs", 1000}});
  CHECK(helper.answer(1)["type"] == "reply");
  Ledger ledger;
  helper.onFrame = [&](const Frame& frame) { ledger.take(frame); };
  helper.send({{"type", "stop"}, {"token", 2}});
  CHECK(helper.answer(2)["type"] == "reply");
  ledger.checkSums();
  helper.closeInput();
  CHECK(helper.exitCode() == 0);
}
