#include "proc_net.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "fd.h"

namespace netloupe {

namespace {

// A line has about 180 characters; a longer one is not of this format and is passed over.
constexpr std::size_t kMaxLineBytes = 512;

std::string_view nextWord(std::string_view& line) {
  const std::size_t begin = line.find_first_not_of(' ');
  if (begin == std::string_view::npos) {
    line = {};
    return {};
  }
  line.remove_prefix(begin);
  const std::string_view word = line.substr(0, line.find(' '));
  line.remove_prefix(word.size());
  return word;
}

template <class Number>
bool toNumber(std::string_view text, int base, Number& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

/// "0100007F:1F90": each 32-bit word of the address as this machine's integer, the port as a number.
bool toEndpoint(std::string_view text, std::uint8_t family, Address& address, std::uint16_t& port) {
  const std::size_t digits = family == 4 ? 8 : 32;
  if (text.size() <= digits + 1 || text[digits] != ':') return false;
  for (std::size_t word = 0; word * 8 < digits; ++word) {
    std::uint32_t value = 0;
    if (!toNumber(text.substr(word * 8, 8), 16, value)) return false;
    std::memcpy(address.data() + word * sizeof value, &value, sizeof value);
  }
  return toNumber(text.substr(digits + 1), 16, port);
}

}  // namespace

std::optional<InetSocket> parseProcNetLine(std::string_view line, const ProcNetTable& table) {
  InetSocket socket;
  socket.family = table.family;
  nextWord(line);  // number of the line
  if (!toEndpoint(nextWord(line), table.family, socket.localAddress, socket.localPort)) return std::nullopt;
  if (!toEndpoint(nextWord(line), table.family, socket.remoteAddress, socket.remotePort)) return std::nullopt;
  if (!toNumber(nextWord(line), 16, socket.state)) return std::nullopt;
  const std::string_view queues = nextWord(line);
  if (queues.size() != 17 || !toNumber(queues.substr(0, 8), 16, socket.txQueueBytes) ||
      !toNumber(queues.substr(9), 16, socket.rxQueueBytes)) {
    return std::nullopt;
  }
  nextWord(line);  // timer
  nextWord(line);  // retransmits
  if (!toNumber(nextWord(line), 10, socket.uid)) return std::nullopt;
  nextWord(line);  // timeout
  if (!toNumber(nextWord(line), 10, socket.inode)) return std::nullopt;
  socket.protocol = table.protocol;
  if (table.protocol == 0) {
    if (socket.localPort > 0xff) return std::nullopt;
    socket.protocol = static_cast<std::uint8_t>(socket.localPort);
    socket.localPort = 0;
    socket.remotePort = 0;
  }
  return socket;
}

bool readProcNet(int procFolder, const ProcNetTable& table, const std::function<void(const InetSocket&)>& each) {
  const Fd file(::openat(procFolder, table.path, O_RDONLY | O_CLOEXEC));
  if (!file) return false;
  std::array<char, 16384> buffer;
  std::size_t kept = 0;  // bytes of a line whose end has not been read yet
  bool skipping = false;
  for (;;) {
    const ssize_t got = ::read(file.get(), buffer.data() + kept, buffer.size() - kept);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return got == 0;
    std::string_view text(buffer.data(), kept + static_cast<std::size_t>(got));
    for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
      if (!skipping) {
        if (const auto socket = parseProcNetLine(text.substr(0, end), table)) each(*socket);
      }
      skipping = false;
      text.remove_prefix(end + 1);
    }
    if (text.size() > kMaxLineBytes) {
      skipping = true;
      text = {};
    }
    kept = text.size();
    std::memmove(buffer.data(), text.data(), kept);
  }
}

}  // namespace netloupe
