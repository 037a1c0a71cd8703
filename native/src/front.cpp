#include "front.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <map>
#include <optional>
#include <vector>

#include "channel.h"
#include "events.h"
#include "file_capture.h"
#include "link_watch.h"
#include "live_captures.h"
#include "output_queue.h"
#include "problems.h"
#include "requests.h"
#include "role_channels.h"
#include "sandbox.h"
#include "trace_requests.h"
#include "wire.h"

namespace netloupe {

namespace {

/// How long the last words may take when the reader is slow.
constexpr std::uint64_t kLastWordsMs = 500;

/// How long capture processes may take to open their interfaces, and to give their last records when capture stops.
constexpr std::uint64_t kOpenMs = 5000;
constexpr std::uint64_t kFinishMs = 2000;

/// A promised tick that waits for the reader looks again this often.
constexpr std::uint64_t kConsumedPollMs = 5;

/// Reasons are looked at again this often: some go by themselves.
constexpr std::uint64_t kDegradedMs = 1000;

std::uint64_t clockMs(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1000 + static_cast<std::uint64_t>(now.tv_nsec) / 1'000'000;
}

class Front {
 public:
  Front(const FrontOptions& options, Fd supervisor)
      : options_(options),
        supervisor_(std::move(supervisor)),
        output_(STDOUT_FILENO),
        captures_({.supervisor = supervisor_.get(),
                   .program = options.program,
                   .links = &links_,
                   .changed = [this](const InterfaceEntry& entry) { say(events::interfaceChanged(entry)); }}),
        file_(supervisor_.get()),
        traces_(supervisor_.get(), options.program, [this](const std::string& json) { say(json); }) {}

  int run() {
    if (live()) {
      links_.emplace();
      if (!links_->isOpen()) {
        std::fprintf(stderr, "netloupe-helper: the kernel gives no rtnetlink socket\n");
        return kExitFailed;
      }
    }
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO}) fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    if (!keepOnly({}, false) || !closeSandbox(Role::front)) return kExitFailed;
    if (live()) awaitLookup();
    say(events::hello(options_));
    while (!exitCode_) turn();
    lastWords();
    return *exitCode_;
  }

 private:
  enum class TickStage { waiting, asked, writing };

  bool live() const { return options_.mode == Mode::live; }

  void say(const std::string& json) { output_.push(controlFrame(json)); }

  void end(int code) {
    if (!exitCode_) exitCode_ = code;
  }

  void fatal(const Problem& problem, int code) {
    if (exitCode_) return;
    say(events::fatalError(problem));
    end(code);
  }

  void lastWords() {
    const std::uint64_t deadline = clockMs(CLOCK_MONOTONIC) + kLastWordsMs;
    while (output_.flush() && !output_.empty()) {
      const std::uint64_t now = clockMs(CLOCK_MONOTONIC);
      if (now >= deadline) return;
      pollfd wait{.fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0};
      poll(&wait, 1, static_cast<int>(deadline - now));
    }
  }

  void turn() {
    polls_.clear();
    const bool reads = output_.ownedBytes() < kMaxQueuedControlBytes;
    const auto add = [&](int fd, short events) { polls_.push_back({.fd = fd, .events = events, .revents = 0}); };
    add(reads ? STDIN_FILENO : -1, POLLIN);
    // With nothing to write it is still watched: POLLERR says that nobody reads any more.
    add(STDOUT_FILENO, output_.empty() ? 0 : POLLOUT);
    add(supervisor_.get(), POLLIN);
    add(reads && lookup_ ? lookup_.get() : -1, POLLIN);
    add(links_ ? links_->fd() : -1, POLLIN);
    add(file_.fd(), output_.empty() ? POLLIN : 0);
    add(reads ? traces_.fd() : -1, POLLIN);
    captures_.addPolls(polls_);
    if (poll(polls_.data(), polls_.size(), pauseMs()) < 0 && errno != EINTR) return end(kExitFailed);

    nowMs_ = clockMs(CLOCK_MONOTONIC);
    if ((polls_[1].revents & (POLLERR | POLLNVAL)) != 0) return end(kExitDone);
    captures_.readable(std::span(polls_).subspan(7), nowMs_);
    if (polls_[2].revents != 0) readSupervisor();
    if (polls_[3].revents != 0) readLookup();
    if (polls_[4].revents != 0) readLinks();
    if (polls_[6].revents != 0) traces_.read();
    if (polls_[0].revents != 0) readInput();
    if (exitCode_) return;
    captures_.openDue(nowMs_);
    answerStart();
    if (live()) {
      pace();
    } else {
      readFile();
    }
    if (acknowledged_ && nowMs_ >= degradedDueMs_) tellDegraded();
    if (!output_.flush()) end(kExitDone);
    if (output_.empty()) written();
  }

