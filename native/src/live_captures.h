// The front's picture of what is captured: which interfaces, in which state, by which capture process; hot-plug,
// restarts and the collection of each tick's records.
#pragma once

#include <poll.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "channel.h"
#include "events.h"
#include "link_watch.h"
#include "output_queue.h"
#include "requests.h"
#include "role_channels.h"

namespace netloupe {

class LiveCaptures {
 public:
  struct Options {
    int supervisor = -1;                              // channel of role_channels.h
    std::string program;                              // for the command that grants capabilities
    const std::optional<LinkWatch>* links = nullptr;  // empty: not watched (any more)
    /// Called when an interface appeared, changed or went, once the answer to `start` is out.
    std::function<void(const InterfaceEntry&)> changed;
  };

  explicit LiveCaptures(Options options) : options_(std::move(options)) {}

  /// Begins to open what `start` asks for, or says why not.
  std::optional<Problem> start(const StartOptions& start, std::uint64_t nowMs);

  /// Every interface has been opened or has failed.
  bool settled() const;

  /// What the answer to `start` says; from here on changes are told.
  std::vector<InterfaceEntry> announce();

  // What happened outside.
  void supervisorSaid(const SupervisorEvent& event, PassedFds& fds, std::uint64_t nowMs);
  void linkChanged(const LinkEvent& event, std::uint64_t nowMs);
  /// Opens what hot-plug or a restart made due.
  void openDue(std::uint64_t nowMs);
  std::uint64_t nextDueMs() const;

  /// Adds a descriptor per capture process; readable() takes them back in the same order.
  void addPolls(std::vector<pollfd>& polls) const;
  void readable(std::span<const pollfd> polls, std::uint64_t nowMs);

  // One tick.
  void askTick(bool everyFlow);
  bool allAnswered() const;
  /// Queues the records that have been answered and gives the interfaces' totals; interfaces that are over are
  /// forgotten after it. The queue refers to the regions until it is empty; call released() then. No tick may be asked
  /// before the reader has consumed it.
  std::vector<TickInterface> collect(std::uint32_t tick, OutputQueue& output);
  void released() { retired_.clear(); }

  /// Ends every capture; the next ticks carry the last records, until isEmpty().
  void finishAll(EndReason reason);
  /// Ends what still has not answered, by force.
  void killAll();
  bool isEmpty() const { return captures_.empty(); }

  /// Degraded reasons about captures, at this moment.
  std::vector<Problem> degraded(std::uint64_t nowMs) const;

 private:
  enum class Stage {
    waiting,  // its link is down: no process yet
    opening,  // a process was asked for
    running,
    ending,  // the link went or capture stops: last records are to come
    over     // no process any more; its totals go into one more tick
  };

  struct Captured {
    InterfaceEntry entry;
    Stage stage = Stage::opening;
    Fd channel;
    Fd region;  // of tick_region.h; only its pages are passed on, the front never looks into them
    EndReason endReason = EndReason::alive;
    CaptureTotals totals;
    std::uint32_t ready = 0;  // records in the region, answered and not yet queued
    bool asked = false;       // a tick was asked for and is not answered
    bool finishSent = false;
    bool lastAnswer = false;
    bool everyFlow = false;
    bool addressesStale = false;
    std::uint64_t openedMs = 0;
    std::uint64_t droppedAtMs = 0;  // when drops were last seen to rise, 0 never
    std::uint64_t fullAtMs = 0;
  };

  /// Restart of one interface after failures.
  struct Retry {
    std::uint64_t dueMs = 0;  // kNever: trying again would fail again
    std::uint32_t pauseMs = 0;
    std::optional<Problem> problem;  // while it is not captured
  };
  static constexpr std::uint64_t kNever = UINT64_MAX;

  const std::map<int, WatchedLink>& links() const;
  bool wanted(const WatchedLink& link) const;
  bool isCaptured(int index) const;
  void open(const WatchedLink& link, std::uint64_t nowMs);
  void askSupervisor(Captured& captured, std::uint64_t nowMs);
  void refresh(Captured& captured, const WatchedLink& link) const;
  void sendAddresses(Captured& captured);
  void read(Captured& captured, std::uint64_t nowMs);
  void opened(Captured& captured, const CaptureToFront& message);
  void answered(Captured& captured, const CaptureToFront& message, std::uint64_t nowMs);
  void failed(Captured& captured, CaptureFailure failure, const std::string& sentence, std::uint64_t nowMs);
  void processEnded(Captured& captured, std::uint64_t nowMs);
  void retryLater(const Captured& captured, std::uint64_t nowMs);
  void end(Captured& captured, EndReason reason);
  void tell(const Captured& captured) const;
  Captured* find(std::uint32_t id);

  Options options_;
  StartOptions start_;
  bool announced_ = false;
  bool stopping_ = false;
  std::uint32_t lastId_ = 0;
  std::vector<Captured> captures_;
  std::vector<Fd> retired_;
  std::map<std::uint32_t, Retry> retries_;            // by interface index
  std::map<std::string, std::uint64_t> restartedMs_;  // by interface name
};

}  // namespace netloupe
