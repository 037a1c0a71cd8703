#include "flow_lookup.h"

#include <algorithm>
#include <utility>

namespace netloupe {

namespace {

// Requests that wait for a search. A flood of flows beyond it is answered `overloaded` and asked for again by the
// meter.
constexpr std::size_t kMaxWaiting = 8192;

// Connections that had no owner of their own yet. At the cap all are forgotten: those that close before they are
// accepted then have no owner.
constexpr std::size_t kMaxProvisional = 16384;

// Attempts after which a connection that is still not accepted is the listener's for good.
constexpr std::uint8_t kLastAttempt = 4;

// A socket that no process holds is looked at again before that is believed; it may just have been accepted, or
// replaced.
constexpr std::uint8_t kMaxRetries = 2;

bool isIdentifierOf(pid_t pid, std::uint16_t identifier) {
  const auto low = static_cast<std::uint16_t>(static_cast<std::uint32_t>(pid) & 0xffff);
  const auto swapped =
      static_cast<std::uint16_t>(low << 8 | low >> 8);  // some programs do not convert to network order
  return identifier == low || identifier == swapped;
}

}  // namespace

void FlowLookup::ask(std::span<const AskedLookup> asked, std::uint64_t nowUs, std::vector<AnsweredLookup>& out) {
  requests_.clear();
  for (const AskedLookup& one : asked) requests_.push_back(one.request);
  resolver_.resolve(requests_, nowUs, resolutions_);
  // answer() may resolve again and with that reuse resolutions_.
  const std::vector<Resolution> resolutions = std::move(resolutions_);
  for (std::size_t i = 0; i < asked.size(); ++i) {
    Waiting waiting{asked[i], resolutions[i]};
    if (const auto reply = answer(waiting, nowUs)) {
      out.push_back({asked[i].captureId, *reply});
    } else if (waiting_.size() < kMaxWaiting) {
      waiting_.push_back(waiting);
    } else {
      out.push_back({asked[i].captureId, nobody(waiting, Reason::overloaded, nowUs)});
    }
  }
}

void FlowLookup::settle(std::uint64_t nowUs, std::vector<AnsweredLookup>& out) {
  if (sockets_.takeSettled().empty()) return;
  std::erase_if(waiting_, [&](Waiting& waiting) {
    const auto reply = answer(waiting, nowUs);
    if (reply) out.push_back({waiting.asked.captureId, *reply});
    return reply.has_value();
  });
}

void FlowLookup::recheck(std::uint64_t nowUs, std::vector<AnsweredLookup>& out) {
  requests_.clear();
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < waiting_.size(); ++i) {
    if (std::exchange(waiting_[i].rechecked, true)) continue;
    places.push_back(i);
    requests_.push_back(waiting_[i].asked.request);
  }
  if (requests_.empty()) return;
  resolver_.resolve(requests_, nowUs, resolutions_);
  const std::vector<Resolution> resolutions = std::move(resolutions_);
  std::vector<bool> answered(waiting_.size());
  for (std::size_t i = 0; i < places.size(); ++i) {
    Waiting& waiting = waiting_[places[i]];
    for (const SocketCandidate& before : waiting.resolution.sockets()) {
      const auto now = resolutions[i].sockets();
      if (std::ranges::find(now, before.inode, &SocketCandidate::inode) == now.end()) sockets_.forget(before.inode);
    }
    waiting.resolution = resolutions[i];
    const auto reply = answer(waiting, nowUs);
    if (reply) out.push_back({waiting.asked.captureId, *reply});
    answered[places[i]] = reply.has_value();
  }
  std::size_t place = 0;
  std::erase_if(waiting_, [&](const Waiting&) { return answered[place++]; });
}

void FlowLookup::forget(std::uint32_t captureId) {
  std::erase_if(waiting_, [&](const Waiting& waiting) { return waiting.asked.captureId == captureId; });
}

