#include "hw/weight_plan.h"

#include <gtest/gtest.h>

namespace nbq::hw {
namespace {

/// `words` weight words of one weight each, all `value`.
std::vector<std::int16_t> block(std::size_t words, int value) {
  return std::vector<std::int16_t>(words, static_cast<std::int16_t>(value));
}

Instruction map(std::int64_t rows) {
  Instruction i;
  i.out_h = rows;
  i.out_w = 1;
  return i;
}

const auto kName = [](int i) { return "layer" + std::to_string(i); };

TEST(WeightPlan, WhatFitsStaysAndEqualBlocksAreOne) {
  WeightBlocks blocks(1);
  std::vector<Instruction> program = {map(1), map(1), map(1)};
  blocks.add(0, block(4, 1));
  blocks.add(1, block(6, 2));
  blocks.add(2, block(4, 1));
  const auto plan = plan_weights(blocks, program, 10, false, kName);
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  EXPECT_EQ(plan->resident.size(), 10U);
  EXPECT_TRUE(plan->stream.empty());
  EXPECT_EQ(program[1].wgt_base, 4);
  EXPECT_EQ(program[2].wgt_base, 0);
}

TEST(WeightPlan, TheLeastUsedStayAndTheOthersGoRoundTheRing) {
  WeightBlocks blocks(1);
  std::vector<Instruction> program = {map(9), map(1), map(9), map(9), map(9)};
  blocks.add(0, block(5, 1));
  blocks.add(1, block(3, 2));
  blocks.add(2, block(4, 3));
  blocks.add(3, block(5, 1));  // equal to the first, but in the stream once more
  blocks.add(4, block(2, 4));
  const auto plan = plan_weights(blocks, program, 13, true, kName);
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  EXPECT_EQ(plan->ring, 3);  // 13 less two blocks of 5
  EXPECT_EQ(plan->depth, 13);
  EXPECT_EQ(plan->resident, block(3, 2));
  EXPECT_EQ(plan->stream.size(), 16U);
  EXPECT_EQ(program[1].wgt_words, 0);
  EXPECT_EQ(program[0].wgt_base, 3);
  EXPECT_EQ(program[0].wgt_words, 5);
  EXPECT_EQ(program[2].wgt_base, 8);
  EXPECT_EQ(program[3].wgt_base, 12);  // its other four words lie from 3 on
  EXPECT_EQ(program[4].wgt_base, 7);
}

TEST(WeightPlan, RefusalsNameTheLayerAndTheNumbers) {
  WeightBlocks blocks(1);
  std::vector<Instruction> program = {map(1), map(1)};
  blocks.add(0, block(4, 1));
  blocks.add(1, block(8, 2));
  const auto bare = plan_weights(blocks, program, 10, false, kName);
  ASSERT_FALSE(bare.ok());
  EXPECT_NE(bare.error().message.find("layer1: does not fit: the weights up to here take 12 words"),
            std::string::npos)
      << bare.error().message;
  const auto large = plan_weights(blocks, program, 7, true, kName);
  ASSERT_FALSE(large.ok());
  EXPECT_NE(large.error().message.find("layer1: 8 weight words must be there at once"),
            std::string::npos)
      << large.error().message;
}

}  // namespace
}  // namespace nbq::hw
