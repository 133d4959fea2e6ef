#include <gtest/gtest.h>

#include <algorithm>

#include "infer/isa.h"
#include "infer/kernels/dot_case.h"

namespace nbq::infer {
namespace {

using testing::DotCase;
using testing::DotShape;
using testing::Values;

// Runs shorter and longer than what 16-bit sums hold (1, 16, 64 steps; three times that on ARM),
// and no multiples of it or of a tile register's 16 steps.
constexpr DotShape kShapes[] = {{1, 1, 1}, {1, 1, 7}, {3, 1, 3},  {3, 3, 5},   {3, 3, 4},
                                {1, 3, 4}, {2, 2, 8}, {2, 1, 33}, {1, 1, 130}, {1, 3, 70}};
constexpr Values kValues[] = {Values::kRandom, Values::kMost, Values::kLeast, Values::kLeastOfZero};

std::vector<std::int32_t> sums_of(const AlignedBytes& acc, std::size_t count) {
  const auto* first = reinterpret_cast<const std::int32_t*>(acc.data());
  return {first, first + count};
}

/// Room for a tile, with something in it.
AlignedBytes dirty(std::size_t ints) {
  AlignedBytes acc(ints * sizeof(std::int32_t));
  std::fill_n(acc.data(), acc.size(), std::uint8_t{0xa5});
  return acc;
}

/// Tiles that take `block` vectors of weights at a time, or the first of so many.
void expect_tiles(const KernelSet& kernels, const DotCase& c, bool wide, int kind, int block,
                  const std::string& what) {
  const auto& fns = (wide ? kernels.dot16 : kernels.dot8)[kind];
  const int vectors = 1 << kind, outputs = vectors * kernels.lanes;
  if (fns[0] == nullptr) return;
  const PackedWeights packed = c.pack(kernels.lanes, block);
  const AlignedBytes decoded(packed.decoded_bytes(kernels.lanes));
  (wide ? kernels.decode16 : kernels.decode8)(packed.bits, packed.bytes.data(),
                                              packed.groups_per_block,
                                              reinterpret_cast<std::int8_t*>(decoded.data()));
  const auto want = c.sums(DotCase::kPixels, outputs);
  for (int pixels = 1; pixels <= kMaxTilePixels && fns[pixels - 1] != nullptr; ++pixels) {
    const auto count = static_cast<std::size_t>(pixels * outputs);
    const AlignedBytes acc = dirty(count);
    DotTile t = c.tile(pixels);
    t.weights = reinterpret_cast<const std::int8_t*>(decoded.data());
    t.weight_step = block * kernels.lanes * kStepBytes;
    t.acc = reinterpret_cast<std::int32_t*>(acc.data());
    fns[pixels - 1](t);
    const std::vector<std::int32_t> last(want.end() - static_cast<std::ptrdiff_t>(count),
                                         want.end());
    ASSERT_EQ(sums_of(acc, count), last)
        << what << ", " << pixels << " x " << vectors << " of " << block;
  }
}

class Rows : public ::testing::TestWithParam<std::string_view> {
 protected:
  void SetUp() override {
    const auto row = choose_isa(GetParam());
    if (!row.ok()) GTEST_SKIP() << row.error().message;
    kernels_ = make_kernels(**row);
  }
  void TearDown() override {
    if (kernels_.leave != nullptr) kernels_.leave();
  }
  void expect_every_tile(bool wide, int most_bits) {
    for (int bits = 1; bits <= most_bits; ++bits)
      for (const DotShape& s : kShapes)
        for (const Values v : kValues) {
          const DotCase c(bits, wide, s, v, 8 * kernels_.lanes);
          const std::string what = fmt::format("{} bits, {}x{}x{}, values {}", bits, s.rows, s.taps,
                                               s.steps, static_cast<int>(v));
          for (int kind = 0; kind < kBlockKinds; ++kind)
            for (const int block : {1 << kind, kGroupVectors}) {
              expect_tiles(kernels_, c, wide, kind, block, what);
              if (HasFatalFailure()) return;
            }
        }
  }
  KernelSet kernels_{};
};

TEST_P(Rows, ByteTilesAreExact) { expect_every_tile(false, 4); }
TEST_P(Rows, WordTilesAreExact) { expect_every_tile(true, kMaxWeightBits); }

TEST_P(Rows, PackedSumsAreExact) {
  if (kernels_.packed_dot8 == nullptr) GTEST_SKIP() << "it has none";
  const int outputs = kGroupVectors * kernels_.lanes;
  for (int bits = 1; bits <= 4; ++bits)
    for (const int steps : {1, 16, 17, 65, 200})
      for (const Values v : kValues) {
        const DotCase c(bits, false, {1, 1, steps}, v, outputs);
        const PackedWeights packed = c.pack(kernels_.lanes, kGroupVectors);
        const auto count = static_cast<std::size_t>(outputs);
        const AlignedBytes acc = dirty(count);
        DotTile t = c.tile(1);
        t.weights = reinterpret_cast<const std::int8_t*>(packed.bytes.data());
        t.acc = reinterpret_cast<std::int32_t*>(acc.data());
        kernels_.packed_dot8(packed.bits, t);
        ASSERT_EQ(sums_of(acc, count), c.sums(1, outputs))
            << bits << " bits, " << steps << " steps, values " << static_cast<int>(v);
      }
}

std::vector<std::string_view> built_rows() {
  std::vector<std::string_view> names;
  for (const IsaRow& row : isa_rows())
    if (row.built) names.push_back(row.name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Kernels, Rows, ::testing::ValuesIn(built_rows()),
                         [](const auto& p) { return std::string(p.param); });

}  // namespace
}  // namespace nbq::infer
