// traffic: moves an exact number of bytes over one kind of traffic and says, in JSON lines, who moved how many.
//
//   traffic tcp-server --port P [--bind ADDRESS] [--repeat N] [--reset] ...
//   traffic tcp-client --connect ADDRESS --port P [--source ADDRESS] [--source-port P] [--repeat N] [--reset] ...
//   traffic udp-server --port P [--bind ADDRESS] ...
//   traffic udp-client --connect ADDRESS --port P [--unconnected] [--source ADDRESS] [--source-port P] ...
// with
//   --send BYTES --receive BYTES   payload each way; the program is done when both are reached
//   --rate BYTES_PER_SECOND        pace of sending; unpaced by default
//   --chunk BYTES                  bytes per write, or payload of a datagram
//   --wait                         move no byte before a line arrives on stdin
//   --hold                         keep the socket open after the last byte until stdin ends

#include <array>
#include <cstdio>
#include <string_view>

#include "kinds.hpp"

namespace {

struct Kind {
  std::string_view name;
  int (*run)(const std::vector<std::string>& args);
};

constexpr std::array kKinds{
    Kind{"tcp-server", lab::tcp_server},
    Kind{"tcp-client", lab::tcp_client},
    Kind{"udp-server", lab::udp_server},
    Kind{"udp-client", lab::udp_client},
};

}  // namespace

int main(int argc, char** argv) {
  const std::string_view wanted = argc > 1 ? argv[1] : "";
  for (const Kind& kind : kKinds)
    if (kind.name == wanted) return kind.run({argv + 2, argv + argc});
  std::fprintf(stderr, "usage: traffic KIND [options], KIND one of:");
  for (const Kind& kind : kKinds) std::fprintf(stderr, " %s", kind.name.data());
  std::fprintf(stderr, "\n");
  return 2;
}
