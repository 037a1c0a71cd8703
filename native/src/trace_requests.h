// The front's side of traces: hands the application's requests to the prober, which is started for the first of them,
// and what the prober says back.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "channel.h"
#include "events.h"
#include "fd.h"
#include "probe_channel.h"
#include "requests.h"

namespace netloupe {

class TraceRequests {
 public:
  using Say = std::function<void(const std::string& json)>;

  /// `supervisor`: where a prober is asked for. `program`: path of this binary.
  TraceRequests(int supervisor, std::string program, Say say)
      : supervisor_(supervisor), program_(std::move(program)), say_(std::move(say)) {}

  /// Answers now or later.
  void handle(const Request& request);

  bool isOpen(std::uint32_t token) const { return open_.contains(token); }
  std::size_t openRequests() const { return open_.size(); }

  int fd() const { return prober_ ? prober_.get() : -1; }
  void read();

  void proberStarted(Fd channel);
  /// Every trace is gone with it: requests fail, and each probe that was on the way is told as unsent.
  void proberEnded();

 private:
  struct Probe {
    std::uint32_t round = 0;
    std::uint8_t flow = 0;
    std::uint8_t ttl = 0;
    auto operator<=>(const Probe&) const = default;
  };
  using OpenProbes = std::multiset<Probe>;

  void send(const Request& request);
  void told(const ProberToFront& head, std::span<const ProbeItem> items);

  int supervisor_;
  std::string program_;
  Say say_;
  Fd prober_;
  bool asked_ = false;
  std::map<std::uint32_t, Request> open_;       // by token
  std::vector<std::uint32_t> waiting_;          // tokens that wait for the prober to start
  std::map<std::uint32_t, OpenProbes> traces_;  // by id
  std::uint32_t nextTraceId_ = 1;
};

}  // namespace netloupe
