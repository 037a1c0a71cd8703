#include "probe_sockets.h"

#include <netinet/in.h>  // before the kernel's headers, which leave out what it has defined

#include <linux/errqueue.h>
#include <linux/filter.h>
#include <linux/icmp.h>
#include <linux/net_tstamp.h>
#include <netinet/icmp6.h>
#include <sys/socket.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

namespace netloupe {

namespace {

constexpr std::size_t kLargestPacket = 65536;
// Packets taken from one socket before the loop looks elsewhere.
constexpr int kPacketsPerTurn = 64;
constexpr int kReceiveBytes = 1 << 20;

// Ports that a filter of at most BPF_MAXINSNS instructions can name; with more, the table alone decides.
constexpr std::size_t kMaxFilterPorts = 1024;

// Probes whose time of leaving a device never told: their names are forgotten from here on.
constexpr std::size_t kMaxStampsAwaited = 4096;

constexpr int kStamping =
    SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_OPT_ID | SOF_TIMESTAMPING_OPT_TSONLY;

std::uint64_t toUs(const timespec& time) {
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(time.tv_nsec) / 1000;
}

std::uint64_t clockUs(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return toUs(now);
}

bool setNumber(int fd, int level, int option, int value) {
  return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

/// cBPF: nothing passes.
void letNothingIn(int fd) {
  sock_filter code[] = {BPF_STMT(BPF_RET | BPF_K, 0)};
  const sock_fprog program{.len = 1, .filter = code};
  setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

void letEverythingIn(int fd) {
  const int unused = 0;
  setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof unused);
}

/// The kernel hands IPv4 packets with their IP header to the filter of a raw socket, IPv6 packets without.
void letPortsIn(int fd, std::uint8_t family, std::span<const std::uint16_t> ports) {
  std::vector<sock_filter> code;
  if (family == 4) code.push_back(BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0));
  if (family == 4) code.push_back(BPF_STMT(BPF_LD | BPF_H | BPF_IND, 2));
  if (family == 6) code.push_back(BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 2));
  for (const std::uint16_t port : ports) {
    code.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, port, 0, 1));
    code.push_back(BPF_STMT(BPF_RET | BPF_K, kLargestPacket));
  }
  code.push_back(BPF_STMT(BPF_RET | BPF_K, 0));
  const sock_fprog program{.len = static_cast<unsigned short>(code.size()), .filter = code.data()};
  setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

Fd openRaw(int domain, int protocol) {
  return Fd(socket(domain, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol));
}

Fd openReceiver(int domain, int protocol) {
  Fd fd = openRaw(domain, protocol);
  if (!fd) return fd;
  letNothingIn(fd.get());
  setNumber(fd.get(), SOL_SOCKET, SO_TIMESTAMPNS, 1);
  setNumber(fd.get(), SOL_SOCKET, SO_RCVBUF, kReceiveBytes);
  if (domain == AF_INET6) {
    setNumber(fd.get(), IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
    setNumber(fd.get(), IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
  }
  return fd;
}

/// One received packet and what the kernel tells beside it.
struct Arrival {
  std::span<const std::uint8_t> bytes;
  Address source{};       // IPv6
  Address destination{};  // IPv6
  std::uint16_t ttl = kUnknownField;
  std::uint64_t arrivedUs = 0;
};

std::optional<Arrival> receiveNext(int fd, std::span<std::uint8_t> buffer) {
  sockaddr_in6 from{};
  iovec part{buffer.data(), buffer.size()};
  alignas(cmsghdr) std::array<std::byte, 256> control{};
  msghdr message{};
  message.msg_name = &from;
  message.msg_namelen = sizeof from;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t length = recvmsg(fd, &message, 0);
  if (length < 0) return std::nullopt;
  Arrival packet{.bytes = buffer.first(static_cast<std::size_t>(length))};
  if (from.sin6_family == AF_INET6) std::memcpy(packet.source.data(), &from.sin6_addr, packet.source.size());
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_TIMESTAMPNS) {
      timespec time{};
      std::memcpy(&time, CMSG_DATA(header), sizeof time);
      packet.arrivedUs = toUs(time);
    } else if (header->cmsg_level == IPPROTO_IPV6 && header->cmsg_type == IPV6_HOPLIMIT) {
      int ttl = 0;
      std::memcpy(&ttl, CMSG_DATA(header), sizeof ttl);
      packet.ttl = static_cast<std::uint16_t>(ttl);
    } else if (header->cmsg_level == IPPROTO_IPV6 && header->cmsg_type == IPV6_PKTINFO) {
      in6_pktinfo info{};
      std::memcpy(&info, CMSG_DATA(header), sizeof info);
      std::memcpy(packet.destination.data(), &info.ipi6_addr, packet.destination.size());
    }
  }
  if (packet.arrivedUs == 0) packet.arrivedUs = unixTimeUs();
  return packet;
}

}  // namespace

