#include "netlink_socket.h"

#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace netloupe {

namespace {

// The kernel fills at most 32 KiB per datagram of a dump when the reader takes that much.
constexpr std::size_t kReceiveBytes = 32u << 10;

// The kernel answers at once; this only keeps a lost answer from stopping the process for good.
constexpr timeval kAnswerTimeout = {1, 0};

constexpr std::size_t aligned(std::size_t length) {
  return (length + MNL_ALIGNTO - 1) & ~std::size_t{MNL_ALIGNTO - 1};
}

}  // namespace

NetlinkSocket::NetlinkSocket(int protocol, unsigned groups) : buffer_(kReceiveBytes), notifies_(groups != 0) {
  socket_.reset(mnl_socket_open2(protocol, SOCK_CLOEXEC | (notifies_ ? SOCK_NONBLOCK : 0)));
  if (!socket_) {
    error_ = errno;
    return;
  }
  const bool bound = mnl_socket_bind(socket_.get(), groups, MNL_SOCKET_AUTOPID) == 0;
  const bool timed = ::setsockopt(fd(), SOL_SOCKET, SO_RCVTIMEO, &kAnswerTimeout, sizeof kAnswerTimeout) == 0;
  if (!bound || !timed) {
    error_ = errno;
    socket_.reset();
  }
}

int NetlinkSocket::fd() const {
  return socket_ ? mnl_socket_get_fd(socket_.get()) : -1;
}

bool NetlinkSocket::send(std::span<std::byte> bytes) {
  if (!socket_) return false;
  ++sequence_;
  auto* request = reinterpret_cast<nlmsghdr*>(bytes.data());
  int left = static_cast<int>(bytes.size());
  for (; mnl_nlmsg_ok(request, left); request = mnl_nlmsg_next(request, &left)) request->nlmsg_seq = sequence_;
  while (mnl_socket_sendto(socket_.get(), bytes.data(), bytes.size()) < 0) {
    if (errno == EINTR) continue;
    error_ = errno;
    return false;
  }
  return true;
}

NetlinkSocket::Step NetlinkSocket::receive(const Message& each) {
  if (!socket_) return Step::failed;
  for (;;) {
    sockaddr_nl sender{};
    iovec part = {buffer_.data(), buffer_.size()};
    msghdr header{};
    header.msg_name = &sender;
    header.msg_namelen = sizeof sender;
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    const ssize_t length = ::recvmsg(fd(), &header, 0);
    if (length < 0) {
      if (errno == EINTR) continue;
      error_ = errno;
      if (error_ == ENOBUFS) return Step::overrun;
      return notifies_ && (error_ == EAGAIN || error_ == EWOULDBLOCK) ? Step::wouldBlock : Step::failed;
    }
    // Only the kernel has port 0: another process may not tell us about the network.
    if (sender.nl_pid != 0) continue;
    if ((header.msg_flags & MSG_TRUNC) != 0) {
      error_ = EMSGSIZE;
      return notifies_ ? Step::overrun : Step::failed;
    }

    Step step = Step::more;
    bool ours = notifies_;
    int left = static_cast<int>(length);
    for (auto* message = reinterpret_cast<const nlmsghdr*>(buffer_.data()); mnl_nlmsg_ok(message, left);
         message = mnl_nlmsg_next(message, &left)) {
      if (!notifies_ && message->nlmsg_seq != sequence_) continue;  // the rest of an answer that was given up
      ours = true;
      if (message->nlmsg_type == NLMSG_NOOP) continue;
      if (message->nlmsg_type == NLMSG_ERROR || message->nlmsg_type == NLMSG_DONE) {
        int code = 0;  // both begin with an error number, DONE of a plain dump with 0
        if (mnl_nlmsg_get_payload_len(message) >= sizeof code)
          std::memcpy(&code, mnl_nlmsg_get_payload(message), sizeof code);
        error_ = code < 0 ? -code : 0;
        return error_ != 0 ? Step::failed : Step::done;
      }
      each(*message);
      if (!notifies_ && (message->nlmsg_flags & NLM_F_MULTI) == 0) step = Step::done;
    }
    if (ours) return step;
  }
}

bool NetlinkSocket::dump(nlmsghdr& request, const Message& each) {
  if (!send({reinterpret_cast<std::byte*>(&request), request.nlmsg_len})) return false;
  for (;;) {
    const Step step = receive(each);
    if (step != Step::more) return step == Step::done;
  }
}

NetlinkAttributes::NetlinkAttributes(const nlmsghdr& message, std::size_t header, std::uint16_t maxType)
    : NetlinkAttributes(
          [&]() -> std::span<const std::byte> {
            const std::size_t skipped = aligned(header);
            const std::size_t payload = mnl_nlmsg_get_payload_len(&message);
            if (payload <= skipped) return {};
            return {static_cast<const std::byte*>(mnl_nlmsg_get_payload(&message)) + skipped, payload - skipped};
          }(),
          maxType) {}

NetlinkAttributes::NetlinkAttributes(const nlattr* nest, std::uint16_t maxType)
    : NetlinkAttributes(nest == nullptr ? std::span<const std::byte>()
                                        : std::span(static_cast<const std::byte*>(mnl_attr_get_payload(nest)),
                                                    mnl_attr_get_payload_len(nest)),
                        maxType) {}

NetlinkAttributes::NetlinkAttributes(std::span<const std::byte> attributes, std::uint16_t maxType)
    : found_(maxType + 1u, nullptr) {
  const auto* end = attributes.data() + attributes.size();
  const auto* attribute = reinterpret_cast<const nlattr*>(attributes.data());
  while (mnl_attr_ok(attribute, static_cast<int>(end - reinterpret_cast<const std::byte*>(attribute)))) {
    const std::uint16_t type = mnl_attr_get_type(attribute);
    if (type < found_.size()) found_[type] = attribute;
    // The last attribute may lack its padding: the next one would begin behind the end.
    const std::size_t step = aligned(attribute->nla_len);
    if (step >= static_cast<std::size_t>(end - reinterpret_cast<const std::byte*>(attribute))) break;
    attribute = mnl_attr_next(attribute);
  }
}

std::span<const std::byte> NetlinkAttributes::bytes(std::uint16_t type) const {
  const nlattr* attribute = get(type);
  if (attribute == nullptr) return {};
  return {static_cast<const std::byte*>(mnl_attr_get_payload(attribute)), mnl_attr_get_payload_len(attribute)};
}

std::string_view NetlinkAttributes::text(std::uint16_t type) const {
  const auto payload = bytes(type);
  const std::string_view all(reinterpret_cast<const char*>(payload.data()), payload.size());
  return all.substr(0, std::min(all.find('\0'), all.size()));
}

std::uint8_t NetlinkAttributes::u8(std::uint16_t type, std::uint8_t otherwise) const {
  const auto payload = bytes(type);
  return payload.empty() ? otherwise : static_cast<std::uint8_t>(payload[0]);
}

std::uint32_t NetlinkAttributes::u32(std::uint16_t type, std::uint32_t otherwise) const {
  const auto payload = bytes(type);
  std::uint32_t value = otherwise;
  if (payload.size() >= sizeof value) std::memcpy(&value, payload.data(), sizeof value);
  return value;
}

}  // namespace netloupe
