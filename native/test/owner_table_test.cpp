#include "owner_table.h"

#include <fcntl.h>

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include <ctime>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "socket_kit.h"

using namespace netloupe;
using namespace netloupe::test;
using Json = nlohmann::json;

namespace {

constexpr std::size_t kMessageBytes = 60'000;

struct Kit {
  Fd proc{::open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  OwnerTable owners;

  explicit Kit(std::size_t most = 100)
      : owners(proc.get(), 1, bootTimeMs(), static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK)), most) {}

  /// Every owner announced since the last call, by id; the later of two wins.
  std::map<std::uint32_t, Json> announced() {
    std::map<std::uint32_t, Json> items;
    for (const std::string& text : owners.takeAnnouncements(kMessageBytes)) {
      const Json event = Json::parse(text);
      CHECK(event["type"] == "owners");
      for (const Json& item : event["items"]) items[item["ownerId"]] = item;
    }
    return items;
  }
};

std::uint64_t unixMs() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1000 + static_cast<std::uint64_t>(now.tv_nsec) / 1'000'000;
}

}  // namespace

TEST_CASE("owner table: a process is announced once, with what it is") {
  Kit kit;
  const std::uint64_t before = unixMs();
  Child child([] { ::prctl(PR_SET_NAME, "na\"me\xff"); });
  const std::uint32_t id = kit.owners.idOf(child.pid(), 1);
  CHECK(id == 1);
  CHECK(kit.owners.idOf(child.pid(), 2) == id);
  auto items = kit.announced();
  REQUIRE(items.size() == 1);
  const Json& owner = items.at(id);
  CHECK(owner["pid"] == child.pid());
  CHECK(owner["parentPid"] == ::getpid());
  CHECK(owner["name"] == "na\"me\xef\xbf\xbd");
  CHECK(owner["uid"] == ::geteuid());
  CHECK(owner["exited"] == false);
  CHECK_FALSE(owner["exe"].get<std::string>().empty());
  // Start times are kept in hundredths of a second.
  CHECK(owner["startTimeMs"].get<std::uint64_t>() + 30 >= before);
  CHECK(owner["startTimeMs"].get<std::uint64_t>() <= unixMs() + 30);
  CHECK_FALSE(kit.owners.hasAnnouncements());
}

TEST_CASE("owner table: exec is a new name, exit is told once") {
  Kit kit;
  Child child([] {}, [] { ::execl("/bin/sleep", "sleep", "1000", static_cast<char*>(nullptr)); });
  const std::uint32_t id = kit.owners.idOf(child.pid(), 1);
  kit.announced();
  child.go();
  // The exec is the child's; it is through when the new command line can be read.
  while (true) {
    const Fd folder = openProcess(kit.proc.get(), child.pid());
    const auto process = readProcess(folder.get(), child.pid());
    REQUIRE(process.has_value());
    if (process->stat.name == "sleep" && !process->commandLine.empty()) break;
    ::sched_yield();
  }
  kit.owners.lookAgain(10, 2);
  auto items = kit.announced();
  REQUIRE(items.contains(id));
  CHECK(items.at(id)["name"] == "sleep");
  CHECK(items.at(id)["commandLine"] == "sleep 1000");
  CHECK(items.at(id)["exited"] == false);

  const pid_t pid = child.pid();
  child.end();
  kit.owners.lookAgain(10, 3);
  items = kit.announced();
  REQUIRE(items.contains(id));
  CHECK(items.at(id)["exited"] == true);
  CHECK(items.at(id)["name"] == "sleep");
  CHECK(kit.owners.idOf(pid, 4) == 0);
  kit.owners.lookAgain(10, 5);
  CHECK_FALSE(kit.owners.hasAnnouncements());
}

TEST_CASE("owner table: at the cap those that exited make room, the living do not") {
  Kit kit(2);
  auto first = std::make_unique<Child>([] {});
  Child second([] {});
  Child third([] {});
  const std::uint32_t firstId = kit.owners.idOf(first->pid(), 1);
  const std::uint32_t secondId = kit.owners.idOf(second.pid(), 1);
  CHECK(firstId != secondId);
  CHECK(kit.owners.idOf(third.pid(), 1) == 0);
  CHECK(kit.owners.isFull());
  CHECK(kit.owners.idOf(second.pid(), 1) == secondId);

  first.reset();
  kit.owners.lookAgain(10, 2);
  const std::uint32_t thirdId = kit.owners.idOf(third.pid(), 3);
  CHECK(thirdId > secondId);  // never an id again
  CHECK_FALSE(kit.owners.isFull());
  CHECK(kit.owners.find(firstId) == nullptr);
  CHECK(kit.owners.size() == 2);
}

TEST_CASE("owner table: announcements are cut into messages") {
  Kit kit;
  std::vector<std::unique_ptr<Child>> children;
  for (int i = 0; i < 5; ++i) {
    children.push_back(std::make_unique<Child>([] {}));
    REQUIRE(kit.owners.idOf(children.back()->pid(), 1) != 0);
  }
  std::size_t items = 0;
  const auto texts = kit.owners.takeAnnouncements(500);
  CHECK(texts.size() > 1);
  for (const std::string& text : texts) {
    items += Json::parse(text)["items"].size();
    CHECK((text.size() <= 500 || Json::parse(text)["items"].size() == 1));
  }
  CHECK(items == 5);
}

TEST_CASE("owner table: no process, no owner") {
  Kit kit;
  CHECK(kit.owners.idOf(0x3fffff7f, 1) == 0);
  CHECK(kit.owners.find(1) == nullptr);
  CHECK_FALSE(kit.owners.hasAnnouncements());
}
