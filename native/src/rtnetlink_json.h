// Links, routes and neighbours as the items of PROTOCOL.md's pages.
#pragma once

#include <span>
#include <string>
#include <unordered_map>

#include "rtnetlink.h"

namespace netloupe {

/// Names of interfaces by index.
using InterfaceNames = std::unordered_map<int, std::string>;

std::string linkItem(const Link& link, std::span<const LinkAddress> addresses, const InterfaceNames& names);
std::string routeItem(const Route& route, const InterfaceNames& names);
std::string neighborItem(const Neighbor& neighbor, const InterfaceNames& names);

}  // namespace netloupe
