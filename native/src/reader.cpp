#include "reader.h"

#include <poll.h>
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bounds.h"
#include "capture_file.h"
#include "capture_filter.h"
#include "channel.h"
#include "meter.h"
#include "privileges.h"
#include "role_channels.h"
#include "sandbox.h"
#include "tick_region.h"

namespace netloupe {

namespace {

constexpr std::size_t kFilterTextBytes = 8192;

/// DLT_ of what a file's link type was decoded as; -1 where no filter can be compiled for it.
int dataLinkTypeOf(LinkLayer link) {
  switch (link) {
    case LinkLayer::ethernet:
      return DLT_EN10MB;
    case LinkLayer::raw:
      return DLT_RAW;
    case LinkLayer::linuxSll:
      return DLT_LINUX_SLL;
    case LinkLayer::linuxSll2:
      return DLT_LINUX_SLL2;
    case LinkLayer::null:
      return DLT_NULL;
    case LinkLayer::loop:
      return DLT_LOOP;
    case LinkLayer::ppp:
      return DLT_PPP;
    case LinkLayer::other:
      break;
  }
  return -1;
}

/// What the front cuts apart again: a sentence, and behind the line break what mends it.
std::string problemText(const FileError& error) {
  return error.message + ".\n" + error.fix + ".";
}

class Reader {
 public:
  explicit Reader(ReaderChannels channels) : channels_(std::move(channels)), region_(channels_.region.get(), true) {
    channels_.region.reset();
  }

  int run() {
    if (getrandom(secret_.data(), sizeof secret_, 0) != static_cast<ssize_t>(sizeof secret_)) return 1;
    if (!region_.ok() || !keepOnly({}, false) || !closeSandbox(Role::reader)) return 1;
    if (!waitForBegin()) return 1;

    // `start` is answered with the interfaces that are described before the first frame.
    std::optional<FileFrame> frame = nextFrame();
    if (const auto& error = file_.error(); error && error->code == FileError::Code::badFile) return refuse(*error);
    if (!describeInterfaces()) return 1;
    tell({.told = CaptureTold::opened});
    while (frame && !finishing_ && !lost_) {
      if (!take(*frame)) return 1;
      frame = nextFrame();
    }
    finish();
    return lost_ ? 1 : 0;
  }

 private:
  struct Interface {
    std::unique_ptr<Meter> meter;
    std::vector<bpf_insn> filter;
    std::uint64_t frames = 0;
  };

  void tell(const CaptureToFront& message, const std::string& text = {}) {
    // The channel holds few messages and the front reads them all before it waits for anything else.
    while (sendMessage(channels_.front.get(), message, std::as_bytes(std::span(text))) == Sent::wouldBlock) {
      pollfd wait{.fd = channels_.front.get(), .events = POLLOUT, .revents = 0};
      poll(&wait, 1, -1);
    }
  }

  int refuse(const FileError& error) {
    tell({.told = CaptureTold::failed, .failure = CaptureFailure::badFile}, problemText(error));
    return 0;
  }

  /// Waits for the front's next word. False: the front is gone.
  bool receive(FrontToCapture& message, std::size_t& textBytes) {
    for (;;) {
      switch (receiveMessage(channels_.front.get(), message, std::as_writable_bytes(std::span(text_)), textBytes)) {
        case Received::message:
          return true;
        case Received::closed:
        case Received::malformed:
          lost_ = true;
          return false;
        case Received::wouldBlock:
          break;
      }
      pollfd wait{.fd = channels_.front.get(), .events = POLLIN, .revents = 0};
      poll(&wait, 1, -1);
    }
  }

  bool waitForBegin() {
    FrontToCapture message;
    std::size_t textBytes = 0;
    if (!receive(message, textBytes) || message.ask != CaptureAsk::begin) return false;
    filterText_.assign(text_.data(), textBytes);
    tickUs_ = std::uint64_t{std::clamp(message.tickMs, kMinTickMs, kMaxTickMs)} * 1000;
    return true;
  }

  /// Waits until the front has emptied the tick region.
  void waitForRelease() {
    FrontToCapture message;
    std::size_t textBytes = 0;
    while (receive(message, textBytes) && message.ask != CaptureAsk::tick) {
      if (message.ask == CaptureAsk::finish) finishNow(message);
    }
  }

  void finishNow(const FrontToCapture& message) {
    finishing_ = true;
    endReason_ = message.endReason;
  }

