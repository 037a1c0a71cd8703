// What /proc/<pid> says about one process. proc_pid_stat(5) and its neighbours.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "fd.h"

namespace netloupe {

/// The members of /proc/<pid>/stat that are used here.
struct ProcessStat {
  std::string name;  // comm; whatever bytes the process chose
  pid_t parentPid = 0;
  std::uint64_t startTicks = 0;  // since boot, in units of sysconf(_SC_CLK_TCK)
};

struct ProcessInfo {
  pid_t pid = 0;
  ProcessStat stat;
  std::uint32_t uid = 0xffffffff;  // effective
  std::string exe;                 // empty when it may not be read (kernel threads have none)
  std::string commandLine;         // arguments joined with blanks
  std::string cgroup;              // path in the unified hierarchy, else in the first named one
};

/// Parses the text of a stat file. The name stands in parentheses and may itself hold parentheses and blanks.
std::optional<ProcessStat> parseStat(std::string_view text);
/// The path from the text of a cgroup file (cgroups(7)).
std::string parseCgroup(std::string_view text);

/// Opens /proc/<pid>. The descriptor stays with this process: after its end every access fails, also when the pid is
/// used again.
Fd openProcess(int procFolder, pid_t pid);

std::optional<ProcessStat> readStat(int processFolder);
/// Target of the exe link, without the mark of a file that has been removed since; empty when it may not be read.
std::string readExe(int processFolder);
/// None when the process has ended.
std::optional<ProcessInfo> readProcess(int processFolder, pid_t pid);

}  // namespace netloupe
