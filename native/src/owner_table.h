// Owners: process incarnations (pid and start time) that were named as the owner of a socket, with the ids that flows
// carry. Says when one is new, has changed (exec) or has exited.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "process_info.h"
#include "user_names.h"

namespace netloupe {

struct Owner {
  std::uint32_t id = 0;
  ProcessInfo process;
  std::string user;
  bool exited = false;
};

class OwnerTable {
 public:
  /// Ids begin at `firstId`. `bootTimeMs` is the Unix time of the boot, `ticksPerSecond` the unit of start times:
  /// sysconf(_SC_CLK_TCK).
  OwnerTable(int procFolder, std::uint32_t firstId, std::uint64_t bootTimeMs, std::uint64_t ticksPerSecond,
             std::size_t maxOwners);

  /// The id of the process that has this pid now; 0 when it has ended or the table is full.
  std::uint32_t idOf(pid_t pid, std::uint64_t nowUs);

  /// Looks at up to `most` owners again, in turn: exits, new names after exec.
  void lookAgain(std::size_t most, std::uint64_t nowUs);

  const Owner* find(std::uint32_t id) const;
  bool isFull() const { return full_; }
  std::size_t size() const { return owners_.size(); }

  /// What changed since the last call, as the text of control events `owners`, each small enough for one message of
  /// `maxBytes`.
  std::vector<std::string> takeAnnouncements(std::size_t maxBytes);
  bool hasAnnouncements() const { return !changed_.empty(); }

 private:
  std::uint32_t add(ProcessInfo process, std::uint64_t nowUs);
  bool makeRoom();
  void trim(ProcessInfo& process) const;
  std::string toJson(const Owner& owner) const;
  std::size_t textBytes(const Owner& owner) const;

  int procFolder_;
  std::uint32_t nextId_;
  std::uint64_t bootTimeMs_;
  std::uint64_t ticksPerSecond_;
  std::size_t maxOwners_;
  std::map<std::uint32_t, Owner> owners_;             // ordered, so that a hand can go round
  std::unordered_map<pid_t, std::uint32_t> current_;  // the incarnation that is thought to be alive
  std::deque<std::uint32_t> exited_;                  // the longest gone first
  std::vector<std::uint32_t> changed_;
  std::uint32_t hand_ = 0;
  std::size_t text_ = 0;
  bool full_ = false;
  UserNames users_;
};

/// Unix time of the boot in ms, as the start times of processes are counted from it.
std::uint64_t bootTimeMs();

}  // namespace netloupe
