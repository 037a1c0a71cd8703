#include "capture_file.h"

#include <doctest/doctest.h>
#include <pcap/pcap.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>

#include "frames.h"

using namespace netloupe;
using namespace netloupe::frames;

namespace {

/// Integers of a file in a chosen byte order.
struct Writer {
  Bytes bytes;
  bool big = false;

  Writer& u16(unsigned value) {
    for (unsigned i = 0; i < 2; ++i) bytes.push_back(static_cast<std::uint8_t>(value >> 8 * (big ? 1 - i : i)));
    return *this;
  }
  Writer& u32(std::uint32_t value) {
    for (unsigned i = 0; i < 4; ++i) bytes.push_back(static_cast<std::uint8_t>(value >> 8 * (big ? 3 - i : i)));
    return *this;
  }
  Writer& u64(std::uint64_t value) {
    const auto high = static_cast<std::uint32_t>(value >> 32);
    const auto low = static_cast<std::uint32_t>(value);
    return big ? u32(high).u32(low) : u32(low).u32(high);
  }
  Writer& raw(const Bytes& more) {
    append(bytes, more);
    return *this;
  }
  Writer& pad() {
    while (bytes.size() % 4) bytes.push_back(0);
    return *this;
  }
  Writer like() const { return {{}, big}; }

  Writer& option(unsigned code, const Bytes& value) {
    return u16(code).u16(static_cast<unsigned>(value.size())).raw(value).pad();
  }
  Writer& block(std::uint32_t type, const Bytes& body) {
    const auto length = static_cast<std::uint32_t>(body.size() + 12);
    return u32(type).u32(length).raw(body).u32(length);
  }
  Writer& section() { return block(0x0a0d0d0a, like().u32(0x1a2b3c4d).u16(1).u16(0).u64(UINT64_MAX).bytes); }
  Writer& interface(unsigned linkType, const Bytes& options = {}, std::uint32_t snaplen = 0) {
    return block(1, like().u16(linkType).u16(0).u32(snaplen).raw(options).bytes);
  }
  Writer& packet(std::uint32_t interface, std::uint64_t time, const Bytes& data, std::uint32_t original = 0) {
    const auto captured = static_cast<std::uint32_t>(data.size());
    return block(6, like()
                        .u32(interface)
                        .u32(static_cast<std::uint32_t>(time >> 32))
                        .u32(static_cast<std::uint32_t>(time))
                        .u32(captured)
                        .u32(original ? original : captured)
                        .raw(data)
                        .pad()
                        .bytes);
  }
};

struct Read {
  std::size_t interface;
  std::uint64_t timeUs;
  std::uint32_t frameBytes;
  Bytes captured;
  bool operator==(const Read&) const = default;
};

/// The whole file, fed in pieces of the given size.
std::vector<Read> readAll(CaptureFile& file, const Bytes& bytes, std::size_t piece = 4096) {
  std::vector<Read> out;
  const auto drain = [&] {
    while (const auto frame = file.next()) {
      out.push_back(
          {frame->interface, frame->timeUs, frame->frameBytes, {frame->captured.begin(), frame->captured.end()}});
    }
  };
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    file.feed(std::span(bytes).subspan(at, std::min(piece, bytes.size() - at)));
    drain();
  }
  file.finish();
  drain();
  return out;
}

std::vector<Read> readAll(const Bytes& bytes, std::size_t piece = 4096) {
  CaptureFile file;
  std::vector<Read> out = readAll(file, bytes, piece);
  CHECK_FALSE(file.error());
  CHECK(file.packets() == out.size());
  CHECK(file.offsetBytes() == bytes.size());
  return out;
}

FileError errorOf(const Bytes& bytes) {
  CaptureFile file;
  readAll(file, bytes);
  REQUIRE(file.error());
  CHECK_FALSE(file.error()->message.empty());
  CHECK_FALSE(file.error()->fix.empty());
  return *file.error();
}

Bytes pcapHeader(bool big, std::uint32_t magic, std::uint32_t linkType) {
  return Writer{{}, big}.u32(magic).u16(2).u16(4).u32(0).u32(0).u32(65535).u32(linkType).bytes;
}

