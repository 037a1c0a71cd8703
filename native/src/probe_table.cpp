#include "probe_table.h"

#include <algorithm>

namespace netloupe {

namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::size_t kTransportHeaderBytes = 8;  // ICMP echo and UDP

std::uint16_t get16(Bytes bytes, std::size_t at) {
  return static_cast<std::uint16_t>(bytes[at] << 8 | bytes[at + 1]);
}
std::uint32_t get32(Bytes bytes, std::size_t at) {
  return static_cast<std::uint32_t>(get16(bytes, at)) << 16 | get16(bytes, at + 2);
}

/// As many bytes of the token as are there: true when all of them are the probe's.
bool agrees(Bytes payload, std::uint64_t token) {
  for (std::size_t i = 0; i < std::min(payload.size(), kTokenBytes); ++i) {
    if (payload[i] != static_cast<std::uint8_t>(token >> (8 * (kTokenBytes - 1 - i)))) return false;
  }
  return true;
}

/// The kernel's times tell the truth to the microsecond unless the clock was set in between: the answer can't have come
/// after it was read. Then the steady clock, which includes the way through this process, is all there is.
std::uint64_t roundTripUs(std::uint64_t sentUs, std::uint64_t arrivedUs, std::uint64_t steadyUs) {
  constexpr std::uint64_t kSlackUs = 1000;
  if (arrivedUs < sentUs || arrivedUs - sentUs > steadyUs + kSlackUs) return steadyUs;
  return arrivedUs - sentUs;
}

}  // namespace

std::uint64_t ProbeTable::flowKey(std::uint8_t family, std::uint8_t protocol, std::uint16_t sourcePort) {
  return static_cast<std::uint64_t>(family) << 56 | static_cast<std::uint64_t>(protocol) << 48 |
         static_cast<std::uint64_t>(sourcePort) << 32;
}

std::uint64_t ProbeTable::probeKey(std::uint64_t flowKey, std::uint32_t sequence) {
  return flowKey | sequence;
}

std::uint64_t ProbeTable::keyOf(const ProbeFields& fields) {
  return probeKey(flowKey(fields.family, fields.protocol, fields.sourcePort), fields.sequence);
}

void ProbeTable::identify(ProbeFields& fields) {
  do {
    const std::uint64_t number = random_();
    // 0 and 0xffff mean the same to the one's complement, and 0 "no checksum" to UDP.
    fields.sequence = fields.protocol == kProtocolTcp ? static_cast<std::uint32_t>(number)
                                                      : static_cast<std::uint32_t>(1 + number % 0xfffe);
  } while (bySequence_.contains(keyOf(fields)));
  do {
    fields.token = random_();
  } while (byToken_.contains(fields.token));
}

ProbeTable::Slot ProbeTable::add(std::uint32_t traceId, std::uint32_t round, std::uint8_t flow,
                                 const ProbeFields& fields, std::uint64_t sentUs, std::uint64_t steadyUs,
                                 std::uint64_t waitUs) {
  const Slot slot = nextSlot_++;
  probes_[slot] = {.traceId = traceId,
                   .round = round,
                   .flow = flow,
                   .state = State::open,
                   .fields = fields,
                   .sentUs = sentUs,
                   .steadyUs = steadyUs,
                   .dueUs = steadyUs + waitUs};
  bySequence_[keyOf(fields)] = slot;
  byToken_[fields.token] = slot;
  flows_[flowKey(fields.family, fields.protocol, fields.sourcePort)] = {traceId, fields.destination, slot};
  due_.emplace(steadyUs + waitUs, slot);
  ++open_;
  return slot;
}

ProbeItem ProbeTable::unsent(Slot slot, int error) {
  ProbeItem item = itemOf(probes_.at(slot));
  item.outcome = ProbeOutcome::unsent;
  item.error = error;
  close(slot, State::missed);
  drop(slot);
  return item;
}

