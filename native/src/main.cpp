// Checks how the helper was started, as if its own user were the attacker: constant arguments, no environment, known
// descriptors.
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "supervisor.h"
#include "version.h"
#include "wire.h"

namespace {

using namespace netloupe;

constexpr int kFileDescriptor = 3;

int usage(const char* sentence) {
  std::fprintf(stderr, "netloupe-helper: %s\n", sentence);
  return kExitUsage;
}

/// Descriptors 0 to 2 must be taken, or the first file that is opened would become standard output.
bool standardDescriptorsOpen() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (fcntl(fd, F_GETFD) >= 0) continue;
    const int flags = fd == STDIN_FILENO ? O_RDONLY : O_WRONLY;
    if (open("/dev/null", flags) != fd) return false;
  }
  return true;
}

bool isPipeOrSocket(int fd) {
  struct stat status {};
  return fstat(fd, &status) == 0 && (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode));
}

bool isReadableFile(int fd) {
  struct stat status {};
  const int flags = fcntl(fd, F_GETFL);
  return flags >= 0 && (flags & O_ACCMODE) != O_WRONLY && (flags & O_PATH) == 0 && fstat(fd, &status) == 0 &&
         !S_ISDIR(status.st_mode);
}

std::string bootId() {
  Fd file(open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC));
  char text[36] = {};
  if (!file || read(file.get(), text, sizeof text) != static_cast<ssize_t>(sizeof text)) return "";
  return std::string(text, sizeof text);
}

std::string programPath() {
  char path[4096];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof path);
  return length > 0 && length < static_cast<ssize_t>(sizeof path) ? std::string(path, static_cast<std::size_t>(length))
                                                                  : "netloupe-helper";
}

}  // namespace

int main(int argc, char** argv) {
  clearenv();
  umask(077);
  signal(SIGPIPE, SIG_IGN);
  if (!standardDescriptorsOpen()) return kExitFailed;

  FrontOptions options;
  const std::string_view argument = argc == 2 ? argv[1] : "";
  if (argument == "--version") {
    std::printf("netloupe-helper %s (protocol %u.%u)\n", kHelperVersion, kProtocolMajor, kProtocolMinor);
    return kExitDone;
  }
  if (argc > 2 || (argc == 2 && argument != "--read")) return usage("takes no argument but --read or --version");
  if (argument == "--read") options.mode = Mode::read;
  if (!isPipeOrSocket(STDIN_FILENO) || !isPipeOrSocket(STDOUT_FILENO)) {
    return usage("is started by Netloupe, which speaks with it over pipes; there is nothing to do by hand");
  }
  if (options.mode == Mode::read && !isReadableFile(kFileDescriptor)) {
    return usage("--read takes the capture file as descriptor 3, open for reading");
  }
  Fd file(options.mode == Mode::read ? kFileDescriptor : -1);
  close_range(static_cast<unsigned>(options.mode == Mode::read ? kFileDescriptor + 1 : kFileDescriptor), ~0u, 0);

  // What it counts is nobody else's business: no core file, no debugger of the same user.
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  prctl(PR_SET_DUMPABLE, 0);

  if (options.mode == Mode::live) options.privileges = currentPrivileges();
  options.bootId = bootId();
  options.program = programPath();
  options.helperPid = getpid();
  return runSupervisor(options, std::move(file));
}
