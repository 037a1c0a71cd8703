// The socket tables under /proc/net that have one line per socket: raw and ping sockets, which sock_diag does not tell
// on every kernel, and TCP and UDP where there is no sock_diag. proc_net(5).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "inet_socket.h"

namespace netloupe {

/// One table. The protocol is that of its sockets; for raw sockets it stands in each line.
struct ProcNetTable {
  const char* path;       // below /proc
  std::uint8_t family;    // 4 or 6
  std::uint8_t protocol;  // 0: the local port column is the protocol
};

inline constexpr ProcNetTable kRawTables[] = {{"net/raw", 4, 0}, {"net/raw6", 6, 0}};
inline constexpr ProcNetTable kPingTables[] = {{"net/icmp", 4, 1}, {"net/icmp6", 6, 58}};
inline constexpr ProcNetTable kTcpTables[] = {{"net/tcp", 4, 6}, {"net/tcp6", 6, 6}};
inline constexpr ProcNetTable kUdpTables[] = {{"net/udp", 4, 17}, {"net/udp6", 6, 17}};

/// One line of a table; none for its title and for what does not parse. A ping socket's local port is its identifier.
std::optional<InetSocket> parseProcNetLine(std::string_view line, const ProcNetTable& table);

/// Reads a table through the descriptor of /proc. False when it does not exist (no such protocol in this kernel) or
/// can't be read.
bool readProcNet(int procFolder, const ProcNetTable& table, const std::function<void(const InetSocket&)>& each);

}  // namespace netloupe