void ProbeTable::sentAt(Slot slot, std::uint64_t sentUs) {
  const auto found = probes_.find(slot);
  if (found != probes_.end()) found->second.sentUs = sentUs;
}

std::optional<ProbeTable::Slot> ProbeTable::find(std::uint64_t flow, std::uint32_t sequence) const {
  const auto found = bySequence_.find(probeKey(flow, sequence));
  if (found == bySequence_.end()) return std::nullopt;
  return found->second;
}

std::optional<ProbeTable::Slot> ProbeTable::findToken(Bytes payload) const {
  if (payload.size() < kTokenBytes) return std::nullopt;
  const auto found = byToken_.find(static_cast<std::uint64_t>(get32(payload, 0)) << 32 | get32(payload, 4));
  if (found == byToken_.end()) return std::nullopt;
  return found->second;
}

std::optional<ProbeTable::Match> ProbeTable::forged(std::uint64_t flow, const Address& destination) const {
  const auto found = flows_.find(flow);
  if (found == flows_.end() || found->second.destination != destination || !probes_.contains(found->second.last))
    return std::nullopt;
  return Match{.slot = found->second.last, .forged = true};
}

std::optional<ProbeTable::Match> ProbeTable::matchQuote(const Quote& quote) const {
  const bool isEcho = quote.protocol == kProtocolIcmp || quote.protocol == kProtocolIcmpV6;
  if (!isEcho && quote.protocol != kProtocolUdp && quote.protocol != kProtocolTcp) return std::nullopt;
  const Bytes transport = quote.transport;
  if (transport.size() < kTransportHeaderBytes) return std::nullopt;
  if (isEcho && (transport[0] != (quote.family == 4 ? 8 : 128) || transport[1] != 0)) return std::nullopt;

  const std::uint16_t sourcePort = get16(transport, isEcho ? 4 : 0);
  const std::uint16_t destinationPort = isEcho ? std::uint16_t{0} : get16(transport, 2);
  const std::uint64_t flow = flowKey(quote.family, quote.protocol, sourcePort);
  const Bytes payload = quote.protocol == kProtocolTcp ? Bytes{} : transport.subspan(kTransportHeaderBytes);

  std::optional<Slot> slot;
  if (quote.protocol == kProtocolTcp) {
    slot = find(flow, get32(transport, 4));
  } else {
    slot = find(flow, get16(transport, 6));
    // A NAT that writes the addresses of the quote back may leave its checksum as it was behind it.
    if (!slot && quote.protocol == kProtocolUdp && quote.family == 4) slot = find(flow, quote.identification);
  }
  const std::optional<Slot> byToken = findToken(payload);
  if (byToken) slot = byToken;
  if (!slot) return forged(flow, quote.destination);

  const ProbeFields& sent = probes_.at(*slot).fields;
  Match match{.slot = *slot};
  const auto changed = [&](bool differs, std::uint8_t bit) {
    if (differs) match.changed = static_cast<std::uint8_t>(match.changed | bit);
  };
  changed(quote.source != sent.source, kQuoteSource);
  changed(sourcePort != sent.sourcePort, kQuoteSourcePort);
  changed(quote.destination != sent.destination, kQuoteDestination);
  changed(destinationPort != sent.destinationPort, kQuoteDestinationPort);
  changed(quote.protocol == kProtocolUdp && get16(transport, 6) != (sent.sequence & 0xffff), kQuoteChecksum);
  changed(isEcho && get16(transport, 2) != sent.icmpChecksum, kQuoteChecksum);
  changed(quote.tos != sent.tos, kQuoteTos);
  changed(quote.totalBytes != sent.packetBytes, kQuoteLength);

  constexpr std::uint8_t kEnds = kQuoteSource | kQuoteSourcePort | kQuoteDestination | kQuoteDestinationPort;
  // Nothing on the way has a reason to rewrite an echo's number.
  const bool isNumberRight = !isEcho || get16(transport, 6) == (sent.sequence & 0xffff);
  const bool isOurs = quote.family == sent.family && quote.protocol == sent.protocol && isNumberRight;
  if (isOurs && byToken) return match;
  if (isOurs && (match.changed & kEnds) == 0 && agrees(payload, sent.token)) return match;
  return forged(flow, quote.destination);
}

