#include "conversation.hpp"

#include <cinttypes>
#include <cstdio>
#include <unistd.h>

#include "socket.hpp"

namespace lab {

Plan plan_from(const Options& options, uint64_t default_chunk_bytes) {
  Plan plan;
  plan.send_bytes = options.number("send");
  plan.receive_bytes = options.number("receive");
  plan.bytes_per_second = options.number("rate");
  plan.chunk_bytes = options.number("chunk", default_chunk_bytes);
  plan.repeat = options.number("repeat", 1);
  plan.wait_for_go = options.has("wait");
  plan.hold = options.has("hold");
  if (plan.chunk_bytes == 0) usage_error("--chunk must be positive");
  return plan;
}

void await_line() {
  char c = 0;
  while (read(STDIN_FILENO, &c, 1) == 1 && c != '\n') {
  }
}

void await_end() {
  char buffer[256];
  while (read(STDIN_FILENO, buffer, sizeof buffer) > 0) {
  }
}

void report_ready(const std::string& address, uint16_t port) {
  std::printf("{\"event\":\"ready\",\"pid\":%d,\"address\":\"%s\",\"port\":%u}\n", getpid(), address.c_str(), port);
  std::fflush(stdout);
}

void report_open(int fd) {
  const Endpoint local = local_endpoint(fd);
  const Endpoint remote = remote_endpoint(fd);
  std::printf(
      "{\"event\":\"open\",\"pid\":%d,\"localAddress\":\"%s\",\"localPort\":%u,\"remoteAddress\":\"%s\","
      "\"remotePort\":%u}\n",
      getpid(), local.address.c_str(), local.port, remote.address.c_str(), remote.port);
  std::fflush(stdout);
}

void report_done(const Tally& tally) {
  std::printf("{\"event\":\"done\",\"pid\":%d,\"sentBytes\":%" PRIu64 ",\"receivedBytes\":%" PRIu64 "}\n", getpid(),
              tally.sent_bytes.load(), tally.received_bytes.load());
  std::fflush(stdout);
}

}  // namespace lab
