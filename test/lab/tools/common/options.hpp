#pragma once
// Command-line options of the lab's tools: `--name value` and `--flag`, each known by name.

#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace lab {

// Options given after the sub-command. Ends the program with exit code 2 and one line on stderr when an option
// is unknown, has no value, or has a value that is not a number where a number is asked for: a lab whose tool
// guessed what was meant would count the wrong bytes.
class Options {
 public:
  Options(std::vector<std::string> args, std::initializer_list<std::string_view> valued,
          std::initializer_list<std::string_view> flags);

  bool has(const std::string& name) const { return values_.contains(name); }
  std::string text(const std::string& name, const std::string& fallback = "") const;
  std::string required(const std::string& name) const;
  uint64_t number(const std::string& name, uint64_t fallback = 0) const;
  // All values of an option that may be repeated, in the order given.
  std::vector<std::string> all(const std::string& name) const;

 private:
  std::multimap<std::string, std::string> values_;
};

// Unsigned decimal number, or exit code 2 naming `what`.
uint64_t parse_number(const std::string& text, const std::string& what);

[[noreturn]] void usage_error(const std::string& message);
// Prints "message: strerror(errno)" on stderr and ends with exit code 1.
[[noreturn]] void system_error(const std::string& message);

}  // namespace lab
