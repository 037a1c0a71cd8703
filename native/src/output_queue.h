// What waits to be written to standard output: control frames that it owns and tick records that lie in shared memory. Never blocks.
#pragma once

#include <cstddef>
#include <deque>
#include <span>
#include <string>

namespace netloupe {

class OutputQueue {
 public:
  explicit OutputQueue(int fd) : fd_(fd) {}

  void push(std::string bytes);

  /// `bytes` must stay as they are until the queue is empty.
  void pushShared(std::span<const std::byte> bytes);

  /// Writes what can be written now. False when the reader is gone.
  bool flush();

  bool empty() const { return parts_.empty(); }

  /// Bytes of frames that the queue itself holds in memory.
  std::size_t ownedBytes() const { return ownedBytes_; }

 private:
  struct Part {
    std::string owned;
    std::span<const std::byte> shared;
    std::span<const std::byte> bytes() const { return owned.empty() ? shared : std::as_bytes(std::span(owned)); }
  };

  int fd_;
  std::deque<Part> parts_;
  std::size_t written_ = 0;  // of the first part
  std::size_t ownedBytes_ = 0;
};

}  // namespace netloupe
