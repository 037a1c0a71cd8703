#include "rtnetlink.h"

#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include <array>
#include <cstring>
#include <map>
#include <set>

#include "own_namespace.h"
#include "rtnetlink_json.h"

using namespace netloupe;
using netloupe::test::inOwnNamespace;
using netloupe::test::outputOf;
using netloupe::test::run;
using Json = nlohmann::json;

namespace {

struct Tables {
  std::vector<Link> links;
  std::vector<LinkAddress> addresses;
  std::vector<Route> routes;
  std::vector<Neighbor> neighbors;
  InterfaceNames names;
};

Tables readTables() {
  Tables tables;
  NetlinkSocket netlink(NETLINK_ROUTE);
  std::array<std::byte, 256> request{};
  REQUIRE(netlink.dump(buildDump(RouteTable::links, request), [&](const nlmsghdr& message) {
    if (auto link = parseLink(message)) tables.links.push_back(*link);
  }));
  REQUIRE(netlink.dump(buildDump(RouteTable::addresses, request), [&](const nlmsghdr& message) {
    if (auto address = parseAddress(message)) tables.addresses.push_back(*address);
  }));
  REQUIRE(netlink.dump(buildDump(RouteTable::routes, request), [&](const nlmsghdr& message) {
    if (auto route = parseRoute(message)) tables.routes.push_back(*route);
  }));
  REQUIRE(netlink.dump(buildDump(RouteTable::neighbors, request), [&](const nlmsghdr& message) {
    if (auto neighbor = parseNeighbor(message)) tables.neighbors.push_back(*neighbor);
  }));
  for (const Link& link : tables.links) tables.names[link.index] = link.name;
  return tables;
}

Json ip(const std::string& arguments) {
  return Json::parse(outputOf("ip -j " + arguments));
}

}  // namespace

TEST_CASE("rtnetlink: links and addresses are what ip prints") {
  inOwnNamespace([] {
    REQUIRE(
        run("ip link set lo up && ip link add br0 type bridge && ip link add left type veth peer name right && "
            "ip link set left master br0 up && ip link set right up mtu 1400 && ip link set br0 up && "
            "ip tuntap add tun7 mode tun && "
            "ip addr add 10.1.2.3/24 dev right && ip addr add 10.9.0.1 peer 10.9.0.2/32 dev right && "
            "ip addr add 10.1.2.4/24 dev right && ip addr add fd00::1/64 dev right valid_lft 1000 preferred_lft 500 "
            "nodad"));
    const Tables tables = readTables();
    const Json printed = ip("-d -s addr");
    REQUIRE(printed.size() == tables.links.size());
    for (const Json& theirs : printed) {
      const auto link = std::find_if(tables.links.begin(), tables.links.end(),
                                     [&](const Link& one) { return one.name == theirs["ifname"]; });
      REQUIRE(link != tables.links.end());
      CAPTURE(link->name);
      std::vector<LinkAddress> addresses;
      for (const LinkAddress& address : tables.addresses) {
        if (address.index == link->index) addresses.push_back(address);
      }
      const Json ours = Json::parse(linkItem(*link, addresses, tables.names));
      CHECK(ours["index"] == theirs["ifindex"]);
      CHECK(ours["mtu"] == theirs["mtu"]);
      CHECK(ours["flags"] == theirs["flags"]);
      CHECK(ours["operState"] == theirs["operstate"]);
      CHECK(ours["linkLayerAddress"] == theirs.value("address", ""));
      CHECK(ours.value("master", "") == theirs.value("master", ""));
      CHECK(ours.value("parent", "") == theirs.value("link", ""));
      CHECK(ours["kind"] == (theirs.contains("linkinfo") ? theirs["linkinfo"]["info_kind"] : theirs["link_type"]));
      REQUIRE(ours["addresses"].size() == theirs["addr_info"].size());
      for (std::size_t i = 0; i < theirs["addr_info"].size(); ++i) {
        const Json& address = ours["addresses"][i];
        const Json& expected = theirs["addr_info"][i];
        CHECK(address["address"] == expected["local"]);
        CHECK(address["prefixLength"] == expected["prefixlen"]);
        CHECK(address["scope"] == expected["scope"]);
        for (const char* flag : {"dynamic", "tentative", "secondary", "deprecated", "nodad", "mngtmpaddr"}) {
          CAPTURE(flag);
          const auto& flags = address["flags"];
          CHECK((std::find(flags.begin(), flags.end(), flag) != flags.end()) == expected.value(flag, false));
        }
        CHECK(address.contains("validS") == (expected["valid_life_time"] != kForever));
      }
    }
  });
}

