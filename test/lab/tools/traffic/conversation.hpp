#pragma once
// What all kinds of traffic have in common: how many bytes go each way, when they start, and what is reported.

#include <atomic>
#include <cstdint>
#include <string>

#include "options.hpp"

namespace lab {

// Amounts and manners of one conversation, from the command line.
struct Plan {
  uint64_t send_bytes = 0;
  uint64_t receive_bytes = 0;
  uint64_t bytes_per_second = 0;  // 0: unpaced
  uint64_t chunk_bytes = 0;       // bytes per write; the datagram's payload for UDP
  uint64_t repeat = 1;            // conversations, one after another
  bool wait_for_go = false;       // move no byte before a line arrives on stdin
  bool hold = false;              // keep the socket open after the last byte until stdin ends
};

Plan plan_from(const Options& options, uint64_t default_chunk_bytes);

// Bytes of payload that were moved, over all conversations.
struct Tally {
  std::atomic<uint64_t> sent_bytes{0};
  std::atomic<uint64_t> received_bytes{0};
};

// Blocks until a line (or the end) arrives on stdin.
void await_line();
// Blocks until stdin ends.
void await_end();

// One JSON object per line on stdout; the lab's library waits for these instead of sleeping.
void report_ready(const std::string& address, uint16_t port);
void report_open(int fd);
void report_done(const Tally& tally);

}  // namespace lab
