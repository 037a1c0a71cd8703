#include "rtnetlink_json.h"

#include <nlohmann/json.hpp>

namespace netloupe {

namespace {

using Json = nlohmann::ordered_json;

/// Names of interfaces may hold any byte but blanks and slashes.
std::string toText(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// The name, or the number of an interface that has gone since.
std::string nameOf(int index, const InterfaceNames& names) {
  const auto known = names.find(index);
  return known == names.end() ? std::to_string(index) : known->second;
}

/// As `ip` prints it: without a length when it is a single address.
std::string prefixText(const Address& address, std::uint8_t family, std::uint8_t length) {
  if (length == 0) return "default";
  std::string text = addressText(address, family);
  if (length < (family == 4 ? 32 : 128)) text += "/" + std::to_string(length);
  return text;
}

Json addressItem(const LinkAddress& address) {
  Json item = {
      {"address", addressText(address.address, address.family)},
      {"prefixLength", address.prefixLength},
      {"scope", scopeName(address.scope)},
      {"flags", addressFlagNames(address)},
  };
  if (address.validS != kForever) item["validS"] = address.validS;
  if (address.preferredS != kForever) item["preferredS"] = address.preferredS;
  return item;
}

}  // namespace

std::string linkItem(const Link& link, std::span<const LinkAddress> addresses, const InterfaceNames& names) {
  Json item = {
      {"index", link.index},
      {"name", link.name},
      {"kind", link.kind},
      {"flags", linkFlagNames(link.flags)},
      {"operState", operStateName(link.operState)},
      {"linkLayerAddress", linkLayerText(link.linkLayerAddress)},
      {"mtu", link.mtu},
  };
  if (link.master != 0) item["master"] = nameOf(link.master, names);
  if (link.parent != 0) item["parent"] = nameOf(link.parent, names);
  item["rxBytes"] = link.rxBytes;
  item["txBytes"] = link.txBytes;
  item["rxPackets"] = link.rxPackets;
  item["txPackets"] = link.txPackets;
  item["rxErrors"] = link.rxErrors;
  item["txErrors"] = link.txErrors;
  item["rxDropped"] = link.rxDropped;
  item["txDropped"] = link.txDropped;
  Json& list = item["addresses"] = Json::array();
  for (const LinkAddress& address : addresses) list.push_back(addressItem(address));
  return toText(item);
}

std::string routeItem(const Route& route, const InterfaceNames& names) {
  Json item = {
      {"family", route.family},
      {"destination", prefixText(route.destination, route.family, route.prefixLength)},
  };
  if (route.gateway) item["gateway"] = addressText(*route.gateway, route.gatewayFamily);
  if (route.interfaceIndex != 0) item["interface"] = nameOf(route.interfaceIndex, names);
  if (route.source) item["source"] = addressText(*route.source, route.family);
  if (route.metric) item["metric"] = *route.metric;
  item["table"] = routeTableName(route.table);
  item["protocol"] = routeProtocolName(route.protocol);
  item["scope"] = scopeName(route.scope);
  item["type"] = routeTypeName(route.type);
  if (!route.nextHops.empty()) {
    Json& hops = item["nextHops"] = Json::array();
    for (const NextHop& hop : route.nextHops) {
      hops.push_back({
          {"gateway", hop.gateway ? addressText(*hop.gateway, hop.gatewayFamily) : ""},
          {"interface", nameOf(hop.interfaceIndex, names)},
          {"weight", hop.weight},
      });
    }
  }
  return toText(item);
}

std::string neighborItem(const Neighbor& neighbor, const InterfaceNames& names) {
  return toText({
      {"family", neighbor.family},
      {"address", addressText(neighbor.address, neighbor.family)},
      {"linkLayerAddress", linkLayerText(neighbor.linkLayerAddress)},
      {"interface", nameOf(neighbor.interfaceIndex, names)},
      {"nudState", nudStateName(neighbor.nudState)},
      {"router", neighbor.router},
  });
}

}  // namespace netloupe