TEST_CASE("rtnetlink: counters are the interface's own") {
  inOwnNamespace([] {
    REQUIRE(run("ip link set lo up"));
    REQUIRE(run("bash -c 'for i in 1 2 3; do echo hello > /dev/udp/127.0.0.1/9; done'"));
    const Json before = ip("-s link show lo")[0]["stats64"];
    const Tables tables = readTables();
    REQUIRE(tables.links.size() >= 1);
    const Link& lo = tables.links.front();
    CHECK(lo.isLoopback());
    CHECK(lo.rxBytes > 0);
    CHECK(lo.rxBytes == before["rx"]["bytes"]);
    CHECK(lo.txPackets == before["tx"]["packets"]);
  });
}

TEST_CASE("rtnetlink: routes are what ip prints") {
  inOwnNamespace([] {
    REQUIRE(
        run("ip link add v0 type veth peer name v1 && ip link set v0 up && ip link set v1 up && ip addr add "
            "10.1.2.3/24 dev v1 && "
            "ip addr add fd00::1/64 dev v1 nodad && ip route add default via 10.1.2.1 metric 100 && "
            "ip route add 1.2.3.0/24 nexthop via 10.1.2.4 dev v1 weight 2 nexthop via 10.1.2.5 dev v1 && "
            "ip route add 5.0.0.0/8 via inet6 fe80::1 dev v1 metric 7 && ip route add unreachable 7.0.0.0/8 && "
            "ip route add 8.8.8.8 via 10.1.2.1 table 1000 proto static && ip -6 route add 2001:db8::/32 via fd00::2"));
    const Tables tables = readTables();
    for (const auto& [family, option] : {std::pair{4, "-4"}, {6, "-6"}}) {
      const Json printed = ip(std::string(option) + " -N route show table all");
      const Json names = ip(std::string(option) + " route show table all");
      std::multiset<std::string> theirs;
      for (const Json& route : names) {
        std::string hops;
        for (const Json& hop : route.value("nexthops", Json::array())) {
          hops +=
              hop.value("gateway", "") + "@" + hop.value("dev", "") + "*" + std::to_string(hop["weight"].get<int>());
        }
        const std::string gateway =
            route.contains("via") ? route["via"]["host"].get<std::string>() : route.value("gateway", "");
        theirs.insert(route["dst"].get<std::string>() + "|" + gateway + "|" + route.value("dev", "") + "|" +
                      route.value("prefsrc", "") + "|" + std::to_string(route.value("metric", 0)) + "|" +
                      route.value("table", "main") + "|" + route.value("protocol", "boot") + "|" +
                      route.value("scope", "global") + "|" + route.value("type", "unicast") + "|" + hops);
      }
      std::multiset<std::string> ours;
      for (const Route& route : tables.routes) {
        if (route.family != family) continue;
        const Json item = Json::parse(routeItem(route, tables.names));
        std::string hops;
        for (const Json& hop : item.value("nextHops", Json::array())) {
          hops += hop["gateway"].get<std::string>() + "@" + hop["interface"].get<std::string>() + "*" +
                  std::to_string(hop["weight"].get<int>());
        }
        // ip leaves the device of an unreachable IPv6 route out; nothing here has one.
        ours.insert(item["destination"].get<std::string>() + "|" + item.value("gateway", "") + "|" +
                    item.value("interface", "") + "|" + item.value("source", "") + "|" +
                    std::to_string(item.value("metric", 0)) + "|" + item["table"].get<std::string>() + "|" +
                    item["protocol"].get<std::string>() + "|" + item["scope"].get<std::string>() + "|" +
                    item["type"].get<std::string>() + "|" + hops);
      }
      CHECK(ours == theirs);
      CHECK(printed.size() == ours.size());
    }
  });
}

