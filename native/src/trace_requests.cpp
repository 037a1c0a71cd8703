#include "trace_requests.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "bounds.h"
#include "problems.h"
#include "role_channels.h"
#include "rtnetlink.h"

namespace netloupe {

namespace {

Problem problemOf(const ProberToFront& head, const TraceTarget& target, const std::string& program) {
  switch (head.refusal) {
    case ProbeRefusal::refusedDestination:
      return problems::refusedDestination(addressText(target.destination, target.family));
    case ProbeRefusal::noRoute:
      return problems::noRoute(addressText(target.destination, target.family), std::strerror(head.error));
    case ProbeRefusal::noSuchInterface:
      return problems::noSuchInterface(target.interface);
    case ProbeRefusal::badSourceAddress:
      return problems::badSourceAddress(addressText(target.source, target.family));
    case ProbeRefusal::portInUse:
      return problems::portInUse(target.sourcePort);
    case ProbeRefusal::needsNetRaw:
      return problems::traceNeedsNetRaw(target.protocol, program);
    case ProbeRefusal::tooManyTraces:
      return problems::tooManyTraces();
    case ProbeRefusal::tooManyProbes:
      return problems::tooManyProbes();
    case ProbeRefusal::noSuchTrace:
      return problems::noSuchTrace(head.traceId);
    case ProbeRefusal::internal:
    case ProbeRefusal::none:
      break;
  }
  return problems::traceFailed(std::strerror(head.error));
}

}  // namespace

void TraceRequests::handle(const Request& request) {
  if (request.kind == RequestKind::traceOpen) {
    Request numbered = request;
    numbered.traceId = nextTraceId_++;
    open_[request.token] = numbered;
    if (prober_) return send(numbered);
    waiting_.push_back(request.token);
    if (std::exchange(asked_, true)) return;
    if (sendMessage(supervisor_, SupervisorRequest{.ask = SupervisorAsk::openProber}) != Sent::ok) proberEnded();
    return;
  }
  if (!prober_ || !traces_.contains(request.traceId))
    return say_(events::error(request.token, problems::noSuchTrace(request.traceId)));
  if (request.kind == RequestKind::traceClose) {
    traces_.erase(request.traceId);
    sendMessage(prober_.get(), FrontToProber{.ask = ProberAsk::close, .traceId = request.traceId});
    return say_(events::reply(request.token, request.kind));
  }
  open_[request.token] = request;
  send(request);
}

void TraceRequests::send(const Request& request) {
  FrontToProber message{.token = request.token, .traceId = request.traceId, .target = request.target};
  std::span<const WantedProbe> wanted;
  if (request.kind == RequestKind::traceProbes) {
    message.ask = ProberAsk::probes;
    message.round = request.probes.round;
    message.waitMs = request.probes.waitMs;
    wanted = request.probes.wanted;
    message.count = static_cast<std::uint32_t>(wanted.size());
  }
  if (sendMessage(prober_.get(), message, std::as_bytes(wanted)) == Sent::ok) return;
  open_.erase(request.token);
  say_(events::error(request.token, problems::proberBusy()));
}

void TraceRequests::proberStarted(Fd channel) {
  prober_ = std::move(channel);
  asked_ = false;
  for (const std::uint32_t token : std::exchange(waiting_, {})) send(open_.at(token));
}

void TraceRequests::proberEnded() {
  read();
  prober_.reset();
  asked_ = false;
  waiting_.clear();
  for (const auto& [token, request] : std::exchange(open_, {}))
    say_(events::error(token, problems::processDied("prober")));
  std::vector<ProbeItem> lost;
  for (const auto& [traceId, probes] : std::exchange(traces_, {})) {
    for (const Probe& probe : probes) {
      lost.push_back({.traceId = traceId,
                      .round = probe.round,
                      .error = ECONNRESET,
                      .outcome = ProbeOutcome::unsent,
                      .flow = probe.flow,
                      .ttl = probe.ttl,
                      .family = 0});
    }
  }
  for (std::size_t at = 0; at < lost.size(); at += kProbeItemsPerMessage) {
    say_(events::probes(std::span(lost).subspan(at, std::min(kProbeItemsPerMessage, lost.size() - at))));
  }
}

void TraceRequests::read() {
  while (prober_) {
    ProberToFront head;
    std::array<ProbeItem, kProbeItemsPerMessage> items;
    std::size_t bytes = 0;
    switch (receiveMessage(prober_.get(), head, std::as_writable_bytes(std::span(items)), bytes)) {
      case Received::wouldBlock:
        return;
      case Received::closed:
      case Received::malformed:
        prober_.reset();
        return;  // the supervisor tells of its end
      case Received::message:
        told(head, std::span(items).first(bytes / sizeof(ProbeItem)));
    }
  }
}

void TraceRequests::told(const ProberToFront& head, std::span<const ProbeItem> items) {
  if (head.told == ProberTold::items) {
    std::vector<ProbeItem> wanted;
    for (const ProbeItem& item : items) {
      const auto trace = traces_.find(item.traceId);
      if (trace == traces_.end()) continue;  // it has been closed meanwhile
      wanted.push_back(item);
      const bool closes = item.outcome == ProbeOutcome::reply || item.outcome == ProbeOutcome::noReply ||
                          item.outcome == ProbeOutcome::unsent;
      const auto probe = trace->second.find({item.round, item.flow, item.ttl});
      if (closes && probe != trace->second.end()) trace->second.erase(probe);
    }
    if (!wanted.empty()) say_(events::probes(wanted));
    return;
  }
  const auto found = open_.extract(head.token);
  if (!found) return;
  const Request& request = found.mapped();
  switch (head.told) {
    case ProberTold::opened:
      traces_[head.traceId];
      say_(events::replyTrace(head, request));
      break;
    case ProberTold::queued:
      if (const auto trace = traces_.find(head.traceId); trace != traces_.end()) {
        for (const WantedProbe& one : request.probes.wanted)
          trace->second.insert({request.probes.round, one.flow, one.ttl});
      }
      say_(events::replyQueued(head.token, head.count));
      break;
    case ProberTold::refused:
      say_(events::error(head.token, problemOf(head, request.target, program_)));
      break;
    case ProberTold::items:
      break;
  }
}

}  // namespace netloupe
