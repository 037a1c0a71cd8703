// Real sockets and processes for tests of the look-up.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include <csignal>
#include <cstring>
#include <functional>
#include <string>

#include "fd.h"
#include "flow.h"

namespace netloupe::test {

struct Endpoint {
  std::uint8_t family = 4;
  Address address{};
  std::uint16_t port = 0;
};

inline Address addressFrom(const std::string& text) {
  Address address{};
  REQUIRE(::inet_pton(text.find(':') == std::string::npos ? AF_INET : AF_INET6, text.c_str(), address.data()) == 1);
  return address;
}

inline Endpoint endpoint(const std::string& text, std::uint16_t port) {
  return {static_cast<std::uint8_t>(text.find(':') == std::string::npos ? 4 : 6), addressFrom(text), port};
}

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

inline SocketAddress socketAddress(const Endpoint& end) {
  SocketAddress result;
  if (end.family == 4) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(end.port);
    std::memcpy(&in.sin_addr, end.address.data(), 4);
    std::memcpy(&result.storage, &in, sizeof in);
    result.length = sizeof in;
  } else {
    sockaddr_in6 in{};
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(end.port);
    std::memcpy(&in.sin6_addr, end.address.data(), 16);
    std::memcpy(&result.storage, &in, sizeof in);
    result.length = sizeof in;
  }
  return result;
}

inline Fd openSocket(std::uint8_t family, int type, int protocol = 0) {
  Fd fd(::socket(family == 4 ? AF_INET : AF_INET6, type | SOCK_CLOEXEC, protocol));
  REQUIRE(bool(fd));
  return fd;
}

inline void bindTo(const Fd& socket, const Endpoint& end) {
  const SocketAddress address = socketAddress(end);
  REQUIRE(::bind(socket.get(), address.get(), address.length) == 0);
}

inline void connectTo(const Fd& socket, const Endpoint& end) {
  const SocketAddress address = socketAddress(end);
  REQUIRE(::connect(socket.get(), address.get(), address.length) == 0);
}

inline std::uint16_t portOf(const Fd& socket) {
  SocketAddress address;
  address.length = sizeof address.storage;
  REQUIRE(::getsockname(socket.get(), address.get(), &address.length) == 0);
  std::uint16_t port = 0;  // at the same place in both families
  std::memcpy(&port, reinterpret_cast<const char*>(&address.storage) + 2, sizeof port);
  return ntohs(port);
}

inline std::uint64_t inodeOf(const Fd& socket) {
  struct stat status {};
  REQUIRE(::fstat(socket.get(), &status) == 0);
  return status.st_ino;
}

inline FlowKey flowKey(std::uint8_t protocol, const Endpoint& local, const Endpoint& remote) {
  FlowKey key;
  key.family = local.family;
  key.protocol = protocol;
  key.etherType = local.family == 4 ? 0x0800 : 0x86dd;
  key.localAddress = local.address;
  key.localPort = local.port;
  key.remoteAddress = remote.address;
  key.remotePort = remote.port;
  return key;
}

/// A child process that runs `body`, says that it is through with it, and lives until it is told to go on or the object
/// goes.
class Child {
 public:
  /// What `after` does when the child is told to go on; it ends when that returns.
  explicit Child(
      const std::function<void()>& body, const std::function<void()>& after = [] {}) {
    int ready[2];
    int go[2];
    REQUIRE(::pipe2(ready, O_CLOEXEC) == 0);
    REQUIRE(::pipe2(go, O_CLOEXEC) == 0);
    pid_ = ::fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      ::close(go[1]);
      body();
      char byte = 1;
      if (::write(ready[1], &byte, 1) != 1) ::_exit(1);
      while (::read(go[0], &byte, 1) > 0) after();
      ::_exit(0);
    }
    ::close(ready[1]);
    ::close(go[0]);
    ready_ = Fd(ready[0]);
    go_ = Fd(go[1]);
    char byte = 0;
    REQUIRE(::read(ready_.get(), &byte, 1) == 1);
  }
  ~Child() { end(); }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  pid_t pid() const { return pid_; }

  /// Runs `after` in the child.
  void go() { REQUIRE(::write(go_.get(), "g", 1) == 1); }

  /// Ends the child and waits for its end.
  void end() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

 private:
  pid_t pid_ = 0;
  Fd ready_;
  Fd go_;
};

}  // namespace netloupe::test