std::uint64_t unixTimeUs() {
  return clockUs(CLOCK_REALTIME);
}
std::uint64_t steadyTimeUs() {
  return clockUs(CLOCK_MONOTONIC);
}

RawProbeSockets::RawProbeSockets() : buffer_(kLargestPacket) {
  Side& ipv4 = side(4);
  ipv4.send = openRaw(AF_INET, IPPROTO_RAW);
  ipv4.icmp = openReceiver(AF_INET, IPPROTO_ICMP);
  ipv4.tcp = openReceiver(AF_INET, IPPROTO_TCP);
  if (ipv4.icmp) {
    icmp_filter blocked{};
    blocked.data =
        ~(1u << ICMP_ECHOREPLY | 1u << ICMP_DEST_UNREACH | 1u << ICMP_TIME_EXCEEDED | 1u << ICMP_PARAMETERPROB);
    setsockopt(ipv4.icmp.get(), SOL_RAW, ICMP_FILTER, &blocked, sizeof blocked);
  }
  Side& ipv6 = side(6);
  ipv6.send = openRaw(AF_INET6, IPPROTO_RAW);
  ipv6.icmp = openReceiver(AF_INET6, IPPROTO_ICMPV6);
  ipv6.tcp = openReceiver(AF_INET6, IPPROTO_TCP);
  if (ipv6.icmp) {
    icmp6_filter passed;
    ICMP6_FILTER_SETBLOCKALL(&passed);
    for (const int type :
         {ICMP6_DST_UNREACH, ICMP6_PACKET_TOO_BIG, ICMP6_TIME_EXCEEDED, ICMP6_PARAM_PROB, ICMP6_ECHO_REPLY}) {
      ICMP6_FILTER_SETPASS(type, &passed);
    }
    setsockopt(ipv6.icmp.get(), IPPROTO_ICMPV6, ICMP6_FILTER, &passed, sizeof passed);
  }
  for (Side& one : sides_) {
    if (one.send) one.stamps = setNumber(one.send.get(), SOL_SOCKET, SO_TIMESTAMPING, kStamping);
  }
}

void RawProbeSockets::listen(std::uint8_t family, bool icmp, std::span<const std::uint16_t> ports) {
  if (!isOpen(family)) return;
  const Side& one = side(family);
  if (icmp) {
    letEverythingIn(one.icmp.get());
  } else {
    letNothingIn(one.icmp.get());
  }
  if (ports.empty()) {
    letNothingIn(one.tcp.get());
  } else if (ports.size() <= kMaxFilterPorts) {
    letPortsIn(one.tcp.get(), family, ports);
  } else {
    letEverythingIn(one.tcp.get());
  }
}

void RawProbeSockets::addPolls(std::vector<pollfd>& polls) const {
  for (const Side& one : sides_) {
    polls.push_back({.fd = one.icmp.get(), .events = POLLIN, .revents = 0});
    polls.push_back({.fd = one.tcp.get(), .events = POLLIN, .revents = 0});
  }
}

int RawProbeSockets::send(const ProbeFields& fields, std::span<const std::uint8_t> packet, int interfaceIndex,
                          ProbeTable::Slot slot) {
  Side& one = side(fields.family);
  sockaddr_in to4{};
  sockaddr_in6 to6{};
  iovec part{const_cast<std::uint8_t*>(packet.data()), packet.size()};  // sendmsg only reads
  alignas(cmsghdr) std::array<std::byte, 64> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (fields.family == 4) {
    to4.sin_family = AF_INET;
    std::memcpy(&to4.sin_addr, fields.destination.data(), sizeof to4.sin_addr);
    message.msg_name = &to4;
    message.msg_namelen = sizeof to4;
  } else {
    to6.sin6_family = AF_INET6;
    to6.sin6_scope_id = static_cast<std::uint32_t>(interfaceIndex);
    std::memcpy(&to6.sin6_addr, fields.destination.data(), sizeof to6.sin6_addr);
    message.msg_name = &to6;
    message.msg_namelen = sizeof to6;
  }
  if (interfaceIndex != 0) {
    message.msg_control = control.data();
    message.msg_controllen = fields.family == 4 ? CMSG_SPACE(sizeof(in_pktinfo)) : CMSG_SPACE(sizeof(in6_pktinfo));
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    if (fields.family == 4) {
      in_pktinfo info{};
      info.ipi_ifindex = interfaceIndex;
      header->cmsg_level = IPPROTO_IP;
      header->cmsg_type = IP_PKTINFO;
      header->cmsg_len = CMSG_LEN(sizeof info);
      std::memcpy(CMSG_DATA(header), &info, sizeof info);
    } else {
      in6_pktinfo info{};
      info.ipi6_ifindex = static_cast<unsigned>(interfaceIndex);
      header->cmsg_level = IPPROTO_IPV6;
      header->cmsg_type = IPV6_PKTINFO;
      header->cmsg_len = CMSG_LEN(sizeof info);
      std::memcpy(CMSG_DATA(header), &info, sizeof info);
    }
  }
  int error = 0;
  if (sendmsg(one.send.get(), &message, 0) < 0) error = errno;
  if (!one.stamps) return error;
  if (error == 0) {
    if (one.ids.size() >= kMaxStampsAwaited) one.ids.clear();
    one.ids[one.sent++] = slot;
    return 0;
  }
  // Whether the kernel has counted a packet that it refused depends on why: begin to count again.
  readStamps(one, nullptr);
  one.ids.clear();
  one.sent = 0;
  one.stamps = setNumber(one.send.get(), SOL_SOCKET, SO_TIMESTAMPING, 0) &&
               setNumber(one.send.get(), SOL_SOCKET, SO_TIMESTAMPING, kStamping);
  return error;
}

