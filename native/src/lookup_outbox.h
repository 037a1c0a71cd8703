// What the look-up process has for the front: owners first, then answers to requests; kept in order, bounded, and sent
// as the front takes it.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "role_channels.h"

namespace netloupe {

class LookupOutbox {
 public:
  explicit LookupOutbox(int channel) : channel_(channel) {}

  /// An `owners` event. Goes before everything else: flows and sockets that name an owner come after it.
  void announce(std::string_view json);
  /// A frame of an answer.
  void frame(std::string bytes);
  void done(std::uint32_t token, std::uint32_t count);
  void failed(std::uint32_t token, std::string_view sentence);
  void degraded(std::uint32_t bits);

  /// Sends as much as the channel takes. False: the front is gone.
  bool flush();

  /// All announcements are with the front: replies that name them may go to the capture processes.
  bool announced() const { return announcements_.empty(); }
  bool empty() const { return announcements_.empty() && answers_.empty(); }
  /// Whoever makes answers waits while this is false.
  bool hasRoom() const { return answers_.size() < kMaxAnswers; }

 private:
  // Messages of up to 60 KiB that wait for the front; a request's maker pauses at the cap. Announcements have none of
  // their own: there are at most as many as the owner table changes while the front does not read, and replies stop
  // meanwhile.
  static constexpr std::size_t kMaxAnswers = 8;

  struct Message {
    LookupToFront head;
    std::string tail;
  };

  bool flush(std::deque<Message>& messages);

  int channel_;
  bool closed_ = false;
  std::deque<Message> announcements_;
  std::deque<Message> answers_;
};

}  // namespace netloupe
