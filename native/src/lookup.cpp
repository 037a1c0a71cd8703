// The look-up process: reads socket tables and /proc, never sees a packet. Its loop connects the capture processes'
// questions and the front's requests with the parts that answer them.

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include "bounds.h"
#include "channel.h"
#include "fd.h"
#include "flow_lookup.h"
#include "lookup_outbox.h"
#include "lookup_requests.h"
#include "owner_table.h"
#include "privileges.h"
#include "proc_sockets.h"
#include "role_channels.h"
#include "sandbox.h"
#include "socket_owners.h"
#include "socket_resolver.h"

namespace netloupe {

namespace {

// Ids that one look-up process may give; its successor begins behind them.
constexpr std::uint32_t kOwnerIdsPerGeneration = 1u << 24;

// Links of /proc/<pid>/fd that are read before the loop looks at its channels again: about 2 ms.
constexpr std::size_t kLinksPerTurn = 2048;
// Messages that are taken from one capture process per turn, so that none waits behind another's flood.
constexpr int kMessagesPerTurn = 16;
// Replies that a capture process has not taken yet; over it, nothing more is read from it.
constexpr std::size_t kMaxReplies = 4096;
// Capture processes come and go one by one; more channels than this are refused.
constexpr std::size_t kMaxChannels = 2 * kMaxInterfaces;

// Front and supervisor come first among the polled descriptors.
constexpr std::size_t kFixedPolls = 2;

constexpr std::uint64_t kLookAgainEveryUs = 250'000;
constexpr std::size_t kLookAgainOwners = 256;
// How long "overloaded" is said after it was last true.
constexpr std::uint64_t kOverloadedForUs = 5'000'000;

std::uint64_t clockUs(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(now.tv_nsec) / 1000;
}

std::uint64_t monotonicUs() {
  return clockUs(CLOCK_MONOTONIC);
}

struct CaptureChannel {
  std::uint32_t captureId = 0;
  Fd fd;
  std::vector<LookupReply> replies;
};

class Lookup {
 public:
  Lookup(int frontChannel, int supervisorChannel, std::uint32_t generation)
      : front_(frontChannel),
        supervisor_(supervisorChannel),
        proc_(::open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC)),
        sockets_(proc_.get(), seesAll()),
        owners_(proc_.get(), generation * kOwnerIdsPerGeneration + 1, bootTimeMs(),
                static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK)), kMaxOwners),
        resolver_(proc_.get()),
        socketOwners_(sockets_, owners_),
        flows_(resolver_, sockets_, socketOwners_, owners_),
        outbox_(frontChannel),
        requests_(proc_.get(), outbox_, sockets_, socketOwners_) {
    // The sockets that are open already are known before the first flow asks.
    sockets_.searchAll();
  }

  int run();

 private:
  static bool seesAll() {
    const Privileges privileges = currentPrivileges();
    return privileges.sysPtrace && privileges.dacReadSearch;
  }

  void wait();
  bool readSupervisor();
  bool readFront();
  void readCaptures(std::uint64_t nowUs);
  bool readCapture(CaptureChannel& channel);
  void search(std::uint64_t nowUs);
  void lookAgain(std::uint64_t nowUs);
  void tellDegraded(std::uint64_t nowUs);
  bool send();
  void sendReplies(CaptureChannel& channel);
  void hand(std::vector<AnsweredLookup>& answered);

  int front_;
  int supervisor_;
  Fd proc_;
  ProcSockets sockets_;
  OwnerTable owners_;
  SocketResolver resolver_;
  SocketOwners socketOwners_;
  FlowLookup flows_;
  LookupOutbox outbox_;
  LookupRequests requests_;
  std::vector<CaptureChannel> captures_;
  std::vector<pollfd> polls_;
  std::vector<AskedLookup> asked_;
  std::vector<AnsweredLookup> answered_;
  std::uint64_t lookedAgainUs_ = 0;
  std::uint32_t degraded_ = 0;
  bool moreRequests_ = false;
};

