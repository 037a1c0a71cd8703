// UDP: a server that is never connected (bound to one address or to the wildcard), and a client that is, unless
// told otherwise. A server that has bytes to send sends them to the first peer it hears from; that first datagram
// counts as received.

#include <algorithm>
#include <cerrno>
#include <unistd.h>

#include "conversation.hpp"
#include "kinds.hpp"
#include "pace.hpp"
#include "socket.hpp"

namespace lab {
namespace {

// The largest datagram that needs no fragments on an Ethernet link over IPv6.
constexpr uint64_t kDefaultDatagramBytes = 1452;

void send_one(int fd, const char* data, size_t size, const Address* to) {
  for (;;) {
    const ssize_t n = to ? sendto(fd, data, size, 0, to->get(), to->length) : send(fd, data, size, 0);
    if (n == static_cast<ssize_t>(size)) return;
    if (n < 0 && (errno == EINTR || errno == ENOBUFS || errno == ECONNREFUSED)) continue;
    system_error("send");
  }
}

void send_datagrams(int fd, const Plan& plan, const Address* to, Tally& tally) {
  const std::vector<char> payload(plan.chunk_bytes, 'n');
  const Pace pace(plan.bytes_per_second);
  for (uint64_t sent = 0; sent < plan.send_bytes;) {
    const size_t size = static_cast<size_t>(std::min<uint64_t>(payload.size(), plan.send_bytes - sent));
    pace.wait_for(sent + size);
    send_one(fd, payload.data(), size, to);
    sent += size;
    tally.sent_bytes += size;
  }
}

// Receives one datagram; `from` gets the sender.
size_t receive_one(int fd, Address& from) {
  char buffer[65536];
  for (;;) {
    from.length = sizeof from.storage;
    const ssize_t n = recvfrom(fd, buffer, sizeof buffer, 0, reinterpret_cast<sockaddr*>(&from.storage), &from.length);
    if (n >= 0) return static_cast<size_t>(n);
    if (errno != EINTR && errno != ECONNREFUSED) system_error("recvfrom");
  }
}

void receive_datagrams(int fd, const Plan& plan, Tally& tally) {
  Address from;
  while (tally.received_bytes < plan.receive_bytes) tally.received_bytes += receive_one(fd, from);
}

}  // namespace

int udp_server(const std::vector<std::string>& args) {
  const Options options(args, {"bind", "port", "send", "receive", "rate", "chunk"}, {"wait", "hold"});
  const Plan plan = plan_from(options, kDefaultDatagramBytes);
  const Address address =
      make_address(options.text("bind", "::"), static_cast<uint16_t>(options.number("port")));
  const int fd = open_socket(address.family(), SOCK_DGRAM);
  bind_to(fd, address);
  const Endpoint bound = local_endpoint(fd);
  report_ready(bound.address, bound.port);
  Tally tally;
  if (plan.send_bytes > 0) {
    Address peer;
    tally.received_bytes += receive_one(fd, peer);
    if (plan.wait_for_go) await_line();
    send_datagrams(fd, plan, &peer, tally);
  }
  receive_datagrams(fd, plan, tally);
  report_done(tally);
  if (plan.hold) await_end();
  close(fd);
  return 0;
}

int udp_client(const std::vector<std::string>& args) {
  const Options options(args, {"connect", "port", "source", "source-port", "send", "receive", "rate", "chunk"},
                        {"wait", "hold", "unconnected"});
  const Plan plan = plan_from(options, kDefaultDatagramBytes);
  const Address address =
      make_address(options.required("connect"), static_cast<uint16_t>(options.number("port")));
  const bool connected = !options.has("unconnected");
  const int fd = open_socket(address.family(), SOCK_DGRAM);
  // Without a remote, nothing but bind would give the socket a port before the first datagram.
  if (!connected || options.has("source") || options.has("source-port")) {
    const std::string any = address.family() == AF_INET6 ? "::" : "0.0.0.0";
    bind_to(fd, make_address(options.text("source", any), static_cast<uint16_t>(options.number("source-port"))));
  }
  if (connected && connect(fd, address.get(), address.length) != 0) system_error("connect");
  report_open(fd);
  if (plan.wait_for_go) await_line();
  Tally tally;
  send_datagrams(fd, plan, connected ? nullptr : &address, tally);
  receive_datagrams(fd, plan, tally);
  report_done(tally);
  if (plan.hold) await_end();
  close(fd);
  return 0;
}

}  // namespace lab
