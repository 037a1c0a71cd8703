#include "sandbox.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <linux/sockios.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <span>

namespace netloupe {

namespace {

// What every role needs to run its loop: talk over descriptors that it has, wait, tell the time, manage memory, end.
constexpr int kEveryRole[] = {
    SCMP_SYS(read),
    SCMP_SYS(write),
    SCMP_SYS(readv),
    SCMP_SYS(writev),
    SCMP_SYS(recvmsg),
    SCMP_SYS(sendmsg),
    SCMP_SYS(recvfrom),
    SCMP_SYS(sendto),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(close),
    SCMP_SYS(brk),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(madvise),
    SCMP_SYS(futex),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(tgkill),
    SCMP_SYS(getrandom),
    SCMP_SYS(fcntl),
    SCMP_SYS(fstat),
    SCMP_SYS(membarrier),
};

// pcap_stats and pcap_setfilter on the open handle; getsockname tells libpcap an interface that is down from one that
// is gone.
constexpr int kCapture[] = {SCMP_SYS(getsockopt), SCMP_SYS(setsockopt), SCMP_SYS(getsockname), SCMP_SYS(pread64)};

// Hands tick regions to standard output.
constexpr int kFront[] = {SCMP_SYS(sendfile)};

// Reads the file that was passed to it.
constexpr int kReader[] = {SCMP_SYS(pread64), SCMP_SYS(lseek)};

// /proc, /etc/passwd and netlink tables. Opening is read-only (see addArguments).
constexpr int kLookup[] = {
    SCMP_SYS(getdents64),  SCMP_SYS(readlinkat),     SCMP_SYS(readlink),        SCMP_SYS(pread64),
    SCMP_SYS(lseek),       SCMP_SYS(statx),          SCMP_SYS(newfstatat),      SCMP_SYS(stat),
    SCMP_SYS(access),      SCMP_SYS(faccessat),      SCMP_SYS(faccessat2),      SCMP_SYS(bind),
    SCMP_SYS(getsockname), SCMP_SYS(getsockopt),     SCMP_SYS(setsockopt),      SCMP_SYS(getuid),
    SCMP_SYS(geteuid),     SCMP_SYS(epoll_create1),  SCMP_SYS(epoll_ctl),       SCMP_SYS(epoll_wait),
    SCMP_SYS(epoll_pwait), SCMP_SYS(timerfd_create), SCMP_SYS(timerfd_settime),
};

// Sends and hears probes; sockets are made to hold ports and, without privilege, to probe (see closeSandbox()).
constexpr int kProber[] = {
    SCMP_SYS(getsockopt),
    SCMP_SYS(setsockopt),
    SCMP_SYS(bind),
    SCMP_SYS(getsockname),
};

// Starts and ends processes. A filter is inherited and can only be tightened, so this list holds besides its own needs
// what its children need until they close their own sandbox: opening a capture handle, giving up capabilities,
// installing a filter.
constexpr int kSupervisor[] = {
    SCMP_SYS(wait4),
    SCMP_SYS(waitid),
    SCMP_SYS(kill),
    SCMP_SYS(socketpair),
    SCMP_SYS(memfd_create),
    SCMP_SYS(ftruncate),
    SCMP_SYS(signalfd4),
    SCMP_SYS(signalfd),
    SCMP_SYS(dup),
    SCMP_SYS(dup2),
    SCMP_SYS(dup3),
    SCMP_SYS(close_range),
    SCMP_SYS(getppid),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(rseq),
    SCMP_SYS(prctl),
    SCMP_SYS(capget),
    SCMP_SYS(capset),
    SCMP_SYS(seccomp),
    SCMP_SYS(landlock_create_ruleset),
    SCMP_SYS(landlock_restrict_self),
    SCMP_SYS(ioctl),
    SCMP_SYS(eventfd2),
    SCMP_SYS(uname),
    SCMP_SYS(sysinfo),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(prlimit64),
    SCMP_SYS(getuid),
    SCMP_SYS(geteuid),
    SCMP_SYS(getgid),
    SCMP_SYS(getegid),
};

// Libraries try these and can do without: they see EPERM instead of a dead process.
constexpr int kRefusedSoftly[] = {
    SCMP_SYS(open),      SCMP_SYS(openat),     SCMP_SYS(socket),  SCMP_SYS(connect),    SCMP_SYS(access),
    SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(stat),    SCMP_SYS(lstat),      SCMP_SYS(readlink),
    SCMP_SYS(ioctl),     SCMP_SYS(uname),      SCMP_SYS(sysinfo), SCMP_SYS(prlimit64),  SCMP_SYS(sched_getaffinity),
    SCMP_SYS(getuid),    SCMP_SYS(geteuid),    SCMP_SYS(lseek),   SCMP_SYS(newfstatat), SCMP_SYS(sched_yield),
    SCMP_SYS(eventfd2),
};

class Filter {
 public:
  Filter() : context_(seccomp_init(SCMP_ACT_KILL_PROCESS)) {}
  ~Filter() {
    if (context_ != nullptr) seccomp_release(context_);
  }
  Filter(const Filter&) = delete;
  Filter& operator=(const Filter&) = delete;

