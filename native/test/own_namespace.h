// Runs a piece of a test in a network namespace of its own. The namespace belongs to a thread and goes with it, also
// when the test fails.
#pragma once

#include <pthread.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <string>

namespace netloupe::test {

/// A failed REQUIRE ends `body` and is then raised in the calling thread. Without the right to make namespaces the test
/// says that it was skipped and does nothing.
inline void inOwnNamespace(const std::function<void()>& body) {
  struct Run {
    const std::function<void()>& body;
    std::exception_ptr failure;
    bool made = false;
  } run{body, nullptr};
  pthread_t thread{};
  const auto enter = [](void* argument) -> void* {
    auto& inside = *static_cast<Run*>(argument);
    inside.made = ::unshare(CLONE_NEWNET) == 0;
    try {
      if (inside.made) inside.body();
    } catch (...) {
      inside.failure = std::current_exception();
    }
    return nullptr;
  };
  REQUIRE(::pthread_create(&thread, nullptr, enter, &run) == 0);
  ::pthread_join(thread, nullptr);
  if (run.failure) std::rethrow_exception(run.failure);
  if (!run.made)
    std::printf("SKIPPED: %s: making a network namespace needs root\n",
                doctest::getContextOptions()->currentTest->m_name);
}

/// Runs a command line in the calling thread's namespace; true when it succeeded.
inline bool run(const std::string& commands) {
  return std::system(commands.c_str()) == 0;
}

/// What a command prints.
inline std::string outputOf(const std::string& command) {
  std::string text;
  FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return text;
  char buffer[4096];
  for (std::size_t got = 0; (got = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) text.append(buffer, got);
  ::pclose(pipe);
  return text;
}

}  // namespace netloupe::test
