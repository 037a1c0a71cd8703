// The application's requests that need the kernel's tables: sockets, interfaces, routes, neighbors. One at a time, in
// small steps, so that look-ups of flows go on in between.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "lookup_outbox.h"
#include "netlink_socket.h"
#include "proc_sockets.h"
#include "role_channels.h"
#include "rtnetlink_json.h"
#include "sock_diag.h"
#include "socket_owners.h"
#include "wire.h"

namespace netloupe {

/// Gathers items into pages that fit one message.
class PageWriter {
 public:
  PageWriter(LookupOutbox& outbox, std::uint32_t token) : outbox_(outbox), token_(token) {}

  void add(std::string_view item);
  void flush();
  std::uint32_t count() const { return count_; }

 private:
  LookupOutbox& outbox_;
  std::uint32_t token_;
  std::string text_;
  std::uint32_t count_ = 0;
};

class LookupRequests {
 public:
  LookupRequests(int procFolder, LookupOutbox& outbox, ProcSockets& sockets, SocketOwners& owners)
      : procFolder_(procFolder), outbox_(outbox), sockets_(sockets), owners_(owners), route_(NETLINK_ROUTE) {}

  void add(const LookupQuery& query) { queue_.push_back(query); }

  /// Does the next piece of work. False: there is none at the moment (nothing asked, the outbox is full, or a search
  /// must end first).
  bool step(std::uint64_t nowUs);

 private:
  /// A rtnetlink dump that is turned into pages as it comes.
  struct TableAnswer {
    TableAnswer(LookupOutbox& outbox, std::uint32_t token) : pages(outbox, token) {}
    PageWriter pages;
    InterfaceNames names;
    std::unordered_map<int, std::vector<LinkAddress>> addresses;
  };
  enum class SocketsPhase { looking, searching, writing };
  struct SocketsAnswer {
    std::vector<InetSocket> sockets;
    std::vector<PacketSocket> packetSockets;
    std::size_t next = 0;
    SocketsPhase phase = SocketsPhase::looking;
    bool unknown = false;
    std::uint64_t search = 0;
  };

  bool begin(const LookupQuery& query);
  bool beginTable(const LookupQuery& query);
  void beginSockets();
  bool stepTable();
  bool stepSockets(std::uint64_t nowUs);
  void writeSockets(std::uint64_t nowUs);
  SocketRecord toRecord(const InetSocket& socket, std::uint64_t nowUs);
  SocketRecord toRecord(const PacketSocket& socket, std::uint64_t nowUs);
  void name(SocketRecord& record, std::uint64_t nowUs);
  void end(bool ok, std::uint32_t count);

  int procFolder_;
  LookupOutbox& outbox_;
  ProcSockets& sockets_;
  SocketOwners& owners_;
  NetlinkSocket route_;
  SockDiag diag_;
  std::deque<LookupQuery> queue_;
  bool busy_ = false;
  LookupQuery query_;
  std::unique_ptr<TableAnswer> table_;
  std::unique_ptr<SocketsAnswer> listing_;
};

}  // namespace netloupe
