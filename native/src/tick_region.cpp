#include "tick_region.h"

#include <fcntl.h>
#include <linux/mman.h>
#include <sys/mman.h>

#include <algorithm>
#include <utility>

#include "bounds.h"

namespace netloupe {

namespace {

constexpr std::size_t kPageBytes = 4096;
constexpr std::size_t kRegionBytes = (kMaxTickRecords * sizeof(FlowRecord) + kPageBytes - 1) / kPageBytes * kPageBytes;
constexpr std::size_t kKeptBytes = 256u << 10;
constexpr std::size_t kPrepareBytes = 256u << 10;

}  // namespace

Fd TickRegion::create() {
  Fd fd(memfd_create("netloupe-tick", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd || ftruncate(fd.get(), kRegionBytes) != 0) return {};
  if (fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) return {};
  return fd;
}

TickRegion::TickRegion(int fd, bool writable) {
  void* base = mmap(nullptr, kRegionBytes, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, fd, 0);
  if (base != MAP_FAILED) base_ = base;
}

TickRegion::TickRegion(TickRegion&& other) noexcept
    : base_(std::exchange(other.base_, nullptr)), highWaterBytes_(other.highWaterBytes_) {}

TickRegion& TickRegion::operator=(TickRegion&& other) noexcept {
  std::swap(base_, other.base_);
  std::swap(highWaterBytes_, other.highWaterBytes_);
  return *this;
}

TickRegion::~TickRegion() {
  if (base_ != nullptr) munmap(base_, kRegionBytes);
}

std::span<FlowRecord> TickRegion::records() const {
  return {static_cast<FlowRecord*>(base_), base_ == nullptr ? 0 : kMaxTickRecords};
}

void TickRegion::prepare(std::size_t first, std::size_t count) {
  const std::size_t end = std::min((first + count) * sizeof(FlowRecord), kRegionBytes);
  // Small ticks stay small: only one that has outgrown the kept pages is readied ahead.
  if (end <= highWaterBytes_ || first * sizeof(FlowRecord) < kKeptBytes) return;
  const std::size_t begin = std::max(highWaterBytes_, first * sizeof(FlowRecord) / kPageBytes * kPageBytes);
  const std::size_t bytes =
      std::min((std::max(end - begin, kPrepareBytes) + kPageBytes - 1) / kPageBytes * kPageBytes, kRegionBytes - begin);
  // Before Linux 5.14 it is refused, and the pages come by faults.
  madvise(static_cast<char*>(base_) + begin, bytes, MADV_POPULATE_WRITE);
  highWaterBytes_ = begin + bytes;
}

void TickRegion::trim(std::size_t used) {
  const std::size_t bytes = (used * sizeof(FlowRecord) + kPageBytes - 1) / kPageBytes * kPageBytes;
  highWaterBytes_ = std::max(highWaterBytes_, bytes);
  const std::size_t kept = std::max(bytes * 2, kKeptBytes);
  if (highWaterBytes_ <= kept) return;
  madvise(static_cast<char*>(base_) + bytes, highWaterBytes_ - bytes, MADV_REMOVE);
  highWaterBytes_ = bytes;
}

}  // namespace netloupe
