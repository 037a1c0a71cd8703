#include "events.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>

#include "bounds.h"
#include "rtnetlink.h"
#include "version.h"
#include "wire.h"

namespace netloupe {

namespace {

using Json = nlohmann::ordered_json;

std::string text(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

const char* stateName(InterfaceState state) {
  switch (state) {
    case InterfaceState::capturing:
      return "capturing";
    case InterfaceState::down:
      return "down";
    case InterfaceState::gone:
      return "gone";
    case InterfaceState::failed:
      return "failed";
  }
  return "failed";
}

Json problemJson(const Problem& problem) {
  return {{"code", problem.code}, {"message", problem.message}, {"fix", problem.fix}};
}

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

const char* methodName(ProbeMethod method) {
  switch (method) {
    case ProbeMethod::raw:
      return "raw";
    case ProbeMethod::errorQueue:
      return "errorQueue";
    case ProbeMethod::pingSocket:
      return "pingSocket";
  }
  return "raw";
}

/// What a trace can't see with this method.
Json limitsOf(ProbeMethod method, const TraceTarget& target) {
  Json limits = Json::array();
  if (method == ProbeMethod::raw) return limits;
  limits.push_back(
      "Without cap_net_raw the kernel hands over less of each answer: MPLS labels, rewritten packets and forged "
      "answers are not seen.");
  limits.push_back(
      "Sending is timed by this program instead of the kernel, so times are a little longer on a busy machine.");
  if (method == ProbeMethod::errorQueue && target.stepPort == 0) {
    limits.push_back(
        "Routers that quote only the first 8 bytes of a probe seem silent, unless the destination port is stepped.");
  }
  if (method == ProbeMethod::pingSocket)
    limits.push_back("The kernel chooses the echo identifier, so every flow needs a socket of its own.");
  return limits;
}

const char* outcomeName(ProbeOutcome outcome) {
  switch (outcome) {
    case ProbeOutcome::reply:
      return "reply";
    case ProbeOutcome::noReply:
      return "noReply";
    case ProbeOutcome::unsent:
      return "unsent";
    case ProbeOutcome::duplicate:
      return "duplicate";
    case ProbeOutcome::late:
      return "late";
    case ProbeOutcome::forged:
      return "forged";
  }
  return "forged";
}

const char* sendErrorCode(int error) {
  switch (error) {
    case ENETUNREACH:
    case EHOSTUNREACH:
      return "noRoute";
    case ENETDOWN:
    case ENODEV:
    case ENXIO:
      return "interfaceDown";
    case EPERM:
    case EACCES:
      return "notPermitted";
    case EMSGSIZE:
      return "packetTooLarge";
    case EADDRINUSE:
      return "portInUse";
    case EADDRNOTAVAIL:
    case EINVAL:
      return "badSourceAddress";
    case ECONNRESET:
      return "internal";
    default:
      return "sendFailed";
  }
}

std::string sendErrorText(int error) {
  switch (error) {
    case EPERM:
    case EACCES:
      return "A local firewall rule or route does not let the probe out.";
    case EMSGSIZE:
      return "The probe is larger than the MTU of the interface.";
    case EADDRINUSE:
      return "The flow's source port is in use.";
    case ECONNRESET:
      return "The helper's prober ended unexpectedly.";
    default:
      return std::string("The probe could not be sent: ") + std::strerror(error) + ".";
  }
}

Json quoteChanges(std::uint8_t bits) {
  static constexpr std::pair<std::uint8_t, const char*> kNames[] = {{kQuoteSource, "source"},
                                                                    {kQuoteSourcePort, "sourcePort"},
                                                                    {kQuoteDestination, "destination"},
                                                                    {kQuoteDestinationPort, "destinationPort"},
                                                                    {kQuoteTos, "tos"},
                                                                    {kQuoteChecksum, "checksum"},
                                                                    {kQuoteLength, "length"}};
  Json names = Json::array();
  for (const auto& [bit, name] : kNames) {
    if ((bits & bit) != 0) names.push_back(name);
  }
  return names;
}

Json itemJson(const ProbeItem& item) {
  Json json{{"traceId", item.traceId}, {"round", item.round},   {"flow", item.flow},
            {"ttl", item.ttl},         {"sentUs", item.sentUs}, {"outcome", outcomeName(item.outcome)}};
  if (item.outcome == ProbeOutcome::unsent) {
    json["errorCode"] = sendErrorCode(item.error);
    json["message"] = sendErrorText(item.error);
  }
  if (item.family == 0) return json;
  json["address"] = addressText(item.address, item.family);
  json["rttUs"] = item.rttUs;
  if (item.icmpType != kUnknownField) json["icmpType"] = item.icmpType;
  if (item.icmpCode != kUnknownField) json["icmpCode"] = item.icmpCode;
  if (item.tcpFlags != kUnknownField) json["tcpFlags"] = item.tcpFlags;
  if (item.replyTtl != kUnknownField) json["replyTtl"] = item.replyTtl;
  if (item.mtu != 0) json["mtu"] = item.mtu;
  if (item.labelCount != 0) {
    Json labels = Json::array();
    for (const MplsLabel& label :
         std::span(item.labels).first(std::min<std::size_t>(item.labelCount, kMaxMplsLabels))) {
      labels.push_back({{"label", label.label},
                        {"trafficClass", label.trafficClass},
                        {"bottom", label.bottom != 0},
                        {"ttl", label.ttl}});
    }
    json["mpls"] = std::move(labels);
  }
  if (item.quoteChanged != 0) json["quoteChanged"] = quoteChanges(item.quoteChanged);
  return json;
}

}  // namespace

namespace events {

std::string hello(const FrontOptions& options) {
  const bool live = options.mode == Mode::live;
  Json features = live ? Json{"capture", "sockets", "interfaces", "routes", "neighbors", "trace"} : Json::array();
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

std::string reply(std::uint32_t token, RequestKind request) {
  return replyText(token, request, Json::object());
}

std::string replyInterfaces(std::uint32_t token, const std::vector<InterfaceEntry>& interfaces) {
  Json list = Json::array();
  for (const InterfaceEntry& interface : interfaces) list.push_back(interfaceJson(interface));
  return replyText(token, RequestKind::start, {{"interfaces", std::move(list)}});
}

std::string replyTick(std::uint32_t token, std::uint32_t tick) {
  return replyText(token, RequestKind::snapshot, {{"tick", tick}});
}

std::string replyCount(std::uint32_t token, RequestKind request, std::uint32_t count) {
  return replyText(token, request, {{"count", count}});
}

std::string error(std::uint32_t token, const Problem& problem) {
  return text({{"type", "error"},
               {"token", token},
               {"code", problem.code},
               {"message", problem.message},
               {"fix", problem.fix}});
}

std::string fatalError(const Problem& problem) {
  return text(
      {{"type", "error"}, {"code", problem.code}, {"message", problem.message}, {"fix", problem.fix}, {"fatal", true}});
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

std::string replyTrace(const ProberToFront& opened, const Request& request) {
  return replyText(opened.token, RequestKind::traceOpen,
                   {{"traceId", opened.traceId},
                    {"source", addressText(opened.source, request.target.family)},
                    {"sourcePort", opened.sourcePort},
                    {"method", methodName(opened.method)},
                    {"limits", limitsOf(opened.method, request.target)}});
}

std::string replyQueued(std::uint32_t token, std::uint32_t count) {
  return replyText(token, RequestKind::traceProbes, {{"queued", count}});
}

std::string probes(std::span<const ProbeItem> items) {
  Json list = Json::array();
  for (const ProbeItem& item : items) list.push_back(itemJson(item));
  return text({{"type", "probes"}, {"items", std::move(list)}});
}

std::string degraded(const std::vector<Problem>& reasons) {
  Json list = Json::array();
  for (const Problem& reason : reasons)
    list.push_back({{"code", reason.code}, {"detail", reason.message}, {"fix", reason.fix}});
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
  std::snprintf(out, sizeof out, "%02x:%02x:%02x:%02x:%02x:%02x", address[0], address[1], address[2], address[3],
                address[4], address[5]);
  return out;
}

}  // namespace netloupe
