#include "process_info.h"

#include <fcntl.h>

#include <doctest/doctest.h>

#include <string>

#include "socket_kit.h"
#include "user_names.h"

using namespace netloupe;
using namespace netloupe::test;

namespace {
constexpr char kRest[] = " S 7 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 1000 200";
}

TEST_CASE("process info: a name may hold anything") {
  for (const std::string name : {"bash", "a b", "x) S 1 (y", ")", "(", "", "new\nline"}) {
    CAPTURE(name);
    const auto stat = parseStat("42 (" + name + ")" + kRest);
    REQUIRE(stat.has_value());
    CHECK(stat->name == name);
    CHECK(stat->parentPid == 7);
    CHECK(stat->startTicks == 987654);
  }
}

TEST_CASE("process info: a stat file that is cut gives nothing") {
  const std::string whole = "42 (bash) S 7 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654";
  CHECK(parseStat(whole).has_value());
  for (std::size_t length = 0; length < whole.size() - 6; ++length)
    CHECK_FALSE(parseStat(whole.substr(0, length)).has_value());
  CHECK_FALSE(parseStat(")(").has_value());
}

TEST_CASE("process info: cgroup paths of both hierarchies") {
  CHECK(parseCgroup("0::/user.slice/user-1000.slice/app.scope\n") == "/user.slice/user-1000.slice/app.scope");
  CHECK(parseCgroup("12:cpu,cpuacct:/a\n1:name=systemd:/system.slice/ssh.service\n") == "/system.slice/ssh.service");
  CHECK(parseCgroup("12:cpu,cpuacct:/a\n1:name=systemd:/b\n0::/c\n") == "/c");
  CHECK(parseCgroup("4:memory:/only\n") == "/only");
  CHECK(parseCgroup("0::/with:colon\n") == "/with:colon");
  CHECK(parseCgroup("").empty());
  CHECK(parseCgroup("nonsense\n:\n").empty());
}

TEST_CASE("process info: a real process") {
  const Fd proc(::open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  Child child([] { ::prctl(PR_SET_NAME, "odd) name"); });
  const Fd folder = openProcess(proc.get(), child.pid());
  REQUIRE(bool(folder));
  const auto info = readProcess(folder.get(), child.pid());
  REQUIRE(info.has_value());
  CHECK(info->stat.name == "odd) name");
  CHECK(info->stat.parentPid == ::getpid());
  CHECK(info->uid == ::geteuid());
  char self[4096];
  const ssize_t length = ::readlink("/proc/self/exe", self, sizeof self);
  REQUIRE(length > 0);
  CHECK(info->exe == std::string(self, static_cast<std::size_t>(length)));
  CHECK_FALSE(info->commandLine.empty());
  CHECK(info->commandLine.find('\0') == std::string::npos);

  child.end();
  // The descriptor stays with the process that has ended, whoever gets its pid.
  CHECK_FALSE(readStat(folder.get()).has_value());
  CHECK_FALSE(readProcess(folder.get(), child.pid()).has_value());
}

TEST_CASE("user names: passwd(5), the first entry of an id counts") {
  const auto names = parsePasswd(
      "root:x:0:0:root:/root:/bin/sh\ntoor:x:0:0::/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\n"
      "no-id:x::1::/:/\nbad:x:12a:1::/:/\n:x:5:5::/:/\nshort:x\n+::::::\nlast:x:7:");
  CHECK(names.size() == 3);
  CHECK(names.at(0) == "root");
  CHECK(names.at(1000) == "alice");
  CHECK(names.at(7) == "last");
}

TEST_CASE("user names: a changed file is read again") {
  char path[] = "/tmp/netloupe-passwd-XXXXXX";
  const Fd file(::mkstemp(path));
  REQUIRE(bool(file));
  const auto write = [&](const std::string& text) {
    REQUIRE(::ftruncate(file.get(), 0) == 0);
    REQUIRE(::pwrite(file.get(), text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
    // A later time than before, whatever the clock's grain.
    static long second = 1'000'000'000;
    const timespec times[2] = {{++second, 0}, {second, 0}};
    REQUIRE(::futimens(file.get(), times) == 0);
  };
  write("one:x:5:5::/:/\n");
  UserNames users(path);
  CHECK(users.nameOf(5, 1'000'000) == "one");
  CHECK(users.nameOf(6, 1'000'000).empty());
  write("two:x:5:5::/:/\n");
  CHECK(users.nameOf(5, 1'500'000) == "one");  // looked at once a second at most
  CHECK(users.nameOf(5, 2'000'001) == "two");
  ::unlink(path);
  CHECK(users.nameOf(5, 4'000'000) == "two");
}
