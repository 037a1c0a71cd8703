#include "output_queue.h"

#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace netloupe {

void OutputQueue::push(std::string bytes) {
  if (bytes.empty()) return;
  ownedBytes_ += bytes.size();
  parts_.push_back({.owned = std::move(bytes), .shared = {}});
}

void OutputQueue::pushShared(std::span<const std::byte> bytes) {
  if (!bytes.empty()) parts_.push_back({.owned = {}, .shared = bytes});
}

bool OutputQueue::flush() {
  while (!parts_.empty()) {
    std::array<iovec, 16> pieces;
    const std::size_t count = std::min(parts_.size(), pieces.size());
    for (std::size_t i = 0; i < count; ++i) {
      const std::span<const std::byte> bytes = parts_[i].bytes().subspan(i == 0 ? written_ : 0);
      pieces[i] = {const_cast<std::byte*>(bytes.data()), bytes.size()};  // writev only reads
    }
    const ssize_t result = ::writev(fd_, pieces.data(), static_cast<int>(count));
    if (result < 0) {
      if (errno == EINTR) continue;
      return errno == EAGAIN || errno == EWOULDBLOCK;
    }
    written_ += static_cast<std::size_t>(result);
    while (!parts_.empty() && written_ >= parts_.front().bytes().size()) {
      written_ -= parts_.front().bytes().size();
      ownedBytes_ -= parts_.front().owned.size();
      parts_.pop_front();
    }
  }
  return true;
}

}  // namespace netloupe
