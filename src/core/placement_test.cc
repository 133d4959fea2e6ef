#include "core/placement.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace nbq {
namespace {

TEST(Placement, BlocksThatNeverMeetShareMemory) {
  std::vector<Block> chain{{100, 0, 1}, {60, 1, 2}, {100, 2, 3}, {60, 3, 4}};
  EXPECT_EQ(place_blocks(chain), 160);
}

TEST(Placement, NoTwoBlocksOverlapWhileBothLive) {
  std::mt19937 rng(7);
  for (int round = 0; round < 200; ++round) {
    std::vector<Block> blocks(1 + rng() % 30);
    for (Block& b : blocks) {
      b.size = static_cast<std::ptrdiff_t>(rng() % 50) * 2;
      b.first_step = static_cast<int>(rng() % 20);
      b.last_step = b.first_step + static_cast<int>(rng() % 5);
    }
    const std::ptrdiff_t end = place_blocks(blocks);
    for (const Block& a : blocks) {
      EXPECT_GE(a.offset, 0);
      EXPECT_LE(a.offset + a.size, end);
      EXPECT_EQ(a.offset % 2, 0);
      for (const Block& b : blocks) {
        const bool alive = a.first_step <= b.last_step && b.first_step <= a.last_step;
        const bool overlap = a.offset < b.offset + b.size && b.offset < a.offset + a.size;
        EXPECT_FALSE(&a != &b && a.size > 0 && b.size > 0 && alive && overlap) << "round " << round;
      }
    }
  }
}

}  // namespace
}  // namespace nbq
