// One netlink socket: requests out, answers in, over libmnl. The kernel answers a dump as it is read, so a table of any
// size passes through one buffer and a reader may pause between two receives.
#pragma once

#include <libmnl/libmnl.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace netloupe {

class NetlinkSocket {
 public:
  enum class Step {
    more,        // a part of the answer was given; receive() again
    done,        // the answer is complete
    failed,      // the kernel refused, see error()
    wouldBlock,  // nothing there (notifications)
    overrun      // notifications were lost (ENOBUFS): what they told must be read again as a whole
  };
  using Message = std::function<void(const nlmsghdr&)>;

  /// `protocol` as in netlink(7); `groups` (RTMGRP_..) makes it a socket for notifications, which never blocks. Check
  /// isOpen().
  explicit NetlinkSocket(int protocol, unsigned groups = 0);

  bool isOpen() const { return socket_ != nullptr; }
  int fd() const;

  /// Sends one or more requests, built in `bytes`; a new sequence number is set in each. False: error() says why.
  /// Answers to earlier requests that were not read to their end are dropped from then on.
  bool send(std::span<std::byte> bytes);

  /// Reads one datagram and gives its messages to `each`. Answers of send(): blocks until there is one, at most one
  /// second.
  Step receive(const Message& each);

  /// Sends a dump request and reads it to its end. False: error() says why.
  bool dump(nlmsghdr& request, const Message& each);

  /// errno of the last failure.
  int error() const { return error_; }

 private:
  struct Close {
    void operator()(mnl_socket* socket) const { mnl_socket_close(socket); }
  };

  std::unique_ptr<mnl_socket, Close> socket_;
  std::vector<std::byte> buffer_;
  std::uint32_t sequence_ = 0;
  bool notifies_ = false;
  int error_ = 0;
};

/// The attributes of one message or nest by their type. Types above the largest asked for, and everything behind a
/// damaged attribute, are ignored. Payloads are read only through the checked getters.
class NetlinkAttributes {
 public:
  /// `header` is the size of the fixed struct in front of the attributes.
  NetlinkAttributes(const nlmsghdr& message, std::size_t header, std::uint16_t maxType);
  NetlinkAttributes(const nlattr* nest, std::uint16_t maxType);
  NetlinkAttributes(std::span<const std::byte> attributes, std::uint16_t maxType);

  bool has(std::uint16_t type) const { return get(type) != nullptr; }
  const nlattr* get(std::uint16_t type) const { return type < found_.size() ? found_[type] : nullptr; }
  /// The payload; empty when there is none.
  std::span<const std::byte> bytes(std::uint16_t type) const;
  /// Text up to the first NUL.
  std::string_view text(std::uint16_t type) const;
  /// The number, or `otherwise` when the attribute is missing or shorter.
  std::uint8_t u8(std::uint16_t type, std::uint8_t otherwise = 0) const;
  std::uint32_t u32(std::uint16_t type, std::uint32_t otherwise = 0) const;

 private:
  std::vector<const nlattr*> found_;
};

}  // namespace netloupe
