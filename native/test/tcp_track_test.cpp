#include "tcp_track.h"

#include <doctest/doctest.h>

#include <cstring>
#include <vector>

using namespace netloupe;

namespace {

constexpr unsigned S = kTcpSyn, A = kTcpAck, F = kTcpFin, R = kTcpRst;
constexpr bool kOut = true;
constexpr bool kIn = false;

/// One connection under observation. Times in microseconds.
struct Connection {
  Flow flow{};
  std::uint64_t nowUs = 1'000'000;

  TcpState segment(bool transmitted, unsigned flags, std::uint32_t sequence, std::uint32_t acknowledgment,
                   std::uint32_t payloadBytes = 0) {
    const Packet packet = make(flags, sequence, acknowledgment, payloadBytes);
    trackTcp(flow, packet, transmitted);
    flow.lastSeenUs = nowUs;
    nowUs += 1000;
    return flow.state;
  }

  bool isNew(bool transmitted, unsigned flags, std::uint32_t sequence) const {
    return beginsNewConnection(flow, make(flags, sequence, 0, 0), transmitted);
  }

  Packet make(unsigned flags, std::uint32_t sequence, std::uint32_t acknowledgment, std::uint32_t payloadBytes) const {
    Packet packet{};
    packet.family = 4;
    packet.protocol = kProtocolTcp;
    packet.tcpFlags = static_cast<std::uint8_t>(flags);
    packet.tcpSequence = sequence;
    packet.tcpAcknowledgment = acknowledgment;
    packet.payloadBytes = payloadBytes;
    packet.timeUs = nowUs;
    return packet;
  }

  /// Handshake opened by the given side; both sides begin at 100 and 500.
  void open(bool byLocal) {
    segment(byLocal, S, 100, 0);
    segment(!byLocal, S | A, 500, 101);
    segment(byLocal, A, 101, 501);
  }
};

}  // namespace

TEST_CASE("tcp: opened here") {
  Connection c;
  CHECK(c.segment(kOut, S, 100, 0) == TcpState::synSent);
  CHECK(c.segment(kIn, S | A, 500, 101) == TcpState::synSent);
  CHECK(c.segment(kOut, A, 101, 501) == TcpState::established);
  CHECK(c.flow.handshakeRttUs == 2000);
  CHECK(c.flow.flags == kFlowFromLocal);
  CHECK(c.flow.txTcpFlags == (S | A));
  CHECK(c.flow.rxTcpFlags == (S | A));
}

TEST_CASE("tcp: opened there") {
  Connection c;
  CHECK(c.segment(kIn, S, 100, 0) == TcpState::synReceived);
  CHECK(c.segment(kOut, S | A, 500, 101) == TcpState::synReceived);
  CHECK(c.segment(kIn, A, 101, 501) == TcpState::established);
  CHECK(c.flow.handshakeRttUs == 2000);
  CHECK(c.flow.flags == kFlowFromRemote);
}

TEST_CASE("tcp: the round trip counts from the last SYN, the one that was answered") {
  Connection c;
  c.segment(kOut, S, 100, 0);
  c.nowUs += 3'000'000;
  c.segment(kOut, S, 100, 0);
  c.segment(kIn, S | A, 500, 101);
  c.segment(kOut, A, 101, 501);
  CHECK(c.flow.handshakeRttUs == 2000);
  CHECK(c.flow.retransmits == 1);
}

TEST_CASE("tcp: simultaneous open, and a SYN-ACK whose SYN was not seen") {
  Connection both;
  both.segment(kOut, S, 100, 0);
  CHECK(both.segment(kIn, S, 500, 0) == TcpState::synReceived);
  Connection half;
  CHECK(half.segment(kIn, S | A, 500, 101) == TcpState::synSent);
  CHECK(half.flow.flags == kFlowFromLocal);
  CHECK(half.segment(kOut, A, 101, 501) == TcpState::established);
  CHECK(half.flow.handshakeRttUs == 0);
}

TEST_CASE("tcp: first seen in the middle") {
  Connection c;
  CHECK(c.segment(kIn, A, 7777, 8888, 100) == TcpState::established);
  CHECK(c.flow.flags == 0);
  Connection reset;
  CHECK(reset.segment(kIn, R, 7777, 8888) == TcpState::reset);
}

TEST_CASE("tcp: closed from here") {
  Connection c;
  c.open(true);
  CHECK(c.segment(kOut, F | A, 101, 501) == TcpState::finWait1);
  CHECK(c.segment(kIn, A, 501, 101, 50) == TcpState::finWait1);  // does not acknowledge the FIN
  CHECK(c.segment(kIn, A, 551, 102) == TcpState::finWait2);
  CHECK(c.segment(kIn, F | A, 551, 102) == TcpState::timeWait);
  CHECK(c.segment(kOut, A, 102, 552) == TcpState::timeWait);
  CHECK(c.segment(kIn, R, 552, 0) == TcpState::timeWait);
}

TEST_CASE("tcp: closed from here, the answer acknowledges and closes at once") {
  Connection c;
  c.open(true);
  c.segment(kOut, F | A, 101, 501);
  CHECK(c.segment(kIn, F | A, 501, 102) == TcpState::timeWait);
}

