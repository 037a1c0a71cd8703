#include <doctest/doctest.h>

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "bounds.h"
#include "events.h"
#include "problems.h"
#include "requests.h"
#include "wire.h"

using namespace netloupe;
using Json = nlohmann::json;

namespace {

std::string fileText(const std::string& name) {
  const char* folder = std::getenv("NETLOUPE_GOLDEN");
  REQUIRE_MESSAGE(folder != nullptr, "`make test` sets NETLOUPE_GOLDEN");
  std::ifstream file(std::string(folder) + "/" + name, std::ios::binary);
  REQUIRE_MESSAGE(file.good(), name);
  return {std::istreambuf_iterator<char>(file), {}};
}

Json goldenFrames() {
  return Json::parse(fileText("golden.json"))["frames"];
}

Json golden(const std::string& file) {
  for (const Json& frame : goldenFrames()) {
    if (frame["file"] == file) return frame;
  }
  FAIL("golden.json does not describe ", file);
  return {};
}

template <std::size_t Count>
std::uint8_t indexOf(const std::array<const char*, Count>& words, const Json& word) {
  const auto found = std::find(words.begin(), words.end(), word.get<std::string>());
  REQUIRE(found != words.end());
  return static_cast<std::uint8_t>(found - words.begin());
}

constexpr std::array kStates{"none",      "synSent", "synReceived", "established", "finWait1", "finWait2",
                             "closeWait", "closing", "lastAck",     "timeWait",    "closed",   "reset"};
constexpr std::array kReasons{"none",           "pending",    "socketGone", "forwarded", "notLocal",  "kernel",
                              "otherNamespace", "permission", "malformed",  "truncated", "tableFull", "noSocket",
                              "recorded",       "overloaded", "fragment",   "linkType"};
constexpr std::array kEndReasons{"alive",          "fin",          "rst",       "idle",  "evicted", "interfaceGone",
                                 "captureStopped", "ownerChanged", "endOfFile", "active"};
constexpr std::array kAttributions{"none", "relaxed", "exact"};

Address addressOf(const Json& text, int family) {
  Address address{};
  if (family != 0)
    REQUIRE(inet_pton(family == 4 ? AF_INET : AF_INET6, text.get<std::string>().c_str(), address.data()) == 1);
  return address;
}

FlowRecord flowRecordOf(const Json& json) {
  FlowRecord record;
  record.flowId = json["flowId"];
  record.firstSeenUs = json["firstSeenUs"];
  record.lastSeenUs = json["lastSeenUs"];
  record.rxBytes = json["rxBytes"];
  record.txBytes = json["txBytes"];
  record.rxPackets = json["rxPackets"];
  record.txPackets = json["txPackets"];
  record.inode = json["inode"];
  record.localAddress = addressOf(json["localAddress"], json["family"]);
  record.remoteAddress = addressOf(json["remoteAddress"], json["family"]);
  record.localPort = json["localPort"];
  record.remotePort = json["remotePort"];
  record.interfaceId = json["interfaceId"];
  record.ownerId = json["ownerId"];
  record.uid = json["uid"] == -1 ? kUidUnknown : json["uid"].get<std::uint32_t>();
  record.handshakeRttUs = json["handshakeRttUs"];
  record.etherType = json["etherType"];
  record.vlanId = json["vlanId"];
  record.family = json["family"];
  record.protocol = json["protocol"];
  record.state = static_cast<TcpState>(indexOf(kStates, json["state"]));
  record.attribution = static_cast<Attribution>(indexOf(kAttributions, json["attribution"]));
  record.reason = static_cast<Reason>(indexOf(kReasons, json["reason"]));
  unsigned flags = json["ended"].get<bool>() ? kFlowEnded : 0;
  if (json["initiator"] == "local") flags |= kFlowInitiatedLocally;
  if (json["initiator"] == "remote") flags |= kFlowInitiatedRemotely;
  if (json["synthetic"].get<bool>()) flags |= kFlowSynthetic;
  record.flags = static_cast<std::uint8_t>(flags);
  record.endReason = static_cast<EndReason>(indexOf(kEndReasons, json["endReason"]));
  record.rxTcpFlags = json["rxTcpFlags"];
  record.txTcpFlags = json["txTcpFlags"];
  record.retransmits = json["retransmits"];
  record.payloadBytes = json["payloadBytes"];
  return record;
}

SocketRecord socketRecordOf(const Json& json) {
  SocketRecord record;
  record.inode = json["inode"];
  record.localAddress = addressOf(json["localAddress"], json["family"]);
  record.remoteAddress = addressOf(json["remoteAddress"], json["family"]);
  record.localPort = json["localPort"];
  record.remotePort = json["remotePort"];
  record.ownerId = json["ownerId"];
  record.uid = json["uid"] == -1 ? kUidUnknown : json["uid"].get<std::uint32_t>();
  record.interfaceIndex = json["interfaceIndex"];
  record.rxQueueBytes = json["rxQueueBytes"];
  record.txQueueBytes = json["txQueueBytes"];
  record.family = json["family"];
  record.protocol = json["protocol"];
  record.state = json["state"];
  record.reason = static_cast<Reason>(indexOf(kReasons, json["reason"]));
  record.rxBytes = json["rxBytes"];
  record.txBytes = json["txBytes"];
  record.rttUs = json["rttUs"];
  record.rttVarianceUs = json["rttVarianceUs"];
  record.retransmits = json["retransmits"];
  record.congestionWindow = json["congestionWindow"];
  return record;
}

InterfaceEntry goldenInterface() {
  return {.id = 1,
          .index = 2,
          .name = "eth0",
          .link = LinkLayer::ethernet,
          .state = InterfaceState::capturing,
          .linkLayerAddress = "02:00:5e:10:00:01",
          .mtu = 1500,
          .addresses = {{.address = "192.0.2.10", .prefixLength = 24, .scope = "global"},
                        {.address = "fe80::5eff:fe10:1", .prefixLength = 64, .scope = "link"}},
          .error = {}};
}

}  // namespace

