#include "capture_file.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "bounds.h"

namespace netloupe {
namespace {

constexpr std::uint32_t kPcapMicroseconds = 0xa1b2c3d4;
constexpr std::uint32_t kPcapNanoseconds = 0xa1b23c4d;
constexpr std::uint32_t kPcapModified = 0xa1b2cd34;  // Alexey Kuznetsov's: record headers are 8 bytes longer
constexpr std::size_t kPcapHeaderBytes = 24;
constexpr std::size_t kPcapRecordBytes = 16;
constexpr std::size_t kPcapModifiedRecordBytes = 24;

constexpr std::uint32_t kSectionHeader = 0x0a0d0d0a;
constexpr std::uint32_t kByteOrderMagic = 0x1a2b3c4d;
constexpr std::uint32_t kInterfaceDescription = 1;
constexpr std::uint32_t kObsoletePacket = 2;
constexpr std::uint32_t kSimplePacket = 3;
constexpr std::uint32_t kEnhancedPacket = 6;
constexpr std::size_t kBlockOverheadBytes = 12;  // type and both lengths
constexpr std::size_t kOptionHeaderBytes = 4;

// Options around a packet or an interface; a block that is larger than a packet and these is not believed.
constexpr std::uint32_t kMaxOptionBytes = 1u << 20;
constexpr std::uint32_t kMaxKeptBlockBytes = kMaxFileFrameBytes + kMaxOptionBytes;

constexpr std::uint64_t kMicrosPerSecond = 1'000'000;
constexpr std::int64_t kLastTimeUs = 253'402'300'799'000'000;  // the end of the year 9999
constexpr std::size_t kMaxNameBytes = 64;

std::uint32_t swapBytes(std::uint32_t value) {
  return __builtin_bswap32(value);
}

std::size_t padded(std::size_t bytes) {
  return (bytes + 3) & ~std::size_t{3};
}

/// 10^exponent or 2^exponent units per second (pcapng: if_tsresol); 0 when 64 bits can't hold it.
std::uint64_t unitsPerSecond(std::uint8_t resolution) {
  const unsigned exponent = resolution & 0x7f;
  if (resolution & 0x80) return exponent < 64 ? std::uint64_t{1} << exponent : 0;
  std::uint64_t units = 1;
  for (unsigned i = 0; i < exponent; ++i) {
    if (units > std::numeric_limits<std::uint64_t>::max() / 10) return 0;
    units *= 10;
  }
  return units;
}

/// Leading one bits of an IPv4 netmask.
std::uint8_t prefixLengthOf(const std::uint8_t* mask) {
  std::uint8_t bits = 0;
  for (std::size_t i = 0; i < 32 && (mask[i / 8] & 0x80u >> i % 8); ++i) ++bits;
  return bits;
}

}  // namespace

void CaptureFile::feed(std::span<const std::uint8_t> bytes) {
  if (error_) return;
  consume(pendingConsume_);
  pendingConsume_ = 0;
  const auto skipped = static_cast<std::size_t>(std::min<std::uint64_t>(skip_, bytes.size()));
  skip_ -= skipped;
  offset_ += skipped;
  bytes = bytes.subspan(skipped);
  buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(begin_));
  begin_ = 0;
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
}

void CaptureFile::finish() {
  finished_ = true;
}

std::optional<FileFrame> CaptureFile::next() {
  consume(pendingConsume_);
  pendingConsume_ = 0;
  while (!error_) {
    FileFrame frame;
    switch (step(frame)) {
      case Step::again:
        continue;
      case Step::frame:
        ++packets_;
        return frame;
      case Step::needMore:
        break;
    }
    if (finished_ && !error_ && (!available().empty() || skip_ > 0))
      damaged("The file stops in the middle of a record");
    if (finished_ && !error_ && format_ == Format::unknown) {
      fail(FileError::Code::badFile, "The file is empty", "Choose a capture file in pcap or pcapng format");
    }
    break;
  }
  return std::nullopt;
}

std::span<const std::uint8_t> CaptureFile::available() const {
  return std::span(buffer_).subspan(begin_);
}

