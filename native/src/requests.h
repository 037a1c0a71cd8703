// Control messages of the application: from JSON text to typed requests, or to an error that names the member and what
// it takes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "probe_channel.h"

namespace netloupe {

enum class RequestKind {
  start,
  configure,
  stop,
  snapshot,
  sockets,
  interfaces,
  routes,
  neighbors,
  traceOpen,
  traceProbes,
  traceClose
};

/// A request's name on the wire.
const char* requestName(RequestKind kind);

struct StartOptions {
  std::optional<std::vector<std::string>> interfaces;  // empty: all that are up and have an address
  bool loopback = false;
  bool promiscuous = false;
  std::string captureFilter;
  std::uint32_t tickMs = 1000;
};

/// Probes of one round of a trace.
struct ProbeOrder {
  std::uint32_t round = 0;
  std::uint32_t waitMs = 0;
  std::vector<WantedProbe> wanted;
};

struct Request {
  RequestKind kind = RequestKind::start;
  std::uint32_t token = 0;
  StartOptions start;         // start only
  std::uint32_t tickMs = 0;   // configure only
  TraceTarget target{};       // traceOpen only
  ProbeOrder probes{};        // traceProbes only
  std::uint32_t traceId = 0;  // traceProbes and traceClose
};

struct HelloAck {
  std::int64_t major = 0;
};

/// `token` 0: the message can't be answered by token, and the stream can't be trusted any more.
struct RequestError {
  std::uint32_t token = 0;
  std::string code;
  std::string message;
  std::string fix;
};

using ControlMessage = std::variant<Request, HelloAck, RequestError>;

/// `readMode`: the members that only make sense for a live capture must be absent in effect.
ControlMessage parseControl(std::string_view json, bool readMode);

}  // namespace netloupe
