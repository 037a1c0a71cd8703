#include "output_queue.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
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

void OutputQueue::pushFile(int file, std::size_t offset, std::size_t bytes) {
  if (bytes > 0) parts_.push_back({.owned = {}, .shared = {}, .file = file, .fileOffset = offset, .fileBytes = bytes});
}

bool OutputQueue::consumed() const {
  if (!empty()) return false;
  // The one is for sockets, the other for pipes; asked of a descriptor of the other kind they fail.
  int unread = 0;
  if (ioctl(fd_, SIOCOUTQ, &unread) != 0 && ioctl(fd_, FIONREAD, &unread) != 0) return true;
  return unread == 0;
}

/// Writes some of the first parts: one that lies in a file, or several that lie in memory.
ssize_t OutputQueue::writeFirst() {
  const Part& first = parts_.front();
  if (first.file >= 0) {
    auto offset = static_cast<off_t>(first.fileOffset + written_);
    return ::sendfile(fd_, first.file, &offset, first.fileBytes - written_);
  }
  std::array<iovec, 16> pieces;
  std::size_t count = 0;
  for (; count < pieces.size() && count < parts_.size() && parts_[count].file < 0; ++count) {
    const std::span<const std::byte> bytes = parts_[count].bytes().subspan(count == 0 ? written_ : 0);
    pieces[count] = {const_cast<std::byte*>(bytes.data()), bytes.size()};  // writev only reads
  }
  return ::writev(fd_, pieces.data(), static_cast<int>(count));
}

bool OutputQueue::flush() {
  while (!parts_.empty()) {
    const ssize_t result = writeFirst();
    if (result < 0) {
      if (errno == EINTR) continue;
      return errno == EAGAIN || errno == EWOULDBLOCK;
    }
    if (result == 0) return false;
    written_ += static_cast<std::size_t>(result);
    while (!parts_.empty() && written_ >= parts_.front().size()) {
      written_ -= parts_.front().size();
      ownedBytes_ -= parts_.front().owned.size();
      parts_.pop_front();
    }
  }
  return true;
}

}  // namespace netloupe