/// Passes over bytes, also over ones that have not been fed yet.
void CaptureFile::consume(std::size_t bytes) {
  const std::size_t held = std::min(bytes, buffer_.size() - begin_);
  begin_ += held;
  offset_ += held;
  skip_ += bytes - held;
}

std::uint16_t CaptureFile::u16(const std::uint8_t* at) const {
  std::uint16_t value;
  std::memcpy(&value, at, sizeof value);
  return swapped_ ? __builtin_bswap16(value) : value;
}

std::uint32_t CaptureFile::u32(const std::uint8_t* at) const {
  std::uint32_t value;
  std::memcpy(&value, at, sizeof value);
  return swapped_ ? swapBytes(value) : value;
}

void CaptureFile::fail(FileError::Code code, std::string message, std::string fix) {
  error_ = FileError{code, offset_, std::move(message), std::move(fix)};
}

void CaptureFile::damaged(std::string what) {
  fail(FileError::Code::damagedFile, std::move(what) + " at byte " + std::to_string(offset_),
       "What was read before it is shown; copy the file again or repair it, for example with pcapfix");
}

CaptureFile::Step CaptureFile::step(FileFrame& frame) {
  if (skip_ > 0) return Step::needMore;
  switch (format_) {
    case Format::unknown:
      return begin();
    case Format::pcap:
      return pcapRecord(frame);
    case Format::pcapng:
      return pcapngBlock(frame);
  }
  return Step::needMore;
}

/// Tells the format by the first bytes.
CaptureFile::Step CaptureFile::begin() {
  const std::span<const std::uint8_t> bytes = available();
  static constexpr const char* kFix =
      "Choose a capture file in pcap or pcapng format, as tcpdump and Wireshark write them";
  if (bytes.size() >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b) {
    fail(FileError::Code::badFile, "The file is compressed with gzip", "Unpack it with gunzip first");
    return Step::needMore;
  }
  if (bytes.size() < 4) {
    if (finished_ && !bytes.empty()) fail(FileError::Code::badFile, "The file is not a capture file", kFix);
    return Step::needMore;
  }
  const std::uint32_t magic = u32(bytes.data());
  if (magic == kSectionHeader) {
    format_ = Format::pcapng;
    return Step::again;
  }
  if (magic == 0xfd2fb528) {
    fail(FileError::Code::badFile, "The file is compressed with zstd", "Unpack it with unzstd first");
    return Step::needMore;
  }
  const auto isMagic = [](std::uint32_t value) {
    return value == kPcapMicroseconds || value == kPcapNanoseconds || value == kPcapModified;
  };
  if (!isMagic(magic) && !isMagic(swapBytes(magic))) {
    fail(FileError::Code::badFile, "The file is not a capture file", kFix);
    return Step::needMore;
  }
  if (bytes.size() < kPcapHeaderBytes) return Step::needMore;
  swapped_ = !isMagic(magic);
  const std::uint32_t kind = u32(bytes.data());
  if (u16(bytes.data() + 4) != 2) {
    fail(FileError::Code::badFile, "The file is of an unknown version of the pcap format", kFix);
    return Step::needMore;
  }
  format_ = Format::pcap;
  recordHeaderBytes_ = kind == kPcapModified ? kPcapModifiedRecordBytes : kPcapRecordBytes;
  // The upper bits of the link type tell the length of a frame check sequence, if one was captured.
  interfaces_.push_back({linkLayerOf(u32(bytes.data() + 20) & 0xffff), {}, {}, {}});
  timeBases_.push_back({kind == kPcapNanoseconds ? 1000 * kMicrosPerSecond : kMicrosPerSecond, 0, 0});
  consume(kPcapHeaderBytes);
  return Step::again;
}

CaptureFile::Step CaptureFile::pcapRecord(FileFrame& frame) {
  const std::span<const std::uint8_t> bytes = available();
  if (bytes.size() < recordHeaderBytes_) return Step::needMore;
  const std::uint32_t captured = u32(bytes.data() + 8);
  if (captured > kMaxFileFrameBytes) {
    damaged("A packet claims " + std::to_string(captured) + " bytes");
    return Step::needMore;
  }
  if (bytes.size() < recordHeaderBytes_ + captured) return Step::needMore;
  const std::uint64_t unitsPerMicro = timeBases_[0].unitsPerSecond / kMicrosPerSecond;
  frame.timeUs = u32(bytes.data()) * kMicrosPerSecond + u32(bytes.data() + 4) / unitsPerMicro;
  frame.frameBytes = std::max(captured, u32(bytes.data() + 12));
  frame.captured = bytes.subspan(recordHeaderBytes_, captured);
  pendingConsume_ = recordHeaderBytes_ + captured;
  return Step::frame;
}

