#include "requests.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "bounds.h"

namespace netloupe {

namespace {

using Json = nlohmann::json;

constexpr std::int64_t kMaxToken = 2147483647;
constexpr std::size_t kMaxInterfaceNameBytes = 15;  // IFNAMSIZ without the terminating zero
constexpr std::size_t kMaxFilterBytes = 8192;

constexpr std::array<std::pair<const char*, RequestKind>, 8> kNames{{
    {"start", RequestKind::start},
    {"configure", RequestKind::configure},
    {"stop", RequestKind::stop},
    {"snapshot", RequestKind::snapshot},
    {"sockets", RequestKind::sockets},
    {"interfaces", RequestKind::interfaces},
    {"routes", RequestKind::routes},
    {"neighbors", RequestKind::neighbors},
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
    const Json* value = member("tickMs");
    // A double is refused even when it is whole: one way to write a number.
    const bool fits = value != nullptr && value->is_number_unsigned() && value->get<std::uint64_t>() >= kMinTickMs &&
                      value->get<std::uint64_t>() <= kMaxTickMs;
    if (!fits) refuse("tickMs", "a whole number of milliseconds from 100 to 60000");
    return fits ? value->get<std::uint32_t>() : 0;
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

  void mustBeAbsent(const char* name, bool absent) {
    if (!absent) refuse(name, "no value in read mode (null or false)");
  }

  const std::optional<RequestError>& error() const { return error_; }

 private:
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
  if (json.is_discarded() || !json.is_object()) return unreadable("A control frame holds something else than one JSON object.");
  const auto type = json.find("type");
  if (type == json.end() || !type->is_string()) return unreadable("A control message has no `type`.");
  const std::string& name = type->get_ref<const std::string&>();

  if (name == "helloAck") {
    const auto protocol = json.find("protocol");
    if (protocol == json.end() || !protocol->is_object()) return unreadable("`helloAck` has no `protocol`.");
    const auto major = protocol->find("major");
    if (major == protocol->end() || !major->is_number_integer()) return unreadable("`helloAck` has no `protocol.major`.");
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
  }
  if (members.error()) return *members.error();
  return request;
}

}  // namespace netloupe
