#include "hw/isa.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "core/process.h"

namespace nbq::hw {
namespace {

TEST(Isa, RandomInstructionsSurviveEncodeDecode) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937_64 rng(seed);
  for (int round = 0; round < 200; ++round) {
    EncodedInstruction raw{};
    for (int bit = 0; bit < kInstrBits; ++bit)
      raw[static_cast<std::size_t>(bit / 32)] |= static_cast<std::uint32_t>(rng() & 1)
                                                 << (bit % 32);
    const auto back = encode(decode(raw));
    ASSERT_TRUE(back.ok());
    EXPECT_EQ(*back, raw);
  }
}

TEST(Isa, ExtremesOfSignedFields) {
  Instruction i;
  i.lo = -131072;
  i.hi = 131071;
  i.res_rsh = -64;
  const auto words = encode(i);
  ASSERT_TRUE(words.ok());
  EXPECT_EQ(decode(*words), i);
}

TEST(Isa, RefusalNamesTheField) {
  Instruction i;
  i.red_cw = 4096;
  const auto words = encode(i);
  ASSERT_FALSE(words.ok());
  EXPECT_EQ(words.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(words.error().message, testing::HasSubstr("red_cw"));
  i.red_cw = -1;
  EXPECT_FALSE(encode(i).ok());
}

TEST(Isa, FieldsArePackedFromBitZero) {
  Instruction i;
  i.opcode = static_cast<std::int64_t>(Opcode::maxpool);
  i.barrier = 1;
  const auto words = encode(i);
  ASSERT_TRUE(words.ok());
  EXPECT_EQ((*words)[0], 2u | 1u << 4);
}

TEST(Isa, EveryErrorHasAMeaning) {
  EXPECT_EQ(describe(EngineError::none), "no error");
  EXPECT_EQ(describe(static_cast<EngineError>(99)), "unknown error 99");
}

TEST(Isa, GeneratedFilesAreFresh) {
  const auto r = run_process({NBQ_SOURCE_DIR "/scripts/gen_isa", "--check"});
  ASSERT_TRUE(r.ok());
  EXPECT_EQ(r->exit_code, 0) << r->output;
}

}  // namespace
}  // namespace nbq::hw
