// Keyed hashing of addresses: an attacker chooses them, and must not be able to choose where they land.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>

#include "flow.h"

namespace netloupe {

using HashSecret = std::array<std::uint64_t, 2>;

inline std::uint64_t load64(const std::uint8_t* at) {
  std::uint64_t value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

/// std::array compares through a library call, which costs more than the comparison.
inline bool sameAddress(const Address& a, const Address& b) {
  return ((load64(a.data()) ^ load64(b.data())) | (load64(a.data() + 8) ^ load64(b.data() + 8))) == 0;
}

/// High and low half of the 128-bit product, folded: every input bit reaches every output bit.
inline std::uint64_t foldedProduct(std::uint64_t a, std::uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

/// Of one end of a flow.
inline std::uint64_t hashEndpoint(const HashSecret& secret, const Address& address, std::uint64_t extra) {
  const std::uint64_t low = load64(address.data());
  const std::uint64_t high = load64(address.data() + 8);
  return foldedProduct(foldedProduct(low ^ secret[0], extra ^ secret[1]) ^ high, secret[0] | 1);
}

}  // namespace netloupe
