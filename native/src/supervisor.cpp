#include "supervisor.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <initializer_list>
#include <vector>

#include "capture.h"
#include "channel.h"
#include "probe_channel.h"
#include "reader.h"
#include "role_channels.h"
#include "sandbox.h"
#include "tick_region.h"

namespace netloupe {

namespace {

/// How long the front may take to write what it has after it was told to end.
constexpr std::uint64_t kGraceMs = 1000;

/// A process that lived this long was healthy: the next restart is quick again.
constexpr std::uint64_t kHealthyMs = 60'000;

std::uint64_t steadyMs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1000 + static_cast<std::uint64_t>(now.tv_nsec) / 1'000'000;
}

void closeRange(unsigned first, unsigned last) {
  if (first <= last) close_range(first, last, 0);
}

/// Closes every descriptor but standard error and `kept`, and puts /dev/null on standard input and output unless
/// `keepStandard`.
void keepDescriptors(std::vector<int> kept, int devNull, bool keepStandard) {
  if (!keepStandard) {
    dup2(devNull, STDIN_FILENO);
    dup2(devNull, STDOUT_FILENO);
  }
  std::sort(kept.begin(), kept.end());
  unsigned next = STDERR_FILENO + 1;
  for (const int fd : kept) {
    if (fd < static_cast<int>(next)) continue;
    closeRange(next, static_cast<unsigned>(fd) - 1);
    next = static_cast<unsigned>(fd) + 1;
  }
  closeRange(next, ~0u);
}

class Supervisor {
 public:
  Supervisor(const FrontOptions& options, Fd file) : options_(options), file_(std::move(file)), pid_(getpid()) {}

  int run() {
    devNull_ = Fd(::open("/dev/null", O_RDWR | O_CLOEXEC));
    sigset_t handled;
    sigemptyset(&handled);
    for (const int signal : {SIGCHLD, SIGTERM, SIGINT}) sigaddset(&handled, signal);
    sigprocmask(SIG_BLOCK, &handled, &inheritedSignals_);
    signals_ = Fd(signalfd(-1, &handled, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!devNull_ || !signals_) return startFailed();
    if (!keepOnly(options_.privileges, false) || !closeSandbox(Role::supervisor)) return kExitFailed;

    auto [mine, fronts] = makeChannel();
    if (!mine) return startFailed();
    front_ = std::move(mine);
    frontPid_ =
        start("netloupe-front", {fronts.get()}, true, [&, end = fronts.get()] { return runFront(options_, Fd(end)); });
    if (frontPid_ < 0) return startFailed();
    fronts.reset();
    // The front has them; the supervisor must not keep the application's pipes open.
    dup2(devNull_.get(), STDIN_FILENO);
    dup2(devNull_.get(), STDOUT_FILENO);
    if (options_.mode == Mode::live) startLookup();
    while (!ended_) turn();
    return exitCode_;
  }

 private:
  struct Child {
    std::uint32_t captureId = 0;
    std::uint32_t interfaceIndex = 0;
    pid_t pid = -1;
    Fd control;  // none for a file reader
  };

  int startFailed() {
    std::fprintf(stderr, "netloupe-helper: a process could not be started: %s\n", std::strerror(errno));
    return kExitFailed;
  }

  /// Forks. In the child: only `kept` stays open, and it dies with its parent. `body` gives the exit code.
  pid_t start(const char* name, std::vector<int> kept, bool keepStandard, const std::function<int()>& body) {
    const pid_t child = fork();
    if (child != 0) return child;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != pid_) _exit(kExitFailed);
    prctl(PR_SET_NAME, name);
    signal(SIGINT, SIG_IGN);  // from a terminal it goes to the whole group; the supervisor decides
    sigprocmask(SIG_SETMASK, &inheritedSignals_, nullptr);
    keepDescriptors(std::move(kept), devNull_.get(), keepStandard);
    _exit(body());
  }

  void startLookup() {
    auto [mine, theirs] = makeChannel();
    auto [frontEnd, lookupEnd] = makeChannel();
    lookupDueMs_ = 0;
    if (!mine || !frontEnd) return lookupLater();
    const std::uint32_t generation = lookupGeneration_++;
    const pid_t pid = start("netloupe-lookup", {theirs.get(), lookupEnd.get()}, false,
                            [this, generation, front = lookupEnd.get(), control = theirs.get()] {
                              const Privileges kept{.sysPtrace = options_.privileges.sysPtrace,
                                                    .dacReadSearch = options_.privileges.dacReadSearch};
                              if (!keepOnly(kept, true)) return kExitFailed;
                              return runLookup(front, control, generation);
                            });
    if (pid < 0) return lookupLater();
    lookup_ = Child{.pid = pid, .control = std::move(mine)};
    lookupStartedMs_ = steadyMs();
    tellFront({.told = SupervisorTold::lookupStarted}, {frontEnd.get()});
    for (Child& capture : captures_) connectLookup(capture);
  }

