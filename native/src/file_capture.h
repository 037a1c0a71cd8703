// The front's side of read mode: one reader process instead of capture processes, ticks in recorded time.
#pragma once

#include <poll.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "channel.h"
#include "events.h"
#include "output_queue.h"
#include "requests.h"
#include "role_channels.h"
#include "tick_region.h"

namespace netloupe {

class FileCapture {
 public:
  explicit FileCapture(int supervisor) : supervisor_(supervisor) {}

  /// What the reader said, in the order in which it must be told on.
  struct Opened {};
  struct NewInterface {
    InterfaceEntry entry;
  };
  struct TickEnded {
    std::uint64_t timeMs = 0;
    std::vector<TickInterface> interfaces;
  };
  struct Ended {
    std::uint64_t packets = 0;
    std::uint64_t offsetBytes = 0;
    std::optional<Problem> damage;
  };
  struct Failed {
    Problem problem;
  };
  using News = std::variant<Opened, NewInterface, TickEnded, Ended, Failed>;

  void start(const StartOptions& start);
  void supervisorSaid(const SupervisorEvent& event, PassedFds& fds);

  /// To be polled for reading; -1 while there is nothing to hear.
  int fd() const { return channel_ && !over_ && !holdsRegion_ ? channel_.get() : -1; }

  /// Takes what the reader says until a tick's records wait to be queued. `tick` numbers the batches.
  std::vector<News> read(std::uint32_t tick, OutputQueue& output);

  /// The queued records have been written: the reader may go on.
  void released();

  /// Ends reading; the last tick follows.
  void finish(EndReason reason);

  bool isRunning() const { return started_ && !over_; }

 private:
  int supervisor_;
  StartOptions start_;
  Fd channel_;
  TickRegion region_;
  std::map<std::uint32_t, CaptureTotals> totals_;
  std::vector<News> pending_;
  bool started_ = false;
  bool holdsRegion_ = false;  // the records of a tick are being written
  bool over_ = false;
};

}  // namespace netloupe