  void allow(std::span<const int> calls) {
    for (const int call : calls) add(SCMP_ACT_ALLOW, call, {});
  }

  void allowIf(int call, std::initializer_list<scmp_arg_cmp> conditions) { add(SCMP_ACT_ALLOW, call, conditions); }

  /// Calls that are allowed already (perhaps with conditions) stay so: in libseccomp a rule without conditions would
  /// replace those with.
  void refuseSoftly(int call, std::initializer_list<scmp_arg_cmp> conditions = {}) {
    add(SCMP_ACT_ERRNO(EPERM), call, conditions);
  }

  bool load() { return ok_ && context_ != nullptr && seccomp_load(context_) == 0; }

 private:
  void add(std::uint32_t action, int call, std::initializer_list<scmp_arg_cmp> conditions) {
    if (context_ == nullptr) return;
    const int error =
        seccomp_rule_add_array(context_, action, call, static_cast<unsigned>(conditions.size()), conditions.begin());
    // EDOM: this machine has no such call; EACCES: the action is the default one.
    if (error != 0 && error != -EDOM && error != -EACCES) ok_ = false;
  }

  scmp_filter_ctx context_;
  bool ok_ = true;
};

scmp_arg_cmp argument(unsigned index, std::uint64_t mask, std::uint64_t value) {
  return {index, SCMP_CMP_MASKED_EQ, mask, value};
}

bool contains(std::span<const int> calls, int wanted) {
  for (const int call : calls) {
    if (call == wanted) return true;
  }
  return false;
}

/// No file system at all for the calling process. Kernels without Landlock: the seccomp list alone keeps files closed.
void closeFileSystem() {
  landlock_ruleset_attr everything{};
  everything.handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;  // every right of ABI 1
  const long ruleset = syscall(SYS_landlock_create_ruleset, &everything, sizeof everything, 0u);
  if (ruleset < 0) return;
  syscall(SYS_landlock_restrict_self, static_cast<int>(ruleset), 0u);
  ::close(static_cast<int>(ruleset));
}

std::span<const int> callsOf(Role role) {
  switch (role) {
    case Role::supervisor:
      return kSupervisor;
    case Role::capture:
      return kCapture;
    case Role::reader:
      return kReader;
    case Role::lookup:
      return kLookup;
    case Role::front:
      return kFront;
    case Role::prober:
      return kProber;
  }
  return {};
}

}  // namespace

const char* roleName(Role role) {
  switch (role) {
    case Role::supervisor:
      return "supervisor";
    case Role::front:
      return "front";
    case Role::capture:
      return "capture";
    case Role::reader:
      return "reader";
    case Role::lookup:
      return "look-up";
    case Role::prober:
      return "prober";
  }
  return "?";
}

bool closeSandbox(Role role) {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    std::fprintf(stderr, "netloupe-helper: %s: no_new_privs: %s\n", roleName(role), std::strerror(errno));
    return false;
  }
  const bool readsFiles = role == Role::supervisor || role == Role::lookup;
  if (!readsFiles) closeFileSystem();