  /// The next frame, reading the file as far as needed. The file may be a pipe: the front is listened to while it is
  /// silent.
  std::optional<FileFrame> nextFrame() {
    for (;;) {
      if (std::optional<FileFrame> frame = file_.next()) return frame;
      if (atEnd_ || file_.error() || finishing_ || lost_) return std::nullopt;
      pollfd waits[2] = {{.fd = channels_.file.get(), .events = POLLIN, .revents = 0},
                         {.fd = channels_.front.get(), .events = POLLIN, .revents = 0}};
      poll(waits, 2, -1);
      if (waits[1].revents != 0) {
        FrontToCapture message;
        std::size_t textBytes = 0;
        if (!receive(message, textBytes)) return std::nullopt;
        if (message.ask == CaptureAsk::finish) finishNow(message);
        continue;
      }
      const ssize_t length = ::read(channels_.file.get(), bytes_.data(), bytes_.size());
      if (length < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      if (length > 0) {
        file_.feed(std::span(bytes_).first(static_cast<std::size_t>(length)));
      } else {
        atEnd_ = true;
        readError_ = length < 0 ? errno : 0;
        file_.finish();
      }
    }
  }

  /// Announces the interfaces that the file has described since the last call.
  bool describeInterfaces() {
    while (interfaces_.size() < file_.interfaces().size()) {
      const FileInterface& described = file_.interfaces()[interfaces_.size()];
      Interface& interface = interfaces_.emplace_back();
      const auto id = static_cast<std::uint32_t>(interfaces_.size());
      interface.meter = std::make_unique<Meter>(
          MeterOptions{.interfaceId = id, .link = described.link, .recorded = true, .hashSecret = secret_});
      interface.meter->setLinkLayerAddress(described.linkLayerAddress);
      interface.meter->setLocalAddresses(described.addresses);
      if (!filterText_.empty()) {
        CompiledFilter filter = compileFilter(filterText_, dataLinkTypeOf(described.link));
        if (!filter.error.empty()) {
          tell({.told = CaptureTold::failed, .failure = CaptureFailure::badCaptureFilter}, filter.error);
          return false;
        }
        interface.filter = std::move(filter.code);
      }
      tell({.told = CaptureTold::fileInterface,
            .interfaceId = id,
            .link = described.link,
            .linkLayerAddress = described.linkLayerAddress},
           described.name);
    }
    return true;
  }

  bool take(const FileFrame& frame) {
    if (!describeInterfaces()) return false;
    if (nextTickUs_ == 0) nextTickUs_ = frame.timeUs + tickUs_;
    if (frame.timeUs >= nextTickUs_) {
      tick(nextTickUs_);
      // One tick for a silence of any length.
      nextTickUs_ += (frame.timeUs - nextTickUs_) / tickUs_ * tickUs_ + tickUs_;
      if (finishing_ || lost_) return true;
    }
    lastTimeUs_ = std::max(lastTimeUs_, frame.timeUs);
    Interface& interface = interfaces_[frame.interface];
    const bool passes =
        interface.filter.empty() || bpf_filter(interface.filter.data(), frame.captured.data(), frame.frameBytes,
                                               static_cast<unsigned>(frame.captured.size())) != 0;
    if (!passes) return true;
    ++interface.frames;
    interface.meter->frame(frame.captured, frame.frameBytes, frame.timeUs);
    return true;
  }

  /// Sends every interface's changed flows and totals, and waits until the front has written them.
  void tick(std::uint64_t timeUs) {
    std::size_t taken = 0;
    const auto deliver = [&](bool more) {
      region_.trim(taken);
      tell({.told = CaptureTold::tickDone,
            .count = static_cast<std::uint32_t>(taken),
            .more = more ? 1u : 0u,
            .timeUs = timeUs,
            .packets = file_.packets()});
      waitForRelease();
      taken = 0;
    };
    for (const Interface& interface : interfaces_) {
      interface.meter->flush();
      interface.meter->beginTick(false);
      for (;;) {
        const std::span<FlowRecord> free = region_.records().subspan(taken);
        const std::size_t count = interface.meter->take(free);
        taken += count;
        if (count < free.size()) break;
        deliver(true);
        if (lost_) return;
      }
    }
    for (std::size_t i = 0; i < interfaces_.size(); ++i) {
      const MeterTotals& sums = interfaces_[i].meter->totals();
      tell({.told = CaptureTold::fileTotals,
            .interfaceId = static_cast<std::uint32_t>(i + 1),
            .totals = {.rxBytes = sums.rxBytes,
                       .txBytes = sums.txBytes,
                       .rxPackets = sums.rxPackets,
                       .txPackets = sums.txPackets,
                       .received = interfaces_[i].frames,
                       .flows = static_cast<std::uint32_t>(interfaces_[i].meter->flows())}});
    }
    deliver(false);
  }

  void finish() {
    if (lost_) return;
    if (!describeInterfaces()) return;
    for (const Interface& interface : interfaces_) {
      interface.meter->flush();
      interface.meter->endAll(finishing_ ? endReason_ : EndReason::endOfFile);
    }
    tick(lastTimeUs_);
    CaptureToFront end{.told = CaptureTold::endOfFile, .offsetBytes = file_.offsetBytes(), .packets = file_.packets()};
    std::string text;
    if (const auto& error = file_.error()) {
      end.failure = CaptureFailure::badFile;
      end.offsetBytes = error->offsetBytes;
      text = problemText(*error);
    }
    if (readError_ != 0) {
      end.failure = CaptureFailure::badFile;
      text = std::string("The file could not be read further: ") + std::strerror(readError_) +
             ".\nCheck the disk that it lies on.";
    }
    tell(end, text);
  }

  ReaderChannels channels_;
  TickRegion region_;
  CaptureFile file_;
  std::array<std::uint64_t, 2> secret_{};
  std::vector<char> text_ = std::vector<char>(kFilterTextBytes);
  std::vector<std::uint8_t> bytes_ = std::vector<std::uint8_t>(256u << 10);
  std::string filterText_;
  std::vector<Interface> interfaces_;
  std::uint64_t tickUs_ = 1'000'000;
  std::uint64_t nextTickUs_ = 0;  // 0: no frame yet
  std::uint64_t lastTimeUs_ = 0;
  int readError_ = 0;
  bool atEnd_ = false;
  bool finishing_ = false;
  bool lost_ = false;
  EndReason endReason_ = EndReason::endOfFile;
};

}  // namespace

int runReader(ReaderChannels channels) {
  return Reader(std::move(channels)).run();
}

}  // namespace netloupe
