// Names of user ids, from /etc/passwd alone: name services would open sockets of their own.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

namespace netloupe {

/// Parses passwd(5) text. The first entry of an id counts, as for getpwuid(3).
std::unordered_map<std::uint32_t, std::string> parsePasswd(std::string_view text);

class UserNames {
 public:
  explicit UserNames(std::string path = "/etc/passwd") : path_(std::move(path)) {}

  /// Empty when the id has no entry. The file is read again when it has changed, looked at once a second at most.
  const std::string& nameOf(std::uint32_t uid, std::uint64_t nowUs);

 private:
  void refresh(std::uint64_t nowUs);

  std::string path_;
  std::unordered_map<std::uint32_t, std::string> names_;
  std::uint64_t lookedUs_ = 0;
  bool looked_ = false;
  long changedS_ = 0;
  long changedNs_ = 0;
  std::uint64_t fileNumber_ = 0;
};

}  // namespace netloupe
