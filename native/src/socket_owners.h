// Whose socket an inode is: ProcSockets finds the process, OwnerTable gives it an id.
#pragma once

#include <cstdint>

#include "owner_table.h"
#include "proc_sockets.h"

namespace netloupe {

class SocketOwners {
 public:
  SocketOwners(ProcSockets& sockets, OwnerTable& owners) : sockets_(sockets), owners_(owners) {}

  enum class Answer { owner, searching, absent, hidden, refused };

  /// As ProcSockets::find; `absent` also when the process ended in between, `refused` also when the owner table is
  /// full.
  Answer find(std::uint64_t inode, std::uint32_t uid, std::uint64_t nowUs, std::uint32_t& ownerId);

 private:
  ProcSockets& sockets_;
  OwnerTable& owners_;
};

}  // namespace netloupe
