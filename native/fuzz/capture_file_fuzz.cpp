// Any file, in pieces whose size the first byte gives, must come out as it does in one piece, and every frame must lie
// in the file.
#include <algorithm>
#include <cstdlib>
#include <vector>

#include "capture_file.h"

using namespace netloupe;

namespace {

struct Outcome {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
  std::uint64_t times = 0;
  bool failed = false;
  bool operator==(const Outcome&) const = default;
};

Outcome readAll(std::span<const std::uint8_t> bytes, std::size_t piece) {
  CaptureFile file;
  Outcome outcome;
  const auto drain = [&] {
    while (const auto frame = file.next()) {
      if (frame->interface >= file.interfaces().size() || frame->frameBytes < frame->captured.size()) std::abort();
      for (const std::uint8_t byte : frame->captured) outcome.bytes = outcome.bytes * 31 + byte;
      outcome.times += frame->timeUs;
      ++outcome.packets;
    }
  };
  while (!bytes.empty()) {
    const std::size_t some = std::min(piece, bytes.size());
    file.feed(bytes.first(some));
    bytes = bytes.subspan(some);
    drain();
  }
  file.finish();
  drain();
  outcome.failed = file.error().has_value();
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::span<const std::uint8_t> bytes(data + 1, size - 1);
  if (readAll(bytes, bytes.size() + 1) != readAll(bytes, data[0] + 1u)) std::abort();
  return 0;
}