std::optional<ProbeTable::Match> ProbeTable::match(const IcmpReply& reply, std::uint8_t family) const {
  std::optional<Match> match;
  if (reply.isEchoReply) {
    const std::uint64_t flow = flowKey(family, family == 4 ? kProtocolIcmp : kProtocolIcmpV6, reply.identifier);
    const std::optional<Slot> slot = find(flow, reply.sequence);
    if (slot && findToken(reply.payload) == slot) {
      match = Match{.slot = *slot};
    } else if (const auto ours = flows_.find(flow); ours != flows_.end()) {
      match = forged(flow, ours->second.destination);
    }
  } else if (reply.quote && reply.quote->family == family) {
    match = matchQuote(*reply.quote);
  }
  if (match && !reply.checksumOk) match->forged = true;
  return match;
}

std::optional<ProbeItem> ProbeTable::take(const IcmpReply& reply, std::uint8_t family, const Address& from,
                                          std::uint64_t arrivedUs, std::uint64_t steadyUs) {
  const std::optional<Match> found = match(reply, family);
  if (!found) return std::nullopt;
  ProbeItem item = settle(*found, family, from, arrivedUs, steadyUs);
  item.icmpType = reply.type;
  item.icmpCode = reply.code;
  item.mtu = reply.mtu;
  item.labelCount = reply.labelCount;
  std::copy(reply.labels.begin(), reply.labels.end(), item.labels);
  return item;
}

std::optional<ProbeItem> ProbeTable::take(const TcpReply& reply, std::uint64_t arrivedUs, std::uint64_t steadyUs) {
  const std::uint64_t flow = flowKey(reply.family, kProtocolTcp, reply.destinationPort);
  std::optional<Slot> slot = find(flow, reply.acknowledgement - 1);
  if (const auto ours = flows_.find(flow); !slot && ours != flows_.end() && (reply.flags & kTcpRst) != 0) {
    // A refusal acknowledges what filled the SYN up to its size as well (RFC 9293 section 3.10.7.1).
    const auto last = probes_.find(ours->second.last);
    const std::size_t size = last == probes_.end() ? 0 : last->second.fields.packetBytes;
    const auto filled = static_cast<std::uint32_t>(size - std::min(size, smallestProbe(reply.family, kProtocolTcp)));
    slot = find(flow, reply.acknowledgement - 1 - filled);
  }
  std::optional<Match> match;
  if (slot) {
    const ProbeFields& sent = probes_.at(*slot).fields;
    const bool fromTarget = reply.source == sent.destination && reply.sourcePort == sent.destinationPort &&
                            reply.destination == sent.source;
    const bool answersSyn = (reply.flags & kTcpAck) != 0 && (reply.flags & (kTcpSyn | kTcpRst)) != 0;
    // A target that is still busy with one SYN acknowledges it again when the next one comes: no answer to either.
    if (fromTarget && reply.checksumOk && !answersSyn) return std::nullopt;
    if (fromTarget && reply.checksumOk) match = Match{.slot = *slot};
  }
  if (!match) match = forged(flow, reply.source);
  if (!match) return std::nullopt;
  ProbeItem item = settle(*match, reply.family, reply.source, arrivedUs, steadyUs);
  item.tcpFlags = reply.flags;
  return item;
}

