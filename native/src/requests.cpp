#include "requests.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "bounds.h"
#include "probe_packet.h"

namespace netloupe {

namespace {

using Json = nlohmann::json;

constexpr std::int64_t kMaxToken = 2147483647;
constexpr std::size_t kMaxInterfaceNameBytes = 15;  // IFNAMSIZ without the terminating zero
constexpr std::size_t kMaxFilterBytes = 8192;
constexpr std::uint16_t kFirstUdpPort = 33434;  // of traceroute(8), where hardly anything listens
constexpr std::uint16_t kWebPort = 80;
constexpr std::array<std::uint8_t, 12> kV4MappedPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

constexpr std::array<std::pair<const char*, RequestKind>, 11> kNames{{
    {"start", RequestKind::start},
    {"configure", RequestKind::configure},
    {"stop", RequestKind::stop},
    {"snapshot", RequestKind::snapshot},
    {"sockets", RequestKind::sockets},
    {"interfaces", RequestKind::interfaces},
    {"routes", RequestKind::routes},
    {"neighbors", RequestKind::neighbors},
    {"traceOpen", RequestKind::traceOpen},
    {"traceProbes", RequestKind::traceProbes},
    {"traceClose", RequestKind::traceClose},
}};

/// Reads members of one request; the first member that is wrong decides the error.
class Members {
 public:
  Members(const Json& object, std::uint32_t token) : object_(object), token_(token) {}

  bool boolean(const char* name) {
    const Json* value = member(name);
    if (value == nullptr) return false;
    if (!value->is_boolean()) refuse(name, "true or false");
    return value->is_boolean() && value->get<bool>();
  }

  std::uint32_t tickMs() {
    return number("tickMs", kMinTickMs, kMaxTickMs, "a whole number of milliseconds from 100 to 60000");
  }

  std::string captureFilter() {
    const Json* value = member("captureFilter");
    if (value == nullptr) return "";
    const bool fits = value->is_string() && value->get_ref<const std::string&>().size() <= kMaxFilterBytes &&
                      value->get_ref<const std::string&>().find('\0') == std::string::npos;
    if (!fits) refuse("captureFilter", "a BPF expression of at most 8192 bytes, or \"\" for none");
    return fits ? value->get<std::string>() : "";
  }

  std::optional<std::vector<std::string>> interfaces() {
    const Json* value = member("interfaces");
    if (value == nullptr || value->is_null()) return std::nullopt;
    std::vector<std::string> names;
    bool fits = value->is_array() && !value->empty();
    if (fits) {
      for (const Json& item : *value) {
        fits = fits && item.is_string() && isInterfaceName(item.get_ref<const std::string&>());
        if (!fits) break;
        const std::string& name = item.get_ref<const std::string&>();
        if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
      }
    }
    if (!fits) refuse("interfaces", "null, or an array of interface names of 1 to 15 characters");
    return names;
  }

  /// A whole number of at least `least` and at most `most`; `takes` says so in the error.
  std::uint32_t number(const char* name, std::uint64_t least, std::uint64_t most, const char* takes) {
    const Json* value = member(name);
    const bool fits = value != nullptr && isWithin(*value, least, most);
    if (!fits) refuse(name, takes);
    return fits ? value->get<std::uint32_t>() : static_cast<std::uint32_t>(least);
  }

