// The process that the application starts, and the parent of all others. It starts and reaps them and hands them their
// channels; it keeps capabilities only to pass them on to processes that it starts later, none of them effective. It
// sees no packet, no JSON, no /proc.
#pragma once

#include "front.h"

namespace netloupe {

/// Starts the helper's processes and serves the front until it ends. `file`: read mode, the capture file. Returns the
/// helper's exit code.
int runSupervisor(const FrontOptions& options, Fd file);

}  // namespace netloupe
