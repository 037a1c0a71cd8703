// Memory that a capture process and the front share: the records of one tick of one interface. They are written once
// and go from here straight to standard output. Who may touch it at which time is said in role_channels.h.
#pragma once

#include <cstddef>
#include <span>

#include "fd.h"
#include "wire.h"

namespace netloupe {

class TickRegion {
 public:
  /// A new region for kMaxTickRecords records: a sealed memory file that can neither shrink (the other side would get
  /// SIGBUS) nor grow. Pages are used as records are written. Empty when the system has no memory for it.
  static Fd create();

  TickRegion() = default;
  /// Maps a region; `writable` for the capture process only. Check ok().
  TickRegion(int fd, bool writable);
  TickRegion(TickRegion&& other) noexcept;
  TickRegion& operator=(TickRegion&& other) noexcept;
  TickRegion(const TickRegion&) = delete;
  TickRegion& operator=(const TickRegion&) = delete;
  ~TickRegion();

  bool ok() const { return base_ != nullptr; }
  std::span<FlowRecord> records() const;

  /// Readies the pages of the next records, from the `first` on, at once: a fault per page costs twice as much
  /// (writable side only).
  void prepare(std::size_t first, std::size_t count);

  /// Gives back the pages behind the first `used` records when an earlier tick needed far more (writable side only).
  void trim(std::size_t used);

 private:
  void* base_ = nullptr;
  std::size_t highWaterBytes_ = 0;  // pages up to here are in use
};

}  // namespace netloupe