std::optional<LookupReply> FlowLookup::answer(Waiting& waiting, std::uint64_t nowUs) {
  const Resolution& resolution = waiting.resolution;
  if (resolution.count == 0) return nobody(waiting, resolution.reason, nowUs);

  SocketCandidate socket;
  std::uint32_t ownerId = 0;
  bool several = false;
  bool hidden = false;
  bool refused = false;
  bool searching = false;
  // Every candidate is looked for before the first answer decides, so that their searches run together.
  for (const SocketCandidate& candidate : resolution.sockets()) {
    std::uint32_t found = 0;
    switch (owners_.find(candidate.inode, candidate.uid, nowUs, found)) {
      case SocketOwners::Answer::searching:
        searching = true;
        break;
      case SocketOwners::Answer::refused:
        refused = true;
        break;
      case SocketOwners::Answer::hidden:
        hidden = true;
        break;
      case SocketOwners::Answer::absent:
        break;
      case SocketOwners::Answer::owner: {
        const Owner* owner = table_.find(found);
        if (resolution.byIdentifier && owner != nullptr &&
            isIdentifierOf(owner->process.pid, waiting.asked.request.key.localPort)) {
          return withOwner(waiting, candidate, found, Attribution::exact);
        }
        several = several || (ownerId != 0 && ownerId != found);
        ownerId = found;
        socket = candidate;
        break;
      }
    }
  }
  if (refused) return nobody(waiting, Reason::overloaded, nowUs);
  if (searching) return std::nullopt;
  if (ownerId != 0 && !several) return withOwner(waiting, socket, ownerId, resolution.attribution);
  // Several senders of whole packets: any of them, or one that is gone.
  if (several || resolution.count > 1) return nobody(waiting, hidden ? Reason::permission : Reason::socketGone, nowUs);
  return withoutOwner(waiting, hidden, nowUs);
}

std::optional<LookupReply> FlowLookup::withoutOwner(Waiting& waiting, bool hidden, std::uint64_t nowUs) {
  const SocketCandidate before = waiting.resolution.candidates[0];
  resolver_.resolve(std::span(&waiting.asked.request, 1), nowUs, resolutions_);
  const Resolution now = resolutions_.front();
  if (now.count == 0) return nobody(waiting, now.reason, nowUs);
  if (now.candidates[0].inode == before.inode || waiting.retries == kMaxRetries) {
    LookupReply reply = nobody(waiting, hidden ? Reason::permission : Reason::kernel, nowUs);
    reply.inode = before.inode;
    reply.uid = before.uid;
    return reply;
  }
  ++waiting.retries;
  waiting.resolution = now;
  return answer(waiting, nowUs);
}

LookupReply FlowLookup::withOwner(const Waiting& waiting, const SocketCandidate& socket, std::uint32_t ownerId,
                                  Attribution attribution) {
  LookupReply reply;
  reply.flowId = waiting.asked.request.flowId;
  reply.inode = socket.inode;
  reply.uid = socket.uid;
  reply.ownerId = ownerId;
  reply.attribution = attribution;
  if (waiting.resolution.provisional && waiting.asked.request.attempt < kLastAttempt) {
    reply.reason = Reason::pending;
    if (provisional_.size() >= kMaxProvisional) provisional_.clear();
    provisional_[reply.flowId] = {socket.inode, ownerId, socket.uid};
  } else {
    provisional_.erase(reply.flowId);
  }
  return reply;
}

LookupReply FlowLookup::nobody(const Waiting& waiting, Reason reason, std::uint64_t nowUs) {
  LookupReply reply;
  reply.flowId = waiting.asked.request.flowId;
  reply.uid = waiting.resolution.uid;
  reply.reason = reason;
  if (reason == Reason::overloaded) {
    overloadedUs_ = nowUs;
    return reply;
  }
  // A connection that was answered provisionally and is gone now was the listener's.
  const auto before = provisional_.find(reply.flowId);
  if (before != provisional_.end()) {
    reply.inode = before->second.inode;
    reply.uid = before->second.uid;
    reply.ownerId = before->second.ownerId;
    reply.attribution = Attribution::relaxed;
    reply.reason = Reason::none;
    provisional_.erase(before);
  }
  return reply;
}

}  // namespace netloupe
