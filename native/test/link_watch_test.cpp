#include "link_watch.h"

#include <poll.h>

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "own_namespace.h"

using namespace netloupe;
using netloupe::test::inOwnNamespace;
using netloupe::test::run;

namespace {

using Seen = std::vector<std::pair<LinkEvent::What, std::string>>;

Seen readEvents(LinkWatch& watch) {
  Seen seen;
  REQUIRE(watch.read([&](const LinkEvent& event) { seen.emplace_back(event.what, event.now.link.name); }));
  return seen;
}

bool has(const Seen& seen, LinkEvent::What what, const std::string& name) {
  return std::find(seen.begin(), seen.end(), std::pair{what, name}) != seen.end();
}

const WatchedLink* named(const LinkWatch& watch, const std::string& name) {
  for (const auto& [index, link] : watch.links()) {
    if (link.link.name == name) return &link;
  }
  return nullptr;
}

}  // namespace

TEST_CASE("link watch: links come, change, are renamed and go") {
  inOwnNamespace([] {
    LinkWatch watch;
    REQUIRE(watch.isOpen());
    REQUIRE(named(watch, "lo") != nullptr);
    CHECK(readEvents(watch).empty());

    REQUIRE(run("ip link add first type veth peer name second"));
    pollfd poll{watch.fd(), POLLIN, 0};
    REQUIRE(::poll(&poll, 1, 5000) == 1);
    Seen seen = readEvents(watch);
    CHECK(has(seen, LinkEvent::What::appeared, "first"));
    CHECK(has(seen, LinkEvent::What::appeared, "second"));
    const int index = named(watch, "first")->link.index;

    REQUIRE(run("ip link set first name third && ip link set third up && ip link set second up"));
    seen = readEvents(watch);
    CHECK(has(seen, LinkEvent::What::changed, "third"));
    REQUIRE(named(watch, "third") != nullptr);
    CHECK(named(watch, "third")->link.index == index);
    CHECK(named(watch, "third")->link.isUp());
    CHECK(named(watch, "first") == nullptr);

    REQUIRE(run("ip addr add 10.3.2.1/24 dev third && ip addr add fd00::7/64 dev third nodad"));
    seen = readEvents(watch);
    CHECK(has(seen, LinkEvent::What::changed, "third"));
    const auto hasAddress = [&](const std::string& text) {
      const auto& addresses = named(watch, "third")->addresses;
      return std::any_of(addresses.begin(), addresses.end(), [&](const LinkAddress& address) {
        return addressText(address.address, address.family) == text;
      });
    };
    CHECK(hasAddress("10.3.2.1"));
    CHECK(hasAddress("fd00::7"));
    REQUIRE(run("ip addr del 10.3.2.1/24 dev third"));
    readEvents(watch);
    CHECK_FALSE(hasAddress("10.3.2.1"));

    REQUIRE(run("ip link del third"));
    seen = readEvents(watch);
    CHECK(has(seen, LinkEvent::What::gone, "third"));
    CHECK(has(seen, LinkEvent::What::gone, "second"));
    CHECK(named(watch, "third") == nullptr);
  });
}

TEST_CASE("link watch: an interface that goes and comes back between two reads is told as two") {
  inOwnNamespace([] {
    REQUIRE(run("ip link add a1 index 77 type veth peer name a2"));
    LinkWatch watch;
    REQUIRE(run("ip link del a1 && ip link add a1 index 77 type veth peer name a2"));
    const Seen seen = readEvents(watch);
    CHECK(has(seen, LinkEvent::What::gone, "a1"));
    CHECK(has(seen, LinkEvent::What::appeared, "a1"));
  });
}

TEST_CASE("link watch: what the kernel had to drop is read again") {
  inOwnNamespace([] {
    LinkWatch watch;
    // Far more notifications than the socket's buffer holds, none of them read.
    std::string batch;
    for (int i = 0; i < 400; ++i) {
      batch += "link add n" + std::to_string(i) + " type bridge\n";
      if (i % 2 == 0) batch += "link del n" + std::to_string(i) + "\n";
    }
    batch += "link set n399 up\naddr add 10.7.7.7/24 dev n399\n";
    REQUIRE(run("ip -batch - <<'EOF'\n" + batch + "EOF\n"));
    const Seen seen = readEvents(watch);
    CHECK(has(seen, LinkEvent::What::appeared, "n1"));
    CHECK(has(seen, LinkEvent::What::appeared, "n399"));
    CHECK_FALSE(has(seen, LinkEvent::What::appeared, "n398"));
    REQUIRE(named(watch, "n399") != nullptr);
    CHECK(named(watch, "n399")->link.isUp());
    CHECK(named(watch, "n399")->addresses.size() >= 1);
    CHECK(named(watch, "n398") == nullptr);
    CHECK(readEvents(watch).empty());
  });
}
