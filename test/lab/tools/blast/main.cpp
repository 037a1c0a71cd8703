// blast: sends generated Ethernet frames out of one interface, past the queueing discipline, at a precise rate.
//
//   blast --interface NAME --destination-mac MAC --source ADDRESS --destination ADDRESS
//     [--source-mac MAC] [--port P] [--tcp] [--vlan ID]... [--size BYTES] [--flows N]
//     [--rate FRAMES_PER_SECOND] [--count N] [--seconds N] [--cpu N] [--wait]
//
// Frames go round-robin over the flows. Without --rate it sends as fast as it can; without --count and --seconds
// until SIGTERM. --wait prints `ready` and starts with the first line on stdin. JSON lines on stdout: ready, done.

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <csignal>
#include <cstdio>
#include <limits>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <arpa/inet.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "frames.hpp"
#include "options.hpp"
#include "pace.hpp"

namespace {

volatile std::sig_atomic_t stopped = 0;

int open_packet_socket(const std::string& interface) {
  // Protocol 0: this socket sends only, no frame is queued to it.
  const int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
  if (fd < 0) lab::system_error("packet socket");
  const int on = 1;
  if (setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof on) != 0) lab::system_error("PACKET_QDISC_BYPASS");
  const int buffer_bytes = 8 << 20;
  setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &buffer_bytes, sizeof buffer_bytes);
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_ifindex = static_cast<int>(if_nametoindex(interface.c_str()));
  if (address.sll_ifindex == 0) lab::system_error("interface " + interface);
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) lab::system_error("bind");
  return fd;
}

lab::Mac own_mac(int fd, const std::string& interface) {
  ifreq request{};
  interface.copy(request.ifr_name, IFNAMSIZ - 1);
  if (ioctl(fd, SIOCGIFHWADDR, &request) != 0) lab::system_error("SIOCGIFHWADDR");
  lab::Mac mac{};
  std::copy_n(reinterpret_cast<const uint8_t*>(request.ifr_hwaddr.sa_data), mac.size(), mac.begin());
  return mac;
}

void pin_to_cpu(uint64_t cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0) lab::system_error("sched_setaffinity");
}

}  // namespace

int main(int argc, char** argv) {
  const lab::Options options({argv + 1, argv + argc},
                             {"interface", "destination-mac", "source-mac", "source", "destination", "port", "vlan",
                              "size", "flows", "rate", "count", "seconds", "cpu"},
                             {"tcp", "wait"});
  const std::string interface = options.required("interface");
  const int fd = open_packet_socket(interface);

  lab::FrameSpec spec;
  spec.source_mac = options.has("source-mac") ? lab::parse_mac(options.text("source-mac")) : own_mac(fd, interface);
  spec.destination_mac = lab::parse_mac(options.required("destination-mac"));
  spec.source_address = lab::parse_ipv4(options.required("source"));
  spec.destination_address = lab::parse_ipv4(options.required("destination"));
  spec.destination_port = static_cast<uint16_t>(options.number("port", 9));
  spec.tcp = options.has("tcp");
  spec.frame_bytes = options.number("size", 60);
  for (const std::string& id : options.all("vlan"))
    spec.vlan_ids.push_back(static_cast<uint16_t>(lab::parse_number(id, "--vlan")));

  const uint64_t flows = options.number("flows", 1);
  const uint64_t rate = options.number("rate");
  const uint64_t count = options.number("count", std::numeric_limits<uint64_t>::max());
  const uint64_t limit_ns = options.number("seconds") * 1'000'000'000u;
  if (flows == 0) lab::usage_error("--flows must be positive");
  const std::vector<uint8_t> frames = lab::build_frames(spec, flows);

  if (options.has("cpu")) pin_to_cpu(options.number("cpu"));
  prctl(PR_SET_TIMERSLACK, 1);
  struct sigaction stop {};
  stop.sa_handler = [](int) { stopped = 1; };
  sigaction(SIGTERM, &stop, nullptr);
  sigaction(SIGINT, &stop, nullptr);

  std::printf("{\"event\":\"ready\",\"pid\":%d}\n", getpid());
  std::fflush(stdout);
  if (options.has("wait")) {
    char c = 0;
    while (read(STDIN_FILENO, &c, 1) == 1 && c != '\n') {
    }
  }

  // One system call carries a tenth of a millisecond of the rate, so that the wire sees small bursts only.
  constexpr size_t kMaxBatch = 64;
  const size_t batch = rate == 0 ? kMaxBatch : std::clamp<size_t>(rate / 10'000, 1, kMaxBatch);
  iovec vectors[kMaxBatch];
  mmsghdr messages[kMaxBatch]{};
  for (size_t i = 0; i < kMaxBatch; ++i) {
    messages[i].msg_hdr.msg_iov = &vectors[i];
    messages[i].msg_hdr.msg_iovlen = 1;
    vectors[i].iov_len = spec.frame_bytes;
  }

  const uint64_t start_ns = lab::now_ns();
  const lab::Pace pace(rate);
  uint64_t sent = 0;
  uint64_t flow = 0;
  while (!stopped && sent < count && (limit_ns == 0 || lab::now_ns() - start_ns < limit_ns)) {
    const auto wanted = static_cast<unsigned>(std::min<uint64_t>(batch, count - sent));
    pace.wait_for(sent + wanted);
    for (unsigned i = 0; i < wanted; ++i) {
      const uint64_t which = (flow + i) % flows;
      vectors[i].iov_base = const_cast<uint8_t*>(frames.data() + which * spec.frame_bytes);
    }
    const int accepted = sendmmsg(fd, messages, wanted, 0);
    if (accepted < 0) {
      // ENOBUFS: the peer's queue is full; the frame is not on the wire and is tried again.
      if (errno == EINTR || errno == ENOBUFS || errno == EAGAIN) continue;
      lab::system_error("sendmmsg");
    }
    sent += static_cast<uint64_t>(accepted);
    flow = (flow + static_cast<uint64_t>(accepted)) % flows;
  }
  const double seconds = static_cast<double>(lab::now_ns() - start_ns) / 1e9;
  std::printf("{\"event\":\"done\",\"pid\":%d,\"packets\":%" PRIu64 ",\"bytes\":%" PRIu64
              ",\"seconds\":%.6f,\"packetsPerSecond\":%.0f}\n",
              getpid(), sent, sent * spec.frame_bytes, seconds, static_cast<double>(sent) / seconds);
  return 0;
}