TEST_CASE("rtnetlink: neighbours are what ip prints") {
  inOwnNamespace([] {
    REQUIRE(
        run("ip link add v0 type veth peer name v1 && ip link set v0 up && ip link set v1 up && ip addr add "
            "10.1.2.3/24 dev v1 && "
            "ip neigh add 10.1.2.9 lladdr 02:00:00:00:00:09 dev v1 nud permanent && "
            "ip neigh add 10.1.2.10 lladdr 02:00:00:00:00:0a dev v1 nud stale && "
            "ip -6 neigh add fe80::9 lladdr 02:00:00:00:00:0b dev v1 nud reachable router && "
            "ip neigh add 10.1.2.11 lladdr 02:00:00:00:00:0c dev v1 nud noarp && ip neigh add proxy 10.1.2.12 dev v1"));
    const Tables tables = readTables();
    std::map<std::string, Json> ours;
    for (const Neighbor& neighbor : tables.neighbors) {
      const Json item = Json::parse(neighborItem(neighbor, tables.names));
      ours[item["address"]] = item;
    }
    const Json printed = ip("neigh");
    CHECK(printed.size() == 3);
    CHECK(ours.size() == printed.size());
    for (const Json& theirs : printed) {
      const Json& item = ours[theirs["dst"]];
      CAPTURE(theirs.dump());
      CHECK(item["linkLayerAddress"] == theirs["lladdr"]);
      CHECK(item["interface"] == theirs["dev"]);
      CHECK(item["nudState"] == theirs["state"][0]);
      CHECK(item["router"] == theirs.contains("router"));
    }
  });
}

TEST_CASE("rtnetlink: every truncation of a message is taken without harm") {
  std::vector<std::byte> whole;
  inOwnNamespace([&] {
    REQUIRE(
        run("ip link add v0 type veth peer name v1 && ip link set v0 up && ip link set v1 up && ip addr add "
            "10.1.2.3/24 dev v1 && "
            "ip route add 1.2.3.0/24 nexthop via 10.1.2.4 dev v1 nexthop via 10.1.2.5 dev v1 && "
            "ip neigh add 10.1.2.9 lladdr 02:00:00:00:00:09 dev v1"));
    NetlinkSocket netlink(NETLINK_ROUTE);
    std::array<std::byte, 256> request{};
    for (const RouteTable table :
         {RouteTable::links, RouteTable::addresses, RouteTable::routes, RouteTable::neighbors}) {
      netlink.dump(buildDump(table, request), [&](const nlmsghdr& message) {
        // A buffer of exactly this length, so that a read behind it is seen by the sanitizer.
        for (std::uint32_t length = sizeof(nlmsghdr); length <= message.nlmsg_len; ++length) {
          std::vector<std::byte> part(length);
          std::memcpy(part.data(), &message, length);
          auto& cut = *reinterpret_cast<nlmsghdr*>(part.data());
          cut.nlmsg_len = length;
          parseLink(cut);
          parseAddress(cut);
          parseRoute(cut);
          parseNeighbor(cut);
        }
        whole.resize(message.nlmsg_len);
        std::memcpy(whole.data(), &message, whole.size());
      });
    }
    CHECK(whole.size() > sizeof(nlmsghdr));
  });
}

TEST_CASE("rtnetlink: another message than the one asked for gives nothing") {
  std::array<std::byte, 64> buffer{};
  auto& message = *reinterpret_cast<nlmsghdr*>(buffer.data());
  message.nlmsg_len = buffer.size();
  for (std::uint16_t type = 0; type < 128; ++type) {
    message.nlmsg_type = type;
    CHECK_FALSE(parseLink(message).has_value());  // no index, no name
    CHECK_FALSE(parseAddress(message).has_value());
    CHECK_FALSE(parseNeighbor(message).has_value());
    CHECK_FALSE(parseRoute(message).has_value());  // no family
  }
}