/// A file as libpcap itself writes it.
Bytes writtenByLibpcap(bool nanoseconds, const std::vector<Bytes>& frames) {
  char* memory = nullptr;
  std::size_t size = 0;
  std::FILE* stream = open_memstream(&memory, &size);
  pcap_t* dead = pcap_open_dead_with_tstamp_precision(
      DLT_EN10MB, 65535, nanoseconds ? PCAP_TSTAMP_PRECISION_NANO : PCAP_TSTAMP_PRECISION_MICRO);
  pcap_dumper_t* dumper = pcap_dump_fopen(dead, stream);
  for (std::size_t i = 0; i < frames.size(); ++i) {
    pcap_pkthdr header{};
    header.ts.tv_sec = 1'700'000'000 + static_cast<time_t>(i);
    header.ts.tv_usec = nanoseconds ? 123'456'789 : 123'456;
    header.caplen = static_cast<bpf_u_int32>(frames[i].size());
    header.len = header.caplen + 100;
    pcap_dump(reinterpret_cast<unsigned char*>(dumper), &header, frames[i].data());
  }
  pcap_dump_close(dumper);
  pcap_close(dead);
  Bytes out(reinterpret_cast<std::uint8_t*>(memory), reinterpret_cast<std::uint8_t*>(memory) + size);
  std::free(memory);
  return out;
}

}  // namespace

