#include <doctest/doctest.h>

#include <string>

#include "requests.h"

using namespace netloupe;

namespace {

RequestError refused(const std::string& json, bool readMode = false) {
  const ControlMessage message = parseControl(json, readMode);
  REQUIRE_MESSAGE(std::holds_alternative<RequestError>(message), json);
  return std::get<RequestError>(message);
}

Request accepted(const std::string& json, bool readMode = false) {
  const ControlMessage message = parseControl(json, readMode);
  if (const auto* error = std::get_if<RequestError>(&message)) FAIL(error->message);
  REQUIRE(std::holds_alternative<Request>(message));
  return std::get<Request>(message);
}

std::string startWith(const std::string& members) {
  return R"({"type":"start","token":1,"tickMs":1000)" + members + "}";
}

}  // namespace

TEST_CASE("start: members arrive as they were sent") {
  const Request request = accepted(
      R"({"type":"start","token":5,"interfaces":["eth0","eth0","wlan0"],"loopback":true,"promiscuous":true,"captureFilter":"tcp","tickMs":100,"later":[]})");
  CHECK(request.kind == RequestKind::start);
  CHECK(request.token == 5);
  CHECK(*request.start.interfaces == std::vector<std::string>{"eth0", "wlan0"});
  CHECK(request.start.loopback);
  CHECK(request.start.promiscuous);
  CHECK(request.start.captureFilter == "tcp");
  CHECK(request.start.tickMs == 100);
}

TEST_CASE("start: null means every interface") {
  CHECK_FALSE(accepted(startWith(R"(,"interfaces":null)")).start.interfaces);
}

TEST_CASE("a wrong member is named together with what it takes") {
  const struct {
    std::string json;
    std::string message;
  } cases[] = {
      {startWith(R"(,"interfaces":[])"),
       "`interfaces` takes null, or an array of interface names of 1 to 15 characters."},
      {startWith(R"(,"interfaces":"eth0")"), "`interfaces`"},
      {startWith(R"(,"interfaces":["a/b"])"), "`interfaces`"},
      {startWith(R"(,"interfaces":[".."])"), "`interfaces`"},
      {startWith(R"(,"interfaces":["0123456789abcdef"])"), "`interfaces`"},
      {startWith(R"(,"interfaces":[7])"), "`interfaces`"},
      {startWith(R"(,"loopback":1)"), "`loopback` takes true or false."},
      {startWith(R"(,"promiscuous":"yes")"), "`promiscuous` takes true or false."},
      {startWith(R"(,"captureFilter":null)"), "`captureFilter`"},
      {startWith(R"(,"captureFilter":"a\u0000b")"), "`captureFilter`"},
      {startWith(R"(,"captureFilter":")" + std::string(8193, 'x') + "\""), "`captureFilter`"},
      {R"({"type":"start","token":1})", "`tickMs` takes a whole number of milliseconds from 100 to 60000."},
      {R"({"type":"start","token":1,"tickMs":99})", "`tickMs`"},
      {R"({"type":"start","token":1,"tickMs":60001})", "`tickMs`"},
      {R"({"type":"start","token":1,"tickMs":1000.0})", "`tickMs`"},
      {R"({"type":"configure","token":1,"tickMs":"1"})", "`tickMs`"},
  };
  for (const auto& one : cases) {
    const RequestError error = refused(one.json);
    CHECK(error.code == "badRequest");
    CHECK(error.token == 1);
    CHECK_MESSAGE(error.message.starts_with(one.message), one.json);
    CHECK_FALSE(error.fix.empty());
  }
}

TEST_CASE("read mode refuses what only a live capture has") {
  accepted(startWith(R"(,"interfaces":null,"loopback":false,"promiscuous":false)"), true);
  for (const char* member : {R"(,"interfaces":["eth0"])", R"(,"loopback":true)", R"(,"promiscuous":true)"}) {
    CHECK(refused(startWith(member), true).code == "badRequest");
  }
}

