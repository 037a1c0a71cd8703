#include "owner_table.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <ctime>
#include <limits>
#include <utility>

#include "wire.h"

namespace netloupe {

namespace {

// PROTOCOL.md: each text member.
constexpr std::size_t kMaxTextBytes = 1024;

// Text kept for all owners. Over it, command lines and cgroup paths are cut short: a storm of processes with long
// command lines costs detail, not memory.
constexpr std::size_t kTextBudgetBytes = 8u << 20;
constexpr std::size_t kShortTextBytes = 96;

constexpr std::string_view kHead = R"({"type":"owners","items":[)";
constexpr std::string_view kTail = "]}";

std::uint64_t clockMs(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1000 + static_cast<std::uint64_t>(now.tv_nsec) / 1'000'000;
}

}  // namespace

std::uint64_t bootTimeMs() {
  return clockMs(CLOCK_REALTIME) - clockMs(CLOCK_BOOTTIME);
}

OwnerTable::OwnerTable(int procFolder, std::uint32_t firstId, std::uint64_t bootTimeMs, std::uint64_t ticksPerSecond,
                       std::size_t maxOwners)
    : procFolder_(procFolder),
      nextId_(firstId),
      bootTimeMs_(bootTimeMs),
      ticksPerSecond_(ticksPerSecond),
      maxOwners_(maxOwners) {}

std::size_t OwnerTable::textBytes(const Owner& owner) const {
  const ProcessInfo& process = owner.process;
  return process.stat.name.size() + process.exe.size() + process.commandLine.size() + process.cgroup.size() +
         owner.user.size();
}

void OwnerTable::trim(ProcessInfo& process) const {
  process.stat.name = cleanText(process.stat.name, kMaxTextBytes);
  process.exe = cleanText(process.exe, kMaxTextBytes);
  const std::size_t most = text_ > kTextBudgetBytes ? kShortTextBytes : kMaxTextBytes;
  process.commandLine = cleanText(process.commandLine, most);
  process.cgroup = cleanText(process.cgroup, most);
}

std::uint32_t OwnerTable::idOf(pid_t pid, std::uint64_t nowUs) {
  const Fd folder = openProcess(procFolder_, pid);
  if (!folder) return 0;
  const auto known = current_.find(pid);
  if (known != current_.end()) {
    const auto stat = readStat(folder.get());
    if (!stat) return 0;
    Owner& owner = owners_.at(known->second);
    if (stat->startTicks == owner.process.stat.startTicks) return owner.id;
    // The pid belongs to another process now.
    owner.exited = true;
    exited_.push_back(owner.id);
    changed_.push_back(owner.id);
    current_.erase(known);
  }
  auto process = readProcess(folder.get(), pid);
  return process ? add(std::move(*process), nowUs) : 0;
}

bool OwnerTable::makeRoom() {
  if (owners_.size() >= maxOwners_ && !exited_.empty()) {
    const auto oldest = owners_.find(exited_.front());
    exited_.pop_front();
    text_ -= textBytes(oldest->second);
    std::erase(changed_, oldest->first);
    owners_.erase(oldest);
  }
  full_ = owners_.size() >= maxOwners_;
  return !full_;
}

std::uint32_t OwnerTable::add(ProcessInfo process, std::uint64_t nowUs) {
  if (!makeRoom()) return 0;
  trim(process);
  Owner owner;
  owner.id = nextId_++;
  owner.user = cleanText(users_.nameOf(process.uid, nowUs), kMaxTextBytes);
  owner.process = std::move(process);
  text_ += textBytes(owner);
  current_[owner.process.pid] = owner.id;
  changed_.push_back(owner.id);
  const std::uint32_t id = owner.id;
  owners_.emplace(id, std::move(owner));
  return id;
}

void OwnerTable::lookAgain(std::size_t most, std::uint64_t nowUs) {
  for (std::size_t looked = 0; looked < std::min(most, owners_.size()); ++looked) {
    auto at = owners_.upper_bound(hand_);
    if (at == owners_.end()) at = owners_.begin();
    hand_ = at->first;
    Owner& owner = at->second;
    if (owner.exited) continue;
    const pid_t pid = owner.process.pid;
    const Fd folder = openProcess(procFolder_, pid);
    const auto stat = folder ? readStat(folder.get()) : std::nullopt;
    if (!stat || stat->startTicks != owner.process.stat.startTicks) {
      owner.exited = true;
      exited_.push_back(owner.id);
      changed_.push_back(owner.id);
      current_.erase(pid);
      continue;
    }
    if (cleanText(stat->name, kMaxTextBytes) == owner.process.stat.name &&
        cleanText(readExe(folder.get()), kMaxTextBytes) == owner.process.exe && !owner.process.commandLine.empty()) {
      continue;
    }
    // exec or a new title: the same incarnation under another name. In the middle of an exec the new name has no
    // command line yet.
    auto process = readProcess(folder.get(), pid);
    if (!process) continue;
    trim(*process);
    const ProcessInfo& before = owner.process;
    if (process->stat.name == before.stat.name && process->exe == before.exe &&
        process->commandLine == before.commandLine) {
      continue;
    }
    text_ -= textBytes(owner);
    owner.user = cleanText(users_.nameOf(process->uid, nowUs), kMaxTextBytes);
    owner.process = std::move(*process);
    text_ += textBytes(owner);
    changed_.push_back(owner.id);
  }
}

const Owner* OwnerTable::find(std::uint32_t id) const {
  const auto known = owners_.find(id);
  return known == owners_.end() ? nullptr : &known->second;
}

std::string OwnerTable::toJson(const Owner& owner) const {
  const ProcessInfo& process = owner.process;
  return nlohmann::json{
      {"ownerId", owner.id},
      {"pid", process.pid},
      {"startTimeMs", bootTimeMs_ + process.stat.startTicks * 1000 / ticksPerSecond_},
      {"parentPid", process.stat.parentPid},
      {"name", process.stat.name},
      {"exe", process.exe},
      {"commandLine", process.commandLine},
      {"uid", process.uid},
      {"user", owner.user},
      {"cgroup", process.cgroup},
      {"exited", owner.exited},
  }
      .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::vector<std::string> OwnerTable::takeAnnouncements(std::size_t maxBytes) {
  std::vector<std::string> texts;
  std::string text;
  for (const std::uint32_t id : std::exchange(changed_, {})) {
    const Owner* owner = find(id);
    if (owner == nullptr) continue;
    const std::string item = toJson(*owner);
    if (!text.empty() && text.size() + item.size() + 1 + kTail.size() > maxBytes) {
      texts.push_back(text.append(kTail));
      text.clear();
    }
    text.append(text.empty() ? kHead : std::string_view(",")).append(item);
  }
  if (!text.empty()) texts.push_back(text.append(kTail));
  return texts;
}

}  // namespace netloupe
