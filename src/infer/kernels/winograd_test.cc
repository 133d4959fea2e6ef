// One tile through an instruction set's transforms and sums, beside plain sums of products.
#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "infer/aligned_bytes.h"
#include "infer/isa.h"

namespace nbq::infer {
namespace {

enum class Values { kRandom, kMost, kLeast };

/// A vector of output channels, one tile of `rows` x `columns` outputs.
class TileCase {
 public:
  TileCase(const KernelSet& kernels, int rows, int columns, int depth, int level, Values values)
      : kernels_(kernels), rows_(rows), columns_(columns), depth_(depth) {
    std::mt19937 rng(static_cast<std::uint32_t>(depth * 16 + rows * 4 + columns));
    pixels_.resize(static_cast<std::size_t>(high() * wide() * depth));
    for (auto& p : pixels_)
      p = values == Values::kRandom ? static_cast<std::uint8_t>(rng()) : std::uint8_t{255};
    weights_.resize(static_cast<std::size_t>(9 * steps() * kernels.lanes * 2));
    for (std::size_t i = 0; i < weights_.size(); ++i) {
      const int small = level >> (rng() % 4), sign = rng() % 2 == 0 ? 1 : -1;
      const int w = values == Values::kRandom ? sign * small
                    : values == Values::kMost ? level
                                              : -level;
      // A channel that is not there has no weight.
      const bool there =
          static_cast<int>(i / 2) / kernels.lanes % steps() * 2 + static_cast<int>(i % 2) < depth;
      weights_[i] = there ? static_cast<std::int8_t>(w) : std::int8_t{0};
    }
  }

  std::vector<std::int32_t> want() const {
    std::vector<std::int32_t> acc;
    for (int y = 0; y < rows_; ++y)
      for (int x = 0; x < columns_; ++x)
        for (int lane = 0; lane < kernels_.lanes; ++lane) acc.push_back(sum(y, x, lane));
    return acc;
  }

  std::vector<std::int32_t> got() const {
    const WinogradKernels& k = kernels_.winograd;
    const int words = steps() * kernels_.lanes * 2;
    const int point = (depth_ + k.word_lanes - 1) / k.word_lanes * k.word_lanes;
    const AlignedBytes in(static_cast<std::size_t>(kWinogradPlanes * point * 2));
    const AlignedBytes taps(weights_.size()), rows(static_cast<std::size_t>(6 * words * 2));
    const AlignedBytes columns(static_cast<std::size_t>(2 * words * 2));
    const AlignedBytes sums(static_cast<std::size_t>(kWinogradPlanes * kernels_.lanes * 4));
    std::copy(weights_.begin(), weights_.end(), taps.data());
    k.input(input(reinterpret_cast<std::int16_t*>(in.data()), point));
    for (int pair = 0; pair < 3; ++pair) {
      auto* of_rows = reinterpret_cast<std::int16_t*>(rows.data());
      k.rows({reinterpret_cast<const std::int8_t*>(taps.data()), words, words, pair, of_rows});
      for (int r = 0; r < 2; ++r)
        for (int other = 0; other < 3; ++other) {
          k.columns({of_rows + r * 3 * words, words, other,
                     reinterpret_cast<std::int16_t*>(columns.data())});
          for (int c = 0; c < 2; ++c) {
            const int p = kWinogradPairs[pair][r] * kWinogradPoints + kWinogradPairs[other][c];
            add_up(in.data() + p * point * 2, columns.data() + c * words * 2,
                   reinterpret_cast<std::int32_t*>(sums.data()) + p * kernels_.lanes);
          }
        }
    }
    return output(reinterpret_cast<const std::int32_t*>(sums.data()));
  }

 private:
  int high() const { return winograd_points(rows_); }
  int wide() const { return winograd_points(columns_); }
  int steps() const { return (depth_ + 1) / 2; }

  std::int32_t sum(int y, int x, int lane) const {
    std::int32_t acc = 0;
    for (int tap = 0; tap < 9; ++tap)
      for (int d = 0; d < depth_; ++d) {
        const int pixel = (y + tap / 3) * wide() + x + tap % 3;
        const int at = ((tap * steps() + d / 2) * kernels_.lanes + lane) * 2 + d % 2;
        acc += pixels_[static_cast<std::size_t>(pixel * depth_ + d)] *
               weights_[static_cast<std::size_t>(at)];
      }
    return acc;
  }

  WinogradInput input(std::int16_t* out, int point) const {
    WinogradInput t{};
    for (int y = 0; y < high(); ++y) t.row[y] = pixels_.data() + y * wide() * depth_;
    for (int x = 0; x < wide(); ++x) t.column[x] = x * depth_;
    t.rows = rows_;
    t.columns = columns_;
    t.channels = depth_;
    t.out = out;
    t.point = point;
    return t;
  }

  /// In two parts, the second added to the first.
  void add_up(const std::uint8_t* in, const std::uint8_t* weights, std::int32_t* acc) const {
    DotTile t{};
    t.rows = t.taps = 1;
    t.weight_step = kernels_.lanes * kStepBytes;
    t.acc = acc;
    const int half = steps() / 2;
    for (const bool second : {false, true}) {
      t.add = second && half > 0;
      t.steps = second ? steps() - half : half;
      const int first = second ? half : 0;
      t.in = in + first * kStepBytes;
      t.weights = reinterpret_cast<const std::int8_t*>(weights) + first * t.weight_step;
      if (t.steps > 0) kernels_.dot16[0][0](t);
    }
  }

  std::vector<std::int32_t> output(const std::int32_t* sums) const {
    const AlignedBytes acc(static_cast<std::size_t>(rows_ * columns_ * kernels_.lanes * 4));
    WinogradOutput t{};
    t.sums = sums;
    t.point = kernels_.lanes;
    t.rows = rows_;
    t.columns = columns_;
    t.vectors = 1;
    t.acc = reinterpret_cast<std::int32_t*>(acc.data());
    t.acc_column = kernels_.lanes;
    t.acc_row = columns_ * kernels_.lanes;
    kernels_.winograd.output(t);
    return {t.acc, t.acc + rows_ * columns_ * kernels_.lanes};
  }

  const KernelSet& kernels_;
  int rows_, columns_, depth_;
  std::vector<std::uint8_t> pixels_;
  std::vector<std::int8_t> weights_;  ///< [9][steps][lanes][2]
};

/// With 228 channels of weights of 64 sums are the largest that still come out: 2^25 less a little.
TEST(Winograd, TilesAreExact) {
  int rows_tested = 0;
  for (const IsaRow& row : isa_rows()) {
    if (!row.available) continue;
    const KernelSet kernels = make_kernels(row);
    if (kernels.winograd.input == nullptr) continue;
    ++rows_tested;
    for (const int rows : {3, 4})
      for (const int columns : {3, 4})
        for (const int depth : {1, 2, 16, 31, 33, 67, 228})
          for (const int level : {1, 4, 64})
            for (const Values v : {Values::kRandom, Values::kMost, Values::kLeast}) {
              const TileCase c(kernels, rows, columns, depth, level, v);
              ASSERT_EQ(c.got(), c.want())
                  << row.name << ", " << rows << "x" << columns << ", " << depth << " channels, "
                  << level << ", values " << static_cast<int>(v);
            }
  }
  if (rows_tested == 0) GTEST_SKIP() << "no instruction set here has the transforms";
}

}  // namespace
}  // namespace nbq::infer
