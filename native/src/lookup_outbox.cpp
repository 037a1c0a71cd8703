#include "lookup_outbox.h"

#include <utility>

#include "channel.h"
#include "wire.h"

namespace netloupe {

void LookupOutbox::announce(std::string_view json) {
  announcements_.push_back({{.told = LookupTold::frame}, controlFrame(json)});
}

void LookupOutbox::frame(std::string bytes) {
  answers_.push_back({{.told = LookupTold::frame}, std::move(bytes)});
}

void LookupOutbox::done(std::uint32_t token, std::uint32_t count) {
  answers_.push_back({{.told = LookupTold::done, .token = token, .count = count}, {}});
}

void LookupOutbox::failed(std::uint32_t token, std::string_view sentence) {
  answers_.push_back({{.told = LookupTold::failed, .token = token}, std::string(sentence)});
}

void LookupOutbox::degraded(std::uint32_t bits) {
  answers_.push_back({{.told = LookupTold::degraded, .count = bits}, {}});
}

bool LookupOutbox::flush() {
  if (flush(announcements_)) flush(answers_);
  return !closed_;
}

bool LookupOutbox::flush(std::deque<Message>& messages) {
  while (!messages.empty()) {
    const Message& message = messages.front();
    const Sent sent = sendMessage(channel_, message.head, std::as_bytes(std::span(message.tail)));
    if (sent == Sent::closed) closed_ = true;
    if (sent != Sent::ok) return false;
    messages.pop_front();
  }
  return true;
}

}  // namespace netloupe