  TraceTarget target() {
    TraceTarget target;
    const char* const takesAddress = "an IPv4 or IPv6 address in its plain form, without an interface";
    if (!readAddress("destination", target.family, target.destination)) refuse("destination", takesAddress);
    if (const Json* source = member("source"); source == nullptr || *source != "") {
      std::uint8_t family = 0;
      if (!readAddress("source", family, target.source)) refuse("source", "\"\", or an address of this machine");
      if (family != target.family) refuse("source", "an address of the same family as `destination`");
      target.hasSource = 1;
    }
    if (const Json* name = member("interface"); name == nullptr || *name != "") {
      const bool fits = name != nullptr && name->is_string() && isInterfaceName(name->get_ref<const std::string&>());
      if (!fits) refuse("interface", "\"\", or an interface name of 1 to 15 characters");
      if (fits) name->get_ref<const std::string&>().copy(target.interface, kMaxInterfaceNameBytes);
    }
    const Json* protocol = member("protocol");
    if (protocol != nullptr && *protocol == "udp") {
      target.protocol = ProbeProtocol::udp;
    } else if (protocol != nullptr && *protocol == "tcp") {
      target.protocol = ProbeProtocol::tcp;
    } else if (protocol == nullptr || *protocol != "icmp") {
      refuse("protocol", "\"icmp\", \"udp\" or \"tcp\"");
    }
    const char* const takesPort = "a port from 0 to 65535";
    target.port = static_cast<std::uint16_t>(number("port", 0, 65535, takesPort));
    target.sourcePort = static_cast<std::uint16_t>(number("sourcePort", 0, 65535, takesPort));
    target.stepPort = boolean("stepPort") && target.protocol == ProbeProtocol::udp ? 1 : 0;
    target.packetBytes = static_cast<std::uint16_t>(
        number("packetBytes", 0, kMaxProbeBytes, "0, or a packet's size of at most 9000 bytes"));
    target.tos = static_cast<std::uint8_t>(number("tos", 0, 255, "a number from 0 to 255"));
    if (target.port == 0 && target.protocol == ProbeProtocol::udp) target.port = kFirstUdpPort;
    if (target.port == 0 && target.protocol == ProbeProtocol::tcp) target.port = kWebPort;
    return target;
  }

