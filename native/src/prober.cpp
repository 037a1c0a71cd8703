// The prober: sends the probes of every trace, paced, and tells what came back. It sees answers of strangers, so it
// keeps no privilege: its raw sockets are opened before the sandbox closes.

#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "bounds.h"
#include "channel.h"
#include "fd.h"
#include "privileges.h"
#include "probe_channel.h"
#include "probe_datagrams.h"
#include "probe_pacer.h"
#include "probe_packet.h"
#include "probe_route.h"
#include "probe_sockets.h"
#include "probe_table.h"
#include "sandbox.h"

namespace netloupe {

namespace {

// A device whose queue is full is asked again after this long.
constexpr std::uint64_t kDeviceFullUs = 5000;

std::uint64_t randomNumber() {
  std::uint64_t number = 0;
  // Without random numbers every answer could be forged.
  if (getrandom(&number, sizeof number, 0) != static_cast<ssize_t>(sizeof number)) std::abort();
  return number;
}

std::uint8_t transportOf(const TraceTarget& target) {
  switch (target.protocol) {
    case ProbeProtocol::udp:
      return kProtocolUdp;
    case ProbeProtocol::tcp:
      return kProtocolTcp;
    case ProbeProtocol::icmp:
      break;
  }
  return target.family == 4 ? kProtocolIcmp : kProtocolIcmpV6;
}

struct QueuedProbe {
  std::uint32_t round = 0;
  std::uint32_t waitMs = 0;
  WantedProbe wanted;
};

/// One flow key of a trace.
struct TraceFlow {
  Fd socket{};  // holds the source port; without privilege probes are sent and answers heard here
  std::uint16_t sourcePort = 0;
  std::uint16_t icmpChecksum = 1;
  std::uint32_t flowLabel = 0;
};

struct Trace {
  TraceTarget target;
  ProbeMethod method = ProbeMethod::raw;
  std::uint16_t nextPort = 0;  // stepPort
  std::map<std::uint8_t, TraceFlow> flows{};
  std::deque<QueuedProbe> queue{};
};

class Prober {
 public:
  explicit Prober(int front) : front_(front), table_(kMaxOpenProbes, randomNumber) {}

  bool isReady() const { return route_.isOpen(); }
  int run();

 private:
  bool readFront();
  void open(const FrontToProber& message);
  void probes(const FrontToProber& message, std::span<const WantedProbe> wanted);
  void close(std::uint32_t traceId);
  void refuse(const FrontToProber& message, ProbeRefusal refusal, int error = 0);

  ProbeRefusal aim(Trace& trace, int& error);
  int addFlow(Trace& trace, std::uint8_t flow);
  void listen(std::uint8_t family);

  void sendDue();
  bool sendNext();
  void send(std::uint32_t traceId, Trace& trace, const QueuedProbe& queued);
  void receive();
  bool tell();
  int pauseMs();
  std::size_t queued() const;

