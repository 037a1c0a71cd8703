// Which process holds the socket with a given inode: found through /proc/<pid>/fd. A search goes through the processes
// that most likely hold the socket first, in bounded steps, and remembers every socket that it passes; it never takes
// more than a share of one core.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <deque>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "fd.h"

namespace netloupe {

/// "socket:[1234]", the target of a socket's link in /proc/<pid>/fd; 0 for anything else.
std::uint64_t parseSocketLink(std::string_view target);

class ProcSockets {
 public:
  enum class Answer {
    found,
    searching,  // ask again when settled() names it
    absent,     // no process holds it: the kernel's own, or in flight between processes
    hidden,     // not found, but some processes could not be looked into
    refused     // too many searches wait already
  };
  struct Holder {
    pid_t pid = 0;
    std::uint32_t tag = 0;  // the caller's, see setTag(); 0 after the holder changed
  };

  /// `seesAll`: this process may look into every other one. Else what is not found may be hidden (hidepid, foreign
  /// users).
  ProcSockets(int procFolder, bool seesAll) : procFolder_(procFolder), seesAll_(seesAll) {}

  /// Who holds it. A remembered holder is looked at again (one readlink) when the last look is older than a quarter of
  /// a second; `uid` (of the socket) tells the search where to begin.
  Answer find(std::uint64_t inode, std::uint32_t uid, std::uint64_t nowUs, Holder& holder);

  /// Keeps the caller's mark with the present holder.
  void setTag(std::uint64_t inode, std::uint32_t tag);

  /// Who held it when the last search came by, without looking again and without starting a search; null when unknown.
  const Holder* remembered(std::uint64_t inode) const;

  /// Asks for one search through all processes even if nothing is wanted. Returns its number, see completedSearch().
  std::uint64_t searchAll();
  /// The newest search that went through every process. Searches are numbered from 1.
  std::uint64_t completedSearch() const { return completed_; }

  /// Tries what is newly wanted in a few likely places; cheap, and independent of the searches. Does nothing while it
  /// is not due.
  void probe(std::uint64_t nowUs);
  /// True when the next work() begins a search: the last moment for forget().
  bool isSearchDue(std::uint64_t nowUs) const;
  /// Nobody wants this any more (its socket is gone): a search for it would go through everything.
  void forget(std::uint64_t inode) { wanted_.erase(inode); }
  /// Searches on for at most `maxLinks` links. Does nothing while work is not due.
  void work(std::uint64_t nowUs, std::size_t maxLinks);
  /// When probe() or work() is due next: 0 at once, UINT64_MAX nothing to do.
  std::uint64_t nextWorkUs() const;
  /// To be told how long a call of work() took: the pause that follows grows with it.
  void spent(std::uint64_t us) { spentUs_ += us; }

  /// Inodes whose search has ended since the last call, found or not.
  std::vector<std::uint64_t> takeSettled();

  std::size_t waiting() const { return wanted_.size(); }

 private:
  struct Entry {
    Holder holder;
    int fd = -1;
    std::uint32_t seenIn = 0;  // number of the complete search that it was last seen in or after
    std::uint64_t lookedUs = 0;
  };
  struct Wanted {
    std::uint32_t uid = 0;
    std::uint64_t since = 0;  // the first search that began after it was wanted
  };
  struct Denied {
    bool hidden = false;
    std::uint64_t untilUs = 0;
  };
  struct Known {
    std::uint32_t uid = 0;
    std::uint64_t seenIn = 0;  // search
    int lowestFree = 0;        // descriptor number that the process gets next, when it was last gone through
    bool hasSockets = false;
  };

  /// A process in which wanted sockets were found lately, and the descriptors that they had.
  struct Finder {
    pid_t pid = 0;
    std::array<int, 16> fds{};
    std::size_t next = 0;
    std::size_t count = 0;
  };

  int probeLikely();
  void probeFrom(pid_t pid, int begin, int& end, int& links);
  std::vector<std::pair<pid_t, int>> nextPlaces() const;
  void noteHit(pid_t pid, int fd);
  void beginSearch();
  void endSearch(bool complete, std::uint64_t nowUs);
  bool openNext();
  void pass(std::uint64_t inode, pid_t pid, int fd);
  bool stillHolds(const Entry& entry, std::uint64_t inode) const;

  int procFolder_;
  bool seesAll_;
  std::unordered_map<std::uint64_t, Entry> entries_;
  std::unordered_map<std::uint64_t, Wanted> wanted_;
  std::unordered_map<std::uint64_t, Denied> absent_;
  std::unordered_map<pid_t, Known> known_;
  std::deque<Finder> finders_;  // the latest first
  std::vector<std::uint64_t> settled_;

  bool unprobed_ = false;  // something is wanted that probe() has not tried
  std::uint64_t nextProbeUs_ = 0;

  // The search under way.
  std::uint64_t search_ = 0;  // its number; the last one's when none is
  bool searching_ = false;
  bool all_ = false;            // goes through all processes even if everything wanted has been found
  std::uint64_t allAsked_ = 0;  // number of the search that searchAll() asked for
  bool denied_ = false;
  std::vector<pid_t> order_;
  std::size_t next_ = 0;
  pid_t pid_ = 0;
  Fd folder_;
  std::vector<char> listing_;
  std::vector<int> fds_;
  int lowestFree_ = 0;
  bool hasSockets_ = false;

  std::uint64_t completed_ = 0;
  std::uint32_t completeSearches_ = 0;
  std::uint64_t spentUs_ = 0;
  std::uint64_t nextSearchUs_ = 0;
};

}  // namespace netloupe