TEST_CASE("golden: a flow batch is written byte for byte as the protocol's table has it") {
  const Json frame = golden("flow-batch.frame");
  std::string written = flowBatchHead(frame["tick"], frame["records"].size());
  for (const Json& json : frame["records"]) {
    const FlowRecord record = flowRecordOf(json);
    written.append(reinterpret_cast<const char*>(&record), sizeof record);
  }
  CHECK(written == fileText("flow-batch.frame"));
}

TEST_CASE("golden: a socket batch is written byte for byte as the protocol's table has it") {
  const Json frame = golden("socket-batch.frame");
  std::vector<SocketRecord> records;
  for (const Json& json : frame["records"]) records.push_back(socketRecordOf(json));
  CHECK(socketBatchFrame(frame["token"], records) == fileText("socket-batch.frame"));
}

TEST_CASE("golden: every control message is written as the protocol has it") {
  const auto check = [](const char* file, const std::string& json) {
    CHECK_MESSAGE(controlFrame(json) == fileText(file), json);
  };
  FrontOptions options;
  options.privileges = {.netRaw = true, .sysPtrace = true, .dacReadSearch = false};
  options.bootId = "2f705217-b78f-4b8d-90a4-21169ab125a4";
  options.helperPid = 1325;
  check("hello.frame", events::hello(options));

  InterfaceEntry broken = goldenInterface();
  broken.id = 2;
  broken.name = "eth1";
  broken.state = InterfaceState::failed;
  broken.addresses.clear();
  broken.error = problems::captureFailed("eth1", "out of memory");
  check("start-reply.frame", events::replyInterfaces(1, {goldenInterface(), broken}));
  check("interface.frame", events::interfaceChanged(goldenInterface()));

  const CaptureTotals totals{.rxBytes = 123456789012,
                             .txBytes = 74,
                             .rxPackets = 98765432,
                             .txPackets = 1,
                             .received = 98765440,
                             .dropped = 7,
                             .ifDropped = 1,
                             .flows = 2,
                             .pending = 1};
  check("tick.frame", events::tick(7, 1795466757491, {{.id = 1, .totals = totals}}));
  check("degraded.frame", events::degraded({problems::socketDiagUnavailable()}));
  check("snapshot-reply.frame", events::replyTick(2, 8));
  check("sockets-reply.frame", events::replyCount(3, RequestKind::sockets, 2));
  check("error.frame", events::error(4, problems::notStarted()));
  check("fatal-error.frame", events::fatalError(problems::protocolMismatch(2)));
  check("end.frame",
        events::endOfFile(12, 1624, problems::damagedFile("The record is cut off.", "Copy the file again.")));
}

