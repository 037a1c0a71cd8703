// The process that reads a capture file instead of an interface: the same flow table, in recorded time. It has nothing
// but the file.
#pragma once

#include "fd.h"

namespace netloupe {

struct ReaderChannels {
  Fd front;
  Fd region;
  Fd file;
};

/// Closes the sandbox, reads the file to its end or until told to finish, waits wherever the front is slow. Returns the
/// exit code.
int runReader(ReaderChannels channels);

}  // namespace netloupe
