#include "link_watch.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <array>
#include <utility>

namespace netloupe {

namespace {

constexpr unsigned kGroups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;

// Links that are kept: more are not watched. A machine with that many namespaces' ends in one place still shows its
// first ones.
constexpr std::size_t kMaxWatchedLinks = 8192;
// Addresses kept per link; later ones are not shown.
constexpr std::size_t kMaxAddressesPerLink = 1024;

/// Counters and lifetimes run all the time; they are no change.
bool sameForListener(const WatchedLink& a, const WatchedLink& b) {
  const auto sameAddress = [](const LinkAddress& x, const LinkAddress& y) {
    return x.address == y.address && x.family == y.family && x.prefixLength == y.prefixLength && x.scope == y.scope &&
           x.flags == y.flags;
  };
  return a.link.name == b.link.name && a.link.flags == b.link.flags && a.link.operState == b.link.operState &&
         a.link.mtu == b.link.mtu && a.link.linkLayerAddress == b.link.linkLayerAddress &&
         a.link.master == b.link.master && a.link.kind == b.link.kind &&
         std::ranges::equal(a.addresses, b.addresses, sameAddress);
}

auto findAddress(std::vector<LinkAddress>& addresses, const LinkAddress& wanted) {
  return std::ranges::find_if(addresses, [&](const LinkAddress& one) {
    return one.family == wanted.family && one.address == wanted.address && one.prefixLength == wanted.prefixLength;
  });
}

}  // namespace

LinkWatch::LinkWatch() : notifications_(NETLINK_ROUTE, kGroups), dumps_(NETLINK_ROUTE) {
  // Subscribed before the first dump: nothing falls between.
  if (isOpen()) readAll(links_);
}

bool LinkWatch::readAll(Links& links) {
  std::array<std::byte, 256> request{};
  std::vector<LinkEvent> none;
  const auto take = [&](const nlmsghdr& message) { apply(message, links, none); };
  return dumps_.dump(buildDump(RouteTable::links, request), take) &&
         dumps_.dump(buildDump(RouteTable::addresses, request), take);
}

void LinkWatch::apply(const nlmsghdr& message, Links& links, std::vector<LinkEvent>& gone) {
  if (auto link = parseLink(message)) {
    const auto known = links.find(link->index);
    if (message.nlmsg_type == RTM_DELLINK) {
      if (known == links.end()) return;
      gone.push_back({LinkEvent::What::gone, std::move(known->second)});
      links.erase(known);
    } else if (known != links.end()) {
      known->second.link = std::move(*link);
    } else if (links.size() < kMaxWatchedLinks) {
      const int index = link->index;
      links.emplace(index, WatchedLink{std::move(*link), {}});
    }
    return;
  }
  if (const auto address = parseAddress(message)) {
    const auto known = links.find(address->index);
    if (known == links.end()) return;
    std::vector<LinkAddress>& addresses = known->second.addresses;
    const auto at = findAddress(addresses, *address);
    if (message.nlmsg_type == RTM_DELADDR) {
      if (at != addresses.end()) addresses.erase(at);
    } else if (at != addresses.end()) {
      *at = *address;
    } else if (addresses.size() < kMaxAddressesPerLink) {
      addresses.push_back(*address);
    }
  }
}

bool LinkWatch::read(const Listener& listener) {
  const Links before = links_;
  std::vector<LinkEvent> gone;
  for (;;) {
    const auto step = notifications_.receive([&](const nlmsghdr& message) { apply(message, links_, gone); });
    if (step == NetlinkSocket::Step::wouldBlock) break;
    if (step == NetlinkSocket::Step::overrun) {
      Links fresh;
      if (!readAll(fresh)) return false;
      links_ = std::move(fresh);
      gone.clear();
    } else if (step == NetlinkSocket::Step::failed) {
      return false;
    }
  }
  tell(before, links_, gone, listener);
  return true;
}

void LinkWatch::tell(const Links& before, const Links& after, const std::vector<LinkEvent>& gone,
                     const Listener& listener) {
  // What went is told from the notifications, so that an index that was used again is not taken for a change; after an
  // overrun the comparison alone has to do.
  std::vector<int> told;
  for (const LinkEvent& event : gone) {
    if (!before.contains(event.now.link.index) || std::ranges::find(told, event.now.link.index) != told.end()) continue;
    told.push_back(event.now.link.index);
    listener(event);
  }
  for (const auto& [index, was] : before) {
    if (!after.contains(index) && std::ranges::find(told, index) == told.end()) listener({LinkEvent::What::gone, was});
  }
  for (const auto& [index, is] : after) {
    const auto was = before.find(index);
    if (was == before.end() || std::ranges::find(told, index) != told.end()) {
      listener({LinkEvent::What::appeared, is});
    } else if (!sameForListener(was->second, is)) {
      listener({LinkEvent::What::changed, is});
    }
  }
}

}  // namespace netloupe
