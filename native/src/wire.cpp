#include "wire.h"

#include <algorithm>
#include <cstring>

#include "bounds.h"

namespace netloupe {

namespace {

template <class Struct>
void append(std::string& out, const Struct& value) {
  static_assert(std::is_trivially_copyable_v<Struct>);
  char bytes[sizeof(Struct)];
  std::memcpy(bytes, &value, sizeof value);
  out.append(bytes, sizeof bytes);
}

/// Length of the well-formed UTF-8 character at the beginning of `text` (RFC 3629: no overlong forms, no surrogates),
/// or 0.
std::size_t characterLength(std::string_view text) {
  const auto at = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const auto follows = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xbf) {
    return at(i) >= low && at(i) <= high;
  };
  const unsigned first = at(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return follows(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    return follows(1, first == 0xe0 ? 0xa0 : 0x80, first == 0xed ? 0x9f : 0xbf) && follows(2) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    return follows(1, first == 0xf0 ? 0x90 : 0x80, first == 0xf4 ? 0x8f : 0xbf) && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

}  // namespace

std::string controlFrame(std::string_view json) {
  std::string frame;
  frame.reserve(sizeof(FrameHeader) + json.size());
  append(frame, FrameHeader{.length = static_cast<std::uint32_t>(json.size()), .type = FrameType::control});
  frame.append(json);
  return frame;
}

std::string flowBatchHead(std::uint32_t tick, std::size_t count) {
  std::string head;
  head.reserve(sizeof(FrameHeader) + sizeof(BatchHeader));
  append(head, FrameHeader{.length = static_cast<std::uint32_t>(sizeof(BatchHeader) + count * sizeof(FlowRecord)),
                           .type = FrameType::flowBatch});
  append(head, BatchHeader{.id = tick, .recordSize = sizeof(FlowRecord), .count = static_cast<std::uint32_t>(count)});
  return head;
}

std::string socketBatchFrame(std::uint32_t token, std::span<const SocketRecord> records) {
  std::string frame;
  frame.reserve(sizeof(FrameHeader) + sizeof(BatchHeader) + records.size_bytes());
  append(frame, FrameHeader{.length = static_cast<std::uint32_t>(sizeof(BatchHeader) + records.size_bytes()),
                            .type = FrameType::socketBatch});
  append(frame,
         BatchHeader{
             .id = token, .recordSize = sizeof(SocketRecord), .count = static_cast<std::uint32_t>(records.size())});
  for (const SocketRecord& record : records) append(frame, record);
  return frame;
}

std::string cleanText(std::string_view text, std::size_t maxBytes) {
  static constexpr std::string_view kReplacement = "\xef\xbf\xbd";
  std::string clean;
  clean.reserve(std::min(text.size(), maxBytes));
  while (!text.empty()) {
    const std::size_t length = characterLength(text);
    const std::string_view character = length == 0 ? kReplacement : text.substr(0, length);
    if (clean.size() + character.size() > maxBytes) break;
    clean.append(character);
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return clean;
}

void FrameReader::feed(std::span<const char> bytes) {
  if (error_ != Error::none) return;
  if (begin_ > 0) {
    buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(begin_));
    begin_ = 0;
  }
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
}

bool FrameReader::next(std::string_view& json) {
  if (error_ != Error::none) return false;
  const std::size_t available = buffer_.size() - begin_;
  FrameHeader header;
  if (available < sizeof header) return false;
  std::memcpy(&header, buffer_.data() + begin_, sizeof header);
  if (header.length > kMaxControlBytes) {
    error_ = Error::frameTooLarge;
  } else if (header.type != FrameType::control || header.flags != 0 || header.zero != 0) {
    error_ = Error::badFrame;
  }
  if (error_ != Error::none) {
    buffer_.clear();
    begin_ = 0;
    return false;
  }
  if (available < sizeof header + header.length) return false;
  json = std::string_view(buffer_.data() + begin_ + sizeof header, header.length);
  begin_ += sizeof header + header.length;
  return true;
}

}  // namespace netloupe
