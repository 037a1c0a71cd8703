#include "socket_owners.h"

namespace netloupe {

SocketOwners::Answer SocketOwners::find(std::uint64_t inode, std::uint32_t uid, std::uint64_t nowUs,
                                        std::uint32_t& ownerId) {
  ProcSockets::Holder holder;
  switch (sockets_.find(inode, uid, nowUs, holder)) {
    case ProcSockets::Answer::searching:
      return Answer::searching;
    case ProcSockets::Answer::absent:
      return Answer::absent;
    case ProcSockets::Answer::hidden:
      return Answer::hidden;
    case ProcSockets::Answer::refused:
      return Answer::refused;
    case ProcSockets::Answer::found:
      break;
  }
  const Owner* owner = holder.tag == 0 ? nullptr : owners_.find(holder.tag);
  ownerId = owner != nullptr && !owner->exited ? owner->id : owners_.idOf(holder.pid, nowUs);
  if (ownerId == 0) return owners_.isFull() ? Answer::refused : Answer::absent;
  sockets_.setTag(inode, ownerId);
  return Answer::owner;
}

}  // namespace netloupe
