#include "lookup_requests.h"

#include <linux/netlink.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "proc_net.h"

namespace netloupe {

namespace {

// Sockets in one answer (about 20 MiB while it is made). Those beyond it are not listed.
constexpr std::size_t kMaxListedSockets = 131072;
// Sockets looked at per step; bounds how long a flow's look-up waits behind a listing.
constexpr std::size_t kSocketsPerStep = 512;
// Addresses per link that a page names; one item must fit one message.
constexpr std::size_t kMaxAddressesPerLink = 128;

constexpr std::uint8_t kPacketFamily = 17;  // AF_PACKET, as PROTOCOL.md has it
constexpr std::uint8_t kRawProtocol = 255;

constexpr std::string_view kPageTail = "]}";
constexpr std::size_t kMaxPageBytes = kMaxLookupMessageBytes - sizeof(FrameHeader);

}  // namespace

void PageWriter::add(std::string_view item) {
  if (!text_.empty() && text_.size() + 1 + item.size() + kPageTail.size() > kMaxPageBytes) flush();
  text_ += text_.empty() ? R"({"type":"page","token":)" + std::to_string(token_) + R"(,"items":[)" : ",";
  text_ += item;
  ++count_;
}

void PageWriter::flush() {
  if (text_.empty()) return;
  outbox_.frame(controlFrame(text_.append(kPageTail)));
  text_.clear();
}

bool LookupRequests::step(std::uint64_t nowUs) {
  if (!outbox_.hasRoom()) return false;
  if (!busy_) {
    if (queue_.empty()) return false;
    query_ = queue_.front();
    queue_.pop_front();
    busy_ = true;
    if (!begin(query_)) end(false, 0);
    return true;
  }
  return query_.ask == LookupAsk::sockets ? stepSockets(nowUs) : stepTable();
}

bool LookupRequests::begin(const LookupQuery& query) {
  switch (query.ask) {
    case LookupAsk::sockets:
      beginSockets();
      return true;
    case LookupAsk::interfaces:
    case LookupAsk::routes:
    case LookupAsk::neighbors:
      return beginTable(query);
  }
  return false;
}

void LookupRequests::end(bool ok, std::uint32_t count) {
  if (ok) {
    outbox_.done(query_.token, count);
  } else {
    outbox_.failed(query_.token, "The kernel did not answer a question about its network tables.");
  }
  table_.reset();
  listing_.reset();
  busy_ = false;
}

bool LookupRequests::beginTable(const LookupQuery& query) {
  table_ = std::make_unique<TableAnswer>(outbox_, query.token);
  std::array<std::byte, 256> request{};
  // The items name interfaces; links and their addresses are few, the tables may be long and are passed through piece
  // by piece.
  if (!route_.dump(buildDump(RouteTable::links, request), [&](const nlmsghdr& message) {
        if (auto link = parseLink(message)) table_->names[link->index] = std::move(link->name);
      })) {
    return false;
  }
  RouteTable wanted = RouteTable::links;
  if (query.ask == LookupAsk::routes) wanted = RouteTable::routes;
  if (query.ask == LookupAsk::neighbors) wanted = RouteTable::neighbors;
  if (query.ask == LookupAsk::interfaces &&
      !route_.dump(buildDump(RouteTable::addresses, request), [&](const nlmsghdr& message) {
        if (const auto address = parseAddress(message)) {
          auto& addresses = table_->addresses[address->index];
          if (addresses.size() < kMaxAddressesPerLink) addresses.push_back(*address);
        }
      })) {
    return false;
  }
  const nlmsghdr& dump = buildDump(wanted, request);
  return route_.send(std::span(request).first(dump.nlmsg_len));
}

bool LookupRequests::stepTable() {
  TableAnswer& answer = *table_;
  const auto step = route_.receive([&](const nlmsghdr& message) {
    if (query_.ask == LookupAsk::interfaces) {
      if (const auto link = parseLink(message))
        answer.pages.add(linkItem(*link, answer.addresses[link->index], answer.names));
    } else if (query_.ask == LookupAsk::routes) {
      if (const auto route = parseRoute(message)) answer.pages.add(routeItem(*route, answer.names));
    } else if (const auto neighbor = parseNeighbor(message)) {
      answer.pages.add(neighborItem(*neighbor, answer.names));
    }
  });
  if (step == NetlinkSocket::Step::more) return true;
  answer.pages.flush();
  end(step == NetlinkSocket::Step::done, answer.pages.count());
  return true;
}

void LookupRequests::beginSockets() {
  listing_ = std::make_unique<SocketsAnswer>();
  const auto add = [&](const InetSocket& socket) {
    if (listing_->sockets.size() < kMaxListedSockets) listing_->sockets.push_back(socket);
  };
  if (diag_.isAvailable()) {
    for (const int protocol : {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_UDPLITE, IPPROTO_SCTP}) {
      // A protocol that this kernel lacks has no sockets.
      for (const std::uint8_t family : {std::uint8_t{4}, std::uint8_t{6}})
        diag_.dump(family, static_cast<std::uint8_t>(protocol), 0, true, add);
    }
  } else {
    for (const ProcNetTable& table : kTcpTables) readProcNet(procFolder_, table, add);
    for (const ProcNetTable& table : kUdpTables) readProcNet(procFolder_, table, add);
  }
  for (const ProcNetTable& table : kRawTables) readProcNet(procFolder_, table, add);
  for (const ProcNetTable& table : kPingTables) readProcNet(procFolder_, table, add);
  diag_.dumpPacketSockets([&](const PacketSocket& socket) {
    if (listing_->packetSockets.size() < kMaxListedSockets) listing_->packetSockets.push_back(socket);
  });
}

bool LookupRequests::stepSockets(std::uint64_t nowUs) {
  SocketsAnswer& answer = *listing_;
  const std::size_t all = answer.sockets.size() + answer.packetSockets.size();
  if (answer.phase == SocketsPhase::looking) {
    // Most holders are remembered; one that is not makes a search necessary, and one search finds all.
    for (std::size_t end = std::min(all, answer.next + kSocketsPerStep); answer.next < end; ++answer.next) {
      const bool isPacket = answer.next >= answer.sockets.size();
      const std::uint64_t inode = isPacket ? answer.packetSockets[answer.next - answer.sockets.size()].inode
                                           : answer.sockets[answer.next].inode;
      const std::uint32_t uid =
          isPacket ? answer.packetSockets[answer.next - answer.sockets.size()].uid : answer.sockets[answer.next].uid;
      std::uint32_t owner = 0;
      if (inode == 0) continue;
      const auto found = owners_.find(inode, uid, nowUs, owner);
      if (found == SocketOwners::Answer::searching || found == SocketOwners::Answer::refused) answer.unknown = true;
    }
    if (answer.next < all) return true;
    answer.next = 0;
    if (answer.unknown) answer.search = sockets_.searchAll();
    answer.phase = SocketsPhase::searching;
  }
  if (answer.phase == SocketsPhase::searching) {
    if (sockets_.completedSearch() < answer.search) return false;
    answer.phase = SocketsPhase::writing;
  }
  writeSockets(nowUs);
  if (answer.next == all) end(true, static_cast<std::uint32_t>(all));
  return true;
}

void LookupRequests::writeSockets(std::uint64_t nowUs) {
  SocketsAnswer& answer = *listing_;
  const std::size_t inet = answer.sockets.size();
  const std::size_t end = std::min(inet + answer.packetSockets.size(), answer.next + kSocketsPerStep);
  std::vector<SocketRecord> records;
  records.reserve(kSocketsPerStep);
  static_assert(kSocketsPerStep * sizeof(SocketRecord) + sizeof(FrameHeader) + sizeof(BatchHeader) <=
                kMaxLookupMessageBytes);
  for (; answer.next < end; ++answer.next) {
    records.push_back(answer.next < inet ? toRecord(answer.sockets[answer.next], nowUs)
                                         : toRecord(answer.packetSockets[answer.next - inet], nowUs));
  }
  if (!records.empty()) outbox_.frame(socketBatchFrame(query_.token, records));
}

SocketRecord LookupRequests::toRecord(const InetSocket& socket, std::uint64_t nowUs) {
  SocketRecord record;
  record.inode = socket.inode;
  record.localAddress = socket.localAddress;
  record.remoteAddress = socket.remoteAddress;
  record.localPort = socket.localPort;
  record.remotePort = socket.remotePort;
  record.uid = socket.uid;
  record.interfaceIndex = socket.interfaceIndex;
  record.rxQueueBytes = socket.rxQueueBytes;
  record.txQueueBytes = socket.txQueueBytes;
  record.family = socket.family;
  record.protocol = socket.protocol;
  // A request for a connection is told as a state of its own since Linux 4.4; its name is still SYN_RECV.
  record.state = socket.state == socket_state::kNewSynReceived ? socket_state::kSynReceived : socket.state;
  record.rxBytes = socket.rxBytes;
  record.txBytes = socket.txBytes;
  record.rttUs = socket.rttUs;
  record.rttVarianceUs = socket.rttVarianceUs;
  record.retransmits = socket.retransmits;
  record.congestionWindow = socket.congestionWindow;
  name(record, nowUs);
  return record;
}

SocketRecord LookupRequests::toRecord(const PacketSocket& socket, std::uint64_t nowUs) {
  SocketRecord record;
  record.inode = socket.inode;
  record.uid = socket.uid;
  record.interfaceIndex = socket.interfaceIndex;
  record.family = kPacketFamily;
  record.protocol = kRawProtocol;
  record.state = socket_state::kClose;
  name(record, nowUs);
  return record;
}

void LookupRequests::name(SocketRecord& record, std::uint64_t nowUs) {
  if (record.inode == 0) {
    // TIME_WAIT, half-open, closed by its process: the kernel alone keeps it.
    record.reason = Reason::kernel;
    return;
  }
  switch (owners_.find(record.inode, record.uid, nowUs, record.ownerId)) {
    case SocketOwners::Answer::owner:
      break;
    case SocketOwners::Answer::absent:
      record.reason = Reason::kernel;
      break;
    case SocketOwners::Answer::hidden:
      record.reason = Reason::permission;
      break;
    case SocketOwners::Answer::refused:
      record.reason = Reason::overloaded;
      break;
    case SocketOwners::Answer::searching:
      record.reason = Reason::socketGone;
      break;
  }
}

}  // namespace netloupe