  void lookupLater() {
    lookupDueMs_ = steadyMs() + lookupPauseMs_;
    lookupPauseMs_ = std::min(lookupPauseMs_ * 2, kRestartLastMs);
  }

  /// Gives a running capture process its channel to the look-up process.
  void connectLookup(Child& capture) {
    if (lookup_.pid < 0 || !capture.control) return;
    auto [captureEnd, lookupEnd] = makeChannel();
    if (!captureEnd) return;
    const NewChannel message{.captureId = capture.captureId, .interfaceIndex = capture.interfaceIndex};
    sendMessage(lookup_.control.get(), message, {}, {lookupEnd.get()});
    sendMessage(capture.control.get(), message, {}, {captureEnd.get()});
  }

  void openCapture(const SupervisorRequest& request) {
    if (captures_.size() >= kMaxInterfaces) return refuse(request.captureId);
    auto [mine, theirs] = makeChannel();
    auto [frontEnd, captureEnd] = makeChannel();
    Fd region = TickRegion::create();
    if (!mine || !frontEnd || !region) return refuse(request.captureId);
    const CaptureOptions options{.captureId = request.captureId,
                                 .interfaceIndex = request.interfaceIndex,
                                 .ringBytes = std::clamp(request.ringBytes, kRingBytesMany, kRingBytes),
                                 .promiscuous = request.promiscuous != 0};
    const pid_t pid = start(
        "netloupe-pcap", {theirs.get(), captureEnd.get(), region.get()}, false,
        [this, &options, &region, front = captureEnd.get(), control = theirs.get()] {
          // Only the opening of the handle needs it; runCapture drops it before the first packet is looked at.
          if (!keepOnly({.netRaw = options_.privileges.netRaw}, true)) return kExitFailed;
          return runCapture(
              options, {.front = Fd(front), .supervisor = Fd(control), .lookup = Fd(), .region = Fd(region.get())});
        });
    if (pid < 0) return refuse(request.captureId);
    captures_.push_back({.captureId = request.captureId,
                         .interfaceIndex = request.interfaceIndex,
                         .pid = pid,
                         .control = std::move(mine)});
    tellFront({.told = SupervisorTold::captureStarted, .captureId = request.captureId}, {frontEnd.get(), region.get()});
    connectLookup(captures_.back());
  }

  /// Started when the first trace is opened, so that nobody pays for it before.
  void openProber() {
    if (prober_.pid > 0) return;
    auto [frontEnd, proberEnd] = makeChannel();
    const pid_t pid =
        !frontEnd ? -1 : start("netloupe-probe", {proberEnd.get()}, false, [this, front = proberEnd.get()] {
          // Only the opening of raw sockets needs it; runProber drops it before the first answer is looked at.
          if (!keepOnly({.netRaw = options_.privileges.netRaw}, true)) return kExitFailed;
          return runProber(front);
        });
    if (pid < 0) return tellFront({.told = SupervisorTold::proberEnded});
    prober_ = Child{.pid = pid, .control = {}};
    tellFront({.told = SupervisorTold::proberStarted}, {frontEnd.get()});
  }

  void openFile(const SupervisorRequest& request) {
    auto [frontEnd, readerEnd] = makeChannel();
    Fd region = TickRegion::create();
    if (!file_ || !frontEnd || !region) return refuse(request.captureId);
    const pid_t pid =
        start("netloupe-reader", {readerEnd.get(), region.get(), file_.get()}, false,
              [this, &region, front = readerEnd.get()] {
                if (!keepOnly({}, false)) return kExitFailed;
                return runReader({.front = Fd(front), .region = Fd(region.get()), .file = Fd(file_.get())});
              });
    if (pid < 0) return refuse(request.captureId);
    file_.reset();  // a second reader would begin in the middle
    captures_.push_back({.captureId = request.captureId, .pid = pid, .control = {}});
    tellFront({.told = SupervisorTold::captureStarted, .captureId = request.captureId}, {frontEnd.get(), region.get()});
  }

  void refuse(std::uint32_t captureId) { tellFront({.told = SupervisorTold::captureRefused, .captureId = captureId}); }

  void tellFront(const SupervisorEvent& event, std::initializer_list<int> fds = {}) {
    // The front reads this channel before anything else; if it can't take a message it is beyond help.
    if (sendMessage(front_.get(), event, {}, fds) == Sent::wouldBlock) kill(frontPid_, SIGKILL);
  }

