#pragma once
#include <cstdint>

namespace nbq {

/// One step of splitmix64 (Steele, Lea, Flood 2014): a bijective mix of all 64 bits.
constexpr std::uint64_t splitmix64(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15ull;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}

/// Counter-based randomness: the same four numbers give the same 64 bits on every machine, in any
/// order and on any thread.
constexpr std::uint64_t random_bits(std::uint64_t seed, std::uint64_t stream, std::uint64_t epoch,
                                    std::uint64_t index) {
  return splitmix64(splitmix64(splitmix64(splitmix64(seed) ^ stream) ^ epoch) ^ index);
}

/// The top 32 of 64 random bits scaled to [0, bound); bound in [1, 2^32].
constexpr std::uint64_t scale_to(std::uint64_t bits, std::uint64_t bound) {
  return ((bits >> 32) * bound) >> 32;
}

}  // namespace nbq
