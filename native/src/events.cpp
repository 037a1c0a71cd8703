#include "events.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "bounds.h"
#include "version.h"
#include "wire.h"

namespace netloupe {

namespace {

using Json = nlohmann::ordered_json;

std::string text(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

const char* stateName(InterfaceState state) {
  switch (state) {
    case InterfaceState::capturing: return "capturing";
    case InterfaceState::down: return "down";
    case InterfaceState::gone: return "gone";
    case InterfaceState::failed: return "failed";
  }
  return "failed";
}

Json problemJson(const Problem& problem) { return {{"code", problem.code}, {"message", problem.message}, {"fix", problem.fix}}; }

Json interfaceJson(const InterfaceEntry& interface) {
  Json addresses = Json::array();
  for (const AddressEntry& entry : interface.addresses) {
    addresses.push_back({{"address", entry.address}, {"prefixLength", entry.prefixLength}, {"scope", entry.scope}});
  }
  Json json{{"id", interface.id},
            {"index", interface.index},
            {"name", interface.name},
            {"linkType", linkLayerName(interface.link)},
            {"state", stateName(interface.state)},
            {"loopback", interface.loopback},
            {"linkLayerAddress", interface.linkLayerAddress},
            {"mtu", interface.mtu},
            {"addresses", std::move(addresses)}};
  if (interface.error) json["error"] = problemJson(*interface.error);
  return json;
}

std::string replyText(std::uint32_t token, RequestKind request, Json result) {
  return text({{"type", "reply"}, {"token", token}, {"request", requestName(request)}, {"result", std::move(result)}});
}

}  // namespace

namespace events {

std::string hello(const FrontOptions& options) {
  const bool live = options.mode == Mode::live;
  Json features = live ? Json{"capture", "sockets", "interfaces", "routes", "neighbors"} : Json::array();
  features.push_back("read");
  return text({{"type", "hello"},
               {"protocol", {{"major", kProtocolMajor}, {"minor", kProtocolMinor}}},
               {"helperVersion", kHelperVersion},
               {"features", std::move(features)},
               {"mode", live ? "live" : "read"},
               {"privileges",
                {{"netRaw", options.privileges.netRaw},
                 {"sysPtrace", options.privileges.sysPtrace},
                 {"dacReadSearch", options.privileges.dacReadSearch}}},
               {"limits",
                {{"maxFlows", kMaxFlows},
                 {"maxFrameBytes", kMaxFrameBytes},
                 {"maxControlBytes", kMaxControlBytes},
                 {"maxInterfaces", kMaxInterfaces},
                 {"maxOwners", kMaxOwners}}},
               {"bootId", options.bootId},
               {"pid", options.helperPid}});
}

std::string reply(std::uint32_t token, RequestKind request) { return replyText(token, request, Json::object()); }

std::string replyInterfaces(std::uint32_t token, const std::vector<InterfaceEntry>& interfaces) {
  Json list = Json::array();
  for (const InterfaceEntry& interface : interfaces) list.push_back(interfaceJson(interface));
  return replyText(token, RequestKind::start, {{"interfaces", std::move(list)}});
}

std::string replyTick(std::uint32_t token, std::uint32_t tick) { return replyText(token, RequestKind::snapshot, {{"tick", tick}}); }

std::string replyCount(std::uint32_t token, RequestKind request, std::uint32_t count) {
  return replyText(token, request, {{"count", count}});
}

std::string error(std::uint32_t token, const Problem& problem) {
  return text({{"type", "error"}, {"token", token}, {"code", problem.code}, {"message", problem.message}, {"fix", problem.fix}});
}

std::string fatalError(const Problem& problem) {
  return text({{"type", "error"}, {"code", problem.code}, {"message", problem.message}, {"fix", problem.fix}, {"fatal", true}});
}

std::string interfaceChanged(const InterfaceEntry& interface) {
  Json json{{"type", "interface"}};
  json.update(interfaceJson(interface));
  return text(json);
}

std::string tick(std::uint32_t tick, std::uint64_t timeMs, const std::vector<TickInterface>& interfaces) {
  Json list = Json::array();
  std::uint64_t pending = 0;
  std::uint64_t overloaded = 0;
  for (const auto& [id, totals] : interfaces) {
    list.push_back({{"id", id},
                    {"rxBytes", totals.rxBytes},
                    {"txBytes", totals.txBytes},
                    {"rxPackets", totals.rxPackets},
                    {"txPackets", totals.txPackets},
                    {"received", totals.received},
                    {"dropped", totals.dropped},
                    {"ifDropped", totals.ifDropped},
                    {"flows", totals.flows}});
    pending += totals.pending;
    overloaded += totals.overloaded;
  }
  return text({{"type", "tick"},
               {"tick", tick},
               {"timeMs", timeMs},
               {"interfaces", std::move(list)},
               {"lookup", {{"pending", pending}, {"overloaded", overloaded}}}});
}

std::string degraded(const std::vector<Problem>& reasons) {
  Json list = Json::array();
  for (const Problem& reason : reasons) list.push_back({{"code", reason.code}, {"detail", reason.message}, {"fix", reason.fix}});
  return text({{"type", "degraded"}, {"reasons", std::move(list)}});
}

std::string endOfFile(std::uint64_t packets, std::uint64_t offsetBytes, const std::optional<Problem>& damage) {
  return text({{"type", "end"},
               {"reason", damage ? "damagedFile" : "endOfFile"},
               {"packets", packets},
               {"offsetBytes", offsetBytes},
               {"message", damage ? damage->message : ""},
               {"fix", damage ? damage->fix : ""}});
}

}  // namespace events

std::string linkLayerAddressText(const LinkLayerAddress& address) {
  if (std::all_of(address.begin(), address.end(), [](std::uint8_t byte) { return byte == 0; })) return "";
  char out[18];
  std::snprintf(out, sizeof out, "%02x:%02x:%02x:%02x:%02x:%02x", address[0], address[1], address[2], address[3], address[4], address[5]);
  return out;
}

}  // namespace netloupe
