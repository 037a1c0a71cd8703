#include "user_names.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "fd.h"

namespace netloupe {

namespace {

constexpr std::uint64_t kLookAgainUs = 1'000'000;
// What is read of the file; users behind it have no name.
constexpr std::size_t kMaxFileBytes = 4u << 20;

std::string readAll(int file) {
  std::string text;
  char buffer[8192];
  while (text.size() < kMaxFileBytes) {
    const ssize_t got = ::read(file, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    text.append(buffer, static_cast<std::size_t>(got));
  }
  return text;
}

}  // namespace

std::unordered_map<std::uint32_t, std::string> parsePasswd(std::string_view text) {
  std::unordered_map<std::uint32_t, std::string> names;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    // name:password:uid:...
    const std::size_t password = line.find(':');
    const std::size_t id = password == std::string_view::npos ? password : line.find(':', password + 1);
    if (id == std::string_view::npos || password == 0) continue;
    const std::string_view digits = line.substr(id + 1, line.find(':', id + 1) - id - 1);
    std::uint32_t uid = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), uid);
    if (error == std::errc() && end == digits.data() + digits.size()) names.emplace(uid, line.substr(0, password));
  }
  return names;
}

const std::string& UserNames::nameOf(std::uint32_t uid, std::uint64_t nowUs) {
  static const std::string kNone;
  refresh(nowUs);
  const auto known = names_.find(uid);
  return known == names_.end() ? kNone : known->second;
}

void UserNames::refresh(std::uint64_t nowUs) {
  if (looked_ && nowUs - lookedUs_ < kLookAgainUs) return;
  looked_ = true;
  lookedUs_ = nowUs;
  const Fd file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat now {};
  if (!file || ::fstat(file.get(), &now) != 0) return;
  if (now.st_mtim.tv_sec == changedS_ && now.st_mtim.tv_nsec == changedNs_ && now.st_ino == fileNumber_) return;
  changedS_ = now.st_mtim.tv_sec;
  changedNs_ = now.st_mtim.tv_nsec;
  fileNumber_ = now.st_ino;
  names_ = parsePasswd(readAll(file.get()));
}

}  // namespace netloupe