  Filter filter;
  filter.allow(kEveryRole);
  // Memory is never executable.
  filter.allowIf(SCMP_SYS(mmap), {argument(2, PROT_EXEC, 0)});
  filter.allowIf(SCMP_SYS(mprotect), {argument(2, PROT_EXEC, 0)});

  const std::span<const int> own = callsOf(role);
  filter.allow(own);
  if (role == Role::supervisor) {
    filter.allow(kFront);
    filter.allow(kCapture);
    filter.allow(kReader);
    filter.allow(kLookup);
    filter.allow(kProber);
    constexpr std::uint64_t kNewNamespaces =
        CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;
    filter.allowIf(SCMP_SYS(clone), {argument(0, kNewNamespaces, 0)});
    filter.allow(std::initializer_list<int>{SCMP_SYS(fork), SCMP_SYS(socket)});
  }
  if (readsFiles) {
    constexpr std::uint64_t kWriting = O_ACCMODE | O_CREAT | O_TRUNC;
    filter.allowIf(SCMP_SYS(openat), {argument(2, kWriting, O_RDONLY)});
    filter.allowIf(SCMP_SYS(open), {argument(1, kWriting, O_RDONLY)});
  }
  if (role == Role::lookup) filter.allowIf(SCMP_SYS(socket), {{0, SCMP_CMP_EQ, AF_NETLINK, 0}});
  if (role == Role::prober) {
    constexpr std::uint64_t kKind = 0xf;  // without SOCK_CLOEXEC and SOCK_NONBLOCK
    for (const std::uint64_t family : {std::uint64_t{AF_INET}, std::uint64_t{AF_INET6}}) {
      for (const std::uint64_t kind : {std::uint64_t{SOCK_STREAM}, std::uint64_t{SOCK_DGRAM}}) {
        filter.allowIf(SCMP_SYS(socket), {{0, SCMP_CMP_EQ, family, 0}, argument(1, kKind, kind)});
      }
    }
  }

  if (role == Role::capture) {
    // Whether an interface that went down is still there; every other device control is refused.
    filter.allowIf(SCMP_SYS(ioctl), {{1, SCMP_CMP_EQ, SIOCGIFFLAGS, 0}});
    filter.allowIf(SCMP_SYS(ioctl), {{1, SCMP_CMP_EQ, SIOCGIFNAME, 0}});
    filter.refuseSoftly(SCMP_SYS(ioctl), {{1, SCMP_CMP_GT, SIOCGIFFLAGS, 0}});
    filter.refuseSoftly(SCMP_SYS(ioctl), {{1, SCMP_CMP_LT, SIOCGIFNAME, 0}});
  }

  if (role == Role::front) {
    // How much of its output is still unread.
    filter.allowIf(SCMP_SYS(ioctl), {{1, SCMP_CMP_EQ, SIOCOUTQ, 0}});
    filter.allowIf(SCMP_SYS(ioctl), {{1, SCMP_CMP_EQ, FIONREAD, 0}});
    filter.refuseSoftly(SCMP_SYS(ioctl), {{1, SCMP_CMP_GT, FIONREAD, 0}});
    filter.refuseSoftly(SCMP_SYS(ioctl), {{1, SCMP_CMP_LT, SIOCOUTQ, 0}});
  }

  for (const int call : kRefusedSoftly) {
    const bool allowed =
        contains(own, call) || (role == Role::supervisor && (contains(kLookup, call) || contains(kReader, call)));
    const bool conditional = (readsFiles && (call == SCMP_SYS(open) || call == SCMP_SYS(openat))) ||
                             ((readsFiles || role == Role::prober) && call == SCMP_SYS(socket)) ||
                             ((role == Role::capture || role == Role::front) && call == SCMP_SYS(ioctl));
    if (!allowed && !conditional) filter.refuseSoftly(call);
  }
  if (!filter.load()) {
    std::fprintf(stderr, "netloupe-helper: %s: the kernel refused the seccomp filter; nothing is served without it\n",
                 roleName(role));
    return false;
  }
  return true;
}

}  // namespace netloupe
