// Messages between the helper's processes: one struct, optional bytes behind it, optional descriptors, over a
// SOCK_SEQPACKET pair.
#pragma once

#include <array>
#include <cstddef>
#include <initializer_list>
#include <span>
#include <type_traits>
#include <utility>

#include "fd.h"

namespace netloupe {

inline constexpr std::size_t kMaxPassedFds = 2;
using PassedFds = std::array<Fd, kMaxPassedFds>;

/// Both ends of a new non-blocking channel; empty descriptors when the system has none left.
std::pair<Fd, Fd> makeChannel();

enum class Sent { ok, wouldBlock, closed };
enum class Received { message, wouldBlock, closed, malformed };

namespace channel {
Sent send(int fd, std::span<const std::byte> head, std::span<const std::byte> tail, std::span<const int> fds);
Received receive(int fd, std::span<std::byte> head, std::span<std::byte> tail, std::size_t& tailBytes, PassedFds* fds);
}  // namespace channel

/// Sends `head`, the bytes of `tail` behind it, and copies of `fds`, as one message.
template <class Struct>
Sent sendMessage(int fd, const Struct& head, std::span<const std::byte> tail = {},
                 std::initializer_list<int> fds = {}) {
  static_assert(std::is_trivially_copyable_v<Struct>);
  return channel::send(fd, std::as_bytes(std::span(&head, 1)), tail, std::span(fds.begin(), fds.size()));
}

/// Receives one message. `tail` takes what stands behind the struct and `tailBytes` says how much it was; a message
/// that is shorter than the struct or longer than both is malformed. Descriptors that nobody asked for are closed.
template <class Struct>
Received receiveMessage(int fd, Struct& head, std::span<std::byte> tail, std::size_t& tailBytes,
                        PassedFds* fds = nullptr) {
  static_assert(std::is_trivially_copyable_v<Struct>);
  return channel::receive(fd, std::as_writable_bytes(std::span(&head, 1)), tail, tailBytes, fds);
}

template <class Struct>
Received receiveMessage(int fd, Struct& head, PassedFds* fds = nullptr) {
  std::size_t tailBytes = 0;
  return receiveMessage(fd, head, {}, tailBytes, fds);
}

}  // namespace netloupe
