#include "file_capture.h"

#include <algorithm>
#include <array>

#include "bounds.h"
#include "problems.h"
#include "wire.h"

namespace netloupe {

void FileCapture::start(const StartOptions& start) {
  start_ = start;
  started_ = true;
  const SupervisorRequest request{.ask = SupervisorAsk::openFile, .captureId = 1};
  sendMessage(supervisor_, request);
}

void FileCapture::supervisorSaid(const SupervisorEvent& event, PassedFds& fds) {
  switch (event.told) {
    case SupervisorTold::captureStarted: {
      channel_ = std::move(fds[0]);
      region_ = TickRegion(fds[1].get(), false);
      const FrontToCapture begin{.ask = CaptureAsk::begin,
                                 .count = static_cast<std::uint32_t>(start_.captureFilter.size()),
                                 .tickMs = start_.tickMs};
      sendMessage(channel_.get(), begin, std::as_bytes(std::span(start_.captureFilter)));
      break;
    }
    case SupervisorTold::captureRefused:
      over_ = true;
      pending_.push_back(Failed{problems::processDied("reader")});
      break;
    // Its last words may still lie in the channel, whose end of file says the same in the right order.
    case SupervisorTold::captureEnded:
    case SupervisorTold::lookupStarted:
    case SupervisorTold::lookupEnded:
    case SupervisorTold::proberStarted:
    case SupervisorTold::proberEnded:
      break;
  }
}

std::vector<FileCapture::News> FileCapture::read(std::uint32_t tick, OutputQueue& output) {
  std::vector<News> news;
  std::array<char, 512> text;
  while (channel_ && !holdsRegion_ && !over_) {
    CaptureToFront message;
    std::size_t length = 0;
    const Received received = receiveMessage(channel_.get(), message, std::as_writable_bytes(std::span(text)), length);
    if (received == Received::wouldBlock) break;
    if (received != Received::message) {
      over_ = true;
      pending_.push_back(Failed{problems::processDied("reader")});
      break;
    }
    const std::string said = cleanText({text.data(), length}, text.size());
    // A sentence and what mends it, separated by a line break.
    const std::size_t cut = said.find('\n');
    const std::string sentence = said.substr(0, cut);
    const std::string fix = cut == std::string::npos ? "" : said.substr(cut + 1);
    switch (message.told) {
      case CaptureTold::opened:
        news.push_back(Opened{});
        break;
      case CaptureTold::fileInterface:
        news.push_back(NewInterface{{.id = message.interfaceId,
                                     .name = sentence,
                                     .link = message.link,
                                     .linkLayerAddress = linkLayerAddressText(message.linkLayerAddress),
                                     .addresses = {},
                                     .error = {}}});
        totals_[message.interfaceId] = {};
        break;
      case CaptureTold::fileTotals:
        if (totals_.contains(message.interfaceId)) totals_[message.interfaceId] = message.totals;
        break;
      case CaptureTold::tickDone: {
        std::span<const FlowRecord> records = region_.records();
        records = records.first(std::min<std::size_t>(message.count, records.size()));
        while (!records.empty()) {
          const auto batch = records.first(std::min(records.size(), kFlowRecordsPerBatch));
          output.push(flowBatchHead(tick, batch.size()));
          output.pushShared(std::as_bytes(batch));
          records = records.subspan(batch.size());
        }
        holdsRegion_ = true;
        if (message.more == 0) {
          TickEnded ended{.timeMs = message.timeUs / 1000, .interfaces = {}};
          for (const auto& [id, totals] : totals_) ended.interfaces.push_back({.id = id, .totals = totals});
          news.push_back(std::move(ended));
        }
        break;
      }
      case CaptureTold::failed:
        over_ = true;
        news.push_back(Failed{message.failure == CaptureFailure::badCaptureFilter ? problems::badCaptureFilter(sentence)
                                                                                  : problems::badFile(sentence, fix)});
        break;
      case CaptureTold::endOfFile:
        over_ = true;
        news.push_back(Ended{.packets = message.packets,
                             .offsetBytes = message.offsetBytes,
                             .damage = message.failure == CaptureFailure::none
                                           ? std::nullopt
                                           : std::optional(problems::damagedFile(sentence, fix))});
        break;
    }
  }
  // The reader's own words come first: what the supervisor tells is only that it ended.
  if (!holdsRegion_ && !pending_.empty()) {
    for (News& one : pending_) news.push_back(std::move(one));
    pending_.clear();
  }
  return news;
}

void FileCapture::released() {
  if (!holdsRegion_) return;
  holdsRegion_ = false;
  const FrontToCapture message{.ask = CaptureAsk::tick};
  sendMessage(channel_.get(), message);
}

void FileCapture::finish(EndReason reason) {
  if (!channel_) return;
  const FrontToCapture message{.ask = CaptureAsk::finish, .endReason = reason};
  sendMessage(channel_.get(), message);
}

}  // namespace netloupe
