// What waits to be written to standard output: control frames that it owns and tick records that lie in shared memory.
// Never blocks.
//
// Live, records go out with sendfile(2): current kernels hand the pages themselves to the pipe or socket (measured: a
// fifth of the time of copying). The reader may then still be reading from them when everything is "written";
// consumed() tells.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <deque>
#include <span>
#include <string>

namespace netloupe {

class OutputQueue {
 public:
  explicit OutputQueue(int fd) : fd_(fd) {}

  void push(std::string bytes);

  /// Copies while writing: `bytes` must stay as they are until the queue is empty.
  void pushShared(std::span<const std::byte> bytes);

  /// Sends pages of a memory file: it must stay open until the queue is empty, and as it is until consumed().
  void pushFile(int file, std::size_t offset, std::size_t bytes);

  /// Writes what can be written now. False when the reader is gone.
  bool flush();

  bool empty() const { return parts_.empty(); }

  /// Empty, and the reader has taken everything out of the pipe or socket as well.
  bool consumed() const;

  /// Bytes of frames that the queue itself holds in memory.
  std::size_t ownedBytes() const { return ownedBytes_; }

 private:
  struct Part {
    std::string owned;
    std::span<const std::byte> shared;
    int file = -1;
    std::size_t fileOffset = 0;
    std::size_t fileBytes = 0;

    std::span<const std::byte> bytes() const { return owned.empty() ? shared : std::as_bytes(std::span(owned)); }
    std::size_t size() const { return file >= 0 ? fileBytes : bytes().size(); }
  };

  ssize_t writeFirst();

  int fd_;
  std::deque<Part> parts_;
  std::size_t written_ = 0;  // of the first part
  std::size_t ownedBytes_ = 0;
};

}  // namespace netloupe
