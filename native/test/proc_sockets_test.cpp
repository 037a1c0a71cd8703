#include "proc_sockets.h"

#include <fcntl.h>

#include <doctest/doctest.h>

#include <limits>
#include <vector>

#include "socket_kit.h"

using namespace netloupe;
using namespace netloupe::test;

namespace {

constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();

/// Some machines have processes that even root can't look into.
bool isNowhere(ProcSockets::Answer answer) {
  return answer == ProcSockets::Answer::absent || answer == ProcSockets::Answer::hidden;
}

struct Kit {
  Fd proc{::open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  ProcSockets sockets;
  std::uint64_t nowUs = 1'000'000;

  explicit Kit(bool seesAll = true) : sockets(proc.get(), seesAll) {}

  ProcSockets::Answer find(std::uint64_t inode, pid_t& pid) {
    ProcSockets::Holder holder;
    const auto answer = sockets.find(inode, ::getuid(), nowUs, holder);
    pid = holder.pid;
    return answer;
  }

  /// Searches until nothing is left to do.
  void finish(std::size_t linksPerTurn = 100'000) {
    while (sockets.nextWorkUs() != kNever) {
      nowUs = std::max(nowUs, sockets.nextWorkUs());
      sockets.probe(nowUs);
      sockets.work(nowUs, linksPerTurn);
    }
  }
};

}  // namespace

TEST_CASE("proc sockets: links") {
  CHECK(parseSocketLink("socket:[1234]") == 1234);
  CHECK(parseSocketLink("socket:[18446744073709551615]") == std::numeric_limits<std::uint64_t>::max());
  for (const char* other : {"", "socket:[", "socket:[]", "socket:[12", "socket:[12x]", "socket:[-1]", "pipe:[12]",
                            "/tmp/socket:[12]", "socket:[18446744073709551616]"}) {
    CAPTURE(other);
    CHECK(parseSocketLink(other) == 0);
  }
}

TEST_CASE("proc sockets: finds the process that holds a socket") {
  Kit kit;
  Fd socket = openSocket(4, SOCK_DGRAM);
  const std::uint64_t inode = inodeOf(socket);
  Child child([] {});
  socket.reset();  // the child alone has it now

  pid_t pid = 0;
  CHECK(kit.find(inode, pid) == ProcSockets::Answer::searching);
  CHECK(kit.find(inode, pid) == ProcSockets::Answer::searching);
  CHECK(kit.sockets.waiting() == 1);
  // One link per call: the search goes on where it stopped.
  kit.finish(1);
  CHECK(kit.sockets.takeSettled() == std::vector<std::uint64_t>{inode});
  REQUIRE(kit.find(inode, pid) == ProcSockets::Answer::found);
  CHECK(pid == child.pid());

  // The holder is looked at again after a while, and found to be gone.
  child.end();
  kit.nowUs += 1'000'000;
  CHECK(kit.find(inode, pid) == ProcSockets::Answer::searching);
  kit.finish();
  CHECK(isNowhere(kit.find(inode, pid)));
}

TEST_CASE("proc sockets: a socket handed on is found with its new holder") {
  Kit kit;
  Fd socket = openSocket(4, SOCK_DGRAM);
  const std::uint64_t inode = inodeOf(socket);
  pid_t pid = 0;
  kit.find(inode, pid);
  kit.finish();
  REQUIRE(kit.find(inode, pid) == ProcSockets::Answer::found);
  CHECK(pid == ::getpid());

  Child child([] {});
  // Both hold it: the first one stays, so that a flow does not change hands by itself.
  kit.nowUs += 1'000'000;
  kit.sockets.searchAll();
  kit.finish();
  REQUIRE(kit.find(inode, pid) == ProcSockets::Answer::found);
  CHECK(pid == ::getpid());

  socket.reset();
  kit.nowUs += 1'000'000;
  CHECK(kit.find(inode, pid) == ProcSockets::Answer::searching);
  kit.finish();
  REQUIRE(kit.find(inode, pid) == ProcSockets::Answer::found);
  CHECK(pid == child.pid());
}

TEST_CASE("proc sockets: what nobody holds is absent, or hidden for who may not look everywhere") {
  for (const bool seesAll : {true, false}) {
    Kit kit(seesAll);
    pid_t pid = 0;
    // No inode is that large: sockets are numbered from 1.
    const std::uint64_t nobodys = 0xffff'ffff'ffff;
    CHECK(kit.find(nobodys, pid) == ProcSockets::Answer::searching);
    kit.finish();
    CHECK(kit.sockets.takeSettled() == std::vector<std::uint64_t>{nobodys});
    const auto answer = kit.find(nobodys, pid);
    if (!seesAll) CHECK(answer == ProcSockets::Answer::hidden);
    if (seesAll) CHECK(isNowhere(answer));
    CHECK(kit.sockets.waiting() == 0);
    CHECK(kit.sockets.nextWorkUs() == kNever);
    // Forgotten after a while, then searched for again.
    kit.nowUs += 11'000'000;
    CHECK(kit.find(nobodys, pid) == ProcSockets::Answer::searching);
  }
}

TEST_CASE("proc sockets: a search that was under way does not decide about what was wanted later") {
  Kit kit;
  kit.sockets.searchAll();
  kit.sockets.work(kit.nowUs, 1);
  const Fd socket = openSocket(4, SOCK_DGRAM);
  pid_t pid = 0;
  CHECK(kit.find(inodeOf(socket), pid) == ProcSockets::Answer::searching);
  kit.finish();
  CHECK(kit.find(inodeOf(socket), pid) == ProcSockets::Answer::found);
}

TEST_CASE("proc sockets: searches keep their share of the time") {
  Kit kit;
  pid_t pid = 0;
  kit.find(0xffff'ffff'ffff, pid);
  CHECK(kit.sockets.nextWorkUs() <= kit.nowUs);
  kit.sockets.spent(10'000);
  kit.sockets.work(kit.nowUs, 1'000'000);
  REQUIRE(kit.sockets.takeSettled().size() == 1);
  kit.find(0xffff'ffff'fffe, pid);
  kit.nowUs += 80'000;
  kit.sockets.probe(kit.nowUs);
  CHECK_FALSE(kit.sockets.isSearchDue(kit.nowUs));
  CHECK(kit.sockets.nextWorkUs() == kit.nowUs + 10'000);
  CHECK(kit.sockets.isSearchDue(kit.nowUs + 10'000));
}

TEST_CASE("proc sockets: the number that may wait is bounded") {
  Kit kit;
  pid_t pid = 0;
  std::size_t taken = 0;
  while (taken < 100'000 && kit.find(0xffff'0000'0000 + taken, pid) == ProcSockets::Answer::searching) ++taken;
  CHECK(taken == 8192);
  CHECK(kit.find(0xfffe'0000'0000, pid) == ProcSockets::Answer::refused);
  kit.finish();
  CHECK(kit.sockets.takeSettled().size() == taken);
  CHECK(kit.find(0xfffe'0000'0000, pid) == ProcSockets::Answer::searching);
}

TEST_CASE("proc sockets: what is not wanted any more is not searched for") {
  Kit kit;
  pid_t pid = 0;
  kit.find(0xffff'ffff'ffff, pid);
  kit.sockets.forget(0xffff'ffff'ffff);
  CHECK(kit.sockets.nextWorkUs() == kNever);
  CHECK_FALSE(kit.sockets.isSearchDue(kit.nowUs));
}

TEST_CASE("proc sockets: tags stay with the holder") {
  Kit kit;
  const Fd socket = openSocket(4, SOCK_DGRAM);
  pid_t pid = 0;
  kit.find(inodeOf(socket), pid);
  kit.finish();
  CHECK(kit.find(inodeOf(socket), pid) == ProcSockets::Answer::found);
  kit.sockets.setTag(inodeOf(socket), 77);
  ProcSockets::Holder holder;
  kit.sockets.find(inodeOf(socket), 0, kit.nowUs, holder);
  CHECK(holder.tag == 77);
}

TEST_CASE("proc sockets: the next sockets of a known process are found without a search") {
  Kit kit;
  std::vector<Fd> sockets;
  sockets.push_back(openSocket(4, SOCK_DGRAM));
  // One search has passed this process; nothing of it was wanted yet.
  kit.sockets.searchAll();
  kit.finish();
  // The search had a descriptor open itself when it passed here; something else takes its place.
  const Fd plug(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  pid_t pid = 0;
  for (int i = 0; i < 6; ++i) {
    std::vector<std::uint64_t> inodes;
    for (int many = 0; many <= i; ++many) {
      sockets.push_back(openSocket(4, SOCK_DGRAM));
      inodes.push_back(inodeOf(sockets.back()));
      CHECK(kit.find(inodes.back(), pid) == ProcSockets::Answer::searching);
    }
    kit.nowUs += 1'000'000;
    kit.sockets.probe(kit.nowUs);
    CHECK(kit.sockets.waiting() == 0);
    for (const std::uint64_t inode : inodes) {
      CHECK(kit.find(inode, pid) == ProcSockets::Answer::found);
      CHECK(pid == ::getpid());
    }
    if (i % 2 == 0) sockets.pop_back();
  }
}
