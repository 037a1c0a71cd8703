// TCP: a server and a client, each sending and receiving an exact number of bytes at the same time.

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <unistd.h>

#include "conversation.hpp"
#include "kinds.hpp"
#include "pace.hpp"
#include "socket.hpp"

namespace lab {
namespace {

void send_all(int fd, const Plan& plan, Tally& tally) {
  const std::vector<char> chunk(plan.chunk_bytes, 'n');
  const Pace pace(plan.bytes_per_second);
  for (uint64_t sent = 0; sent < plan.send_bytes;) {
    const size_t size = static_cast<size_t>(std::min<uint64_t>(chunk.size(), plan.send_bytes - sent));
    pace.wait_for(sent + size);
    const ssize_t n = send(fd, chunk.data(), size, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) system_error("send");
    sent += static_cast<uint64_t>(n);
    tally.sent_bytes += static_cast<uint64_t>(n);
  }
}

void receive_all(int fd, const Plan& plan, Tally& tally) {
  std::vector<char> buffer(256 * 1024);
  for (uint64_t received = 0; received < plan.receive_bytes;) {
    const ssize_t n = recv(fd, buffer.data(), buffer.size(), 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) system_error("recv");
    if (n == 0) {
      std::fprintf(stderr, "peer closed after %llu bytes\n", static_cast<unsigned long long>(received));
      std::exit(1);
    }
    received += static_cast<uint64_t>(n);
    tally.received_bytes += static_cast<uint64_t>(n);
  }
}

void converse(int fd, const Plan& plan, Tally& tally) {
  report_open(fd);
  if (plan.wait_for_go) await_line();
  std::thread sender(send_all, fd, std::cref(plan), std::ref(tally));
  receive_all(fd, plan, tally);
  sender.join();
}

// Closes in order, or with a reset that leaves no TIME_WAIT behind, so that the port can be taken at once.
void finish(int fd, bool with_reset) {
  if (with_reset) {
    const linger now{1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  }
  close(fd);
}

}  // namespace

int tcp_server(const std::vector<std::string>& args) {
  const Options options(args, {"bind", "port", "send", "receive", "rate", "chunk", "repeat"},
                        {"wait", "hold", "reset"});
  const Plan plan = plan_from(options, 64 * 1024);
  const Address address =
      make_address(options.text("bind", "::"), static_cast<uint16_t>(options.number("port")));
  const int listener = open_socket(address.family(), SOCK_STREAM);
  bind_to(listener, address);
  if (listen(listener, 512) != 0) system_error("listen");
  const Endpoint bound = local_endpoint(listener);
  report_ready(bound.address, bound.port);
  Tally tally;
  for (uint64_t i = 0; i < plan.repeat; ++i) {
    const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) system_error("accept");
    converse(fd, plan, tally);
    if (i + 1 == plan.repeat) {
      report_done(tally);
      if (plan.hold) await_end();
    }
    finish(fd, options.has("reset"));
  }
  return 0;
}

int tcp_client(const std::vector<std::string>& args) {
  const Options options(args, {"connect", "port", "source", "source-port", "send", "receive", "rate", "chunk", "repeat"},
                        {"wait", "hold", "reset"});
  const Plan plan = plan_from(options, 64 * 1024);
  const Address address =
      make_address(options.required("connect"), static_cast<uint16_t>(options.number("port")));
  Tally tally;
  for (uint64_t i = 0; i < plan.repeat; ++i) {
    const int fd = open_socket(address.family(), SOCK_STREAM);
    if (options.has("source") || options.has("source-port")) {
      const std::string any = address.family() == AF_INET6 ? "::" : "0.0.0.0";
      bind_to(fd, make_address(options.text("source", any), static_cast<uint16_t>(options.number("source-port"))));
    }
    if (connect(fd, address.get(), address.length) != 0) system_error("connect");
    converse(fd, plan, tally);
    if (i + 1 == plan.repeat) {
      report_done(tally);
      if (plan.hold) await_end();
    }
    finish(fd, options.has("reset"));
  }
  return 0;
}

}  // namespace lab
