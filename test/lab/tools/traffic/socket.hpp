#pragma once
// Sockets and addresses as the traffic kinds use them. All errors end the program with one line on stderr.

#include <cstdint>
#include <string>
#include <sys/socket.h>

namespace lab {

struct Address {
  sockaddr_storage storage{};
  socklen_t length = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  int family() const { return storage.ss_family; }
};

struct Endpoint {
  std::string address;
  uint16_t port = 0;
};

// A numeric IPv4 or IPv6 address (with %interface where it is link-local) and a port.
Address make_address(const std::string& numeric, uint16_t port);

Endpoint local_endpoint(int fd);
// The connected peer; empty when the socket has none.
Endpoint remote_endpoint(int fd);

// A socket with SO_REUSEADDR. An AF_INET6 one speaks IPv4 too only where it is bound to the wildcard.
int open_socket(int family, int type);
void bind_to(int fd, const Address& address);

}  // namespace lab