int Lookup::run() {
  for (;;) {
    wait();
    const std::uint64_t nowUs = monotonicUs();
    if (!readSupervisor() || !readFront()) return 0;
    readCaptures(nowUs);
    search(nowUs);
    // Owners that an answer names must be announced before it, see send().
    moreRequests_ = outbox_.announced() && requests_.step(nowUs);
    lookAgain(nowUs);
    tellDegraded(nowUs);
    if (!send()) return 0;
  }
}

void Lookup::wait() {
  polls_.clear();
  polls_.push_back({front_, static_cast<short>(outbox_.empty() ? POLLIN : POLLIN | POLLOUT), 0});
  polls_.push_back({supervisor_, POLLIN, 0});
  for (const CaptureChannel& channel : captures_) {
    short events = channel.replies.size() < kMaxReplies ? POLLIN : 0;
    if (!channel.replies.empty() && outbox_.announced()) events = static_cast<short>(events | POLLOUT);
    polls_.push_back({channel.fd.get(), events, 0});
  }
  const std::uint64_t nowUs = monotonicUs();
  std::uint64_t dueUs = sockets_.nextWorkUs();
  if (moreRequests_) dueUs = 0;
  if (owners_.size() > 0) dueUs = std::min(dueUs, lookedAgainUs_ + kLookAgainEveryUs);
  if ((degraded_ & kLookupDegradedOverloaded) != 0) dueUs = std::min(dueUs, flows_.overloadedUs() + kOverloadedForUs);
  int timeoutMs = -1;
  if (dueUs != std::numeric_limits<std::uint64_t>::max()) {
    timeoutMs = dueUs <= nowUs ? 0 : static_cast<int>(std::min<std::uint64_t>((dueUs - nowUs + 999) / 1000, 60'000));
  }
  ::poll(polls_.data(), polls_.size(), timeoutMs);
}

bool Lookup::readSupervisor() {
  for (;;) {
    NewChannel news;
    PassedFds fds;
    switch (receiveMessage(supervisor_, news, &fds)) {
      case Received::wouldBlock:
        return true;
      case Received::closed:
      case Received::malformed:
        return false;
      case Received::message:
        break;
    }
    if (fds[0] && captures_.size() < kMaxChannels) captures_.push_back({news.captureId, std::move(fds[0]), {}});
  }
}

bool Lookup::readFront() {
  for (;;) {
    LookupQuery query;
    switch (receiveMessage(front_, query)) {
      case Received::wouldBlock:
        return true;
      case Received::closed:
      case Received::malformed:
        return false;
      case Received::message:
        requests_.add(query);
    }
  }
}

void Lookup::readCaptures(std::uint64_t nowUs) {
  asked_.clear();
  // A channel that is held back for its replies is not read: that its other end is gone shows here only.
  for (std::size_t i = 0; i < captures_.size() && i + kFixedPolls < polls_.size(); ++i) {
    if ((polls_[i + kFixedPolls].revents & (POLLHUP | POLLERR)) != 0) captures_[i].replies.clear();
  }
  std::erase_if(captures_, [&](CaptureChannel& channel) {
    if (readCapture(channel)) return false;
    flows_.forget(channel.captureId);
    return true;
  });
  if (asked_.empty()) return;
  flows_.ask(asked_, nowUs, answered_);
  hand(answered_);
}

/// False: the capture process has ended, or says what no capture process says.
bool Lookup::readCapture(CaptureChannel& channel) {
  std::array<LookupRequest, kLookupRequestsPerMessage> requests;
  for (int i = 0; i < kMessagesPerTurn && channel.replies.size() < kMaxReplies; ++i) {
    const ssize_t length = ::recv(channel.fd.get(), requests.data(), sizeof requests, MSG_DONTWAIT | MSG_TRUNC);
    if (length < 0) return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
    const auto bytes = static_cast<std::size_t>(length);
    if (bytes == 0 || bytes > sizeof requests || bytes % sizeof(LookupRequest) != 0) return false;
    for (const LookupRequest& request : std::span(requests).first(bytes / sizeof(LookupRequest))) {
      asked_.push_back({channel.captureId, request});
    }
  }
  return true;
}

void Lookup::search(std::uint64_t nowUs) {
  sockets_.probe(nowUs);
  flows_.settle(nowUs, answered_);
  if (sockets_.isSearchDue(nowUs)) flows_.recheck(nowUs, answered_);
  if (sockets_.nextWorkUs() <= nowUs) {
    // Time on the processor: on a busy machine the search itself must not wait longer for having waited.
    const std::uint64_t beganUs = clockUs(CLOCK_THREAD_CPUTIME_ID);
    sockets_.work(nowUs, kLinksPerTurn);
    sockets_.spent(clockUs(CLOCK_THREAD_CPUTIME_ID) - beganUs);
  }
  flows_.settle(nowUs, answered_);
  hand(answered_);
}

void Lookup::hand(std::vector<AnsweredLookup>& answered) {
  for (const AnsweredLookup& one : answered) {
    const auto channel = std::ranges::find(captures_, one.captureId, &CaptureChannel::captureId);
    if (channel != captures_.end()) channel->replies.push_back(one.reply);
  }
  answered.clear();
}

void Lookup::lookAgain(std::uint64_t nowUs) {
  // Not while the front takes nothing: news would pile up here.
  if (nowUs - lookedAgainUs_ < kLookAgainEveryUs || !outbox_.announced()) return;
  lookedAgainUs_ = nowUs;
  owners_.lookAgain(kLookAgainOwners, nowUs);
}

void Lookup::tellDegraded(std::uint64_t nowUs) {
  const bool overloaded = flows_.overloadedUs() != 0 && nowUs - flows_.overloadedUs() < kOverloadedForUs;
  std::uint32_t bits = overloaded ? kLookupDegradedOverloaded : 0;
  if (!resolver_.hasSockDiag()) bits |= kLookupDegradedSocketDiagUnavailable;
  if (owners_.isFull()) bits |= kLookupDegradedOwnerTableFull;
  if (bits == degraded_) return;
  degraded_ = bits;
  outbox_.degraded(bits);
}

bool Lookup::send() {
  if (outbox_.announced()) {
    for (const std::string& text : owners_.takeAnnouncements(kMaxLookupMessageBytes - sizeof(FrameHeader)))
      outbox_.announce(text);
  }
  if (!outbox_.flush()) return false;
  // A reply may name any owner that is known by now: all of them must be with the front first.
  if (!outbox_.announced() || owners_.hasAnnouncements()) return true;
  for (CaptureChannel& channel : captures_) sendReplies(channel);
  return true;
}

void Lookup::sendReplies(CaptureChannel& channel) {
  std::size_t sent = 0;
  while (sent < channel.replies.size()) {
    const auto part = std::as_bytes(
        std::span(channel.replies).subspan(sent, std::min(kLookupRepliesPerMessage, channel.replies.size() - sent)));
    // A closed channel is noticed when it is read next.
    if (::send(channel.fd.get(), part.data(), part.size(), MSG_NOSIGNAL | MSG_DONTWAIT) < 0) break;
    sent += part.size() / sizeof(LookupReply);
  }
  channel.replies.erase(channel.replies.begin(), channel.replies.begin() + static_cast<std::ptrdiff_t>(sent));
}

}  // namespace

int runLookup(int frontChannel, int supervisorChannel, std::uint32_t generation) {
  // All that needs socket(2) is opened by the constructor, before the sandbox closes.
  auto lookup = std::make_unique<Lookup>(frontChannel, supervisorChannel, generation);
  if (!closeSandbox(Role::lookup)) return 1;
  return lookup->run();
}

}  // namespace netloupe
