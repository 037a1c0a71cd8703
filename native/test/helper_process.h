// The real helper as a child process, spoken to over its pipes as the application does.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "fd.h"
#include "wire.h"

namespace netloupe::test {

using Json = nlohmann::json;
using Clock = std::chrono::steady_clock;

inline constexpr auto kPatience = std::chrono::seconds(10);

/// One frame from the helper.
struct Frame {
  FrameType type = FrameType::control;
  Json control;                   // control frames
  std::uint32_t id = 0;           // batches
  std::vector<FlowRecord> flows;  // flow batches
};

class HelperProcess {
 public:
  struct Options {
    std::vector<std::string> arguments = {};
    int file = -1;                          // becomes descriptor 3
    std::function<void()> beforeExec = {};  // in the child
  };

  HelperProcess() : HelperProcess(Options{}) {}
  explicit HelperProcess(const Options& options) {
    const char* program = std::getenv("NETLOUPE_HELPER");
    REQUIRE_MESSAGE(program != nullptr, "`make test` sets NETLOUPE_HELPER");
    int in[2];
    int out[2];
    REQUIRE(pipe2(in, O_CLOEXEC) == 0);
    REQUIRE(pipe2(out, O_CLOEXEC) == 0);
    pid_ = fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      dup2(in[0], STDIN_FILENO);
      dup2(out[1], STDOUT_FILENO);
      const int devNull = open("/dev/null", O_WRONLY);
      dup2(devNull, STDERR_FILENO);
      if (options.file == 3) fcntl(3, F_SETFD, 0);  // dup2 to itself would leave it close-on-exec
      if (options.file >= 0) dup2(options.file, 3);
      if (options.beforeExec) options.beforeExec();
      std::vector<char*> argv{const_cast<char*>(program)};
      for (const std::string& argument : options.arguments) argv.push_back(const_cast<char*>(argument.c_str()));
      argv.push_back(nullptr);
      char* environment[] = {nullptr};
      execve(program, argv.data(), environment);
      _exit(127);
    }
    close(in[0]);
    close(out[1]);
    input_ = Fd(in[1]);
    output_ = Fd(out[0]);
  }
  ~HelperProcess() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
  }
  HelperProcess(const HelperProcess&) = delete;
  HelperProcess& operator=(const HelperProcess&) = delete;

  pid_t pid() const { return pid_; }

  void sendBytes(std::string_view bytes) {
    REQUIRE(::write(input_.get(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  }
  void send(const Json& message) { sendBytes(controlFrame(message.dump())); }
  void closeInput() { input_.reset(); }

  /// The next frame; nothing at end of file or when patience ran out.
  std::optional<Frame> next(std::chrono::milliseconds patience = kPatience) {
    const auto deadline = Clock::now() + patience;
    FrameHeader header;
    for (;;) {
      if (buffer_.size() >= sizeof header) {
        std::memcpy(&header, buffer_.data(), sizeof header);
        if (buffer_.size() >= sizeof header + header.length) break;
      }
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
      pollfd wait{.fd = output_.get(), .events = POLLIN, .revents = 0};
      if (left <= 0 || poll(&wait, 1, static_cast<int>(left)) <= 0) return std::nullopt;
      char bytes[65536];
      const ssize_t length = ::read(output_.get(), bytes, sizeof bytes);
      if (length <= 0) return std::nullopt;
      buffer_.append(bytes, static_cast<std::size_t>(length));
    }
    Frame frame;
    frame.type = header.type;
    const std::string_view payload(buffer_.data() + sizeof header, header.length);
    if (header.type == FrameType::control) {
      frame.control = Json::parse(payload);
    } else {
      BatchHeader batch;
      REQUIRE(payload.size() >= sizeof batch);
      std::memcpy(&batch, payload.data(), sizeof batch);
      frame.id = batch.id;
      if (header.type == FrameType::flowBatch) {
        REQUIRE(batch.recordSize == sizeof(FlowRecord));
        REQUIRE(payload.size() == sizeof batch + batch.count * sizeof(FlowRecord));
        frame.flows.resize(batch.count);
        if (batch.count > 0)
          std::memcpy(frame.flows.data(), payload.data() + sizeof batch, batch.count * sizeof(FlowRecord));
      }
    }
    buffer_.erase(0, sizeof header + header.length);
    return frame;
  }

  /// Reads on until a control message fits; every frame on the way goes into `seen` first.
  Json until(const std::function<bool(const Json&)>& fits, const char* what) {
    const auto deadline = Clock::now() + kPatience;
    while (Clock::now() < deadline) {
      std::optional<Frame> frame = next();
      if (!frame) break;
      if (onFrame) onFrame(*frame);
      if (frame->type == FrameType::control && fits(frame->control)) return frame->control;
    }
    FAIL("waited in vain for ", what);
    return {};
  }
  Json untilType(const char* type) {
    return until([&](const Json& json) { return json["type"] == type; }, type);
  }
  Json answer(std::uint32_t token) {
    return until([&](const Json& json) { return json.value("token", 0u) == token && json["type"] != "page"; },
                 "an answer");
  }

  /// hello and helloAck.
  Json shakeHands() {
    const Json hello = untilType("hello");
    send({{"type", "helloAck"}, {"protocol", {{"major", 1}, {"minor", 0}}}});
    return hello;
  }

  /// Starts capture; the reply's interfaces by name.
  std::map<std::string, Json> start(const Json& members = Json::object()) {
    Json request{{"type", "start"},      {"token", 1},          {"interfaces", nullptr}, {"loopback", false},
                 {"promiscuous", false}, {"captureFilter", ""}, {"tickMs", 100}};
    request.update(members);
    send(request);
    const Json reply = answer(1);
    REQUIRE_MESSAGE(reply["type"] == "reply", reply.dump());
    std::map<std::string, Json> interfaces;
    for (const Json& one : reply["result"]["interfaces"]) interfaces[one["name"]] = one;
    return interfaces;
  }

  /// Waits for the end of the process: its exit code, or -signal.
  int exitCode() {
    const auto deadline = Clock::now() + kPatience;
    while (Clock::now() < deadline) {
      int status = 0;
      // Whatever it still says must not keep it.
      pollfd wait{.fd = output_.get(), .events = POLLIN, .revents = 0};
      if (poll(&wait, 1, 10) > 0) {
        char bytes[65536];
        if (::read(output_.get(), bytes, sizeof bytes) <= 0) usleep(1000);
      }
      if (waitpid(pid_, &status, WNOHANG) == pid_) {
        pid_ = -1;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
      }
    }
    FAIL("the helper did not end");
    return -1;
  }

  /// The helper's other processes by their names, once each has given itself one.
  std::multimap<std::string, pid_t> processes() const {
    const auto deadline = Clock::now() + kPatience;
    for (;;) {
      std::multimap<std::string, pid_t> found;
      const std::string self = std::to_string(pid_);
      std::ifstream children("/proc/" + self + "/task/" + self + "/children");
      for (pid_t child = 0; children >> child;) {
        std::ifstream comm("/proc/" + std::to_string(child) + "/comm");
        std::string name;
        std::getline(comm, name);
        found.emplace(name, child);
      }
      if (!found.contains("netloupe-helper") && !found.contains("")) return found;
      REQUIRE(Clock::now() < deadline);
      usleep(1000);
    }
  }

  std::function<void(const Frame&)> onFrame;

 private:
  pid_t pid_ = -1;
  Fd input_;
  Fd output_;
  std::string buffer_;
};

/// What a reader of the protocol knows after each tick: the newest record of every flow and the interfaces' totals.
struct Ledger {
  std::map<std::uint64_t, FlowRecord> flows;
  std::map<std::uint32_t, Json> interfaces;
  std::vector<std::uint32_t> ticks;
  bool endedTwice = false;

  void take(const Frame& frame) {
    for (const FlowRecord& record : frame.flows) {
      FlowRecord& known = flows[record.flowId];
      endedTwice = endedTwice || (known.flags & kFlowEnded) != 0;
      known = record;
    }
    if (frame.type != FrameType::control || frame.control["type"] != "tick") return;
    ticks.push_back(frame.control["tick"]);
    for (const Json& one : frame.control["interfaces"]) interfaces[one["id"]] = one;
  }

  /// The protocol's promise: an interface's totals are the sum over every flow it ever had, to the byte.
  void checkSums() const {
    std::map<std::uint32_t, std::array<std::uint64_t, 4>> sums;
    for (const auto& [id, record] : flows) {
      auto& sum = sums[record.interfaceId];
      sum[0] += record.rxBytes;
      sum[1] += record.txBytes;
      sum[2] += record.rxPackets;
      sum[3] += record.txPackets;
    }
    for (const auto& [id, totals] : interfaces) {
      CHECK(totals["rxBytes"] == sums[id][0]);
      CHECK(totals["txBytes"] == sums[id][1]);
      CHECK(totals["rxPackets"] == sums[id][2]);
      CHECK(totals["txPackets"] == sums[id][3]);
    }
  }
};

}  // namespace netloupe::test