TEST_CASE("golden: every request of the application is read") {
  int read = 0;
  for (const Json& frame : goldenFrames()) {
    if (frame["sender"] != "application") continue;
    ++read;
    const std::string bytes = fileText(frame["file"]);
    FrameReader reader;
    reader.feed(bytes);
    std::string_view json;
    REQUIRE(reader.next(json));
    CHECK(Json::parse(json) == frame["message"]);
    const ControlMessage message = parseControl(json, false);
    CHECK_MESSAGE(!std::holds_alternative<RequestError>(message), frame["file"]);
    CHECK_FALSE(reader.next(json));
    CHECK_FALSE(reader.hasPartialFrame());
  }
  CHECK(read == 5);
}

TEST_CASE("golden: what must be refused is refused at its header") {
  int refused = 0;
  for (const Json& frame : goldenFrames()) {
    if (!frame.contains("error")) continue;
    ++refused;
    // The payload never comes: the header alone decides.
    FrameReader reader;
    reader.feed(fileText(frame["file"]).substr(0, sizeof(FrameHeader)));
    std::string_view json;
    CHECK_FALSE(reader.next(json));
    const FrameReader::Error expected =
        frame["error"] == "badFrame" ? FrameReader::Error::badFrame : FrameReader::Error::frameTooLarge;
    CHECK_MESSAGE(reader.error() == expected, frame["file"]);
  }
  CHECK(refused == 5);
}

TEST_CASE("frames are found however the stream is cut") {
  const std::string stream = controlFrame("{\"a\":1}") + controlFrame("") +
                             controlFrame(std::string(kMaxControlBytes, ' ')) + controlFrame("{}");
  for (const std::size_t step : {std::size_t{1}, std::size_t{3}, std::size_t{8}, std::size_t{4096}, stream.size()}) {
    FrameReader reader;
    std::vector<std::size_t> lengths;
    for (std::size_t at = 0; at < stream.size(); at += step) {
      reader.feed(std::span(stream).subspan(at, std::min(step, stream.size() - at)));
      std::string_view json;
      while (reader.next(json)) lengths.push_back(json.size());
    }
    CHECK(lengths == std::vector<std::size_t>{7, 0, kMaxControlBytes, 2});
    CHECK_FALSE(reader.hasPartialFrame());
  }
}

TEST_CASE("after a bad frame nothing more is taken") {
  FrameReader reader;
  reader.feed(fileText("bad-type.frame"));
  std::string_view json;
  CHECK_FALSE(reader.next(json));
  reader.feed(controlFrame("{}"));
  CHECK_FALSE(reader.next(json));
  CHECK(reader.error() == FrameReader::Error::badFrame);
}

TEST_CASE("text becomes valid UTF-8 of bounded length") {
  const std::string replacement = "\xef\xbf\xbd";
  CHECK(cleanText("plain", 64) == "plain");
  CHECK(cleanText("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80", 64) ==
        "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80");
  CHECK(cleanText("a\xff"
                  "b",
                  64) == "a" + replacement + "b");
  CHECK(cleanText("\xc0\xaf", 64) == replacement + replacement);                    // overlong
  CHECK(cleanText("\xed\xa0\x80", 64) == replacement + replacement + replacement);  // surrogate
  CHECK(cleanText("\xf4\x90\x80\x80", 64).find('\xf4') == std::string::npos);       // above U+10FFFF
  CHECK(cleanText("\xe2\x82", 64) == replacement + replacement);                    // cut off
  CHECK(cleanText("a\xe2\x82\xac", 3) == "a");                                      // no half character at the limit
  CHECK(cleanText(std::string(5000, 'x'), 1024).size() == 1024);
}
