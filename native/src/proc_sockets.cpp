#include "proc_sockets.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <unordered_set>
#include <utility>

namespace netloupe {

namespace {

// Sockets remembered (about 8 MiB). At the cap only sockets that are wanted are taken in, in place of none: those that
// no complete search has seen lately are dropped first.
constexpr std::size_t kMaxEntries = 131072;
// Searches that may wait. A flood of new sockets beyond it is answered `refused` and asked for again by the caller.
constexpr std::size_t kMaxWanted = 8192;
// Inodes known to have no holder; at the cap all are forgotten and searched for again when asked.
constexpr std::size_t kMaxAbsent = 8192;
constexpr std::uint64_t kAbsentUs = 10'000'000;
constexpr std::uint64_t kLookAgainUs = 250'000;
constexpr std::size_t kMaxFinders = 16;
// Processes whose latest descriptors are tried before any folder is listed, processes whose next free descriptor is
// tried, and how many numbers behind each: the next socket mostly takes the place of one that was closed, or the place
// after the last.
constexpr std::size_t kProbedFinders = 4;
constexpr std::size_t kProbedProcesses = 64;
constexpr int kProbedBehind = 3;
constexpr int kMaxProbes = 1024;
// After a search that took t, the next one begins 9 t later at the earliest: a tenth of one core at most, whatever is
// asked.
constexpr std::uint64_t kPauseFactor = 9;
constexpr std::uint64_t kMinPauseUs = 2'000;
constexpr std::uint64_t kMinProbePauseUs = 500;

constexpr std::string_view kSocketLink = "socket:[";

struct FdPath {
  std::array<char, 48> text;
  FdPath(pid_t pid, int fd) { std::snprintf(text.data(), text.size(), "%d/fd/%d", static_cast<int>(pid), fd); }
};

bool isDenied(int error) {
  return error == EACCES || error == EPERM;
}

/// The socket that a link leads to, 0 none; `error` is why the link could not be read.
std::uint64_t socketBehind(int folder, const char* name, int& error) {
  std::array<char, 64> target;
  const ssize_t length = ::readlinkat(folder, name, target.data(), target.size());
  error = length < 0 ? errno : 0;
  return length <= 0 ? 0 : parseSocketLink({target.data(), static_cast<std::size_t>(length)});
}

/// The names of a folder that are numbers, one buffer of them per call; false at its end or when it can't be read (any
/// more).
bool listNumbers(int folder, std::vector<char>& buffer, std::vector<int>& numbers) {
  numbers.clear();
  buffer.resize(32u << 10);
  const long bytes = ::syscall(SYS_getdents64, folder, buffer.data(), buffer.size());
  if (bytes <= 0) return false;
  // struct linux_dirent64 (getdents64(2)) is the C library's dirent64.
  for (std::size_t at = 0; at < static_cast<std::size_t>(bytes);) {
    std::uint16_t length = 0;
    std::memcpy(&length, buffer.data() + at + offsetof(dirent64, d_reclen), sizeof length);
    if (length == 0) break;
    const char* name = buffer.data() + at + offsetof(dirent64, d_name);
    const char* end = name + std::strlen(name);
    int number = 0;
    const auto parsed = std::from_chars(name, end, number);
    if (parsed.ec == std::errc() && parsed.ptr == end) numbers.push_back(number);
    at += length;
  }
  return true;
}

}  // namespace

std::uint64_t parseSocketLink(std::string_view target) {
  if (!target.starts_with(kSocketLink) || !target.ends_with(']')) return 0;
  target.remove_prefix(kSocketLink.size());
  target.remove_suffix(1);
  std::uint64_t inode = 0;
  const auto [end, error] = std::from_chars(target.data(), target.data() + target.size(), inode);
  return error == std::errc() && end == target.data() + target.size() ? inode : 0;
}

bool ProcSockets::stillHolds(const Entry& entry, std::uint64_t inode) const {
  int error = 0;
  return socketBehind(procFolder_, FdPath(entry.holder.pid, entry.fd).text.data(), error) == inode;
}

ProcSockets::Answer ProcSockets::find(std::uint64_t inode, std::uint32_t uid, std::uint64_t nowUs, Holder& holder) {
  const auto known = entries_.find(inode);
  if (known != entries_.end()) {
    Entry& entry = known->second;
    const bool fresh = entry.lookedUs != 0 && nowUs - entry.lookedUs < kLookAgainUs;
    if (fresh || stillHolds(entry, inode)) {
      if (!fresh) entry.lookedUs = nowUs;
      holder = entry.holder;
      return Answer::found;
    }
    entries_.erase(known);
  }
  if (const auto gone = absent_.find(inode); gone != absent_.end()) {
    if (nowUs < gone->second.untilUs) return gone->second.hidden ? Answer::hidden : Answer::absent;
    absent_.erase(gone);
  }
  if (wanted_.contains(inode)) return Answer::searching;
  if (wanted_.size() >= kMaxWanted) return Answer::refused;
  // A search under way may have passed its process already: only one that begins from now on can say "nowhere".
  wanted_.emplace(inode, Wanted{uid, search_ + 1});
  unprobed_ = true;
  return Answer::searching;
}

void ProcSockets::setTag(std::uint64_t inode, std::uint32_t tag) {
  if (const auto known = entries_.find(inode); known != entries_.end()) known->second.holder.tag = tag;
}

const ProcSockets::Holder* ProcSockets::remembered(std::uint64_t inode) const {
  const auto known = entries_.find(inode);
  return known == entries_.end() ? nullptr : &known->second.holder;
}

std::uint64_t ProcSockets::searchAll() {
  allAsked_ = search_ + 1;
  return allAsked_;
}

bool ProcSockets::isSearchDue(std::uint64_t nowUs) const {
  return !searching_ && nowUs >= nextSearchUs_ && (!wanted_.empty() || allAsked_ > search_);
}

std::uint64_t ProcSockets::nextWorkUs() const {
  if (searching_) return 0;
  std::uint64_t due = std::numeric_limits<std::uint64_t>::max();
  if (!wanted_.empty() || allAsked_ > search_) due = nextSearchUs_;
  if (!wanted_.empty() && unprobed_) due = std::min(due, nextProbeUs_);
  return due;
}

std::vector<std::uint64_t> ProcSockets::takeSettled() {
  return std::exchange(settled_, {});
}

void ProcSockets::noteHit(pid_t pid, int fd) {
  const auto known = std::ranges::find(finders_, pid, &Finder::pid);
  Finder finder = known == finders_.end() ? Finder{.pid = pid} : *known;
  if (known != finders_.end()) finders_.erase(known);
  const auto used = std::span(finder.fds).first(finder.count);
  if (std::ranges::find(used, fd) == used.end()) {
    finder.fds[finder.next] = fd;
    finder.next = (finder.next + 1) % finder.fds.size();
    finder.count = std::min(finder.count + 1, finder.fds.size());
  }
  finders_.push_front(finder);
  if (finders_.size() > kMaxFinders) finders_.pop_back();
}

void ProcSockets::probe(std::uint64_t nowUs) {
  if (!unprobed_ || nowUs < nextProbeUs_) return;
  unprobed_ = false;
  // A link costs about 1 us: a tenth of one core at most here as well.
  nextProbeUs_ = nowUs + kMinProbePauseUs + kPauseFactor * static_cast<std::uint64_t>(probeLikely());
}

/// Tries the descriptors from `begin` on, none below `end`, until too many in a row are nothing new: a run of new
/// sockets is followed to its end, which is put into `end`.
void ProcSockets::probeFrom(pid_t pid, int begin, int& end, int& links) {
  end = std::max(end, begin);
  for (int misses = 0; misses <= kProbedBehind && !wanted_.empty() && links < kMaxProbes; ++end) {
    int error = 0;
    const std::uint64_t inode = socketBehind(procFolder_, FdPath(pid, end).text.data(), error);
    ++links;
    misses = wanted_.contains(inode) ? 0 : misses + 1;
    if (inode != 0) pass(inode, pid, end);
  }
}

/// A process that makes one connection after the other is found with a few links, however many descriptors it and the
/// others have.
int ProcSockets::probeLikely() {
  int links = 0;
  const std::size_t count = std::min(finders_.size(), kProbedFinders);
  const std::vector<Finder> finders(finders_.begin(), finders_.begin() + static_cast<std::ptrdiff_t>(count));
  for (const Finder& finder : finders) {
    std::vector<int> begins(finder.fds.begin(), finder.fds.begin() + static_cast<std::ptrdiff_t>(finder.count));
    std::ranges::sort(begins);
    int end = 0;
    for (const int begin : begins) probeFrom(finder.pid, begin, end, links);
  }
  for (const auto& [pid, lowestFree] : nextPlaces()) {
    int end = 0;
    probeFrom(pid, lowestFree, end, links);
  }
  return links;
}

/// Where the processes of the users whose sockets are wanted put their next descriptor, the newest processes first.
std::vector<std::pair<pid_t, int>> ProcSockets::nextPlaces() const {
  std::vector<std::pair<pid_t, int>> places;
  if (wanted_.empty()) return places;
  std::unordered_set<std::uint32_t> uids;
  for (const auto& [inode, wanted] : wanted_) uids.insert(wanted.uid);
  for (const auto& [pid, process] : known_) {
    if (process.hasSockets && uids.contains(process.uid)) places.emplace_back(pid, process.lowestFree);
  }
  const auto most = static_cast<std::ptrdiff_t>(std::min(places.size(), kProbedProcesses));
  std::partial_sort(places.begin(), places.begin() + most, places.end(), std::greater<>());
  places.resize(static_cast<std::size_t>(most));
  return places;
}

void ProcSockets::beginSearch() {
  ++search_;
  searching_ = true;
  all_ = allAsked_ == search_;
  denied_ = false;
  order_.clear();
  next_ = 0;
  const Fd proc(::openat(procFolder_, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  while (proc && listNumbers(proc.get(), listing_, fds_)) order_.insert(order_.end(), fds_.begin(), fds_.end());
  fds_.clear();

  std::unordered_set<std::uint32_t> uids;
  for (const auto& [inode, wanted] : wanted_) uids.insert(wanted.uid);
  // Who is new since the last search, who was a hit lately, whose user owns a wanted socket, the others; in each the
  // newest first.
  const auto rank = [&](pid_t pid) {
    const auto [at, isNew] = known_.try_emplace(pid);
    Known& process = at->second;
    if (isNew) {
      struct stat folder {};
      if (::fstatat(procFolder_, std::to_string(pid).c_str(), &folder, 0) == 0) process.uid = folder.st_uid;
    }
    process.seenIn = search_;
    if (isNew) return 0;
    if (std::ranges::find(finders_, pid, &Finder::pid) != finders_.end()) return 1;
    return uids.contains(process.uid) ? 2 : 3;
  };
  std::vector<std::pair<int, pid_t>> ranked;
  ranked.reserve(order_.size());
  for (const pid_t pid : order_) ranked.emplace_back(rank(pid), -pid);
  std::ranges::sort(ranked);
  std::ranges::transform(ranked, order_.begin(), [](const auto& one) { return -one.second; });
  std::erase_if(known_, [&](const auto& one) { return one.second.seenIn != search_; });
}

void ProcSockets::endSearch(bool complete, std::uint64_t nowUs) {
  searching_ = false;
  folder_.reset();
  fds_.clear();
  nextSearchUs_ = nowUs + std::max(kMinPauseUs, spentUs_ * kPauseFactor);
  spentUs_ = 0;
  if (!complete) return;
  completed_ = search_;
  ++completeSearches_;
  std::erase_if(entries_, [&](const auto& one) { return one.second.seenIn + 2 < completeSearches_; });
  if (absent_.size() + wanted_.size() > kMaxAbsent) absent_.clear();
  std::erase_if(wanted_, [&](const auto& one) {
    const auto& [inode, wanted] = one;
    if (wanted.since > search_) return false;
    absent_[inode] = {denied_ || !seesAll_, nowUs + kAbsentUs};
    settled_.push_back(inode);
    return true;
  });
}

bool ProcSockets::openNext() {
  while (next_ < order_.size()) {
    pid_ = order_[next_++];
    folder_ = Fd(::openat(procFolder_, (std::to_string(pid_) + "/fd").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    lowestFree_ = 0;
    hasSockets_ = false;
    if (folder_) return true;
    if (isDenied(errno)) denied_ = true;
  }
  return false;
}

void ProcSockets::pass(std::uint64_t inode, pid_t pid, int fd) {
  const auto wanted = wanted_.find(inode);
  if (wanted != wanted_.end()) {
    settled_.push_back(inode);
    wanted_.erase(wanted);
    noteHit(pid, fd);
  } else if (entries_.size() >= kMaxEntries && !entries_.contains(inode)) {
    return;
  }
  const auto [at, isNew] = entries_.try_emplace(inode);
  Entry& entry = at->second;
  // Several processes may hold one socket (it was inherited). Whoever was taken first stays, so that its flows do not
  // change hands, until it lets go: the newest process comes first in a search.
  if (!isNew && entry.holder.pid != pid && entry.seenIn + 1 >= completeSearches_) return;
  if (isNew || entry.holder.pid != pid)
    entry = {.holder = {.pid = pid, .tag = 0}, .fd = fd, .seenIn = 0, .lookedUs = 0};
  entry.fd = fd;
  entry.seenIn = completeSearches_;
}

void ProcSockets::work(std::uint64_t nowUs, std::size_t maxLinks) {
  if (!searching_) {
    if (!isSearchDue(nowUs)) return;
    beginSearch();
  }
  std::size_t links = 0;
  while (links < maxLinks) {
    if (wanted_.empty() && !all_) return endSearch(false, nowUs);
    if (!folder_ && !openNext()) return endSearch(true, nowUs);
    if (fds_.empty()) {
      ++links;  // opening and listing cost about as much as a link
      if (!listNumbers(folder_.get(), listing_, fds_)) {
        folder_.reset();
        fds_.clear();
        if (const auto known = known_.find(pid_); known != known_.end()) {
          known->second.lowestFree = lowestFree_;
          known->second.hasSockets = hasSockets_;
        }
      }
      // The kernel lists descriptors in ascending order.
      for (const int listed : fds_) {
        if (listed == lowestFree_) ++lowestFree_;
      }
      continue;
    }
    // From the back: a process's newest descriptors mostly have the highest numbers.
    const int fd = fds_.back();
    fds_.pop_back();
    ++links;
    std::array<char, 16> name;
    std::snprintf(name.data(), name.size(), "%d", fd);
    int error = 0;
    if (const std::uint64_t inode = socketBehind(folder_.get(), name.data(), error); inode != 0) {
      hasSockets_ = true;
      pass(inode, pid_, fd);
    }
    if (isDenied(error)) {
      // The folder may be listed, its links may not be read: none of them.
      denied_ = true;
      folder_.reset();
      fds_.clear();
    }
  }
}

}  // namespace netloupe
