// Answers look-up requests: resolves the flow's socket, waits for the search of its process where that takes longer,
// and makes exactly one reply per request. No channels: who asked is a number.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "lookup_channel.h"
#include "owner_table.h"
#include "proc_sockets.h"
#include "socket_owners.h"
#include "socket_resolver.h"

namespace netloupe {

/// A request and who sent it.
struct AskedLookup {
  std::uint32_t captureId = 0;
  LookupRequest request;
};

struct AnsweredLookup {
  std::uint32_t captureId = 0;
  LookupReply reply;
};

class FlowLookup {
 public:
  FlowLookup(SocketResolver& resolver, ProcSockets& sockets, SocketOwners& owners, OwnerTable& table)
      : resolver_(resolver), sockets_(sockets), owners_(owners), table_(table) {}

  /// Takes requests; what can be answered at once is appended to `out`.
  void ask(std::span<const AskedLookup> asked, std::uint64_t nowUs, std::vector<AnsweredLookup>& out);

  /// After ProcSockets::work(): answers those whose search has ended.
  void settle(std::uint64_t nowUs, std::vector<AnsweredLookup>& out);

  /// Before a search begins: answers those whose socket has gone meanwhile, so that it is not searched for everywhere
  /// in vain.
  void recheck(std::uint64_t nowUs, std::vector<AnsweredLookup>& out);

  /// Forgets what a capture process that ended had asked.
  void forget(std::uint32_t captureId);

  std::size_t waiting() const { return waiting_.size(); }

  /// When a request was last turned away for lack of room; 0 never.
  std::uint64_t overloadedUs() const { return overloadedUs_; }

 private:
  struct Waiting {
    AskedLookup asked;
    Resolution resolution;
    std::uint8_t retries = 0;
    bool rechecked = false;
  };
  struct Provisional {
    std::uint64_t inode = 0;
    std::uint32_t ownerId = 0;
    std::uint32_t uid = 0;
  };

  std::optional<LookupReply> answer(Waiting& waiting, std::uint64_t nowUs);
  std::optional<LookupReply> withoutOwner(Waiting& waiting, bool hidden, std::uint64_t nowUs);
  LookupReply withOwner(const Waiting& waiting, const SocketCandidate& socket, std::uint32_t ownerId,
                        Attribution attribution);
  LookupReply nobody(const Waiting& waiting, Reason reason, std::uint64_t nowUs);

  SocketResolver& resolver_;
  ProcSockets& sockets_;
  SocketOwners& owners_;
  OwnerTable& table_;
  std::vector<Waiting> waiting_;
  std::unordered_map<std::uint64_t, Provisional> provisional_;  // by flow id
  std::vector<LookupRequest> requests_;
  std::vector<Resolution> resolutions_;
  std::uint64_t overloadedUs_ = 0;
};

}  // namespace netloupe
