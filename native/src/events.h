// The helper's own control messages as JSON text, member for member as PROTOCOL.md has them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "decode.h"
#include "front.h"
#include "orient.h"
#include "probe_channel.h"
#include "requests.h"
#include "role_channels.h"

namespace netloupe {

/// A sentence for the user, with the code that programs look at.
struct Problem {
  std::string code;
  std::string message;
  std::string fix;
  bool operator==(const Problem&) const = default;
};

/// An address as the protocol shows it.
struct AddressEntry {
  std::string address;
  unsigned prefixLength = 0;
  std::string scope;
  bool operator==(const AddressEntry&) const = default;
};

enum class InterfaceState { capturing, down, gone, failed };

struct InterfaceEntry {
  std::uint32_t id = 0;
  std::uint32_t index = 0;
  std::string name;
  LinkLayer link = LinkLayer::other;
  InterfaceState state = InterfaceState::capturing;
  bool loopback = false;
  std::string linkLayerAddress;
  std::uint32_t mtu = 0;
  std::vector<AddressEntry> addresses;
  std::optional<Problem> error;
  bool operator==(const InterfaceEntry&) const = default;
};

struct TickInterface {
  std::uint32_t id = 0;
  CaptureTotals totals;
};

namespace events {

std::string hello(const FrontOptions& options);
std::string reply(std::uint32_t token, RequestKind request);
std::string replyInterfaces(std::uint32_t token, const std::vector<InterfaceEntry>& interfaces);
std::string replyTick(std::uint32_t token, std::uint32_t tick);
std::string replyCount(std::uint32_t token, RequestKind request, std::uint32_t count);
std::string error(std::uint32_t token, const Problem& problem);
std::string fatalError(const Problem& problem);
std::string interfaceChanged(const InterfaceEntry& interface);
std::string tick(std::uint32_t tick, std::uint64_t timeMs, const std::vector<TickInterface>& interfaces);
/// `opened`: the prober's answer to `request`.
std::string replyTrace(const ProberToFront& opened, const Request& request);
std::string replyQueued(std::uint32_t token, std::uint32_t count);
std::string probes(std::span<const ProbeItem> items);
std::string degraded(const std::vector<Problem>& reasons);
/// `damage`: what stopped the reading early, none at the file's real end.
std::string endOfFile(std::uint64_t packets, std::uint64_t offsetBytes, const std::optional<Problem>& damage);

}  // namespace events

/// "aa:bb:cc:dd:ee:ff", or empty when all zero.
std::string linkLayerAddressText(const LinkLayerAddress& address);

}  // namespace netloupe