  int pauseMs() const {
    std::uint64_t due = captures_.nextDueMs();
    if (acknowledged_) due = std::min(due, degradedDueMs_);
    if (startToken_ != 0) due = std::min(due, startDeadlineMs_);
    const std::uint64_t now = clockMs(CLOCK_MONOTONIC);
    // A tick that is due and still stands waits for the reader: writing wakes the loop, but not the reader's taking the
    // rest.
    if (running_ && live() && tickDueMs_ > now) {
      due = std::min(due, tickDueMs_);
    } else if (running_ && live() && output_.empty()) {
      due = std::min(due, now + kConsumedPollMs);
    }
    if (stopToken_ != 0 && stopDeadlineMs_ > now) due = std::min(due, stopDeadlineMs_);
    if (due == UINT64_MAX) return -1;
    return due <= now ? 0 : static_cast<int>(std::min<std::uint64_t>(due - now, 60'000));
  }

  // --- the application

  void readInput() {
    std::array<char, 16384> bytes;
    const ssize_t length = ::read(STDIN_FILENO, bytes.data(), bytes.size());
    if (length < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (length <= 0) return end(kExitDone);
    input_.feed(std::span(bytes).first(static_cast<std::size_t>(length)));
    std::string_view json;
    while (!exitCode_ && input_.next(json)) message(json);
    switch (input_.error()) {
      case FrameReader::Error::none:
        break;
      case FrameReader::Error::badFrame:
        fatal(problems::badFrame("unknown type, or flags that are not 0"), kExitBadInput);
        break;
      case FrameReader::Error::frameTooLarge:
        fatal(problems::frameTooLarge(), kExitBadInput);
        break;
    }
  }

  void message(std::string_view json) {
    const ControlMessage message = parseControl(json, !live());
    if (const auto* error = std::get_if<RequestError>(&message)) {
      const Problem problem{error->code, error->message, error->fix};
      if (error->token == 0) return fatal(problem, kExitBadInput);
      if (!acknowledged_) return fatal(problems::badSequence("A request came before `helloAck`."), kExitBadInput);
      return say(events::error(error->token, problem));
    }
    if (const auto* ack = std::get_if<HelloAck>(&message)) {
      if (acknowledged_) return fatal(problems::badSequence("`helloAck` came twice."), kExitBadInput);
      if (ack->major != kProtocolMajor) return fatal(problems::protocolMismatch(ack->major), kExitProtocolMismatch);
      acknowledged_ = true;
      return tellDegraded();
    }
    if (!acknowledged_) return fatal(problems::badSequence("A request came before `helloAck`."), kExitBadInput);
    handle(std::get<Request>(message));
  }

  std::size_t openRequests() const {
    return lookups_.size() + traces_.openRequests() + (startToken_ != 0 ? 1 : 0) + (stopToken_ != 0 ? 1 : 0);
  }

  bool isOpen(std::uint32_t token) const {
    return lookups_.contains(token) || traces_.isOpen(token) || startToken_ == token || stopToken_ == token;
  }

  void handle(const Request& request) {
    if (isOpen(request.token)) {
      return fatal(problems::badSequence("The token " + std::to_string(request.token) +
                                         " belongs to a request that is still open."),
                   kExitBadInput);
    }
    if (openRequests() >= kMaxOpenRequests) return refuse(request, problems::tooManyRequests());
    switch (request.kind) {
      case RequestKind::start:
        return start(request);
      case RequestKind::configure:
        return configure(request);
      case RequestKind::stop:
        return stop(request);
      case RequestKind::snapshot:
        return snapshot(request);
      case RequestKind::sockets:
        return lookUp(request, LookupAsk::sockets);
      case RequestKind::interfaces:
        return lookUp(request, LookupAsk::interfaces);
      case RequestKind::routes:
        return lookUp(request, LookupAsk::routes);
      case RequestKind::neighbors:
        return lookUp(request, LookupAsk::neighbors);
      case RequestKind::traceOpen:
      case RequestKind::traceProbes:
      case RequestKind::traceClose:
        if (!live()) return refuse(request, problems::notInReadMode(requestName(request.kind)));
        return traces_.handle(request);
    }
  }

  void refuse(const Request& request, const Problem& problem) { say(events::error(request.token, problem)); }

  void start(const Request& request) {
    if (running_ || startToken_ != 0) return refuse(request, problems::alreadyStarted());
    if (live()) {
      if (!options_.privileges.netRaw) return refuse(request, problems::needsNetRaw(options_.program));
      if (const auto problem = captures_.start(request.start, nowMs_)) return refuse(request, *problem);
    } else {
      if (fileTaken_) return refuse(request, problems::alreadyStarted());  // a file is read once per run
      fileTaken_ = true;
      file_.start(request.start);
    }
    tickMs_ = request.start.tickMs;
    startToken_ = request.token;
    startDeadlineMs_ = nowMs_ + kOpenMs;
  }

  /// `start` is answered when every interface is open or has failed, so that its answer tells the truth about each.
  void answerStart() {
    if (startToken_ == 0 || !live() || (!captures_.settled() && nowMs_ < startDeadlineMs_)) return;
    say(events::replyInterfaces(std::exchange(startToken_, 0), captures_.announce()));
    running_ = true;
    tickDueMs_ = nowMs_ + tickMs_;
  }

  void configure(const Request& request) {
    if (!running_ || stopToken_ != 0) return refuse(request, problems::notStarted());
    tickMs_ = request.tickMs;
    tickDueMs_ = nowMs_ + tickMs_;
    say(events::reply(request.token, request.kind));
  }

  void stop(const Request& request) {
    if (!running_ || stopToken_ != 0) return refuse(request, problems::notStarted());
    stopToken_ = request.token;
    stopDeadlineMs_ = nowMs_ + kFinishMs;
    if (live()) {
      captures_.finishAll(EndReason::captureStopped);
      tickDueMs_ = nowMs_;
    } else {
      file_.finish(EndReason::captureStopped);
    }
  }

  void snapshot(const Request& request) {
    if (!running_ || stopToken_ != 0) return refuse(request, problems::notStarted());
    if (!live()) return refuse(request, problems::notInReadMode("snapshot"));
    // The tick that is being asked has already chosen its flows; the next one is meant, and it will not be skipped.
    say(events::replyTick(request.token, tickStage_ == TickStage::waiting ? tick_ : tick_ + 1));
    everyFlow_ = true;
  }

  // --- the look-up process

  void lookUp(const Request& request, LookupAsk ask) {
    if (!live()) return refuse(request, problems::notInReadMode(requestName(request.kind)));
    const LookupQuery query{.ask = ask, .token = request.token};
    if (!lookup_ || sendMessage(lookup_.get(), query) != Sent::ok) return refuse(request, problems::lookupRestarting());
    lookups_[request.token] = request.kind;
  }

  /// Forwards what the look-up process says; stops when the application reads too slowly, and then that process waits.
  /// True when it has nothing more to say.
  bool readLookup() {
    while (lookup_) {
      if (output_.ownedBytes() >= kMaxQueuedControlBytes) return false;
      LookupToFront head;
      std::size_t length = 0;
      switch (receiveMessage(lookup_.get(), head, std::as_writable_bytes(std::span(lookupBuffer_)), length)) {
        case Received::wouldBlock:
          return true;
        case Received::closed:
        case Received::malformed:
          lookup_.reset();
          return true;  // the supervisor starts another
        case Received::message:
          break;
      }
      switch (head.told) {
        case LookupTold::frame:
          output_.push(std::string(lookupBuffer_.data(), length));
          break;
        case LookupTold::done:
          if (const auto open = lookups_.extract(head.token))
            say(events::replyCount(head.token, open.mapped(), head.count));
          break;
        case LookupTold::failed:
          if (lookups_.erase(head.token) > 0) {
            say(events::error(head.token,
                              {"internal", cleanText({lookupBuffer_.data(), length}, 512), "Ask again in a moment."}));
          }
          break;
        case LookupTold::degraded:
          lookupDegraded_ = head.count;
          degradedDueMs_ = 0;
          break;
      }
    }
    return true;
  }

  // --- the other processes and the kernel

  /// The first requests may come right behind `helloAck`: whoever answers them must be there.
  void awaitLookup() {
    const std::uint64_t deadline = nowMs_ + kOpenMs;
    for (std::uint64_t now = nowMs_; !lookup_ && !exitCode_ && now < deadline; now = clockMs(CLOCK_MONOTONIC)) {
      pollfd wait{.fd = supervisor_.get(), .events = POLLIN, .revents = 0};
      poll(&wait, 1, static_cast<int>(deadline - now));
      if (wait.revents != 0) readSupervisor();
    }
  }

  void readSupervisor() {
    for (;;) {
      SupervisorEvent event;
      PassedFds fds;
      switch (receiveMessage(supervisor_.get(), event, &fds)) {
        case Received::wouldBlock:
          return;
        case Received::closed:
        case Received::malformed:
          return end(kExitDone);
        case Received::message:
          break;
      }
      switch (event.told) {
        case SupervisorTold::lookupStarted:
          lookup_ = std::move(fds[0]);
          break;
        case SupervisorTold::lookupEnded:
          readLookup();
          lookup_.reset();
          lookupDegraded_ = 0;
          for (const auto& [token, kind] : lookups_) say(events::error(token, problems::lookupRestarting()));
          lookups_.clear();
          break;
        case SupervisorTold::proberStarted:
          traces_.proberStarted(std::move(fds[0]));
          break;
        case SupervisorTold::proberEnded:
          traces_.proberEnded();
          break;
        default:
          if (live()) {
            captures_.supervisorSaid(event, fds, nowMs_);
          } else {
            file_.supervisorSaid(event, fds);
          }
          degradedDueMs_ = 0;
      }
    }
  }

  void readLinks() {
    const bool works = links_->read([this](const LinkEvent& event) { captures_.linkChanged(event, nowMs_); });
    if (!works) {
      std::fprintf(stderr, "netloupe-helper: rtnetlink failed: interfaces are not watched any more\n");
      links_.reset();
    }
  }

  // --- ticks

  void pace() {
    if (!running_) return;
    if (stopToken_ != 0 && nowMs_ >= stopDeadlineMs_) captures_.killAll();
    closeTickIfComplete();
    if (nowMs_ < tickDueMs_) return;
    if (tickStage_ == TickStage::waiting && output_.consumed()) {
      captures_.askTick(std::exchange(everyFlow_, false));
      tickStage_ = TickStage::asked;
      nextTickDue();
      closeTickIfComplete();  // nobody may have been asked
    } else if (!everyFlow_ && stopToken_ == 0 && tickStage_ != TickStage::asked) {
      ++tick_;  // skipped: the reader is slow, and the gap tells it so. A promised snapshot and the last tick are put
                // off instead.
      nextTickDue();
    }
  }

  void closeTickIfComplete() {
    // One that has not answered within a whole tick is left out of this one.
    if (tickStage_ == TickStage::asked && (captures_.allAnswered() || nowMs_ >= tickDueMs_)) closeTick();
  }

  void nextTickDue() {
    tickDueMs_ += tickMs_;
    if (tickDueMs_ <= nowMs_) tickDueMs_ = nowMs_ + tickMs_;  // after a suspend: no burst of ticks
  }

  void closeTick() {
    // Owners are announced before a capture process learns of them: with this channel empty, every owner that the
    // records name is out.
    if (!readLookup()) return;
    const std::vector<TickInterface> interfaces = captures_.collect(tick_, output_);
    say(events::tick(tick_, clockMs(CLOCK_REALTIME), interfaces));
    ++tick_;
    tickStage_ = TickStage::writing;
    if (stopToken_ == 0) return;
    if (captures_.isEmpty()) {
      running_ = false;
      say(events::reply(std::exchange(stopToken_, 0), RequestKind::stop));
    } else {
      tickDueMs_ = nowMs_;
    }
  }

  /// Everything queued is out.
  void written() {
    if (tickStage_ == TickStage::writing) tickStage_ = TickStage::waiting;
    captures_.released();
    file_.released();
  }

  void readFile() {
    if (!output_.empty()) return;
    for (FileCapture::News& news : file_.read(tick_, output_)) {
      if (auto* interface = std::get_if<FileCapture::NewInterface>(&news)) {
        if (startToken_ != 0) {
          fileInterfaces_.push_back(std::move(interface->entry));
        } else {
          say(events::interfaceChanged(interface->entry));
        }
      } else if (std::holds_alternative<FileCapture::Opened>(news)) {
        say(events::replyInterfaces(std::exchange(startToken_, 0), fileInterfaces_));
        running_ = true;
      } else if (auto* ended = std::get_if<FileCapture::TickEnded>(&news)) {
        say(events::tick(tick_++, ended->timeMs, ended->interfaces));
      } else if (auto* over = std::get_if<FileCapture::Ended>(&news)) {
        say(events::endOfFile(over->packets, over->offsetBytes, over->damage));
        fileOver();
      } else if (auto* failed = std::get_if<FileCapture::Failed>(&news)) {
        if (startToken_ != 0) {
          say(events::error(std::exchange(startToken_, 0), failed->problem));
        } else if (running_) {
          fatal(failed->problem, kExitFailed);
        }
        fileOver();
      }
    }
  }

  void fileOver() {
    running_ = false;
    if (stopToken_ != 0) say(events::reply(std::exchange(stopToken_, 0), RequestKind::stop));
  }

  // --- what is missing

  void tellDegraded() {
    degradedDueMs_ = nowMs_ + kDegradedMs;
    std::vector<Problem> reasons;
    if (live()) {
      if (!options_.privileges.netRaw) reasons.push_back(problems::needsNetRaw(options_.program));
      if (!options_.privileges.sysPtrace) reasons.push_back(problems::needsSysPtrace(options_.program));
      if (!options_.privileges.dacReadSearch) reasons.push_back(problems::needsDacReadSearch(options_.program));
      for (Problem& reason : captures_.degraded(nowMs_)) reasons.push_back(std::move(reason));
      if ((lookupDegraded_ & kLookupDegradedOverloaded) != 0) reasons.push_back(problems::lookupOverloaded());
      if ((lookupDegraded_ & kLookupDegradedSocketDiagUnavailable) != 0)
        reasons.push_back(problems::socketDiagUnavailable());
      if ((lookupDegraded_ & kLookupDegradedOwnerTableFull) != 0) reasons.push_back(problems::ownerTableFull());
    }
    if (told_ && *told_ == reasons) return;
    told_ = std::move(reasons);
    say(events::degraded(*told_));
  }

  const FrontOptions options_;
  Fd supervisor_;
  Fd lookup_;
  std::optional<LinkWatch> links_;
  FrameReader input_;
  OutputQueue output_;
  LiveCaptures captures_;
  FileCapture file_;
  TraceRequests traces_;
  std::vector<pollfd> polls_;
  std::vector<char> lookupBuffer_ = std::vector<char>(kMaxLookupMessageBytes);
  std::uint64_t nowMs_ = clockMs(CLOCK_MONOTONIC);
  std::optional<int> exitCode_;
  bool acknowledged_ = false;

  bool running_ = false;
  std::uint32_t startToken_ = 0;  // 0: not open; likewise the others
  std::uint64_t startDeadlineMs_ = 0;
  std::uint32_t stopToken_ = 0;
  std::uint64_t stopDeadlineMs_ = 0;
  std::map<std::uint32_t, RequestKind> lookups_;

  TickStage tickStage_ = TickStage::waiting;
  std::uint32_t tick_ = 1;
  std::uint32_t tickMs_ = 1000;
  std::uint64_t tickDueMs_ = 0;
  bool everyFlow_ = false;

  bool fileTaken_ = false;
  std::vector<InterfaceEntry> fileInterfaces_;

  std::uint32_t lookupDegraded_ = 0;
  std::uint64_t degradedDueMs_ = 0;
  std::optional<std::vector<Problem>> told_;
};

}  // namespace

int runFront(const FrontOptions& options, Fd supervisor) {
  return Front(options, std::move(supervisor)).run();
}

}  // namespace netloupe
