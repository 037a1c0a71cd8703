#include "options.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace lab {

void usage_error(const std::string& message) {
  std::fprintf(stderr, "%s\n", message.c_str());
  std::exit(2);
}

void system_error(const std::string& message) {
  std::fprintf(stderr, "%s: %s\n", message.c_str(), std::strerror(errno));
  std::exit(1);
}

uint64_t parse_number(const std::string& text, const std::string& what) {
  uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end || text.empty())
    usage_error(what + " is not a number: " + text);
  return value;
}

Options::Options(std::vector<std::string> args, std::initializer_list<std::string_view> valued,
                 std::initializer_list<std::string_view> flags) {
  const auto among = [](std::initializer_list<std::string_view> names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  for (size_t i = 0; i < args.size(); ++i) {
    if (!args[i].starts_with("--")) usage_error("unexpected argument: " + args[i]);
    const std::string name = args[i].substr(2);
    if (among(flags, name)) {
      values_.emplace(name, "");
    } else if (!among(valued, name)) {
      usage_error("unknown option: --" + name);
    } else if (i + 1 == args.size()) {
      usage_error("--" + name + " needs a value");
    } else {
      values_.emplace(name, args[++i]);
    }
  }
}

std::string Options::text(const std::string& name, const std::string& fallback) const {
  const auto found = values_.find(name);
  return found == values_.end() ? fallback : found->second;
}

std::string Options::required(const std::string& name) const {
  if (!has(name)) usage_error("--" + name + " is required");
  return text(name);
}

uint64_t Options::number(const std::string& name, uint64_t fallback) const {
  return has(name) ? parse_number(text(name), "--" + name) : fallback;
}

std::vector<std::string> Options::all(const std::string& name) const {
  std::vector<std::string> found;
  const auto [first, last] = values_.equal_range(name);
  for (auto it = first; it != last; ++it) found.push_back(it->second);
  return found;
}

}  // namespace lab