TEST_CASE("tcp: closed from there") {
  Connection c;
  c.open(false);
  CHECK(c.segment(kIn, F | A, 101, 501) == TcpState::closeWait);
  CHECK(c.segment(kOut, A, 501, 102, 30) == TcpState::closeWait);
  CHECK(c.segment(kOut, F | A, 531, 102) == TcpState::lastAck);
  CHECK(c.segment(kIn, A, 102, 531) == TcpState::lastAck);
  CHECK(c.segment(kIn, A, 102, 532) == TcpState::closed);
  CHECK(c.segment(kIn, A, 102, 532) == TcpState::closed);
}

TEST_CASE("tcp: closed from both sides at once") {
  Connection c;
  c.open(true);
  c.segment(kOut, F | A, 101, 501);
  CHECK(c.segment(kIn, F | A, 501, 101) == TcpState::closing);
  CHECK(c.segment(kIn, A, 502, 102) == TcpState::timeWait);
}

TEST_CASE("tcp: refused, aborted, and a forged reset") {
  Connection refused;
  refused.segment(kOut, S, 100, 0);
  CHECK(refused.segment(kIn, R | A, 0, 101) == TcpState::reset);
  Connection aborted;
  aborted.open(true);
  CHECK(aborted.segment(kIn, R, 501, 0) == TcpState::reset);
  Connection forged;
  forged.open(true);
  CHECK(forged.segment(kIn, R, 501 + (1u << 24), 0) == TcpState::established);
}

TEST_CASE("tcp: segments seen again are counted, new ones and keep-alives are not") {
  Connection c;
  c.open(true);
  c.segment(kOut, A, 101, 501, 100);
  c.segment(kOut, A, 201, 501, 100);
  CHECK(c.flow.retransmits == 0);
  c.segment(kOut, A, 101, 501, 100);
  CHECK(c.flow.retransmits == 1);
  c.segment(kOut, A, 201, 501, 150);  // sent again, with more
  CHECK(c.flow.retransmits == 2);
  c.segment(kOut, A, 351, 501, 10);
  c.segment(kOut, A, 360, 501, 0);
  c.segment(kOut, A, 360, 501, 1);
  CHECK(c.flow.retransmits == 2);
  c.segment(kOut, F | A, 361, 501);
  c.segment(kOut, F | A, 361, 501);
  CHECK(c.flow.retransmits == 3);
}

TEST_CASE("tcp: overtaken segments are no repetitions") {
  Connection c;
  c.open(true);
  c.segment(kOut, A, 101, 501, 100);
  c.segment(kOut, A, 401, 501, 100);  // 201 to 400 are still to come
  c.segment(kOut, A, 201, 501, 100);
  c.segment(kOut, A, 301, 501, 100);
  CHECK(c.flow.retransmits == 0);
  c.segment(kOut, A, 301, 501, 100);
  CHECK(c.flow.retransmits == 1);
  c.segment(kOut, A, 601, 501, 100);
  c.segment(kIn, A, 501, 701);  // everything arrived: the gap was the capture's
  c.segment(kOut, A, 501, 501, 100);
  CHECK(c.flow.retransmits == 2);
}

TEST_CASE("tcp: sequence numbers wrap") {
  Connection c;
  c.segment(kOut, A, 0xffffffb0, 1, 100);
  c.segment(kOut, A, 0x00000014, 1, 100);
  CHECK(c.flow.retransmits == 0);
  c.segment(kOut, A, 0xffffffb0, 1, 100);
  CHECK(c.flow.retransmits == 1);
  Connection fin;
  fin.segment(kOut, A, 0xffffffff, 5, 0);
  CHECK(fin.segment(kOut, F | A, 0xffffffff, 5) == TcpState::finWait1);
  CHECK(fin.segment(kIn, A, 5, 0) == TcpState::finWait2);
}

TEST_CASE("tcp: the same ports, another connection") {
  Connection c;
  c.open(true);
  CHECK_FALSE(c.isNew(kOut, S, 100));  // its own SYN again
  CHECK_FALSE(c.isNew(kOut, S, 999));  // an old duplicate, or forged
  CHECK_FALSE(c.isNew(kIn, S | A, 999));
  c.nowUs += 1'100'000;
  CHECK_FALSE(c.isNew(kOut, S, 100));
  CHECK(c.isNew(kOut, S, 999));
  CHECK(c.isNew(kIn, S, 999));
  Connection over;
  over.open(true);
  over.segment(kIn, R, 501, 0);
  CHECK(over.isNew(kOut, S, 999));
  CHECK_FALSE(over.isNew(kOut, S | R, 999));
}

TEST_CASE("tcp: end reasons and idle limits") {
  CHECK(endReasonOf(TcpState::timeWait) == EndReason::fin);
  CHECK(endReasonOf(TcpState::closed) == EndReason::fin);
  CHECK(endReasonOf(TcpState::reset) == EndReason::rst);
  CHECK(endReasonOf(TcpState::established) == EndReason::idle);
  CHECK(endReasonOf(TcpState::synSent) == EndReason::idle);
  CHECK(idleLimitS(TcpState::established) == 900);
  CHECK(idleLimitS(TcpState::synReceived) == 30);
  CHECK(idleLimitS(TcpState::timeWait) == 5);
}
