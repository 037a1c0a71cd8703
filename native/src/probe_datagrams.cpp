#include "probe_datagrams.h"

#include <netinet/in.h>  // before the kernel's headers, which leave out what it has defined

#include <linux/errqueue.h>
#include <linux/filter.h>
#include <linux/icmp.h>
#include <netinet/icmp6.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "probe_sockets.h"

namespace netloupe {

namespace {

constexpr int kMessagesPerTurn = 64;
constexpr std::size_t kEchoHeaderBytes = 8;
constexpr std::size_t kUdpHeaderBytes = 8;

bool setNumber(int fd, int level, int option, int value) {
  return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

std::uint16_t get16(std::span<const std::uint8_t> bytes, std::size_t at) {
  return static_cast<std::uint16_t>(bytes[at] << 8 | bytes[at + 1]);
}

union SocketAddress {
  sockaddr any;
  sockaddr_in v4;
  sockaddr_in6 v6;
};

socklen_t fill(SocketAddress& to, std::uint8_t family, const Address& address, std::uint16_t port, int interfaceIndex) {
  std::memset(&to, 0, sizeof to);
  if (family == 4) {
    to.v4.sin_family = AF_INET;
    to.v4.sin_port = htons(port);
    std::memcpy(&to.v4.sin_addr, address.data(), sizeof to.v4.sin_addr);
    return sizeof to.v4;
  }
  to.v6.sin6_family = AF_INET6;
  to.v6.sin6_port = htons(port);
  std::memcpy(&to.v6.sin6_addr, address.data(), sizeof to.v6.sin6_addr);
  // A link-local address means nothing without its interface.
  const bool isLinkLocal = address[0] == 0xfe && (address[1] & 0xc0) == 0x80;
  if (isLinkLocal) to.v6.sin6_scope_id = static_cast<std::uint32_t>(interfaceIndex);
  return sizeof to.v6;
}

Address addressOf(const SocketAddress& from) {
  Address address{};
  if (from.any.sa_family == AF_INET) std::memcpy(address.data(), &from.v4.sin_addr, sizeof from.v4.sin_addr);
  if (from.any.sa_family == AF_INET6) std::memcpy(address.data(), &from.v6.sin6_addr, sizeof from.v6.sin6_addr);
  return address;
}

Fd bound(Fd fd, const TraceTarget& target, int interfaceIndex, std::uint16_t port, std::uint16_t& taken) {
  if (!fd) return fd;
  SocketAddress address;
  const socklen_t length = fill(address, target.family, target.source, port, interfaceIndex);
  socklen_t named = sizeof address;
  if (::bind(fd.get(), &address.any, length) != 0 || getsockname(fd.get(), &address.any, &named) != 0) {
    const int error = errno;
    fd.reset();
    errno = error;
    return fd;
  }
  taken = ntohs(target.family == 4 ? address.v4.sin_port : address.v6.sin6_port);
  return fd;
}

void hearNothing(int fd) {
  sock_filter code[] = {BPF_STMT(BPF_RET | BPF_K, 0)};
  const sock_fprog program{.len = 1, .filter = code};
  setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

template <class Value>
void putControl(msghdr& message, cmsghdr*& at, int level, int type, const Value& value) {
  at->cmsg_level = level;
  at->cmsg_type = type;
  at->cmsg_len = CMSG_LEN(sizeof value);
  std::memcpy(CMSG_DATA(at), &value, sizeof value);
  message.msg_controllen += CMSG_SPACE(sizeof value);
  at = reinterpret_cast<cmsghdr*>(reinterpret_cast<std::byte*>(at) + CMSG_SPACE(sizeof value));
}

struct Told {
  std::uint64_t arrivedUs = 0;
  std::uint16_t ttl = kUnknownField;
  std::optional<sock_extended_err> error;
  SocketAddress offender{};
};

Told readControl(msghdr& message) {
  Told told;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    const int level = header->cmsg_level;
    if (level == SOL_SOCKET && header->cmsg_type == SCM_TIMESTAMPNS) {
      timespec time{};
      std::memcpy(&time, CMSG_DATA(header), sizeof time);
      told.arrivedUs =
          static_cast<std::uint64_t>(time.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(time.tv_nsec) / 1000;
    } else if ((level == IPPROTO_IP && header->cmsg_type == IP_TTL) ||
               (level == IPPROTO_IPV6 && header->cmsg_type == IPV6_HOPLIMIT)) {
      int ttl = 0;
      std::memcpy(&ttl, CMSG_DATA(header), sizeof ttl);
      told.ttl = static_cast<std::uint16_t>(ttl);
    } else if ((level == IPPROTO_IP && header->cmsg_type == IP_RECVERR) ||
               (level == IPPROTO_IPV6 && header->cmsg_type == IPV6_RECVERR)) {
      sock_extended_err error{};
      std::memcpy(&error, CMSG_DATA(header), sizeof error);
      told.error = error;
      const std::size_t length = std::min<std::size_t>(header->cmsg_len - CMSG_LEN(sizeof error), sizeof told.offender);
      std::memcpy(&told.offender, CMSG_DATA(header) + sizeof error, length);
    }
  }
  if (told.arrivedUs == 0) told.arrivedUs = unixTimeUs();
  return told;
}

}  // namespace

Fd holdPort(const TraceTarget& target, std::uint16_t port, std::uint16_t& taken) {
  const int type = target.protocol == ProbeProtocol::tcp ? SOCK_STREAM : SOCK_DGRAM;
  Fd fd(socket(target.family == 4 ? AF_INET : AF_INET6, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (fd && type == SOCK_DGRAM) hearNothing(fd.get());
  if (fd && target.family == 6) setNumber(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1);
  return bound(std::move(fd), target, target.interfaceIndex, port, taken);
}

Fd openProbeSocket(const TraceTarget& target, ProbeMethod method, std::uint16_t port, std::uint16_t& taken) {
  const bool isIpv4 = target.family == 4;
  const int echo = isIpv4 ? int{IPPROTO_ICMP} : int{IPPROTO_ICMPV6};
  Fd fd(socket(isIpv4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
               method == ProbeMethod::pingSocket ? echo : IPPROTO_UDP));
  if (!fd) return fd;
  setNumber(fd.get(), SOL_SOCKET, SO_TIMESTAMPNS, 1);
  if (isIpv4) {
    setNumber(fd.get(), IPPROTO_IP, IP_RECVERR, 1);
    setNumber(fd.get(), IPPROTO_IP, IP_RECVTTL, 1);
    setNumber(fd.get(), IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
  } else {
    setNumber(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1);
    setNumber(fd.get(), IPPROTO_IPV6, IPV6_RECVERR, 1);
    setNumber(fd.get(), IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
    setNumber(fd.get(), IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE);
  }
  return bound(std::move(fd), target, target.interfaceIndex, port, taken);
}

int sendFromSocket(int fd, const ProbeFields& fields, int interfaceIndex, std::span<std::uint8_t> buffer) {
  const bool isUdp = fields.protocol == kProtocolUdp;
  const std::size_t ipHeader = fields.family == 4 ? 20 : 40;
  const std::size_t head = isUdp ? 0 : kEchoHeaderBytes;
  const std::size_t payload = fields.packetBytes - ipHeader - (isUdp ? kUdpHeaderBytes : kEchoHeaderBytes);
  if (buildPayload(fields, payload, buffer.subspan(head)).empty()) return EMSGSIZE;
  if (!isUdp) {
    // The kernel writes identifier and checksum.
    std::memset(buffer.data(), 0, kEchoHeaderBytes);
    buffer[0] = fields.family == 4 ? std::uint8_t{ICMP_ECHO} : std::uint8_t{ICMP6_ECHO_REQUEST};
    buffer[6] = static_cast<std::uint8_t>(fields.sequence >> 8);
    buffer[7] = static_cast<std::uint8_t>(fields.sequence);
  }
  SocketAddress to;
  const socklen_t length = fill(to, fields.family, fields.destination, fields.destinationPort, interfaceIndex);
  iovec part{buffer.data(), head + payload};
  alignas(cmsghdr) std::array<std::byte, 128> control{};
  msghdr message{};
  message.msg_name = &to;
  message.msg_namelen = length;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  auto* at = reinterpret_cast<cmsghdr*>(control.data());
  const int ttl = fields.ttl;
  const int tos = fields.tos;
  if (fields.family == 4) {
    putControl(message, at, IPPROTO_IP, IP_TTL, ttl);
    putControl(message, at, IPPROTO_IP, IP_TOS, tos);
    if (interfaceIndex != 0)
      putControl(message, at, IPPROTO_IP, IP_PKTINFO,
                 in_pktinfo{.ipi_ifindex = interfaceIndex, .ipi_spec_dst = {}, .ipi_addr = {}});
  } else {
    putControl(message, at, IPPROTO_IPV6, IPV6_HOPLIMIT, ttl);
    putControl(message, at, IPPROTO_IPV6, IPV6_TCLASS, tos);
    if (interfaceIndex != 0) {
      putControl(message, at, IPPROTO_IPV6, IPV6_PKTINFO,
                 in6_pktinfo{.ipi6_addr = {}, .ipi6_ifindex = static_cast<unsigned>(interfaceIndex)});
    }
  }
  // An ICMP error that answers an earlier probe fails the next call on the socket, whatever that is. Only what fails when none can be
  // left has to do with this probe.
  int earlier = 0;
  socklen_t size = sizeof earlier;
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &earlier, &size);
  if (sendmsg(fd, &message, 0) >= 0) return 0;
  return sendmsg(fd, &message, 0) < 0 ? errno : 0;
}

bool receiveFromSocket(const ProbeSocket& socket, ProbeTable& table, std::vector<ProbeItem>& items) {
  const bool isUdp = socket.protocol == kProtocolUdp;
  for (const int flags : {int{MSG_ERRQUEUE}, 0}) {
    for (int i = 0;; ++i) {
      if (i == kMessagesPerTurn) return true;
      std::array<std::uint8_t, 2048> buffer;
      SocketAddress from{};
      iovec part{buffer.data(), buffer.size()};
      alignas(cmsghdr) std::array<std::byte, 512> control{};
      msghdr message{};
      message.msg_name = &from;
      message.msg_namelen = sizeof from;
      message.msg_iov = &part;
      message.msg_iovlen = 1;
      message.msg_control = control.data();
      message.msg_controllen = control.size();
      const ssize_t length = recvmsg(socket.fd, &message, flags);
      if (length < 0) {
        // An error that waits for a plain receive is told by the queue, too.
        if (flags == 0 && errno != EAGAIN && errno != EWOULDBLOCK) continue;
        break;
      }
      const Told told = readControl(message);
      std::span<const std::uint8_t> bytes = std::span(buffer).first(static_cast<std::size_t>(length));
      ProbeTable::SocketReply reply{
          .protocol = socket.protocol, .family = socket.family, .sourcePort = socket.sourcePort};
      if (!isUdp) {
        if (bytes.size() < kEchoHeaderBytes) continue;
        reply.sequence = get16(bytes, 6);
        bytes = bytes.subspan(kEchoHeaderBytes);
      }
      reply.payload = bytes;
      if (flags == 0) {
        // A service's answer to a UDP probe does not say to which one.
        if (isUdp) continue;
        reply.from = addressOf(from);
      } else {
        const bool isIcmp =
            told.error && (told.error->ee_origin == SO_EE_ORIGIN_ICMP || told.error->ee_origin == SO_EE_ORIGIN_ICMP6);
        if (!isIcmp) continue;
        reply.destinationPort = ntohs(socket.family == 4 ? from.v4.sin_port : from.v6.sin6_port);
        reply.from = addressOf(told.offender);
      }
      auto item = table.take(reply, told.arrivedUs, steadyTimeUs());
      if (!item) continue;
      item->replyTtl = told.ttl;
      if (flags == 0) {
        item->icmpType = socket.family == 4 ? std::uint8_t{ICMP_ECHOREPLY} : std::uint8_t{ICMP6_ECHO_REPLY};
        item->icmpCode = 0;
      } else {
        item->icmpType = told.error->ee_type;
        item->icmpCode = told.error->ee_code;
        const bool isTooBig = socket.family == 4
                                  ? told.error->ee_type == ICMP_DEST_UNREACH && told.error->ee_code == ICMP_FRAG_NEEDED
                                  : told.error->ee_type == ICMP6_PACKET_TOO_BIG;
        if (isTooBig) item->mtu = told.error->ee_info;
      }
      items.push_back(*item);
    }
  }
  return false;
}

}  // namespace netloupe