void RawProbeSockets::readStamps(Side& side, ProbeTable* table) {
  for (;;) {
    alignas(cmsghdr) std::array<std::byte, 256> control{};
    msghdr message{};
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    if (recvmsg(side.send.get(), &message, MSG_ERRQUEUE) < 0) return;
    std::optional<std::uint64_t> sentUs;
    std::optional<std::uint32_t> id;
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
      if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_TIMESTAMPING) {
        scm_timestamping times{};
        std::memcpy(&times, CMSG_DATA(header), sizeof times);
        sentUs = toUs(times.ts[0]);
      } else if ((header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_RECVERR) ||
                 (header->cmsg_level == IPPROTO_IPV6 && header->cmsg_type == IPV6_RECVERR)) {
        sock_extended_err told{};
        std::memcpy(&told, CMSG_DATA(header), sizeof told);
        if (told.ee_origin == SO_EE_ORIGIN_TIMESTAMPING) id = told.ee_data;
      }
    }
    if (!id) continue;
    const auto slot = side.ids.extract(*id);
    if (slot && sentUs && table != nullptr) table->sentAt(slot.mapped(), *sentUs);
  }
}

bool RawProbeSockets::receive(ProbeTable& table, std::vector<ProbeItem>& items) {
  // A probe's time of sending is there before any answer to it can be.
  bool more = false;
  for (const std::uint8_t family : {std::uint8_t{4}, std::uint8_t{6}}) {
    if (!isOpen(family)) continue;
    readStamps(side(family), &table);
    more = readIcmp(family, table, items) || more;
    more = readTcp(family, table, items) || more;
  }
  return more;
}

bool RawProbeSockets::readIcmp(std::uint8_t family, ProbeTable& table, std::vector<ProbeItem>& items) {
  for (int i = 0; i < kPacketsPerTurn; ++i) {
    std::optional<Arrival> packet = receiveNext(side(family).icmp.get(), buffer_);
    if (!packet) return false;
    std::optional<IcmpReply> reply;
    if (family == 6) {
      reply = parseIcmp6(packet->bytes);
    } else if (const auto ip = parseIpv4(packet->bytes)) {
      packet->source = ip->source;
      packet->ttl = ip->ttl;
      reply = parseIcmp4(ip->payload);
    }
    if (!reply) continue;
    if (auto item = table.take(*reply, family, packet->source, packet->arrivedUs, steadyTimeUs())) {
      item->replyTtl = packet->ttl;
      items.push_back(*item);
    }
  }
  return true;
}

bool RawProbeSockets::readTcp(std::uint8_t family, ProbeTable& table, std::vector<ProbeItem>& items) {
  for (int i = 0; i < kPacketsPerTurn; ++i) {
    std::optional<Arrival> packet = receiveNext(side(family).tcp.get(), buffer_);
    if (!packet) return false;
    std::span<const std::uint8_t> segment = packet->bytes;
    if (family == 4) {
      const auto ip = parseIpv4(packet->bytes);
      if (!ip) continue;
      packet->source = ip->source;
      packet->destination = ip->destination;
      packet->ttl = ip->ttl;
      segment = ip->payload;
    }
    const auto reply = parseTcp(family, packet->source, packet->destination, segment);
    if (!reply) continue;
    if (auto item = table.take(*reply, packet->arrivedUs, steadyTimeUs())) {
      item->replyTtl = packet->ttl;
      items.push_back(*item);
    }
  }
  return true;
}

}  // namespace netloupe