CaptureFile::Step CaptureFile::pcapngBlock(FileFrame& frame) {
  const std::span<const std::uint8_t> bytes = available();
  if (bytes.size() < kBlockOverheadBytes) return Step::needMore;
  const std::uint32_t type = u32(bytes.data());
  if (type == kSectionHeader) {
    std::uint32_t magic;
    std::memcpy(&magic, bytes.data() + 8, sizeof magic);
    if (magic != kByteOrderMagic && magic != swapBytes(kByteOrderMagic)) {
      damaged("A section of unknown byte order begins");
      return Step::needMore;
    }
    swapped_ = magic != kByteOrderMagic;
  }
  const std::uint32_t length = u32(bytes.data() + 4);
  if (length < kBlockOverheadBytes || length % 4 != 0) {
    damaged("A block claims " + std::to_string(length) + " bytes");
    return Step::needMore;
  }
  const bool wanted = type == kSectionHeader || type == kInterfaceDescription || type == kObsoletePacket ||
                      type == kSimplePacket || type == kEnhancedPacket;
  if (!wanted) {
    consume(length);
    return Step::again;
  }
  if (length > kMaxKeptBlockBytes) {
    damaged("A block claims " + std::to_string(length) + " bytes");
    return Step::needMore;
  }
  if (bytes.size() < length) return Step::needMore;
  if (u32(bytes.data() + length - 4) != length) {
    damaged("A block's two lengths differ");
    return Step::needMore;
  }
  const std::span<const std::uint8_t> body = bytes.subspan(8, length - kBlockOverheadBytes);
  Step result = Step::again;
  if (type == kSectionHeader) {
    result = sectionHeader(body);
  } else if (type == kInterfaceDescription) {
    result = interfaceDescription(body);
  } else {
    result = packetBlock(type, body, frame);
  }
  if (error_) return Step::needMore;
  if (result == Step::frame) {
    pendingConsume_ = length;
  } else {
    consume(length);
  }
  return result;
}

CaptureFile::Step CaptureFile::sectionHeader(std::span<const std::uint8_t> body) {
  if (body.size() < 16) {
    damaged("A section header is too short");
  } else if (u16(body.data() + 4) != 1) {
    fail(packets_ == 0 ? FileError::Code::badFile : FileError::Code::damagedFile,
         "The file is of an unknown version of the pcapng format", "Convert it with Wireshark's editcap");
  } else {
    sectionFirstInterface_ = interfaces_.size();
  }
  return Step::again;
}

