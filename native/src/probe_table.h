// Probes on the way and lately closed ones, and which of them an answer belongs to. Pure: times and random numbers are
// handed in.
//
// An answer is credited only when it proves that its sender has seen the probe: it quotes the probe's addresses,
// protocol and ports and its random sequence (and as much of the random token as it quotes at all), or, where a NAT has
// rewritten the former, the whole token. What names a flow of ours but proves nothing is forged; everything else is
// somebody else's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "probe_channel.h"
#include "probe_packet.h"
#include "probe_reply.h"

namespace netloupe {

/// A closed probe is remembered this long, so that a late or duplicate answer is told as such.
inline constexpr std::uint64_t kRememberUs = 10'000'000;

class ProbeTable {
 public:
  using Random = std::function<std::uint64_t()>;
  using Slot = std::uint32_t;

  /// At most `openMost` probes are open; as many closed ones are remembered, the oldest is forgotten first.
  ProbeTable(std::size_t openMost, Random random) : openMost_(openMost), random_(std::move(random)) {}

  bool isFull() const { return open_ >= openMost_; }
  std::size_t open() const { return open_; }

  /// Sequence and token for a new probe of the flow that `fields` name, such that no remembered probe of the flow has
  /// the same.
  void identify(ProbeFields& fields);

  /// A probe that is being sent. Times of the steady clock, `sentUs` Unix time. `fields` come from identify().
  Slot add(std::uint32_t traceId, std::uint32_t round, std::uint8_t flow, const ProbeFields& fields,
           std::uint64_t sentUs, std::uint64_t steadyUs, std::uint64_t waitUs);

  /// It could not be sent after all.
  ProbeItem unsent(Slot slot, int error);

  /// The kernel's own time of sending.
  void sentAt(Slot slot, std::uint64_t sentUs);

  /// An answer that arrived at `arrivedUs` (Unix time, of the kernel) and was read at `steadyUs`. `from`: its sender.
  /// None: not ours.
  std::optional<ProbeItem> take(const IcmpReply& reply, std::uint8_t family, const Address& from,
                                std::uint64_t arrivedUs, std::uint64_t steadyUs);
  std::optional<ProbeItem> take(const TcpReply& reply, std::uint64_t arrivedUs, std::uint64_t steadyUs);
  /// An answer that the kernel has matched to a socket of the flow, and which quotes `payload`, or without it a
  /// destination port that only one probe has had. `sequence`: of a quoted or answered echo.
  struct SocketReply {
    std::uint8_t protocol = 0;
    std::uint8_t family = 4;
    std::uint16_t sourcePort = 0;
    std::uint16_t destinationPort = 0;
    std::optional<std::uint16_t> sequence{};
    std::span<const std::uint8_t> payload{};
    Address from{};
  };
  std::optional<ProbeItem> take(const SocketReply& reply, std::uint64_t arrivedUs, std::uint64_t steadyUs);

  /// When the next open probe is due, UINT64_MAX none.
  std::uint64_t nextDueUs() const { return due_.empty() ? UINT64_MAX : due_.begin()->first; }
  /// Closes the probes that are due, without answer. Forgets the old.
  void expire(std::uint64_t steadyUs, std::vector<ProbeItem>& closed);

  /// The probes of a closed trace, and its flows.
  void forget(std::uint32_t traceId);

 private:
  enum class State : std::uint8_t { open, answered, missed };
  struct Probe {
    std::uint32_t traceId = 0;
    std::uint32_t round = 0;
    std::uint8_t flow = 0;
    State state = State::open;
    ProbeFields fields{};
    std::uint64_t sentUs = 0;
    std::uint64_t steadyUs = 0;
    std::uint64_t dueUs = 0;
  };
  struct Match {
    Slot slot = 0;
    std::uint8_t changed = 0;
    bool forged = false;
  };
  /// Of a flow of ours: the destination, and the probe that was sent last.
  struct Flow {
    std::uint32_t traceId = 0;
    Address destination{};
    Slot last = 0;
  };

  static std::uint64_t flowKey(std::uint8_t family, std::uint8_t protocol, std::uint16_t sourcePort);
  static std::uint64_t probeKey(std::uint64_t flowKey, std::uint32_t sequence);
  static std::uint64_t keyOf(const ProbeFields& fields);

  std::optional<Slot> find(std::uint64_t flow, std::uint32_t sequence) const;
  std::optional<Slot> findToken(std::span<const std::uint8_t> payload) const;
  std::optional<Match> match(const IcmpReply& reply, std::uint8_t family) const;
  std::optional<Match> matchQuote(const Quote& quote) const;
  std::optional<Match> forged(std::uint64_t flow, const Address& destination) const;
  ProbeItem itemOf(const Probe& probe) const;
  ProbeItem settle(const Match& match, std::uint8_t family, const Address& from, std::uint64_t arrivedUs,
                   std::uint64_t steadyUs);
  void close(Slot slot, State state);
  void drop(Slot slot);

  std::size_t openMost_;
  Random random_;
  std::size_t open_ = 0;
  Slot nextSlot_ = 1;
  std::unordered_map<Slot, Probe> probes_;
  std::unordered_map<std::uint64_t, Slot> bySequence_;
  std::unordered_map<std::uint64_t, Slot> byToken_;
  std::unordered_map<std::uint64_t, Flow> flows_;
  std::set<std::pair<std::uint64_t, Slot>> due_;     // open ones by the time when they are given up
  std::set<std::pair<std::uint64_t, Slot>> closed_;  // the others by the time of sending
};

}  // namespace netloupe