  ProbeOrder probes() {
    ProbeOrder order;
    order.round = number("round", 0, UINT32_MAX, "a whole number from 0 to 4294967295");
    order.waitMs = number("waitMs", 100, 60'000, "a whole number of milliseconds from 100 to 60000");
    const Json* list = member("probes");
    bool fits = list != nullptr && list->is_array() && !list->empty() && list->size() <= kMaxProbesPerRequest;
    if (fits) {
      for (const Json& item : *list) {
        const auto ttl = item.is_object() ? item.find("ttl") : item.end();
        const auto flow = item.is_object() ? item.find("flow") : item.end();
        fits = ttl != item.end() && flow != item.end() && isWithin(*ttl, 1, 255) &&
               isWithin(*flow, 0, kMaxFlowsPerTrace - 1);
        if (!fits) break;
        order.wanted.push_back({.ttl = ttl->get<std::uint8_t>(), .flow = flow->get<std::uint8_t>()});
      }
    }
    if (!fits) refuse("probes", "1 to 256 objects with a `ttl` from 1 to 255 and a `flow` from 0 to 63");
    return order;
  }

  std::uint32_t traceId() { return number("traceId", 1, UINT32_MAX, "the number that `traceOpen` gave"); }

  void mustBeAbsent(const char* name, bool absent) {
    if (!absent) refuse(name, "no value in read mode (null or false)");
  }

  const std::optional<RequestError>& error() const { return error_; }

 private:
  /// A double is refused even when it is whole: one way to write a number.
  static bool isWithin(const Json& value, std::uint64_t least, std::uint64_t most) {
    return value.is_number_unsigned() && value.get<std::uint64_t>() >= least && value.get<std::uint64_t>() <= most;
  }

  bool readAddress(const char* name, std::uint8_t& family, Address& address) const {
    const Json* value = member(name);
    if (value == nullptr || !value->is_string()) return false;
    const std::string& text = value->get_ref<const std::string&>();
    if (text.find('\0') != std::string::npos) return false;
    family = text.find(':') == std::string::npos ? 4 : 6;
    if (inet_pton(family == 4 ? AF_INET : AF_INET6, text.c_str(), address.data()) != 1) return false;
    // A v4-mapped address never stands in an IPv6 packet (RFC 4291 section 2.5.5.2).
    return family == 4 || !std::equal(kV4MappedPrefix.begin(), kV4MappedPrefix.end(), address.begin());
  }

  /// The rule of the kernel's dev_valid_name.
  static bool isInterfaceName(const std::string& name) {
    if (name.empty() || name.size() > kMaxInterfaceNameBytes || name == "." || name == "..") return false;
    return std::none_of(name.begin(), name.end(), [](char c) {
      return c == '/' || c == ':' || c == ' ' || (c >= '\t' && c <= '\r') || c == '\0';
    });
  }

  const Json* member(const char* name) const {
    const auto found = object_.find(name);
    return found == object_.end() ? nullptr : &*found;
  }

  void refuse(const char* name, const char* takes) {
    if (error_) return;
    error_ = RequestError{.token = token_,
                          .code = "badRequest",
                          .message = std::string("`") + name + "` takes " + takes + ".",
                          .fix = "Send the request with a value that the protocol allows."};
  }

  const Json& object_;
  std::uint32_t token_;
  std::optional<RequestError> error_;
};

RequestError unreadable(const char* message) {
  return {.token = 0,
          .code = "badJson",
          .message = message,
          .fix = "Helper and application are probably of different versions; install both from one package."};
}

}  // namespace

const char* requestName(RequestKind kind) {
  for (const auto& [name, value] : kNames) {
    if (value == kind) return name;
  }
  return "";
}

ControlMessage parseControl(std::string_view text, bool readMode) {
  const Json json = Json::parse(text.begin(), text.end(), nullptr, false);
  if (json.is_discarded() || !json.is_object())
    return unreadable("A control frame holds something else than one JSON object.");
  const auto type = json.find("type");
  if (type == json.end() || !type->is_string()) return unreadable("A control message has no `type`.");
  const std::string& name = type->get_ref<const std::string&>();

  if (name == "helloAck") {
    const auto protocol = json.find("protocol");
    if (protocol == json.end() || !protocol->is_object()) return unreadable("`helloAck` has no `protocol`.");
    const auto major = protocol->find("major");
    if (major == protocol->end() || !major->is_number_integer())
      return unreadable("`helloAck` has no `protocol.major`.");
    return HelloAck{.major = major->get<std::int64_t>()};
  }

  const auto token = json.find("token");
  if (token == json.end() || !token->is_number_unsigned() || token->get<std::uint64_t>() < 1 ||
      token->get<std::uint64_t>() > static_cast<std::uint64_t>(kMaxToken)) {
    return unreadable("A request's `token` takes a whole number from 1 to 2147483647.");
  }
  Request request{.token = token->get<std::uint32_t>(), .start = {}};
  const auto known = std::find_if(kNames.begin(), kNames.end(), [&](const auto& entry) { return name == entry.first; });
  if (known == kNames.end()) {
    return RequestError{.token = request.token,
                        .code = "unknownRequest",
                        .message = "This helper does not know the request `" + name.substr(0, 64) + "`.",
                        .fix = "Ask only for what the helper names in `features`."};
  }
  request.kind = known->second;

  Members members(json, request.token);
  if (request.kind == RequestKind::start) {
    request.start.interfaces = members.interfaces();
    request.start.loopback = members.boolean("loopback");
    request.start.promiscuous = members.boolean("promiscuous");
    request.start.captureFilter = members.captureFilter();
    request.start.tickMs = members.tickMs();
    if (readMode) {
      members.mustBeAbsent("interfaces", !request.start.interfaces.has_value());
      members.mustBeAbsent("loopback", !request.start.loopback);
      members.mustBeAbsent("promiscuous", !request.start.promiscuous);
    }
  } else if (request.kind == RequestKind::configure) {
    request.tickMs = members.tickMs();
  } else if (request.kind == RequestKind::traceOpen) {
    request.target = members.target();
  } else if (request.kind == RequestKind::traceProbes) {
    request.traceId = members.traceId();
    request.probes = members.probes();
  } else if (request.kind == RequestKind::traceClose) {
    request.traceId = members.traceId();
  }
  if (members.error()) return *members.error();
  return request;
}

}  // namespace netloupe