  int front_;
  RawProbeSockets raw_;
  NetlinkSocket route_{NETLINK_ROUTE};
  ProbeTable table_;
  ProbePacer pacer_;
  std::map<std::uint32_t, Trace> traces_;
  std::uint32_t lastTrace_ = 0;  // whose probe was sent last: traces take turns
  std::uint64_t holdUntilUs_ = 0;
  bool moreToReceive_ = false;
  std::vector<ProbeItem> items_;
  std::vector<pollfd> polls_;
  std::array<WantedProbe, kMaxProbesPerRequest> wanted_;
  std::array<std::uint8_t, kMaxProbeBytes> packet_;
};

int Prober::run() {
  for (;;) {
    polls_.clear();
    const bool frontIsSlow = items_.size() >= kMaxHeldProbeItems;
    polls_.push_back(
        {.fd = front_, .events = static_cast<short>(items_.empty() ? POLLIN : POLLIN | POLLOUT), .revents = 0});
    if (!frontIsSlow) {
      raw_.addPolls(polls_);
      for (const auto& [id, trace] : traces_) {
        if (trace.method == ProbeMethod::raw) continue;
        for (const auto& [number, flow] : trace.flows)
          polls_.push_back({.fd = flow.socket.get(), .events = POLLIN, .revents = 0});
      }
    }
    poll(polls_.data(), polls_.size(), pauseMs());
    // Answers first: what waits in a socket must not be taken for missing.
    if (!frontIsSlow) receive();
    table_.expire(steadyTimeUs(), items_);
    if (!readFront()) return 0;
    sendDue();
    if (!tell()) return 0;
  }
}

int Prober::pauseMs() {
  if (moreToReceive_) return 0;
  const std::uint64_t now = steadyTimeUs();
  std::uint64_t due = table_.nextDueUs();
  if (queued() > 0 && !table_.isFull()) due = std::min(due, std::max(pacer_.nextUs(now), holdUntilUs_));
  if (due == UINT64_MAX) return -1;
  return due <= now ? 0 : static_cast<int>((due - now + 999) / 1000);
}

std::size_t Prober::queued() const {
  std::size_t count = 0;
  for (const auto& [id, trace] : traces_) count += trace.queue.size();
  return count;
}

// --- the front

bool Prober::readFront() {
  for (;;) {
    FrontToProber message;
    std::size_t bytes = 0;
    switch (receiveMessage(front_, message, std::as_writable_bytes(std::span(wanted_)), bytes)) {
      case Received::wouldBlock:
        return true;
      case Received::closed:
      case Received::malformed:
        return false;
      case Received::message:
        break;
    }
    switch (message.ask) {
      case ProberAsk::open:
        open(message);
        break;
      case ProberAsk::probes:
        probes(message, std::span(wanted_).first(std::min(bytes / sizeof(WantedProbe), wanted_.size())));
        break;
      case ProberAsk::close:
        close(message.traceId);
        break;
    }
  }
}

void Prober::refuse(const FrontToProber& message, ProbeRefusal refusal, int error) {
  sendMessage(front_, ProberToFront{.told = ProberTold::refused,
                                    .token = message.token,
                                    .traceId = message.traceId,
                                    .refusal = refusal,
                                    .error = error});
}

void Prober::open(const FrontToProber& message) {
  if (traces_.size() >= kMaxTraces) return refuse(message, ProbeRefusal::tooManyTraces);
  Trace trace{.target = message.target};
  int error = 0;
  if (const ProbeRefusal refusal = aim(trace, error); refusal != ProbeRefusal::none)
    return refuse(message, refusal, error);
  if (const int failed = addFlow(trace, 0); failed != 0) {
    const bool isRefusal = trace.method == ProbeMethod::pingSocket && (failed == EACCES || failed == EPERM);
    if (isRefusal) return refuse(message, ProbeRefusal::needsNetRaw);
    if (failed == EADDRINUSE) return refuse(message, ProbeRefusal::portInUse);
    if (failed == EADDRNOTAVAIL) return refuse(message, ProbeRefusal::badSourceAddress);
    if (failed == EACCES) return refuse(message, ProbeRefusal::portInUse, failed);  // below ip_unprivileged_port_start
    return refuse(message, ProbeRefusal::internal, failed);
  }
  trace.nextPort = trace.target.port;
  const ProberToFront opened{.told = ProberTold::opened,
                             .token = message.token,
                             .traceId = message.traceId,
                             .source = trace.target.source,
                             .sourcePort = trace.flows.at(0).sourcePort,
                             .method = trace.method};
  const std::uint8_t family = trace.target.family;
  traces_[message.traceId] = std::move(trace);
  listen(family);
  sendMessage(front_, opened);
}

/// Finds out how and from where the trace's destination is reached.
ProbeRefusal Prober::aim(Trace& trace, int& error) {
  TraceTarget& target = trace.target;
  if (isNoHost(target.family, target.destination)) return ProbeRefusal::refusedDestination;
  if (target.interface[0] != '\0') {
    trace.target.interfaceIndex =
        findInterface(route_, std::string_view(target.interface, strnlen(target.interface, sizeof target.interface)));
    if (trace.target.interfaceIndex == 0) return ProbeRefusal::noSuchInterface;
  }
  const std::optional<Address> wanted = target.hasSource != 0 ? std::optional(target.source) : std::nullopt;
  const RouteAnswer route = findRoute(route_, target.family, target.destination, trace.target.interfaceIndex, wanted);
  if (route.error != 0) {
    error = route.error;
    // The kernel refuses to route from an address that it does not have.
    const bool isForSource =
        wanted && findRoute(route_, target.family, target.destination, target.interfaceIndex, std::nullopt).error == 0;
    return isForSource ? ProbeRefusal::badSourceAddress : ProbeRefusal::noRoute;
  }
  if (route.type == RTN_BROADCAST || route.type == RTN_MULTICAST) return ProbeRefusal::refusedDestination;
  if (!wanted) {
    if (!route.source) {
      error = EADDRNOTAVAIL;
      return ProbeRefusal::noRoute;
    }
    target.source = *route.source;
  }
  const bool isLinkLocal =
      target.family == 6 && target.destination[0] == 0xfe && (target.destination[1] & 0xc0) == 0x80;
  if (isLinkLocal && trace.target.interfaceIndex == 0) trace.target.interfaceIndex = route.interfaceIndex;

  const bool isRaw = raw_.isOpen(target.family);
  if (!isRaw && target.protocol == ProbeProtocol::tcp) return ProbeRefusal::needsNetRaw;
  trace.method = isRaw                                   ? ProbeMethod::raw
                 : target.protocol == ProbeProtocol::udp ? ProbeMethod::errorQueue
                                                         : ProbeMethod::pingSocket;
  const auto smallest = static_cast<std::uint16_t>(smallestProbe(target.family, transportOf(target)));
  target.packetBytes = std::max(target.packetBytes, smallest);
  return ProbeRefusal::none;
}

/// Takes a source port for one more flow; errno when there is none.
int Prober::addFlow(Trace& trace, std::uint8_t number) {
  const TraceTarget& target = trace.target;
  TraceFlow flow{.icmpChecksum = static_cast<std::uint16_t>(1 + randomNumber() % 0xfffe),
                 .flowLabel = static_cast<std::uint32_t>(1 + randomNumber() % 0xfffff)};
  const std::uint16_t wanted =
      target.sourcePort == 0 ? std::uint16_t{0} : static_cast<std::uint16_t>(target.sourcePort + number);
  const bool isIcmp = target.protocol == ProbeProtocol::icmp;
  const bool isRaw = trace.method == ProbeMethod::raw;
  // The port is held, so that no program answers to, or sends from, what belongs to the probes. An echo identifier
  // can't be held; its socket only proves that the source address is ours.
  flow.socket = isRaw ? holdPort(target, isIcmp ? std::uint16_t{0} : wanted, flow.sourcePort)
                      : openProbeSocket(target, trace.method, wanted, flow.sourcePort);
  if (!flow.socket) return errno;
  if (isRaw && isIcmp) {
    flow.socket.reset();
    const auto taken = [&](std::uint16_t identifier) {
      return std::ranges::any_of(traces_, [&](const auto& trace_) {
        return trace_.second.target.protocol == ProbeProtocol::icmp &&
               std::ranges::any_of(trace_.second.flows,
                                   [&](const auto& one) { return one.second.sourcePort == identifier; });
      });
    };
    do {
      flow.sourcePort = wanted != 0 ? wanted : static_cast<std::uint16_t>(1 + randomNumber() % 0xffff);
    } while (wanted == 0 && taken(flow.sourcePort));
  }
  trace.flows[number] = std::move(flow);
  return 0;
}

/// Lets in what the family's open traces wait for, and nothing else.
void Prober::listen(std::uint8_t family) {
  bool any = false;
  std::vector<std::uint16_t> ports;
  for (const auto& [id, trace] : traces_) {
    if (trace.target.family != family || trace.method != ProbeMethod::raw) continue;
    any = true;
    if (trace.target.protocol != ProbeProtocol::tcp) continue;
    for (const auto& [number, flow] : trace.flows) ports.push_back(flow.sourcePort);
  }
  raw_.listen(family, any, ports);
}

void Prober::probes(const FrontToProber& message, std::span<const WantedProbe> wanted) {
  const auto found = traces_.find(message.traceId);
  if (found == traces_.end()) return refuse(message, ProbeRefusal::noSuchTrace);
  if (queued() + table_.open() + wanted.size() > kMaxOpenProbes) return refuse(message, ProbeRefusal::tooManyProbes);
  for (const WantedProbe& one : wanted)
    found->second.queue.push_back({.round = message.round, .waitMs = message.waitMs, .wanted = one});
  sendMessage(front_, ProberToFront{.told = ProberTold::queued,
                                    .token = message.token,
                                    .traceId = message.traceId,
                                    .count = static_cast<std::uint32_t>(wanted.size())});
}

void Prober::close(std::uint32_t traceId) {
  const auto trace = traces_.extract(traceId);
  if (!trace) return;
  table_.forget(traceId);
  std::erase_if(items_, [&](const ProbeItem& item) { return item.traceId == traceId; });
  listen(trace.mapped().target.family);
}

/// False: the front is gone.
bool Prober::tell() {
  std::size_t told = 0;
  while (told < items_.size()) {
    const std::size_t count = std::min(items_.size() - told, kProbeItemsPerMessage);
    const auto part = std::as_bytes(std::span(items_).subspan(told, count));
    const ProberToFront head{.told = ProberTold::items, .count = static_cast<std::uint32_t>(count)};
    const Sent sent = sendMessage(front_, head, part);
    if (sent == Sent::closed) return false;
    if (sent == Sent::wouldBlock) break;
    told += count;
  }
  items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(told));
  return true;
}

// --- the network

void Prober::sendDue() {
  while (steadyTimeUs() >= holdUntilUs_ && !table_.isFull() && queued() > 0 && pacer_.take(steadyTimeUs())) {
    if (!sendNext()) return;
  }
}

/// The next probe of the next trace that has one.
bool Prober::sendNext() {
  auto at = traces_.upper_bound(lastTrace_);
  for (std::size_t i = 0; i < traces_.size(); ++i, ++at) {
    if (at == traces_.end()) at = traces_.begin();
    if (at->second.queue.empty()) continue;
    lastTrace_ = at->first;
    const QueuedProbe next = at->second.queue.front();
    at->second.queue.pop_front();
    send(at->first, at->second, next);
    return true;
  }
  return false;
}

void Prober::send(std::uint32_t traceId, Trace& trace, const QueuedProbe& queued) {
  int error = 0;
  if (!trace.flows.contains(queued.wanted.flow)) {
    error = addFlow(trace, queued.wanted.flow);
    if (error == 0 && trace.target.protocol == ProbeProtocol::tcp) listen(trace.target.family);
  }
  if (error != 0) {
    items_.push_back({.sentUs = unixTimeUs(),
                      .traceId = traceId,
                      .round = queued.round,
                      .error = error,
                      .outcome = ProbeOutcome::unsent,
                      .flow = queued.wanted.flow,
                      .ttl = queued.wanted.ttl,
                      .family = 0});
    return;
  }
  const TraceFlow& flow = trace.flows.at(queued.wanted.flow);
  const TraceTarget& target = trace.target;
  const bool isIcmp = target.protocol == ProbeProtocol::icmp;
  ProbeFields fields{.family = target.family,
                     .protocol = transportOf(target),
                     .ttl = queued.wanted.ttl,
                     .tos = target.tos,
                     .source = target.source,
                     .destination = target.destination,
                     .sourcePort = flow.sourcePort,
                     .destinationPort = isIcmp ? std::uint16_t{0} : trace.nextPort,
                     .flowLabel = flow.flowLabel,
                     .icmpChecksum = flow.icmpChecksum,
                     .packetBytes = target.packetBytes};
  if (target.stepPort != 0)
    trace.nextPort = trace.nextPort == 0xffff ? target.port : static_cast<std::uint16_t>(trace.nextPort + 1);
  table_.identify(fields);
  const bool isRaw = trace.method == ProbeMethod::raw;
  const std::span<const std::uint8_t> packet = isRaw ? buildProbe(fields, packet_) : std::span<const std::uint8_t>();
  const ProbeTable::Slot slot = table_.add(traceId, queued.round, queued.wanted.flow, fields, unixTimeUs(),
                                           steadyTimeUs(), queued.waitMs * std::uint64_t{1000});
  error = isRaw ? raw_.send(fields, packet, trace.target.interfaceIndex, slot)
                : sendFromSocket(flow.socket.get(), fields, trace.target.interfaceIndex, packet_);
  if (error == 0) return;
  const ProbeItem item = table_.unsent(slot, error);
  if (error == EAGAIN || error == EWOULDBLOCK || error == ENOBUFS) {
    trace.queue.push_front(queued);
    holdUntilUs_ = steadyTimeUs() + kDeviceFullUs;
    return;
  }
  items_.push_back(item);
}

void Prober::receive() {
  const std::size_t before = items_.size();
  moreToReceive_ = raw_.receive(table_, items_);
  for (const auto& [id, trace] : traces_) {
    if (trace.method == ProbeMethod::raw) continue;
    for (const auto& [number, flow] : trace.flows) {
      const ProbeSocket socket{.fd = flow.socket.get(),
                               .family = trace.target.family,
                               .protocol = transportOf(trace.target),
                               .sourcePort = flow.sourcePort};
      moreToReceive_ = receiveFromSocket(socket, table_, items_) || moreToReceive_;
    }
  }
  // Extra answers may come as fast as somebody likes to send them; closing items are never more than the open probes.
  std::size_t extras = 0;
  const auto isTooMuch = [&](const ProbeItem& item) {
    return item.outcome != ProbeOutcome::reply && ++extras > kMaxExtraProbeItems;
  };
  items_.erase(std::remove_if(items_.begin() + static_cast<std::ptrdiff_t>(before), items_.end(), isTooMuch),
               items_.end());
}

}  // namespace

int runProber(int frontChannel) {
  // All that needs a privilege is opened by the constructor.
  const auto prober = std::make_unique<Prober>(frontChannel);
  if (!prober->isReady() || !keepOnly({}, false) || !closeSandbox(Role::prober)) return 1;
  return prober->run();
}

}  // namespace netloupe
