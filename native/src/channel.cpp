#include "channel.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <cerrno>
#include <cstring>

namespace netloupe {

namespace {

iovec toIovec(std::span<const std::byte> bytes) {
  return {const_cast<std::byte*>(bytes.data()), bytes.size()};  // sendmsg only reads
}

}  // namespace

std::pair<Fd, Fd> makeChannel() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) return {};
  return {Fd(ends[0]), Fd(ends[1])};
}

namespace channel {

Sent send(int fd, std::span<const std::byte> head, std::span<const std::byte> tail, std::span<const int> fds) {
  iovec parts[2] = {toIovec(head), toIovec(tail)};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = tail.empty() ? 1 : 2;
  alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(kMaxPassedFds * sizeof(int))> control{};
  if (!fds.empty()) {
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(fds.size_bytes());
    if (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr) {
      header->cmsg_level = SOL_SOCKET;
      header->cmsg_type = SCM_RIGHTS;
      header->cmsg_len = CMSG_LEN(fds.size_bytes());
      std::memcpy(CMSG_DATA(header), fds.data(), fds.size_bytes());
    }
  }
  for (;;) {
    if (::sendmsg(fd, &message, MSG_NOSIGNAL) >= 0) return Sent::ok;
    if (errno == EINTR) continue;
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS ? Sent::wouldBlock : Sent::closed;
  }
}

Received receive(int fd, std::span<std::byte> head, std::span<std::byte> tail, std::size_t& tailBytes, PassedFds* fds) {
  iovec parts[2] = {{head.data(), head.size()}, {tail.data(), tail.size()}};
  alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(kMaxPassedFds * sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = tail.empty() ? 1 : 2;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  ssize_t length = 0;
  // ECONNRESET: the other end closed with something unread. It comes once, ahead of what that end had sent before.
  do {
    length = ::recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
  } while (length < 0 && (errno == EINTR || errno == ECONNRESET));
  if (length < 0) return errno == EAGAIN || errno == EWOULDBLOCK ? Received::wouldBlock : Received::closed;

  PassedFds passed;
  std::size_t count = 0;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t given = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < given; ++i) {
      int one = -1;
      std::memcpy(&one, CMSG_DATA(header) + i * sizeof(int), sizeof one);
      if (count < passed.size()) {
        passed[count++] = Fd(one);
      } else {
        Fd unwanted(one);
      }
    }
  }
  if (length == 0) return Received::closed;
  const auto bytes = static_cast<std::size_t>(length);
  if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 || bytes < head.size()) return Received::malformed;
  tailBytes = bytes - head.size();
  if (fds != nullptr) *fds = std::move(passed);
  return Received::message;
}

}  // namespace channel

}  // namespace netloupe