TEST_CASE("capture file: what libpcap writes") {
  for (const bool nanoseconds : {false, true}) {
    const auto read = readAll(writtenByLibpcap(nanoseconds, {filler(60), filler(1), filler(1514)}));
    REQUIRE(read.size() == 3);
    CHECK(read[0] == Read{0, 1'700'000'000'123'456, 160, filler(60)});
    CHECK(read[1] == Read{0, 1'700'000'001'123'456, 101, filler(1)});
    CHECK(read[2] == Read{0, 1'700'000'002'123'456, 1614, filler(1514)});
  }
}

TEST_CASE("capture file: pcap in both byte orders, and the modified format") {
  for (const bool big : {false, true}) {
    Writer plain{pcapHeader(big, 0xa1b2c3d4, 113), big};
    plain.u32(10).u32(5).u32(3).u32(1000).raw(filler(3));
    CaptureFile file;
    const auto read = readAll(file, plain.bytes);
    REQUIRE(read.size() == 1);
    CHECK(read[0] == Read{0, 10'000'005, 1000, filler(3)});
    REQUIRE(file.interfaces().size() == 1);
    CHECK(file.interfaces()[0].link == LinkLayer::linuxSll);
    Writer modified{pcapHeader(big, 0xa1b2cd34, 1), big};
    modified.u32(10).u32(5).u32(3).u32(1000).u32(7).u32(7).raw(filler(3));
    CHECK(readAll(modified.bytes) == read);
    // A frame check sequence is told in the upper bits of the link type.
    CaptureFile checked;
    readAll(checked, pcapHeader(big, 0xa1b2c3d4, 0x14000001));
    CHECK(checked.interfaces().at(0).link == LinkLayer::ethernet);
  }
}

TEST_CASE("capture file: pcapng with interfaces, options, time units, unknown blocks") {
  for (const bool big : {false, true}) {
    CAPTURE(big);
    Writer options{{}, big};
    options.option(2, {'e', 't', 'h', '0'})
        .option(4, {10, 0, 0, 1, 255, 255, 240, 0})
        .option(5, Bytes{0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 64})
        .option(6, {2, 0, 0, 0, 0, 1})
        .option(9, {9})
        .option(14, options.like().u64(1000).bytes)
        .option(0, {});
    Writer ng{{}, big};
    ng.section().interface(1, options.bytes).block(0x0bad, filler(400)).interface(276);
    ng.packet(0, 1'500'000'999, filler(61), 1514).packet(1, 7, filler(64));
    ng.block(3, ng.like().u32(2).raw({1, 2, 0, 0}).bytes);
    CaptureFile file;
    const auto read = readAll(file, ng.bytes);
    CHECK_FALSE(file.error());
    REQUIRE(read.size() == 3);
    CHECK(read[0] == Read{0, 1'001'500'000, 1514, filler(61)});
    CHECK(read[1] == Read{1, 7, 64, filler(64)});
    CHECK(read[2] == Read{0, 7, 2, {1, 2}});
    const FileInterface& eth0 = file.interfaces()[0];
    CHECK(eth0.name == "eth0");
    CHECK(eth0.link == LinkLayer::ethernet);
    CHECK(eth0.linkLayerAddress == LinkLayerAddress{2, 0, 0, 0, 0, 1});
    REQUIRE(eth0.addresses.size() == 2);
    CHECK(eth0.addresses[0].address == address("10.0.0.1"));
    CHECK(eth0.addresses[0].prefixLength == 20);
    CHECK(eth0.addresses[1].address == address("2001:db8::1"));
    CHECK(eth0.addresses[1].prefixLength == 64);
    CHECK(file.interfaces()[1].link == LinkLayer::linuxSll2);
  }
}

TEST_CASE("capture file: time in powers of two, and beyond the calendar") {
  Writer ng;
  ng.section().interface(1, Writer{}.option(9, {0x80 | 10}).bytes).interface(1, Writer{}.option(9, {0}).bytes);
  ng.packet(0, 1024 * 5 + 512, filler(4)).packet(1, UINT64_MAX, filler(4));
  const auto read = readAll(ng.bytes);
  CHECK(read.at(0).timeUs == 5'500'000);
  CHECK(read.at(1).timeUs == 253'402'300'799'000'000);
  Writer past;
  past.section()
      .interface(1, Writer{}.option(14, Writer{}.u64(static_cast<std::uint64_t>(-100)).bytes).bytes)
      .packet(0, 5, filler(4));
  CHECK(readAll(past.bytes).at(0).timeUs == 0);
}

TEST_CASE("capture file: a later section brings its own interfaces and byte order") {
  Writer first;
  first.section().interface(1).packet(0, 1, filler(10));
  Writer second{{}, true};
  second.section().interface(113).packet(0, 2, filler(20));
  append(first.bytes, second.bytes);
  const auto read = readAll(first.bytes);
  REQUIRE(read.size() == 2);
  CHECK(read[0].interface == 0);
  CHECK(read[1].interface == 1);
}

TEST_CASE("capture file: the obsolete packet block") {
  Writer ng;
  ng.section().interface(1);
  ng.block(2, Writer{}.u16(0).u16(9).u32(0).u32(77).u32(3).u32(50).raw({1, 2, 3, 0}).bytes);
  CHECK(readAll(ng.bytes).at(0) == Read{0, 77, 50, {1, 2, 3}});
}

TEST_CASE("capture file: however it is cut into pieces, the same frames come out") {
  Writer ng;
  ng.section()
      .interface(1)
      .block(0x0bad, filler(4000))
      .packet(0, 1, filler(10))
      .packet(0, 2, filler(1500))
      .block(5, filler(64));
  Bytes classic = writtenByLibpcap(false, {filler(60), {}, filler(1514)});
  for (const Bytes& bytes : {ng.bytes, classic}) {
    const auto whole = readAll(bytes, bytes.size());
    CHECK(whole.size() >= 2);
    for (const std::size_t piece : {1u, 3u, 17u, 1000u}) CHECK(readAll(bytes, piece) == whole);
  }
}

TEST_CASE("capture file: what is no capture file is refused with a reason") {
  CHECK(errorOf({}).code == FileError::Code::badFile);
  CHECK(errorOf({1, 2}).code == FileError::Code::badFile);
  CHECK(errorOf(filler(5000)).code == FileError::Code::badFile);
  CHECK(errorOf({0x1f, 0x8b, 8, 0, 0, 0}).fix.find("gunzip") != std::string::npos);
  CHECK(errorOf({0x28, 0xb5, 0x2f, 0xfd, 0, 0}).fix.find("unzstd") != std::string::npos);
  Bytes version = pcapHeader(false, 0xa1b2c3d4, 1);
  version[4] = 9;
  CHECK(errorOf(version).code == FileError::Code::badFile);
}

TEST_CASE("capture file: damage gives what was before it, and the place") {
  const auto damagedAt = [](const Bytes& bytes, std::size_t frames, std::size_t offset) {
    CaptureFile file;
    CHECK(readAll(file, bytes).size() == frames);
    REQUIRE(file.error());
    CHECK(file.error()->code == FileError::Code::damagedFile);
    CHECK(file.error()->offsetBytes == offset);
    CHECK_FALSE(file.next());
  };
  const Bytes good = writtenByLibpcap(false, {filler(60), filler(60)});
  Bytes cut = good;
  cut.resize(good.size() - 1);
  damagedAt(cut, 1, 24 + 76);
  Bytes huge = good;
  huge[24 + 76 + 8 + 3] = 0x7f;
  damagedAt(huge, 1, 24 + 76);

  Writer ng;
  ng.section().interface(1).packet(0, 1, filler(8));
  const std::size_t end = ng.bytes.size();
  const auto then = [&](const Bytes& more) {
    Bytes bytes = ng.bytes;
    append(bytes, more);
    damagedAt(bytes, 1, end);
  };
  then(Writer{}.packet(7, 1, filler(8)).bytes);                                          // no such interface
  then(Writer{}.u32(6).u32(30).raw(filler(22)).bytes);                                   // length not a multiple of 4
  then(Writer{}.u32(6).u32(8).raw(filler(22)).bytes);                                    // shorter than itself
  then(Writer{}.u32(6).u32(0x7ffffffc).raw(filler(22)).bytes);                           // too large to be kept
  then(Writer{}.block(6, Writer{}.u32(0).u32(0).u32(0).u32(999).u32(999).bytes).bytes);  // more captured than there is
  then(Writer{}.block(1, filler(4)).bytes);
  then(Writer{}.u32(6).u32(32).raw(filler(20)).u32(36).bytes);                   // the two lengths differ
  then(Writer{}.interface(1, Writer{}.option(9, {127}).bytes).bytes);            // 10^-127 s
  then(Writer{}.u32(0x0a0d0d0a).u32(28).u32(0x11111111).raw(filler(16)).bytes);  // unknown byte order
}

TEST_CASE("capture file: an unwanted block of any size is passed over without keeping it") {
  Writer head;
  head.section().interface(1).u32(0x0bad).u32(0x40000000);
  CaptureFile file;
  file.feed(head.bytes);
  CHECK_FALSE(file.next());
  const Bytes filling(1u << 20, 0);
  for (std::uint64_t left = 0x40000000 - 8; left > 0;) {
    const auto some = static_cast<std::size_t>(std::min<std::uint64_t>(left, filling.size()));
    file.feed(std::span(filling).first(some));
    CHECK_FALSE(file.next());
    left -= some;
  }
  file.feed(Writer{}.packet(0, 1, filler(8)).bytes);
  CHECK(file.next());
  CHECK_FALSE(file.error());
}

TEST_CASE("capture file: interfaces have a cap") {
  Writer ng;
  ng.section();
  for (std::size_t i = 0; i <= kMaxFileInterfaces; ++i) ng.interface(1);
  CHECK(errorOf(ng.bytes).code == FileError::Code::damagedFile);
}

TEST_CASE("capture file: cut or changed anywhere, it ends in frames or an error, never beyond the bytes") {
  std::mt19937 random(11);
  Writer ng;
  ng.section()
      .interface(1, Writer{}.option(9, {6}).bytes)
      .packet(0, 1, filler(100))
      .packet(0, 2, filler(7))
      .interface(113)
      .packet(1, 3, filler(9));
  for (const Bytes& good : {ng.bytes, writtenByLibpcap(false, {filler(60), filler(9)})}) {
    for (std::size_t cut = 0; cut < good.size(); ++cut) {
      Bytes bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(cut));
      CaptureFile file;
      readAll(file, bytes, 13);
      Bytes changed = good;
      changed[cut] = static_cast<std::uint8_t>(random());
      CaptureFile other;
      for (const Read& read : readAll(other, changed, 13)) REQUIRE(read.interface < other.interfaces().size());
      REQUIRE((other.error() || other.offsetBytes() == changed.size()));
    }
  }
}