  void turn() {
    pollfd waits[2] = {{.fd = signals_.get(), .events = POLLIN, .revents = 0},
                       {.fd = front_ ? front_.get() : -1, .events = POLLIN, .revents = 0}};
    const int ready = poll(waits, 2, pauseMs());
    if (ready < 0 && errno != EINTR) {
      ended_ = true;
      return;
    }
    if (waits[1].revents != 0) readFront();
    if (waits[0].revents != 0) readSignals();
    const std::uint64_t now = steadyMs();
    if (lookupDueMs_ != 0 && now >= lookupDueMs_ && endAtMs_ == 0) startLookup();
    if (endAtMs_ != 0 && now >= endAtMs_) kill(frontPid_, SIGKILL);
  }

  int pauseMs() const {
    std::uint64_t due = UINT64_MAX;
    if (lookupDueMs_ != 0) due = std::min(due, lookupDueMs_);
    if (endAtMs_ != 0) due = std::min(due, endAtMs_);
    if (due == UINT64_MAX) return -1;
    const std::uint64_t now = steadyMs();
    return due <= now ? 0 : static_cast<int>(due - now);
  }

  void readFront() {
    SupervisorRequest request;
    switch (receiveMessage(front_.get(), request)) {
      case Received::wouldBlock:
        return;
      case Received::closed:
        front_.reset();
        return;  // it is ending; its exit is seen as a signal
      case Received::malformed:
        kill(frontPid_, SIGKILL);
        return;
      case Received::message:
        break;
    }
    switch (request.ask) {
      case SupervisorAsk::openCapture:
        openCapture(request);
        break;
      case SupervisorAsk::openFile:
        openFile(request);
        break;
      case SupervisorAsk::openProber:
        openProber();
        break;
      case SupervisorAsk::killCapture:
        for (const Child& capture : captures_) {
          if (capture.captureId == request.captureId) kill(capture.pid, SIGKILL);
        }
        break;
    }
  }

  void readSignals() {
    signalfd_siginfo info;
    while (::read(signals_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
      if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT) {
        front_.reset();  // end of file tells the front to write what it has and end
        if (endAtMs_ == 0) endAtMs_ = steadyMs() + kGraceMs;
        told_ = true;
      }
    }
    int status = 0;
    pid_t pid = 0;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) reaped(pid, status);
  }

  void reaped(pid_t pid, int status) {
    if (pid == frontPid_) return frontEnded(status);
    if (pid == lookup_.pid) {
      logDeath(Role::lookup, pid, status);
      lookup_ = Child{};
      if (steadyMs() - lookupStartedMs_ > kHealthyMs) lookupPauseMs_ = kRestartFirstMs;
      tellFront({.told = SupervisorTold::lookupEnded});
      lookupLater();
      return;
    }
    if (pid == prober_.pid) {
      logDeath(Role::prober, pid, status);
      prober_ = Child{};
      return tellFront({.told = SupervisorTold::proberEnded});
    }
    const auto capture =
        std::find_if(captures_.begin(), captures_.end(), [&](const Child& one) { return one.pid == pid; });
    if (capture == captures_.end()) return;
    logDeath(Role::capture, pid, status);
    tellFront({.told = SupervisorTold::captureEnded, .captureId = capture->captureId});
    captures_.erase(capture);
  }

  void frontEnded(int status) {
    ended_ = true;
    if (told_) {
      exitCode_ = kExitDone;
    } else {
      exitCode_ = WIFEXITED(status) ? WEXITSTATUS(status) : kExitFailed;
      logDeath(Role::front, frontPid_, status);
    }
    if (lookup_.pid > 0) kill(lookup_.pid, SIGKILL);
    if (prober_.pid > 0) kill(prober_.pid, SIGKILL);
    for (const Child& capture : captures_) kill(capture.pid, SIGKILL);
    while (waitpid(-1, nullptr, 0) > 0) {
    }
  }

  static void logDeath(Role role, pid_t pid, int status) {
    if (WIFSIGNALED(status)) {
      const char* why = WTERMSIG(status) == SIGSYS ? " (a system call that is not in its list)" : "";
      std::fprintf(stderr, "netloupe-helper: the %s process %d ended by signal %d%s\n", roleName(role), pid,
                   WTERMSIG(status), why);
    }
  }

  const FrontOptions options_;
  Fd file_;
  const pid_t pid_;
  Fd devNull_;
  Fd signals_;
  sigset_t inheritedSignals_{};
  Fd front_;
  pid_t frontPid_ = -1;
  Child lookup_;
  Child prober_;
  std::uint32_t lookupGeneration_ = 0;
  std::uint32_t lookupPauseMs_ = kRestartFirstMs;
  std::uint64_t lookupStartedMs_ = 0;
  std::uint64_t lookupDueMs_ = 0;  // 0: running
  std::vector<Child> captures_;
  std::uint64_t endAtMs_ = 0;  // 0: not asked to end
  bool told_ = false;          // a signal asked for the end
  bool ended_ = false;
  int exitCode_ = kExitFailed;
};

}  // namespace

int runSupervisor(const FrontOptions& options, Fd file) {
  return Supervisor(options, std::move(file)).run();
}

}  // namespace netloupe
