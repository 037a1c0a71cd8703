// The process that sees packets of one live interface: libpcap handle to flow table to tick region. After opening the
// handle it has no capability, no file system and a short list of system calls.
#pragma once

#include <cstdint>

#include "fd.h"

namespace netloupe {

struct CaptureOptions {
  std::uint32_t captureId = 0;
  std::uint32_t interfaceIndex = 0;
  std::uint32_t ringBytes = 0;
  bool promiscuous = false;
};

struct CaptureChannels {
  Fd front;
  Fd supervisor;
  Fd lookup;
  Fd region;
};

/// Opens the interface, closes the sandbox, captures until told to finish. Returns the process's exit code.
int runCapture(const CaptureOptions& options, CaptureChannels channels);

}  // namespace netloupe
