#include "capture.h"

#include <fcntl.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "channel.h"
#include "lookup_channel.h"
#include "meter.h"
#include "privileges.h"
#include "role_channels.h"
#include "sandbox.h"
#include "tick_region.h"

namespace netloupe {

namespace {

/// Packets per turn of the loop, and records per turn while a tick is taken: the ring is emptied between.
constexpr int kPacketsPerTurn = 8192;
constexpr std::size_t kRecordsPerTurn = 2048;

struct PcapClose {
  void operator()(pcap_t* handle) const { pcap_close(handle); }
};
using Pcap = std::unique_ptr<pcap_t, PcapClose>;

/// Counts up what pcap_stats gives in 32 bits.
class WideCounter {
 public:
  void update(std::uint32_t now) {
    total_ += static_cast<std::uint32_t>(now - last_);
    last_ = now;
  }
  std::uint64_t total() const { return total_; }

 private:
  std::uint64_t total_ = 0;
  std::uint32_t last_ = 0;
};

/// Frames that the interface itself lost, as libpcap counts them for ps_ifdrop. libpcap opens the files each time,
/// which the sandbox forbids; these are opened before it.
class InterfaceDrops {
 public:
  explicit InterfaceDrops(const char* interfaceName) {
    const std::string folder = std::string("/sys/class/net/") + interfaceName + "/statistics/";
    files_[0] = Fd(::open((folder + "rx_missed_errors").c_str(), O_RDONLY | O_CLOEXEC));
    files_[1] = Fd(::open((folder + "rx_fifo_errors").c_str(), O_RDONLY | O_CLOEXEC));
    first_ = read();
  }

  std::uint64_t sinceStart() {
    const std::uint64_t now = read();
    if (now >= first_) last_ = now - first_;
    return last_;
  }

 private:
  std::uint64_t read() const {
    std::uint64_t sum = 0;
    for (const Fd& file : files_) {
      char text[24] = {};
      if (file && ::pread(file.get(), text, sizeof text - 1, 0) > 0) sum += std::strtoull(text, nullptr, 10);
    }
    return sum;
  }

  std::array<Fd, 2> files_;
  std::uint64_t first_ = 0;
  std::uint64_t last_ = 0;
};

/// Does not step with the wall clock and counts suspend.
std::uint64_t steadyUs() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(now.tv_nsec) / 1000;
}

CaptureFailure failureOf(int pcapError) {
  switch (pcapError) {
    case PCAP_ERROR_PERM_DENIED:
      return CaptureFailure::needsNetRaw;
    case PCAP_ERROR_NO_SUCH_DEVICE:
      return CaptureFailure::noSuchInterface;
    case PCAP_ERROR_IFACE_NOT_UP:
      return CaptureFailure::interfaceDown;
    default:
      return CaptureFailure::internal;
  }
}

class Capture {
 public:
  Capture(const CaptureOptions& options, CaptureChannels channels)
      : options_(options), channels_(std::move(channels)), region_(channels_.region.get(), true) {
    channels_.region.reset();
  }

  int run() {
    if (!region_.ok()) return fail(CaptureFailure::internal, "no memory for the tick region");
    char name[IF_NAMESIZE] = {};
    if (if_indextoname(options_.interfaceIndex, name) == nullptr) {
      return fail(CaptureFailure::noSuchInterface, "the interface is gone");
    }
    InterfaceDrops drops(name);
    drops_ = &drops;
    if (!open(name)) return 1;
    if (!keepOnly({}, false) || !closeSandbox(Role::capture))
      return fail(CaptureFailure::internal, "the sandbox could not be closed");
    CaptureToFront opened{.told = CaptureTold::opened};
    opened.link = linkLayerOf(static_cast<std::uint32_t>(pcap_datalink(handle_.get())));
    opened.dataLinkType = pcap_datalink(handle_.get());
    if (sendMessage(channels_.front.get(), opened) != Sent::ok) return 1;
    while (!done_) turn();
    return exitCode_;
  }

