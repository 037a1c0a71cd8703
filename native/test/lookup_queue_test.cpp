#include "lookup_queue.h"

#include <doctest/doctest.h>

#include <limits>

using namespace netloupe;

TEST_CASE("lookup queue: attempts come due after their pauses, in order") {
  LookupQueue queue;
  CHECK(queue.nextDueUs() == std::numeric_limits<std::uint64_t>::max());
  REQUIRE(queue.push(1, 1, 0));
  REQUIRE(queue.push(2, 1, 10));
  REQUIRE(queue.push(3, 2, 0));
  REQUIRE(queue.push(4, 4, 0));
  REQUIRE(queue.push(5, 9, 0));  // beyond the last pause: the last pause again
  LookupQueue::Entry entry;
  CHECK(queue.nextDueUs() == 50'000);
  CHECK_FALSE(queue.pop(49'999, entry));
  REQUIRE(queue.pop(50'009, entry));
  CHECK(entry.flowId == 1);
  CHECK(entry.attempt == 1);
  CHECK_FALSE(queue.pop(50'009, entry));
  REQUIRE(queue.pop(50'010, entry));
  CHECK(entry.flowId == 2);
  REQUIRE(queue.pop(200'000, entry));
  CHECK(entry.flowId == 3);
  CHECK_FALSE(queue.pop(4'999'999, entry));
  REQUIRE(queue.pop(5'000'000, entry));
  CHECK(entry.flowId == 4);
  REQUIRE(queue.pop(5'000'000, entry));
  CHECK(entry.flowId == 5);
}

TEST_CASE("lookup queue: full means full, and room comes back") {
  LookupQueue queue;
  for (std::uint64_t id = 0; id < LookupQueue::kCapacity; ++id) REQUIRE(queue.push(id, 0, 0));
  CHECK_FALSE(queue.push(77, 0, 0));
  CHECK_FALSE(queue.push(77, LookupQueue::kVerification, 0));
  CHECK(queue.push(77, 1, 0));
  CHECK(queue.room() == 0);
  LookupQueue::Entry entry;
  REQUIRE(queue.pop(0, entry));
  CHECK(entry.flowId == 0);
  CHECK(queue.push(LookupQueue::kCapacity, LookupQueue::kVerification, 0));
  for (std::uint64_t id = 1; id <= LookupQueue::kCapacity; ++id) {
    REQUIRE(queue.pop(0, entry));
    REQUIRE(entry.flowId == id);
  }
  CHECK(entry.attempt == LookupQueue::kVerification);
}
