#include "process_info.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>

namespace netloupe {

namespace {

// More of a command line or path is never sent (1024 bytes), so it is not read either.
constexpr std::size_t kMaxTextBytes = 2048;

std::optional<std::string> readText(int folder, const char* name) {
  const Fd file(::openat(folder, name, O_RDONLY | O_CLOEXEC));
  if (!file) return std::nullopt;
  std::array<char, kMaxTextBytes> buffer;
  std::size_t used = 0;
  while (used < buffer.size()) {
    const ssize_t got = ::read(file.get(), buffer.data() + used, buffer.size() - used);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::nullopt;
    if (got == 0) break;
    used += static_cast<std::size_t>(got);
  }
  return std::string(buffer.data(), used);
}

}  // namespace

std::optional<ProcessStat> parseStat(std::string_view text) {
  const std::size_t open = text.find('(');
  const std::size_t close = text.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) return std::nullopt;
  ProcessStat stat;
  stat.name = std::string(text.substr(open + 1, close - open - 1));
  // Behind the name: (3) state, (4) parent, .. (22) start time.
  text.remove_prefix(close + 1);
  for (int member = 3; member <= 22; ++member) {
    const std::size_t begin = text.find_first_not_of(' ');
    if (begin == std::string_view::npos) return std::nullopt;
    text.remove_prefix(begin);
    const std::string_view word = text.substr(0, text.find(' '));
    const char* end = word.data() + word.size();
    if (member == 4 && std::from_chars(word.data(), end, stat.parentPid).ec != std::errc()) return std::nullopt;
    if (member == 22 && std::from_chars(word.data(), end, stat.startTicks).ec != std::errc()) return std::nullopt;
    text.remove_prefix(word.size());
  }
  return stat;
}

std::string parseCgroup(std::string_view text) {
  std::string_view first;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    // hierarchy ID, controllers, path; the unified hierarchy is 0 without controllers.
    const std::size_t controllers = line.find(':');
    const std::size_t path = controllers == std::string_view::npos ? controllers : line.find(':', controllers + 1);
    if (path == std::string_view::npos) continue;
    if (line.starts_with("0::")) return std::string(line.substr(path + 1));
    if (first.empty() || line.substr(controllers + 1).starts_with("name=")) first = line.substr(path + 1);
  }
  return std::string(first);
}

Fd openProcess(int procFolder, pid_t pid) {
  return Fd(::openat(procFolder, std::to_string(pid).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

std::optional<ProcessStat> readStat(int processFolder) {
  const auto text = readText(processFolder, "stat");
  return text ? parseStat(*text) : std::nullopt;
}

std::string readExe(int processFolder) {
  std::array<char, kMaxTextBytes> buffer;
  const ssize_t length = ::readlinkat(processFolder, "exe", buffer.data(), buffer.size());
  if (length <= 0) return {};
  std::string_view path(buffer.data(), static_cast<std::size_t>(length));
  static constexpr std::string_view kRemoved = " (deleted)";
  if (path.ends_with(kRemoved)) path.remove_suffix(kRemoved.size());
  return std::string(path);
}

std::optional<ProcessInfo> readProcess(int processFolder, pid_t pid) {
  ProcessInfo info;
  info.pid = pid;
  auto stat = readStat(processFolder);
  if (!stat) return std::nullopt;
  info.stat = std::move(*stat);
  struct stat folder {};
  if (::fstat(processFolder, &folder) == 0) info.uid = folder.st_uid;
  info.exe = readExe(processFolder);
  if (auto commandLine = readText(processFolder, "cmdline")) {
    while (commandLine->ends_with('\0')) commandLine->pop_back();
    std::ranges::replace(*commandLine, '\0', ' ');
    info.commandLine = std::move(*commandLine);
  }
  if (const auto cgroup = readText(processFolder, "cgroup")) info.cgroup = parseCgroup(*cgroup);
  return info;
}

}  // namespace netloupe