 private:
  int fail(CaptureFailure failure, std::string_view sentence) {
    const CaptureToFront message{.told = CaptureTold::failed, .failure = failure};
    sendMessage(channels_.front.get(), message, std::as_bytes(std::span(sentence)));
    done_ = true;
    return exitCode_ = 1;
  }

  bool open(const char* name) {
    char error[PCAP_ERRBUF_SIZE] = {};
    handle_ = Pcap(pcap_create(name, error));
    if (!handle_) {
      fail(CaptureFailure::internal, error);
      return false;
    }
    pcap_t* handle = handle_.get();
    pcap_set_snaplen(handle, kSnaplenBytes);
    pcap_set_promisc(handle, options_.promiscuous ? 1 : 0);
    pcap_set_timeout(handle, kRingTimeoutMs);
    pcap_set_buffer_size(handle, static_cast<int>(options_.ringBytes));
    const int result = pcap_activate(handle);
    if (result < 0) {
      fail(failureOf(result), std::string(pcap_statustostr(result)) + " (" + pcap_geterr(handle) + ")");
      return false;
    }
    if (pcap_setnonblock(handle, 1, error) != 0) {
      fail(CaptureFailure::internal, error);
      return false;
    }
    MeterOptions meter{.interfaceId = options_.captureId,
                       .interfaceIndex = options_.interfaceIndex,
                       .link = linkLayerOf(static_cast<std::uint32_t>(pcap_datalink(handle))),
                       .loopback = std::string_view(name) == "lo"};
    if (getrandom(meter.hashSecret.data(), sizeof meter.hashSecret, 0) !=
        static_cast<ssize_t>(sizeof meter.hashSecret)) {
      fail(CaptureFailure::internal, "no randomness");
      return false;
    }
    meter_ = std::make_unique<Meter>(meter);
    return true;
  }

  void turn() {
    std::array<pollfd, 4> waits{{
        {.fd = channels_.front.get(), .events = POLLIN, .revents = 0},
        {.fd = channels_.supervisor.get(), .events = POLLIN, .revents = 0},
        {.fd = channels_.lookup ? channels_.lookup.get() : -1,
         .events = static_cast<short>(requestCount_ > 0 ? POLLIN | POLLOUT : POLLIN),
         .revents = 0},
        {.fd = counting_ ? pcap_get_selectable_fd(handle_.get()) : -1, .events = POLLIN, .revents = 0},
    }};
    if (poll(waits.data(), waits.size(), pauseMs()) < 0) return;
    if (waits[3].revents != 0) readPackets();
    meter_->advance(steadyUs());
    if (waits[2].revents != 0) readReplies();
    sendRequests();
    if (waits[1].revents != 0) readSupervisor();
    if (ticking_) takeRecords();
    if (waits[0].revents != 0) readFront();
  }

