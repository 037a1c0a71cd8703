// Streaming reader of pcap and pcapng (draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng). It is fed bytes as they come
// and does no I/O. The bytes are an attacker's: every length is checked before it is believed, and memory is bounded by
// the largest packet block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "decode.h"
#include "orient.h"

namespace netloupe {

/// Captured bytes of one frame that are believed (libpcap's own limit); a file that claims more is damaged there.
inline constexpr std::uint32_t kMaxFileFrameBytes = 262144;

/// Interfaces of one file, counted over all its sections. A file with more is treated as damaged at the first one too
/// many.
inline constexpr std::size_t kMaxFileInterfaces = 256;

/// An interface as the file describes it. A pcap file has one, nameless.
struct FileInterface {
  LinkLayer link = LinkLayer::other;
  std::string name;
  LinkLayerAddress linkLayerAddress{};
  std::vector<LocalAddress> addresses;
};

/// One frame of the file. `captured` lives until the next call of next() or feed().
struct FileFrame {
  std::size_t interface = 0;  // index into interfaces()
  std::uint64_t timeUs = 0;   // Unix time; a block without time has that of the frame before it
  std::uint32_t frameBytes = 0;
  std::span<const std::uint8_t> captured;
};

/// Why reading stopped early, in words for the user.
struct FileError {
  enum class Code { badFile, damagedFile } code = Code::badFile;
  std::uint64_t offsetBytes = 0;  // where the unreadable block or record begins
  std::string message;
  std::string fix;
};

class CaptureFile {
 public:
  /// Takes the next bytes of the file. Call next() until it gives nothing before feeding more: what is fed is kept
  /// until read.
  void feed(std::span<const std::uint8_t> bytes);

  /// Says that no more bytes come: a record that stops in its middle is then damage.
  void finish();

  /// The next frame; nothing when more bytes are needed, at the end, and after an error.
  std::optional<FileFrame> next();

  /// Grows while reading; an interface is described before its first frame.
  const std::vector<FileInterface>& interfaces() const { return interfaces_; }

  const std::optional<FileError>& error() const { return error_; }

  /// Frames given by next() and the bytes of the file that were read for them.
  std::uint64_t packets() const { return packets_; }
  std::uint64_t offsetBytes() const { return offset_; }

 private:
  enum class Format { unknown, pcap, pcapng };
  enum class Step { again, frame, needMore };

  struct TimeBase {
    std::uint64_t unitsPerSecond = 1'000'000;
    std::int64_t offsetSeconds = 0;
    std::uint32_t snaplen = 0;
  };

  std::span<const std::uint8_t> available() const;
  void consume(std::size_t bytes);
  std::uint16_t u16(const std::uint8_t* at) const;
  std::uint32_t u32(const std::uint8_t* at) const;
  void fail(FileError::Code code, std::string message, std::string fix);
  void damaged(std::string what);
  Step step(FileFrame& frame);
  Step begin();
  Step pcapRecord(FileFrame& frame);
  Step pcapngBlock(FileFrame& frame);
  Step sectionHeader(std::span<const std::uint8_t> body);
  Step interfaceDescription(std::span<const std::uint8_t> body);
  Step packetBlock(std::uint32_t type, std::span<const std::uint8_t> body, FileFrame& frame);
  std::uint64_t timeUs(const TimeBase& base, std::uint64_t units) const;

  Format format_ = Format::unknown;
  bool swapped_ = false;
  std::size_t recordHeaderBytes_ = 16;
  bool finished_ = false;
  std::vector<std::uint8_t> buffer_;
  std::size_t begin_ = 0;
  std::size_t pendingConsume_ = 0;  // the frame that next() gave still lies in the buffer
  std::uint64_t skip_ = 0;          // rest of a block that nobody wants, passed over without keeping it
  std::uint64_t offset_ = 0;
  std::uint64_t packets_ = 0;
  std::uint64_t lastTimeUs_ = 0;
  std::size_t sectionFirstInterface_ = 0;
  std::vector<FileInterface> interfaces_;
  std::vector<TimeBase> timeBases_;
  std::optional<FileError> error_;
};

}  // namespace netloupe
