// A zeroed array whose memory is used page by page as it is touched, and which is mapped once, before the sandbox
// closes.
#pragma once

#include <sys/mman.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <new>
#include <type_traits>

namespace netloupe {

template <typename T>
class PageArray {
  static_assert(std::is_trivially_destructible_v<T>, "the pages are unmapped, nothing in them is destroyed");

 public:
  explicit PageArray(std::size_t count) : count_(count) {
    void* pages = mmap(nullptr, bytes(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (pages == MAP_FAILED) throw std::bad_alloc();
    data_ = static_cast<T*>(pages);
  }
  ~PageArray() { munmap(data_, bytes()); }

  /// Makes the pages of `count` elements from `first` on present in one system call, cheaper than a fault for each.
  /// (Huge pages would be cheaper still, but the kernel may stop to compact memory for them.) A kernel that can't
  /// (before 5.14) leaves them to the faults.
  void populate(std::size_t first, std::size_t count) {
    const auto begin = reinterpret_cast<std::uintptr_t>(data_ + first) / kPageBytes * kPageBytes;
    const auto end = reinterpret_cast<std::uintptr_t>(data_ + std::min(first + count, count_));
    if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_POPULATE_WRITE);
  }

  PageArray(const PageArray&) = delete;
  PageArray& operator=(const PageArray&) = delete;

  T& operator[](std::size_t at) { return data_[at]; }
  const T& operator[](std::size_t at) const { return data_[at]; }
  std::size_t size() const { return count_; }

 private:
  static constexpr std::uintptr_t kPageBytes = 4096;

  std::size_t bytes() const { return count_ * sizeof(T); }

  std::size_t count_;
  T* data_ = nullptr;
};

}  // namespace netloupe