std::optional<ProbeItem> ProbeTable::take(const SocketReply& reply, std::uint64_t arrivedUs, std::uint64_t steadyUs) {
  const std::uint64_t flow = flowKey(reply.family, reply.protocol, reply.sourcePort);
  std::optional<Slot> slot = findToken(reply.payload);
  if (!slot && reply.sequence) slot = find(flow, *reply.sequence);
  if (!slot && !reply.sequence && reply.payload.size() < kTokenBytes) {
    // Only where ports are stepped does the port of the destination name one probe.
    for (const auto& [due, open] : due_) {
      const ProbeFields& fields = probes_.at(open).fields;
      if (flowKey(fields.family, fields.protocol, fields.sourcePort) != flow ||
          fields.destinationPort != reply.destinationPort)
        continue;
      if (slot) return std::nullopt;
      slot = open;
    }
  }
  if (!slot) return std::nullopt;
  const ProbeFields& sent = probes_.at(*slot).fields;
  const bool isOurs = flowKey(sent.family, sent.protocol, sent.sourcePort) == flow && agrees(reply.payload, sent.token);
  return settle({.slot = *slot, .forged = !isOurs}, reply.family, reply.from, arrivedUs, steadyUs);
}

ProbeItem ProbeTable::itemOf(const Probe& probe) const {
  return {.sentUs = probe.sentUs,
          .traceId = probe.traceId,
          .round = probe.round,
          .flow = probe.flow,
          .ttl = probe.fields.ttl,
          .family = 0};
}

ProbeItem ProbeTable::settle(const Match& match, std::uint8_t family, const Address& from, std::uint64_t arrivedUs,
                             std::uint64_t steadyUs) {
  const Probe& probe = probes_.at(match.slot);
  ProbeItem item = itemOf(probe);
  item.address = from;
  item.family = family;
  item.quoteChanged = match.changed;
  item.rttUs = roundTripUs(probe.sentUs, arrivedUs, steadyUs - probe.steadyUs);
  if (match.forged) {
    item.outcome = ProbeOutcome::forged;
  } else if (probe.state == State::answered) {
    item.outcome = ProbeOutcome::duplicate;
  } else if (probe.state == State::missed) {
    item.outcome = ProbeOutcome::late;
  } else {
    item.outcome = ProbeOutcome::reply;
    close(match.slot, State::answered);
  }
  return item;
}

void ProbeTable::expire(std::uint64_t steadyUs, std::vector<ProbeItem>& closed) {
  while (!due_.empty() && due_.begin()->first <= steadyUs) {
    const Slot slot = due_.begin()->second;
    ProbeItem item = itemOf(probes_.at(slot));
    item.outcome = ProbeOutcome::noReply;
    closed.push_back(item);
    close(slot, State::missed);
  }
  while (!closed_.empty() && (closed_.size() > openMost_ || closed_.begin()->first + kRememberUs <= steadyUs))
    drop(closed_.begin()->second);
}

void ProbeTable::close(Slot slot, State state) {
  Probe& probe = probes_.at(slot);
  due_.erase({probe.dueUs, slot});
  probe.state = state;
  // Counted from when it was given up, or an answer after a long wait would find it forgotten already.
  closed_.emplace(probe.dueUs, slot);
  --open_;
}

void ProbeTable::drop(Slot slot) {
  const auto found = probes_.find(slot);
  if (found == probes_.end()) return;
  const Probe& probe = found->second;
  if (probe.state == State::open) {
    due_.erase({probe.dueUs, slot});
    --open_;
  } else {
    closed_.erase({probe.dueUs, slot});
  }
  bySequence_.erase(keyOf(probe.fields));
  byToken_.erase(probe.fields.token);
  probes_.erase(found);
}

void ProbeTable::forget(std::uint32_t traceId) {
  std::vector<Slot> slots;
  for (const auto& [slot, probe] : probes_) {
    if (probe.traceId == traceId) slots.push_back(slot);
  }
  for (const Slot slot : slots) drop(slot);
  std::erase_if(flows_, [&](const auto& entry) { return entry.second.traceId == traceId; });
}

}  // namespace netloupe
