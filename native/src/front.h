// The process that speaks PROTOCOL.md with the application: no capability, no file system. It knows which interfaces
// are captured, paces the ticks and merges what the capture and look-up processes send. It never sees a packet.
#pragma once

#include <string>

#include "fd.h"
#include "privileges.h"

namespace netloupe {

enum class Mode { live, read };

struct FrontOptions {
  Mode mode = Mode::live;
  Privileges privileges;  // those that the capture and look-up processes have
  std::string bootId;
  std::string program;  // path of this binary
  int helperPid = 0;
};

/// Exit codes of the helper (PROTOCOL.md).
inline constexpr int kExitDone = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitProtocolMismatch = 3;
inline constexpr int kExitBadInput = 4;

/// Serves standard input and output until the application ends. `supervisor` as in role_channels.h; the channel to the
/// look-up process comes over it. Returns the process's exit code.
int runFront(const FrontOptions& options, Fd supervisor);

}  // namespace netloupe
