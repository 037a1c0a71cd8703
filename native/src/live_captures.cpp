#include "live_captures.h"

#include <algorithm>
#include <cstring>

#include "bounds.h"
#include "capture_filter.h"
#include "problems.h"
#include "wire.h"

namespace netloupe {

namespace {

/// A trouble that came and went stays visible this long.
constexpr std::uint64_t kTroubleShownMs = 10'000;
constexpr std::uint64_t kRestartShownMs = 60'000;

/// A capture that ran this long was healthy: its next restart is quick again.
constexpr std::uint64_t kHealthyMs = 60'000;

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

LinkLayerAddress ethernetAddress(const Link& link) {
  LinkLayerAddress address{};
  if (link.linkLayerAddress.size() == address.size()) {
    std::copy(link.linkLayerAddress.begin(), link.linkLayerAddress.end(), address.begin());
  }
  return address;
}

}  // namespace

std::optional<Problem> LiveCaptures::start(const StartOptions& start, std::uint64_t nowMs) {
  // The syntax is checked before anything is opened; each interface compiles it again for its own link type.
  if (const CompiledFilter filter = compileFilter(start.captureFilter, DLT_EN10MB); !filter.error.empty()) {
    return problems::badCaptureFilter(filter.error);
  }
  if (start.interfaces) {
    if (start.interfaces->size() > kMaxInterfaces) return problems::tooManyInterfaces();
    for (const std::string& name : *start.interfaces) {
      const bool exists =
          std::any_of(links().begin(), links().end(), [&](const auto& one) { return one.second.link.name == name; });
      if (!exists) return problems::noSuchInterface(name);
    }
  }
  start_ = start;
  announced_ = false;
  stopping_ = false;
  retries_.clear();
  for (const auto& [index, link] : links()) {
    if (wanted(link)) open(link, nowMs);
  }
  return std::nullopt;
}

bool LiveCaptures::settled() const {
  return std::none_of(captures_.begin(), captures_.end(),
                      [](const Captured& one) { return one.stage == Stage::opening; });
}

std::vector<InterfaceEntry> LiveCaptures::announce() {
  announced_ = true;
  std::vector<InterfaceEntry> entries;
  for (const Captured& captured : captures_) entries.push_back(captured.entry);
  return entries;
}

const std::map<int, WatchedLink>& LiveCaptures::links() const {
  static const std::map<int, WatchedLink> kNone;
  return options_.links->has_value() ? (*options_.links)->links() : kNone;
}

bool LiveCaptures::wanted(const WatchedLink& link) const {
  if (start_.interfaces) {
    return std::find(start_.interfaces->begin(), start_.interfaces->end(), link.link.name) != start_.interfaces->end();
  }
  return link.link.isUp() && !link.addresses.empty() && (start_.loopback || !link.link.isLoopback());
}

bool LiveCaptures::isCaptured(int index) const {
  return std::any_of(captures_.begin(), captures_.end(), [&](const Captured& one) {
    return one.entry.index == static_cast<std::uint32_t>(index) && one.stage != Stage::ending &&
           one.stage != Stage::over;
  });
}

void LiveCaptures::refresh(Captured& captured, const WatchedLink& link) const {
  InterfaceEntry& entry = captured.entry;
  entry.index = static_cast<std::uint32_t>(link.link.index);
  entry.name = cleanText(link.link.name, 64);
  entry.loopback = link.link.isLoopback();
  entry.linkLayerAddress = linkLayerText(link.link.linkLayerAddress);
  entry.mtu = link.link.mtu;
  entry.addresses.clear();
  for (const LinkAddress& address : link.addresses) {
    entry.addresses.push_back({.address = addressText(address.address, address.family),
                               .prefixLength = address.prefixLength,
                               .scope = scopeName(address.scope)});
  }
  if (entry.state == InterfaceState::capturing || entry.state == InterfaceState::down) {
    entry.state = link.link.isUp() ? InterfaceState::capturing : InterfaceState::down;
  }
}

void LiveCaptures::open(const WatchedLink& link, std::uint64_t nowMs) {
  if (captures_.size() >= kMaxInterfaces) return;  // found by hot-plug: named ones were counted at the start
  Captured& captured = captures_.emplace_back();
  captured.entry.id = ++lastId_;
  refresh(captured, link);
  if (!link.link.isUp()) {
    captured.stage = Stage::waiting;
    tell(captured);
    return;
  }
  askSupervisor(captured, nowMs);
}

void LiveCaptures::askSupervisor(Captured& captured, std::uint64_t nowMs) {
  captured.stage = Stage::opening;
  captured.openedMs = nowMs;
  const SupervisorRequest request{.ask = SupervisorAsk::openCapture,
                                  .captureId = captured.entry.id,
                                  .interfaceIndex = captured.entry.index,
                                  .ringBytes = captures_.size() > kManyInterfaces ? kRingBytesMany : kRingBytes,
                                  .promiscuous = start_.promiscuous ? 1u : 0u};
  if (sendMessage(options_.supervisor, request) != Sent::ok)
    failed(captured, CaptureFailure::internal, "too many at once", nowMs);
}

void LiveCaptures::supervisorSaid(const SupervisorEvent& event, PassedFds& fds, std::uint64_t nowMs) {
  Captured* captured = find(event.captureId);
  if (captured == nullptr) return;
  switch (event.told) {
    case SupervisorTold::captureStarted:
      captured->channel = std::move(fds[0]);
      captured->region = std::move(fds[1]);
      sendAddresses(*captured);
      break;
    case SupervisorTold::captureRefused:
      failed(*captured, CaptureFailure::internal, "no process could be started for it", nowMs);
      break;
    case SupervisorTold::captureEnded:
      read(*captured, nowMs);  // what it said before it ended
      processEnded(*captured, nowMs);
      break;
    case SupervisorTold::lookupStarted:
    case SupervisorTold::lookupEnded:
    case SupervisorTold::proberStarted:
    case SupervisorTold::proberEnded:
      break;
  }
}

void LiveCaptures::sendAddresses(Captured& captured) {
  std::vector<LocalAddress> addresses;
  LinkLayerAddress own{};
  for (const auto& [index, link] : links()) {
    for (const LinkAddress& one : link.addresses) {
      if (addresses.size() == kMaxLocalAddresses) break;
      addresses.push_back({.address = one.address, .family = one.family, .prefixLength = one.prefixLength});
    }
    if (static_cast<std::uint32_t>(index) == captured.entry.index) own = ethernetAddress(link.link);
  }
  const FrontToCapture message{
      .ask = CaptureAsk::addresses, .count = static_cast<std::uint32_t>(addresses.size()), .linkLayerAddress = own};
  captured.addressesStale =
      sendMessage(captured.channel.get(), message, std::as_bytes(std::span(addresses))) == Sent::wouldBlock;
}

void LiveCaptures::linkChanged(const LinkEvent& event, std::uint64_t nowMs) {
  for (Captured& captured : captures_) {
    if (captured.stage == Stage::ending || captured.stage == Stage::over) continue;
    if (captured.channel) captured.addressesStale = true;
    if (captured.entry.index != static_cast<std::uint32_t>(event.now.link.index)) continue;
    if (event.what == LinkEvent::What::gone) {
      captured.entry.state = InterfaceState::gone;
      tell(captured);
      end(captured, EndReason::interfaceGone);
      continue;
    }
    const InterfaceEntry before = captured.entry;
    refresh(captured, event.now);
    if (captured.stage == Stage::waiting && event.now.link.isUp()) {
      askSupervisor(captured, nowMs);
    } else if (captured.entry != before && captured.stage != Stage::opening) {
      tell(captured);
    }
  }
  if (event.what == LinkEvent::What::gone) retries_.erase(static_cast<std::uint32_t>(event.now.link.index));
}

void LiveCaptures::openDue(std::uint64_t nowMs) {
  for (Captured& captured : captures_) {
    if (captured.addressesStale && captured.channel) sendAddresses(captured);
  }
  if (!announced_ || stopping_) return;
  for (const auto& [index, link] : links()) {
    if (isCaptured(index) || !wanted(link)) continue;
    if (const auto retry = retries_.find(static_cast<std::uint32_t>(index));
        retry != retries_.end() && retry->second.dueMs > nowMs)
      continue;
    open(link, nowMs);
  }
}

std::uint64_t LiveCaptures::nextDueMs() const {
  std::uint64_t due = UINT64_MAX;
  if (!announced_ || stopping_) return due;
  for (const auto& [index, retry] : retries_) {
    if (!isCaptured(static_cast<int>(index))) due = std::min(due, retry.dueMs);
  }
  return due;
}

void LiveCaptures::addPolls(std::vector<pollfd>& polls) const {
  for (const Captured& captured : captures_) {
    polls.push_back({.fd = captured.channel ? captured.channel.get() : -1, .events = POLLIN, .revents = 0});
  }
}

void LiveCaptures::readable(std::span<const pollfd> polls, std::uint64_t nowMs) {
  // New ones are only ever appended, so the first ones still are those that were polled.
  for (std::size_t i = 0; i < polls.size() && i < captures_.size(); ++i) {
    if (polls[i].revents != 0) read(captures_[i], nowMs);
  }
}

void LiveCaptures::read(Captured& captured, std::uint64_t nowMs) {
  std::array<char, 512> sentence;
  while (captured.channel) {
    CaptureToFront message;
    std::size_t length = 0;
    switch (receiveMessage(captured.channel.get(), message, std::as_writable_bytes(std::span(sentence)), length)) {
      case Received::wouldBlock:
        return;
      case Received::closed:
      case Received::malformed:
        captured.channel.reset();
        return;  // the supervisor tells what became of the process
      case Received::message:
        break;
    }
    switch (message.told) {
      case CaptureTold::opened:
        opened(captured, message);
        break;
      case CaptureTold::tickDone:
        answered(captured, message, nowMs);
        break;
      case CaptureTold::failed:
        failed(captured, message.failure, cleanText({sentence.data(), length}, sentence.size()), nowMs);
        break;
      default:
        captured.channel.reset();
        return;
    }
  }
}

void LiveCaptures::opened(Captured& captured, const CaptureToFront& message) {
  if (captured.stage != Stage::opening) return;
  const CompiledFilter filter = compileFilter(start_.captureFilter, message.dataLinkType);
  captured.entry.link = message.link;
  if (!filter.error.empty()) {
    failed(captured, CaptureFailure::badCaptureFilter, filter.error, captured.openedMs);
    return;
  }
  captured.stage = Stage::running;
  if (const auto retry = retries_.find(captured.entry.index); retry != retries_.end()) retry->second.problem.reset();
  const FrontToCapture begin{.ask = CaptureAsk::begin, .count = static_cast<std::uint32_t>(filter.code.size())};
  sendMessage(captured.channel.get(), begin, std::as_bytes(std::span(filter.code)));
  tell(captured);
}

void LiveCaptures::answered(Captured& captured, const CaptureToFront& message, std::uint64_t nowMs) {
  captured.asked = false;
  // A count from a process that parses packets is not believed beyond the region.
  captured.ready = std::min(message.count, static_cast<std::uint32_t>(kMaxTickRecords));
  captured.lastAnswer = captured.finishSent && message.more == 0;
  if (message.totals.dropped > captured.totals.dropped) captured.droppedAtMs = nowMs;
  if (message.totals.tableFull != 0) captured.fullAtMs = nowMs;
  captured.totals = message.totals;
}

void LiveCaptures::failed(Captured& captured, CaptureFailure failure, const std::string& sentence,
                          std::uint64_t nowMs) {
  if (captured.stage == Stage::ending || captured.stage == Stage::over) return;
  switch (failure) {
    case CaptureFailure::interfaceDown:
      captured.entry.state = InterfaceState::down;
      captured.stage = Stage::waiting;
      captured.channel.reset();
      tell(captured);
      return;
    case CaptureFailure::noSuchInterface:
      // rtnetlink tells it a moment later, and clears this.
      captured.entry.state = InterfaceState::gone;
      retries_[captured.entry.index] = {.dueMs = kNever, .pauseMs = 0, .problem = {}};
      break;
    case CaptureFailure::needsNetRaw:
      captured.entry.state = InterfaceState::failed;
      captured.entry.error = problems::needsNetRaw(options_.program);
      retries_[captured.entry.index] = {.dueMs = kNever, .pauseMs = 0, .problem = captured.entry.error};
      break;
    case CaptureFailure::badCaptureFilter:
      captured.entry.state = InterfaceState::failed;
      captured.entry.error = problems::badCaptureFilter(sentence);
      retries_[captured.entry.index] = {.dueMs = kNever, .pauseMs = 0, .problem = captured.entry.error};
      break;
    case CaptureFailure::none:
    case CaptureFailure::badFile:
    case CaptureFailure::internal:
      captured.entry.state = InterfaceState::failed;
      captured.entry.error = problems::captureFailed(captured.entry.name, sentence);
      retryLater(captured, nowMs);
      break;
  }
  tell(captured);
  // One that was running still has its flows: a last tick is asked of it.
  if (captured.stage == Stage::running && captured.channel) {
    end(captured, EndReason::interfaceGone);
  } else {
    captured.stage = Stage::over;
    captured.channel.reset();
  }
}

void LiveCaptures::processEnded(Captured& captured, std::uint64_t nowMs) {
  captured.channel.reset();
  captured.asked = false;
  if (captured.stage == Stage::waiting) return;
  const bool expected = captured.stage == Stage::ending || captured.stage == Stage::over;
  captured.stage = Stage::over;
  if (expected) return;
  captured.entry.state = InterfaceState::failed;
  captured.entry.error = problems::processDied("capture");
  restartedMs_[captured.entry.name] = nowMs;
  retryLater(captured, nowMs);
  tell(captured);
}

void LiveCaptures::retryLater(const Captured& captured, std::uint64_t nowMs) {
  Retry& retry = retries_[captured.entry.index];
  const bool healthy = nowMs - captured.openedMs > kHealthyMs;
  retry.pauseMs = retry.pauseMs == 0 || healthy ? kRestartFirstMs : std::min(retry.pauseMs * 2, kRestartLastMs);
  retry.dueMs = nowMs + retry.pauseMs;
  retry.problem = captured.entry.error;
}

void LiveCaptures::end(Captured& captured, EndReason reason) {
  captured.endReason = reason;
  captured.stage = captured.channel ? Stage::ending : Stage::over;
}

void LiveCaptures::askTick(bool everyFlow) {
  for (Captured& captured : captures_) {
    captured.everyFlow = captured.everyFlow || everyFlow;
    const bool running = captured.stage == Stage::running || captured.stage == Stage::ending;
    // Late with the last tick, or its last records are not yet written: it is left out of this one.
    if (!running || !captured.channel || captured.asked || captured.ready > 0) continue;
    FrontToCapture message{.ask = CaptureAsk::tick, .flags = captured.everyFlow ? kTickEveryFlow : 0};
    if (captured.stage == Stage::ending && !captured.finishSent) {
      message.ask = CaptureAsk::finish;
      message.endReason = captured.endReason;
      captured.finishSent = true;
    }
    if (sendMessage(captured.channel.get(), message) != Sent::ok) continue;
    captured.asked = true;
    captured.everyFlow = false;
  }
}

bool LiveCaptures::allAnswered() const {
  return std::none_of(captures_.begin(), captures_.end(), [](const Captured& one) { return one.asked; });
}

std::vector<TickInterface> LiveCaptures::collect(std::uint32_t tick, OutputQueue& output) {
  std::vector<TickInterface> totals;
  for (Captured& captured : captures_) {
    for (std::size_t first = 0; first < captured.ready; first += kFlowRecordsPerBatch) {
      const std::size_t count = std::min<std::size_t>(captured.ready - first, kFlowRecordsPerBatch);
      output.push(flowBatchHead(tick, count));
      output.pushFile(captured.region.get(), first * sizeof(FlowRecord), count * sizeof(FlowRecord));
    }
    captured.ready = 0;
    if (captured.lastAnswer) captured.stage = Stage::over;
    if (captured.stage != Stage::waiting && captured.stage != Stage::opening) {
      totals.push_back({.id = captured.entry.id, .totals = captured.totals});
    }
  }
  for (Captured& captured : captures_) {
    if (captured.stage == Stage::over) retired_.push_back(std::move(captured.region));
  }
  std::erase_if(captures_, [](const Captured& one) { return one.stage == Stage::over; });
  return totals;
}

void LiveCaptures::finishAll(EndReason reason) {
  stopping_ = true;
  for (Captured& captured : captures_) {
    if (captured.stage != Stage::ending && captured.stage != Stage::over) end(captured, reason);
  }
}

void LiveCaptures::killAll() {
  for (Captured& captured : captures_) {
    const SupervisorRequest request{.ask = SupervisorAsk::killCapture, .captureId = captured.entry.id};
    sendMessage(options_.supervisor, request);
    captured.stage = Stage::over;
    captured.asked = false;
    captured.channel.reset();
  }
}

std::vector<Problem> LiveCaptures::degraded(std::uint64_t nowMs) const {
  std::vector<Problem> reasons;
  std::vector<std::string> dropped;
  std::vector<std::string> full;
  for (const Captured& captured : captures_) {
    if (captured.droppedAtMs != 0 && nowMs - captured.droppedAtMs < kTroubleShownMs)
      dropped.push_back(captured.entry.name);
    if (captured.fullAtMs != 0 && nowMs - captured.fullAtMs < kTroubleShownMs) full.push_back(captured.entry.name);
  }
  for (const auto& [index, retry] : retries_) {
    if (retry.problem && !isCaptured(static_cast<int>(index))) {
      reasons.push_back({"interfaceFailed", retry.problem->message, retry.problem->fix});
    }
  }
  std::vector<std::string> restarted;
  for (const auto& [name, sinceMs] : restartedMs_) {
    if (nowMs - sinceMs < kRestartShownMs) restarted.push_back(name);
  }
  if (!dropped.empty()) reasons.push_back(problems::packetsDropped(joined(dropped)));
  if (!full.empty()) reasons.push_back(problems::flowTableFull(joined(full)));
  if (!restarted.empty()) reasons.push_back(problems::captureRestarted(joined(restarted)));
  return reasons;
}

void LiveCaptures::tell(const Captured& captured) const {
  if (announced_) options_.changed(captured.entry);
}

LiveCaptures::Captured* LiveCaptures::find(std::uint32_t id) {
  const auto found =
      std::find_if(captures_.begin(), captures_.end(), [&](const Captured& one) { return one.entry.id == id; });
  return found == captures_.end() ? nullptr : &*found;
}

}  // namespace netloupe