  /// No timer of its own but the next look-up attempt: the front's ticks drive everything else.
  int pauseMs() const {
    if (ticking_) return 0;
    const std::uint64_t due = meter_->nextRequestUs();
    if (due == UINT64_MAX || !channels_.lookup || requestCount_ > 0) return -1;
    const std::uint64_t now = steadyUs();
    return due <= now ? 0 : static_cast<int>(std::min<std::uint64_t>((due - now) / 1000 + 1, 60'000));
  }

  static void onPacket(unsigned char* self, const pcap_pkthdr* header, const unsigned char* bytes) {
    const auto timeUs =
        static_cast<std::uint64_t>(header->ts.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(header->ts.tv_usec);
    reinterpret_cast<Meter*>(self)->frame({bytes, header->caplen}, header->len, timeUs);
  }

  void readPackets() {
    const int count =
        pcap_dispatch(handle_.get(), kPacketsPerTurn, onPacket, reinterpret_cast<unsigned char*>(meter_.get()));
    meter_->flush();
    if (count < 0) {
      // The flows' totals must still reach the front: a last tick is asked for when it hears of the failure.
      counting_ = false;
      const std::string_view sentence = pcap_geterr(handle_.get());
      const CaptureToFront message{
          .told = CaptureTold::failed,
          .failure = interfaceIsGone() ? CaptureFailure::noSuchInterface : CaptureFailure::internal};
      sendMessage(channels_.front.get(), message, std::as_bytes(std::span(sentence)));
    }
  }

  bool interfaceIsGone() const {
    ifreq request{};
    request.ifr_ifindex = static_cast<int>(options_.interfaceIndex);
    return ioctl(pcap_fileno(handle_.get()), SIOCGIFNAME, &request) != 0 && errno == ENODEV;
  }

  void sendRequests() {
    while (channels_.lookup) {
      if (requestCount_ == 0) requestCount_ = meter_->takeRequests(requests_);
      if (requestCount_ == 0) return;
      const auto bytes = std::as_bytes(std::span(requests_).first(requestCount_));
      const ssize_t sent = ::send(channels_.lookup.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent < 0) return;  // full: again when it can take more; closed: readReplies notices
      requestCount_ = 0;
    }
  }

  void readReplies() {
    std::array<LookupReply, kLookupRepliesPerMessage> replies;
    for (;;) {
      const ssize_t length = ::recv(channels_.lookup.get(), replies.data(), sizeof replies, MSG_DONTWAIT);
      if (length < 0) return;
      if (length == 0) {
        channels_.lookup.reset();
        return;
      }
      const std::size_t count = static_cast<std::size_t>(length) / sizeof(LookupReply);
      for (const LookupReply& reply : std::span(replies).first(count)) meter_->reply(reply);
    }
  }

  void readSupervisor() {
    NewChannel message;
    PassedFds fds;
    switch (receiveMessage(channels_.supervisor.get(), message, &fds)) {
      case Received::message:
        channels_.lookup = std::move(fds[0]);
        requestCount_ = 0;
        meter_->lookupRestarted();
        break;
      case Received::wouldBlock:
        break;
      case Received::closed:
      case Received::malformed:
        done_ = true;
    }
  }

  void readFront() {
    FrontToCapture message;
    std::size_t tailBytes = 0;
    switch (receiveMessage(channels_.front.get(), message, std::as_writable_bytes(std::span(tail_)), tailBytes)) {
      case Received::wouldBlock:
        return;
      case Received::closed:
      case Received::malformed:
        done_ = true;
        return;
      case Received::message:
        break;
    }
    switch (message.ask) {
      case CaptureAsk::addresses: {
        const std::size_t count = std::min<std::size_t>(message.count, tailBytes / sizeof(LocalAddress));
        std::vector<LocalAddress> addresses(count);
        if (count > 0) std::memcpy(addresses.data(), tail_.data(), count * sizeof(LocalAddress));
        meter_->setLocalAddresses(addresses);
        meter_->setLinkLayerAddress(message.linkLayerAddress);
        break;
      }
      case CaptureAsk::begin:
        begin(std::min<std::size_t>(message.count, tailBytes / sizeof(bpf_insn)));
        break;
      case CaptureAsk::tick:
        beginTick((message.flags & kTickEveryFlow) != 0);
        break;
      case CaptureAsk::finish:
        if (counting_) readPackets();
        counting_ = false;
        finishing_ = true;
        meter_->endAll(message.endReason);
        beginTick(false);
        break;
    }
  }

  /// The filter is also what makes the snaplen: the kernel puts into the ring as much of a packet as the filter
  /// returns, whole 64 KiB segments if there is none, and a few hundred of those fill it.
  void begin(std::size_t instructions) {
    std::vector<bpf_insn> code(instructions);
    if (instructions > 0) std::memcpy(code.data(), tail_.data(), instructions * sizeof(bpf_insn));
    if (instructions == 0) code.push_back({.code = BPF_RET | BPF_K, .jt = 0, .jf = 0, .k = kSnaplenBytes});
    for (bpf_insn& instruction : code) {
      if (instruction.code == (BPF_RET | BPF_K) && instruction.k != 0) instruction.k = kSnaplenBytes;
    }
    bpf_program program{.bf_len = static_cast<unsigned>(code.size()), .bf_insns = code.data()};
    // An interface that went down meanwhile has left one error on the socket, which the first attempt takes away.
    if (pcap_setfilter(handle_.get(), &program) != 0 && pcap_setfilter(handle_.get(), &program) != 0) {
      fail(CaptureFailure::internal, pcap_geterr(handle_.get()));
      return;
    }
    counting_ = true;
  }

  void beginTick(bool everyFlow) {
    meter_->advance(steadyUs());
    meter_->beginTick(everyFlow);
    ticking_ = true;
    taken_ = 0;
  }

  void takeRecords() {
    const std::span<FlowRecord> free = region_.records().subspan(taken_);
    const std::span<FlowRecord> chunk = free.first(std::min(free.size(), kRecordsPerTurn));
    region_.prepare(taken_, chunk.size());
    const std::size_t count = meter_->take(chunk);
    taken_ += count;
    const bool complete = count < chunk.size();
    if (!complete && taken_ < region_.records().size()) return;

    ticking_ = false;
    region_.trim(taken_);
    const bool more = !complete && finishing_;  // otherwise the next tick carries on with the rest
    const CaptureToFront message{.told = CaptureTold::tickDone,
                                 .count = static_cast<std::uint32_t>(taken_),
                                 .more = more ? 1u : 0u,
                                 .totals = totals()};
    if (sendMessage(channels_.front.get(), message) != Sent::ok) done_ = true;
    if (finishing_ && !more) done_ = true;
  }

  CaptureTotals totals() {
    pcap_stat stats{};
    if (pcap_stats(handle_.get(), &stats) == 0) {
      received_.update(stats.ps_recv);
      dropped_.update(stats.ps_drop);
    }
    const MeterTotals& sums = meter_->totals();
    return {.rxBytes = sums.rxBytes,
            .txBytes = sums.txBytes,
            .rxPackets = sums.rxPackets,
            .txPackets = sums.txPackets,
            .received = received_.total(),
            .dropped = dropped_.total(),
            .ifDropped = drops_->sinceStart(),
            .flows = static_cast<std::uint32_t>(meter_->flows()),
            .pending = static_cast<std::uint32_t>(meter_->pendingLookups()),
            .overloaded = static_cast<std::uint32_t>(meter_->overloadedLookups()),
            .tableFull = tableFullNow() ? 1u : 0u};
  }

  bool tableFullNow() {
    const std::uint64_t now = meter_->tableFullPackets();
    return std::exchange(tableFullPackets_, now) != now;
  }

  const CaptureOptions options_;
  CaptureChannels channels_;
  TickRegion region_;
  Pcap handle_;
  InterfaceDrops* drops_ = nullptr;
  std::unique_ptr<Meter> meter_;
  std::array<LookupRequest, kLookupRequestsPerMessage> requests_;
  std::size_t requestCount_ = 0;  // of requests_, taken from the meter and not yet sent
  std::vector<char> tail_ = std::vector<char>(kMaxFilterInstructions * sizeof(bpf_insn));
  WideCounter received_;
  WideCounter dropped_;
  std::uint64_t tableFullPackets_ = 0;
  std::size_t taken_ = 0;
  bool counting_ = false;
  bool ticking_ = false;
  bool finishing_ = false;
  bool done_ = false;
  int exitCode_ = 0;
};

}  // namespace

int runCapture(const CaptureOptions& options, CaptureChannels channels) {
  return Capture(options, std::move(channels)).run();
}

}  // namespace netloupe