CaptureFile::Step CaptureFile::interfaceDescription(std::span<const std::uint8_t> body) {
  if (body.size() < 8) {
    damaged("An interface description is too short");
    return Step::again;
  }
  if (interfaces_.size() == kMaxFileInterfaces) {
    damaged("More than " + std::to_string(kMaxFileInterfaces) + " interfaces are described");
    return Step::again;
  }
  FileInterface interface;
  TimeBase base;
  interface.link = linkLayerOf(u16(body.data()));
  base.snaplen = u32(body.data() + 4);
  for (std::span<const std::uint8_t> rest = body.subspan(8); rest.size() >= kOptionHeaderBytes;) {
    const std::uint16_t code = u16(rest.data());
    const std::size_t length = u16(rest.data() + 2);
    rest = rest.subspan(kOptionHeaderBytes);
    if (code == 0 || rest.size() < length) break;
    const std::span<const std::uint8_t> value = rest.first(length);
    rest = rest.subspan(std::min(rest.size(), padded(length)));
    switch (code) {
      case 2:  // if_name
        interface.name.assign(value.begin(),
                              value.begin() + static_cast<std::ptrdiff_t>(std::min(length, kMaxNameBytes)));
        break;
      case 4:  // if_IPv4addr: address and netmask
        if (length == 8 && interface.addresses.size() < kMaxLocalAddresses) {
          LocalAddress address{.address = {}, .family = 4, .prefixLength = prefixLengthOf(value.data() + 4)};
          std::copy_n(value.begin(), 4, address.address.begin());
          interface.addresses.push_back(address);
        }
        break;
      case 5:  // if_IPv6addr: address and prefix length
        if (length == 17 && interface.addresses.size() < kMaxLocalAddresses) {
          LocalAddress address{.address = {}, .family = 6, .prefixLength = std::min<std::uint8_t>(value[16], 128)};
          std::copy_n(value.begin(), 16, address.address.begin());
          interface.addresses.push_back(address);
        }
        break;
      case 6:  // if_MACaddr
        if (length == 6) std::copy_n(value.begin(), 6, interface.linkLayerAddress.begin());
        break;
      case 9:  // if_tsresol
        if (length >= 1) base.unitsPerSecond = unitsPerSecond(value[0]);
        break;
      case 14:  // if_tsoffset, seconds
        if (length == 8) {
          const std::uint64_t low = u32(value.data() + (swapped_ ? 4 : 0));
          const std::uint64_t high = u32(value.data() + (swapped_ ? 0 : 4));
          base.offsetSeconds = static_cast<std::int64_t>(high << 32 | low);
        }
        break;
      default:
        break;
    }
  }
  if (base.unitsPerSecond == 0) {
    damaged("An interface counts time in units that are too small");
    return Step::again;
  }
  interfaces_.push_back(std::move(interface));
  timeBases_.push_back(base);
  return Step::again;
}

CaptureFile::Step CaptureFile::packetBlock(std::uint32_t type, std::span<const std::uint8_t> body, FileFrame& frame) {
  const std::size_t header = type == kSimplePacket ? 4 : 20;
  if (body.size() < header) {
    damaged("A packet block is too short");
    return Step::again;
  }
  std::size_t number = 0;
  if (type == kEnhancedPacket) number = u32(body.data());
  if (type == kObsoletePacket) number = u16(body.data());
  if (number >= interfaces_.size() - sectionFirstInterface_) {
    damaged("A packet is of an interface that is not described");
    return Step::again;
  }
  frame.interface = sectionFirstInterface_ + number;
  const TimeBase& base = timeBases_[frame.interface];
  std::size_t captured = 0;
  if (type == kSimplePacket) {
    frame.frameBytes = u32(body.data());
    const std::uint32_t limit = base.snaplen == 0 ? frame.frameBytes : std::min(frame.frameBytes, base.snaplen);
    captured = std::min<std::size_t>(limit, body.size() - header);
    frame.timeUs = lastTimeUs_;
  } else {
    frame.timeUs = timeUs(base, std::uint64_t{u32(body.data() + 4)} << 32 | u32(body.data() + 8));
    captured = u32(body.data() + 12);
    frame.frameBytes = u32(body.data() + 16);
  }
  if (captured > body.size() - header || captured > kMaxFileFrameBytes) {
    damaged("A packet claims " + std::to_string(captured) + " bytes");
    return Step::again;
  }
  frame.frameBytes = std::max(frame.frameBytes, static_cast<std::uint32_t>(captured));
  frame.captured = body.subspan(header, captured);
  lastTimeUs_ = frame.timeUs;
  return Step::frame;
}

/// Unix time in microseconds. A time before 1970 or after the year 9999 is damage that calendars don't survive: it
/// becomes the nearest of both.
std::uint64_t CaptureFile::timeUs(const TimeBase& base, std::uint64_t units) const {
  __extension__ using Wide = __int128;
  const auto perSecond = static_cast<Wide>(base.unitsPerSecond);
  const Wide micros = static_cast<Wide>(units) * static_cast<Wide>(kMicrosPerSecond) / perSecond +
                      static_cast<Wide>(base.offsetSeconds) * static_cast<Wide>(kMicrosPerSecond);
  return static_cast<std::uint64_t>(std::clamp<Wide>(micros, 0, kLastTimeUs));
}

}  // namespace netloupe