TEST_CASE("an unknown request can be answered by its token") {
  const RequestError error = refused(R"({"type":"dance","token":9})");
  CHECK(error.code == "unknownRequest");
  CHECK(error.token == 9);
}

TEST_CASE("what can't be answered ends the stream") {
  for (const std::string& json :
       {std::string("{"), std::string("[]"), std::string("null"), std::string(""), std::string("{}"),
        std::string(R"({"type":7})"), std::string(R"({"type":"stop"})"), std::string(R"({"type":"stop","token":0})"),
        std::string(R"({"type":"stop","token":-1})"), std::string(R"({"type":"stop","token":2147483648})"),
        std::string(R"({"type":"stop","token":1.0})"), std::string(R"({"type":"stop","token":"1"})"),
        std::string("{\"type\":\"\xff\"}"), std::string(65536, '['), std::string(R"({"type":"helloAck"})"),
        std::string(R"({"type":"helloAck","protocol":{"major":"1"}})")}) {
    const RequestError error = refused(json);
    CHECK_MESSAGE(error.token == 0, json.substr(0, 80));
    CHECK(error.code == "badJson");
  }
}

TEST_CASE("traceOpen: members arrive as they were sent, ports have the protocols' defaults") {
  const auto open = [](const std::string& members) {
    return accepted(
               R"({"type":"traceOpen","token":1,"source":"","interface":"","port":0,"sourcePort":0,"stepPort":true,"packetBytes":0,"tos":0,)" +
               members + "}")
        .target;
  };
  const TraceTarget udp = open(R"("destination":"192.0.2.1","protocol":"udp")");
  CHECK(udp.family == 4);
  CHECK(udp.destination == Address{192, 0, 2, 1});
  CHECK(udp.port == 33434);
  CHECK(udp.stepPort == 1);
  CHECK(udp.hasSource == 0);
  const TraceTarget tcp = open(R"("destination":"2001:db8::1","protocol":"tcp")");
  CHECK(tcp.family == 6);
  CHECK(tcp.port == 80);
  CHECK(tcp.stepPort == 0);
}

TEST_CASE("traceOpen: what is no plain address of one family is refused") {
  for (const std::string destination : {"", "host", "1.2.3", "::ffff:192.0.2.1", "fe80::1%eth0", "2001:db8::1 "}) {
    CAPTURE(destination);
    CHECK(refused(R"({"type":"traceOpen","token":1,"protocol":"icmp","destination":")" + destination + "\"}")
              .message.starts_with("`destination` takes"));
  }
  CHECK(refused(R"({"type":"traceOpen","token":1,"protocol":"icmp","destination":"192.0.2.1","source":"2001:db8::1"})")
            .message.starts_with("`source` takes"));
}

TEST_CASE("traceProbes: 1 to 256 probes, each with a ttl and a flow in range") {
  const auto request = [](const std::string& probes) {
    return R"({"type":"traceProbes","token":1,"traceId":3,"round":7,"waitMs":500,"probes":)" + probes + "}";
  };
  const Request order = accepted(request(R"([{"ttl":1,"flow":0},{"ttl":255,"flow":63}])"));
  CHECK(order.traceId == 3);
  CHECK(order.probes.round == 7);
  CHECK(order.probes.waitMs == 500);
  REQUIRE(order.probes.wanted.size() == 2);
  CHECK(order.probes.wanted[1].ttl == 255);
  CHECK(order.probes.wanted[1].flow == 63);
  std::string many = "[";
  for (int i = 0; i < 257; ++i) many += i == 0 ? R"({"ttl":1,"flow":0})" : R"(,{"ttl":1,"flow":0})";
  for (const std::string& probes :
       {std::string("[]"), std::string(R"([{"ttl":0,"flow":0}])"), std::string(R"([{"ttl":256,"flow":0}])"),
        std::string(R"([{"ttl":1,"flow":64}])"), std::string(R"([{"ttl":1}])"), std::string("[7]"), many + "]"}) {
    CAPTURE(probes);
    CHECK(refused(request(probes)).message.starts_with("`probes` takes"));
  }
}
