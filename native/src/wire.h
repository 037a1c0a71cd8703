// The frames of PROTOCOL.md as bytes: headers, flow and socket records, and the reader of incoming frames. The structs
// are the wire layout itself; every integer is little-endian, so the helper is built for little-endian machines only.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "flow.h"

namespace netloupe {

static_assert(std::endian::native == std::endian::little, "the records are written as they lie in memory");

inline constexpr std::uint16_t kProtocolMajor = 1;
inline constexpr std::uint16_t kProtocolMinor = 1;

enum class FrameType : std::uint8_t { control = 1, flowBatch = 2, socketBatch = 3 };

struct FrameHeader {
  std::uint32_t length = 0;  // payload only
  FrameType type = FrameType::control;
  std::uint8_t flags = 0;
  std::uint16_t zero = 0;
};
static_assert(sizeof(FrameHeader) == 8);

/// Begins the payload of a flow batch (id: the tick) and of a socket batch (id: the request's token).
struct BatchHeader {
  std::uint32_t id = 0;
  std::uint16_t recordSize = 0;
  std::uint16_t zero = 0;
  std::uint32_t count = 0;
  std::uint32_t zero2 = 0;
};
static_assert(sizeof(BatchHeader) == 16);

inline constexpr std::uint8_t kFlowEnded = 1;
inline constexpr std::uint8_t kFlowInitiatedLocally = 2;
inline constexpr std::uint8_t kFlowInitiatedRemotely = 4;
inline constexpr std::uint8_t kFlowSynthetic = 8;  // a bucket: frames that no flow of their own could be kept for

inline constexpr std::uint32_t kUidUnknown = 0xffffffff;

/// One record of a flow batch; members and units as in PROTOCOL.md.
struct FlowRecord {
  std::uint64_t flowId = 0;
  std::uint64_t firstSeenUs = 0;
  std::uint64_t lastSeenUs = 0;
  std::uint64_t rxBytes = 0;
  std::uint64_t txBytes = 0;
  std::uint64_t rxPackets = 0;
  std::uint64_t txPackets = 0;
  std::uint64_t inode = 0;
  Address localAddress{};
  Address remoteAddress{};
  std::uint16_t localPort = 0;
  std::uint16_t remotePort = 0;
  std::uint32_t interfaceId = 0;
  std::uint32_t ownerId = 0;
  std::uint32_t uid = kUidUnknown;
  std::uint32_t handshakeRttUs = 0;
  std::uint16_t etherType = 0;
  std::uint16_t vlanId = 0;
  std::uint8_t family = 0;
  std::uint8_t protocol = 0;
  TcpState state = TcpState::none;
  Attribution attribution = Attribution::none;
  Reason reason = Reason::none;
  std::uint8_t flags = 0;
  EndReason endReason = EndReason::alive;
  std::uint8_t rxTcpFlags = 0;
  std::uint8_t txTcpFlags = 0;
  std::uint8_t zero[3] = {};
  std::uint32_t retransmits = 0;
  std::uint64_t payloadBytes = 0;
  std::uint64_t zero2 = 0;
};
static_assert(sizeof(FlowRecord) == 152 && std::is_trivially_copyable_v<FlowRecord>);
static_assert(offsetof(FlowRecord, localAddress) == 64 && offsetof(FlowRecord, interfaceId) == 100 &&
              offsetof(FlowRecord, etherType) == 116 && offsetof(FlowRecord, rxTcpFlags) == 127 &&
              offsetof(FlowRecord, retransmits) == 132 && offsetof(FlowRecord, payloadBytes) == 136);

/// One record of a socket batch; members and units as in PROTOCOL.md.
struct SocketRecord {
  std::uint64_t inode = 0;
  Address localAddress{};
  Address remoteAddress{};
  std::uint16_t localPort = 0;
  std::uint16_t remotePort = 0;
  std::uint32_t ownerId = 0;
  std::uint32_t uid = kUidUnknown;
  std::uint32_t interfaceIndex = 0;
  std::uint32_t rxQueueBytes = 0;
  std::uint32_t txQueueBytes = 0;
  std::uint8_t family = 0;
  std::uint8_t protocol = 0;
  std::uint8_t state = 0;
  Reason reason = Reason::none;
  std::uint32_t zero = 0;
  std::uint64_t rxBytes = 0;
  std::uint64_t txBytes = 0;
  std::uint32_t rttUs = 0;
  std::uint32_t rttVarianceUs = 0;
  std::uint32_t retransmits = 0;
  std::uint32_t congestionWindow = 0;
};
static_assert(sizeof(SocketRecord) == 104 && std::is_trivially_copyable_v<SocketRecord>);
static_assert(offsetof(SocketRecord, localPort) == 40 && offsetof(SocketRecord, family) == 64 &&
              offsetof(SocketRecord, rxBytes) == 72 && offsetof(SocketRecord, rttUs) == 88);

/// A whole control frame (header and JSON text).
std::string controlFrame(std::string_view json);

/// Header and batch header of a flow batch of `count` records, which the caller writes right behind it.
std::string flowBatchHead(std::uint32_t tick, std::size_t count);

/// A whole socket batch frame.
std::string socketBatchFrame(std::uint32_t token, std::span<const SocketRecord> records);

/// Text as the protocol allows it in JSON: bytes that are not UTF-8 become U+FFFD, cut at `maxBytes` between
/// characters.
std::string cleanText(std::string_view text, std::size_t maxBytes);

/// Cuts the application's byte stream into control frames. Refuses at the header, before anything of the payload is
/// kept; after an error it takes nothing more, because the stream can't be trusted.
class FrameReader {
 public:
  enum class Error { none, badFrame, frameTooLarge };

  /// Takes the next bytes; complete frames are then given by next().
  void feed(std::span<const char> bytes);

  /// The JSON text of the next complete control frame; false when there is none (yet, or because of error()). The text
  /// lives until the next call of feed or next.
  bool next(std::string_view& json);

  Error error() const { return error_; }

  /// True when the stream ended inside a frame.
  bool hasPartialFrame() const { return buffer_.size() > begin_; }

 private:
  std::vector<char> buffer_;
  std::size_t begin_ = 0;
  Error error_ = Error::none;
};

}  // namespace netloupe
