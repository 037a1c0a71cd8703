#include "socket.hpp"

#include <netdb.h>
#include <unistd.h>

#include "options.hpp"

namespace lab {

Address make_address(const std::string& numeric, uint16_t port) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(numeric.c_str(), std::to_string(port).c_str(), &hints, &found) != 0)
    usage_error("not a numeric address: " + numeric);
  Address address;
  address.length = found->ai_addrlen;
  __builtin_memcpy(&address.storage, found->ai_addr, found->ai_addrlen);
  freeaddrinfo(found);
  return address;
}

namespace {

Endpoint describe(const sockaddr_storage& storage, socklen_t length) {
  char host[NI_MAXHOST];
  char port[NI_MAXSERV];
  if (getnameinfo(reinterpret_cast<const sockaddr*>(&storage), length, host, sizeof host, port, sizeof port,
                  NI_NUMERICHOST | NI_NUMERICSERV) != 0)
    return {};
  return {host, static_cast<uint16_t>(std::stoul(port))};
}

}  // namespace

Endpoint local_endpoint(int fd) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &length) != 0) system_error("getsockname");
  return describe(storage, length);
}

Endpoint remote_endpoint(int fd) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&storage), &length) != 0) return {};
  return describe(storage, length);
}

int open_socket(int family, int type) {
  const int fd = socket(family, type | SOCK_CLOEXEC, 0);
  if (fd < 0) system_error("socket");
  const int on = 1;
  if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0) system_error("SO_REUSEADDR");
  // Loss in a receiver's buffer is no part of any scenario: the lab's hosts run as root and may exceed rmem_max.
  const int buffer_bytes = 16 << 20;
  if (type == SOCK_DGRAM && setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer_bytes, sizeof buffer_bytes) != 0)
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer_bytes, sizeof buffer_bytes);
  return fd;
}

void bind_to(int fd, const Address& address) {
  if (bind(fd, address.get(), address.length) != 0) system_error("bind");
}

}  // namespace lab
