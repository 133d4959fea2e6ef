#include <gtest/gtest.h>

#include <cstring>

#include "infer/kernels/amx_tile.h"
#include "infer/kernels/dot_case.h"

// AMX's tile over registers that are plain loops: Intel SDM, "TILELOADD", "TDPBUSD", "TILESTORED".
namespace nbq::infer {
namespace {

struct Emulated {
  static inline TileConfig config;
  static inline std::uint8_t tile[8][kTileRows][kTileRowBytes];

  static void configure(int pixels, int last_steps) { config = tile_config(pixels, last_steps); }
  template <int T>
  static void zero() {
    std::memset(tile[T], 0, sizeof tile[T]);
  }
  template <int T>
  static void load(const void* from, std::ptrdiff_t stride) {
    ASSERT_GT(config.rows[T], 0) << "register " << T << " is not configured";
    zero<T>();
    for (int r = 0; r < config.rows[T]; ++r)
      std::memcpy(tile[T][r], static_cast<const char*>(from) + r * stride, config.row_bytes[T]);
  }
  template <int T>
  static void store(void* to, std::ptrdiff_t stride) {
    for (int r = 0; r < config.rows[T]; ++r)
      std::memcpy(static_cast<char*>(to) + r * stride, tile[T][r], config.row_bytes[T]);
  }
  template <int S, int X, int W>
  static void dot() {
    ASSERT_EQ(config.rows[S], config.rows[X]);
    ASSERT_EQ(config.row_bytes[S], config.row_bytes[W]);
    ASSERT_EQ(config.row_bytes[X], 4 * config.rows[W]);
    for (int m = 0; m < config.rows[S]; ++m)
      for (int n = 0; n < config.row_bytes[S] / 4; ++n) {
        std::uint32_t sum;
        std::memcpy(&sum, &tile[S][m][4 * n], 4);
        for (int k = 0; k < config.row_bytes[X]; ++k) {
          const int x = tile[X][m][k];
          const int w = static_cast<std::int8_t>(tile[W][k / 4][4 * n + k % 4]);
          sum += static_cast<std::uint32_t>(x * w);
        }
        std::memcpy(&tile[S][m][4 * n], &sum, 4);
      }
  }
};

/// [rows][taps][steps][outputs][4], as decoded weights lie.
std::vector<std::int8_t> decoded(const testing::DotCase& c, int vectors) {
  const PackedWeights packed = c.pack(kTileRows, vectors);
  std::vector<std::int8_t> w(packed.decoded_bytes(kTileRows));
  const Po2Format format{packed.bits};
  for (std::size_t i = 0; i < w.size(); ++i) {
    const std::size_t vector = i / kTileRowBytes, lane = i % kTileRowBytes;
    const auto bit = vector % kGroupVectors * static_cast<std::size_t>(packed.bits);
    const auto group = vector / kGroupVectors * static_cast<std::size_t>(packed.bits);
    const auto byte = [&](std::size_t b) {
      return b < static_cast<std::size_t>(packed.bits)
                 ? packed.bytes.data()[(group + b) * kTileRowBytes + lane]
                 : 0;
    };
    const int raw = (byte(bit / 8) | byte(bit / 8 + 1) << 8) >> (bit % 8);
    const Po2Code code{static_cast<std::uint8_t>(raw & ((1 << packed.bits) - 1))};
    w[i] = static_cast<std::int8_t>(code.value(format));
  }
  return w;
}

template <int M>
void expect_exact(const testing::DotShape& shape) {
  const testing::DotCase c(4, false, shape, testing::Values::kRandom, M * kTileRows);
  const auto weights = decoded(c, M);
  for (int pixels = 1; pixels <= kMaxTilePixels; ++pixels) {
    std::vector<std::int32_t> acc(static_cast<std::size_t>(pixels * M * kTileRows), 1);
    DotTile t = c.tile(pixels);
    t.weights = weights.data();
    t.weight_step = M * kTileRowBytes;
    t.acc = acc.data();
    amx_tile<Emulated, M>(t, pixels);
    ASSERT_EQ(acc, c.sums(pixels, M * kTileRows))
        << M << " vectors, " << pixels << " pixels, " << shape.steps << " steps";
  }
}

TEST(AmxTile, IsExactForRunsOfAnyLength) {
  for (const testing::DotShape& s :
       {testing::DotShape{1, 1, 1}, {3, 3, 5}, {2, 2, 16}, {2, 1, 33}, {1, 2, 47}, {1, 1, 64}}) {
    expect_exact<1>(s);
    expect_exact<2>(s);
    expect_exact<4>(s);
    if (::testing::Test::HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace nbq::infer
