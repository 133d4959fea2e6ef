// Networks by hand that are hard on the planner: what lies where, who fills which margin, what is
// computed in which width.
#include <array>
#include <random>

#include "engine_case.h"
#include "integer_graph.h"

namespace nbq::infer {
namespace {

using testing::IntegerGraph;
using Weights = IntegerGraph::Weights;

ActFormat s8(int exp = -5) { return ActFormat::make(8, true, exp); }
ActFormat u8(int exp = -5) { return ActFormat::make(8, false, exp); }
ActFormat s16(int exp = -9) { return ActFormat::make(16, true, exp); }
ActFormat u16(int exp = -9) { return ActFormat::make(16, false, exp); }
const ActFormat kLogits{};

/// pads: top, left, bottom, right
Window window(int kernel_h, int kernel_w, int stride, std::array<int, 4> pads = {},
              int dilation = 1) {
  return {kernel_h, kernel_w, stride,  stride,   pads[0],
          pads[1],  pads[2],  pads[3], dilation, dilation};
}
Conv2dAttrs conv(int channels, const Window& w = {}, int groups = 1) {
  return {channels, groups, false, w};
}

struct NetworkCase {
  const char* name;
  Graph (*make)();
};
void PrintTo(const NetworkCase& c, std::ostream* to) { *to << c.name; }

// Parts of concatenations that lie where they are wanted, and those that can't.

Graph concat_in_concat() {
  IntegerGraph g(1, {3, 4, 5});
  const int x = g.add(conv(4), 0, s8(), {}), y = g.add(conv(8), x, s8(), {});
  const int inner = g.add(ConcatAttrs{}, {y, x}, s8());
  const int outer = g.add(ConcatAttrs{}, {x, inner}, s8());
  g.add(conv(5, window(3, 3, 1, {1, 1, 1, 1})), outer, kLogits, {});
  return g.finish().value();
}

Graph two_concats_share_a_part() {
  IntegerGraph g(2, {3, 4, 5});
  const int x = g.add(conv(4), 0, s8(), {}), y = g.add(conv(8), x, s8(), {});
  const int a = g.add(ConcatAttrs{}, {x, y}, s8()), b = g.add(ConcatAttrs{}, {y, x}, s8());
  g.add(ConcatAttrs{}, {a, b}, s8());
  return g.finish().value();
}

Graph concat_of_the_same() {
  IntegerGraph g(3, {4, 3, 3});
  const int x = g.add(conv(4), 0, s8(), {});
  const int twice = g.add(ConcatAttrs{}, {x, x}, s8());
  const int alone = g.add(ConcatAttrs{}, {x}, s8());
  g.add(ConcatAttrs{}, {alone, x, twice, alone, 0}, s8(-6));
  return g.finish().value();
}

Graph concat_of_everything() {
  IntegerGraph g(4, {4, 4, 6});
  const int pool = g.add(MaxPoolAttrs{window(2, 3, 2, {0, 1, 1, 1})}, 0);
  const int cut = g.add(SliceAttrs{1, 1, 0, 2, 2, 3, 1, 1, 2}, 0);
  const int out = g.add(PadAttrs{1, 1, 0, 0, 0, 0}, cut);
  const int all = g.add(ConcatAttrs{}, {pool, cut, out, out}, s8(-7));
  const int flat = g.add(FlattenAttrs{}, all);
  const int one = g.add(conv(4, window(2, 3, 1)), all, s8(-7), {});
  const int flat_one = g.add(FlattenAttrs{}, one);
  g.add(ConcatAttrs{}, {one, flat_one, flat, one}, s8(-7));
  return g.finish().value();
}

Graph concat_of_formats() {
  IntegerGraph g(5, {3, 3, 3});
  const int a = g.add(conv(4), 0, u8(-3), {}), b = g.add(conv(4), 0, s16(), {});
  const int c = g.add(conv(5), 0, u16(-12), {}), d = g.add(conv(4), 0, s8(-8), {.bits = 5});
  const int narrow = g.add(ConcatAttrs{}, {a, b, c, d}, ActFormat::make(5, true, -6));
  const int wide = g.add(ConcatAttrs{}, {a, b, c, d}, u16(-12));
  const int read = g.add(conv(7, window(2, 2, 1, {1, 0, 0, 1})), wide, s8(), {.bits = 5});
  g.add(ConcatAttrs{}, {narrow, read, wide}, s16());
  return g.finish().value();
}

/// Each layer reads, with padding, what lies in the buffer that it writes.
Graph dense_block() {
  IntegerGraph g(6, {3, 6, 7});
  int all = g.add(conv(8), 0, u8(), {});
  for (int i = 0; i < 3; ++i) {
    const int own = g.add(conv(5, window(3, 3, 1, {1, 1, 1, 1})), all, u8(), {.bits = 1 + i});
    all = g.add(ConcatAttrs{}, {all, own}, u8());
  }
  g.add(GlobalAvgPoolAttrs{}, {all}, kLogits);
  return g.finish().value();
}

// Windows

Graph windows_beyond_the_map() {
  IntegerGraph g(7, {3, 2, 3});
  const int a = g.add(conv(6, window(5, 7, 3, {6, 9, 4, 8}, 2)), 0, s8(), {.bits = 4});
  const int b = g.add(conv(9, window(1, 1, 5, {3, 2, 9, 4})), a, u8(), {.bits = 1});
  const int c = g.add(AvgPoolAttrs{window(2, 2, 3, {5, 4, 6, 3}, 2)}, {b}, s8());
  g.add(conv(3, window(4, 2, 1, {3, 1, 0, 2})), c, kLogits, {.bits = 2});
  return g.finish().value();
}

/// Few pixels far apart: a margin around the map would be a million times its size.
Graph far_padding() {
  IntegerGraph g(19, {4, 2, 1});
  Window w = window(2, 1, 1000, {1000, 1000, 1000, 1000}, 1000);
  const int x = g.add(conv(5, w), 0, s8(), {});
  w.dilation_h = 1;
  const int y = g.add(conv(5, w), x, s8(), {.bits = 5});
  g.add(ReluAttrs{}, {y}, u8());
  return g.finish().value();
}

Graph groups() {
  IntegerGraph g(8, {5, 6, 5});
  const int depthwise = g.add(conv(5, window(3, 3, 1, {1, 1, 1, 1}), 5), 0, s8(), {.bits = 1});
  const int more = g.add(conv(15, window(3, 2, 2, {1, 0, 1, 1}), 5), depthwise, s16(), {.bits = 4});
  const int threes = g.add(conv(60, window(2, 2, 1, {0, 1, 1, 0}), 5), more, u8(), {.bits = 1});
  g.add(conv(6, window(3, 3, 2, {2, 2, 2, 2}), 3), threes, kLogits, {.bits = 5});
  return g.finish().value();
}

/// Maps of one column, one row, one pixel.
Graph thin_maps() {
  IntegerGraph g(9, {6, 1, 19});
  const int row = g.add(conv(70, window(1, 5, 1, {0, 2, 0, 2})), 0, s8(), {});
  const int column = g.add(conv(66, window(3, 19, 1, {5, 0, 4, 0})), row, u8(), {});
  const int pixel = g.add(conv(130, window(8, 1, 9)), column, s8(), {});
  const int again = g.add(conv(130, window(3, 3, 1, {1, 1, 1, 1})), pixel, s8(), {.bits = 2});
  const int sum = g.add(AddAttrs{}, {again, pixel}, u8());
  g.add(LinearAttrs{3, false}, sum, kLogits, {});
  return g.finish().value();
}

// Fusion

Graph sums() {
  IntegerGraph g(10, {4, 5, 5});
  const int a = g.add(conv(9), 0, s8(), {}), b = g.add(conv(9), 0, s8(-3), {});
  const int ab = g.add(AddAttrs{}, {a, b}, s16(-6)), ba = g.add(AddAttrs{}, {b, a}, u8(-4));
  const int twice = g.add(AddAttrs{}, {ba, ba}, u8(-2));
  const int c = g.add(conv(9, window(3, 3, 1, {1, 1, 1, 1})), ab, s8(10), {});
  const int far = g.add(AddAttrs{}, {c, twice}, u16(-2));  // 12 bits apart
  const int d = g.add(conv(9), 0, s8(), {});
  const int late = g.add(AddAttrs{}, {d, far}, s16(0));
  const int relu = g.add(ReluAttrs{}, {late}, u8(2));
  g.add(ReluAttrs{}, {relu}, u8(1));
  return g.finish().value();
}

Graph after_linear() {
  IntegerGraph g(11, {3, 2, 2});
  const int flat = g.add(FlattenAttrs{}, 0);
  const int a = g.add(LinearAttrs{12, false}, flat, s8(-7), {});
  const int b = g.add(LinearAttrs{12, false}, flat, s8(-6), {.bits = 5, .least = 10, .most = 14});
  const int sum = g.add(AddAttrs{}, {b, flat}, u16(-7));  // flat is read by others than linear
  ActFormat clipped = s16(-8);
  clipped.lo = 0;
  const int relu = g.add(ReluAttrs{}, {a}, clipped);
  const int own = g.add(LinearAttrs{12, false}, relu, s16(), {});
  const int fused = g.add(ReluAttrs{}, {own}, clipped);
  g.add(ConcatAttrs{}, {sum, fused}, s16(-8));
  return g.finish().value();
}

Graph flattened_twice() {
  IntegerGraph g(12, {3, 3, 4});
  const int x = g.add(conv(5), 0, s8(), {});
  const int once = g.add(FlattenAttrs{}, x), twice = g.add(FlattenAttrs{}, once);
  const int a = g.add(LinearAttrs{7, false}, once, s8(), {});
  const int b = g.add(LinearAttrs{7, false}, twice, s8(), {.bits = 5, .least = 10, .most = 14});
  const int pool = g.add(MaxPoolAttrs{window(1, 1, 1)}, twice);
  g.add(ConcatAttrs{}, {a, pool, b, twice}, s8());
  return g.finish().value();
}

// Numbers at their limits

Graph shifts_at_their_limits() {
  IntegerGraph g(13, {4, 3, 3});
  const auto weights = [](int bits, int shift, std::int64_t bias) {
    return Weights{.bits = bits, .least = shift, .most = shift, .bias = bias};
  };
  std::vector<int> ids;
  for (const int shift : {-15, -14, -1, 0, 30, 31, 62})
    for (const bool norm : {false, true}) {
      const std::int64_t bias = shift < 10 ? 2 : (std::int64_t{1} << std::min(shift + 3, 45));
      const ActFormat f = shift % 2 == 0 ? s16(-7) : u8(-7);
      ids.push_back(norm ? g.add(BatchNormAttrs{}, 0, f, weights(2, shift, bias))
                         : g.add(conv(4), 0, f, weights(3, shift, bias)));
    }
  g.add(ConcatAttrs{}, ids, s16(-7));
  return g.finish().value();
}

/// Accumulators of 30 to 48 bits: the widest of the 32-bit kernels, and beyond.
template <int kBits>
Graph accumulators() {
  IntegerGraph g(14, {4, 3, 3});
  const int wide = g.add(conv(4), 0, u16(-7), {.bits = 5, .least = 4, .most = 8});
  const std::int64_t bias = (std::int64_t{1} << (kBits - 1)) - 1 - (std::int64_t{1} << 20);
  const int shift = kBits - 17;
  const Weights w{.bits = 2, .least = shift, .most = shift + 1, .bias = bias};
  const int a = g.add(conv(8, window(2, 2, 1)), wide, s16(-7), w);
  const int b = g.add(BatchNormAttrs{}, a, u16(-7), w);
  const int sum = g.add(ConcatAttrs{}, {a, b}, s16(-8));
  g.add(conv(3), sum, kLogits, {.bits = 2, .bias = bias});
  return g.finish().value();
}

Graph words_everywhere() {
  IntegerGraph g(15, {3, 5, 6});
  const int a = g.add(conv(6, window(3, 3, 1, {1, 1, 1, 1})), 0, u16(), {});
  const int pool = g.add(MaxPoolAttrs{window(2, 2, 1, {1, 0, 0, 1})}, a);
  const int b =
      g.add(conv(6, window(3, 3, 1, {1, 1, 1, 1})), pool, s8(), {.least = 10, .most = 14});
  const int c = g.add(conv(6), b, u8(), {.bits = 5, .least = 10, .most = 14});
  const int sum = g.add(AddAttrs{}, {a, c}, u16(-8));
  const int average = g.add(AvgPoolAttrs{window(3, 3, 2, {1, 2, 1, 2})}, {sum}, u16(-8));
  g.add(PadAttrs{1, 2, 1, 0, 2, 1}, average);
  return g.finish().value();
}

/// More taps than 32 bits hold stored words of: unsigned ones begin at -2^15.
Graph average_of_many() {
  IntegerGraph g(16, {1, 272, 256});
  const int words = g.add(conv(1), 0, u16(-7), {.bits = 1, .least = 0, .most = 0});
  g.add(GlobalAvgPoolAttrs{}, {words}, kLogits);
  return g.finish().value();
}

// Tiles of three and four

/// Maps that whole tiles don't cover, more channels than a slice, groups, a sum in the output
/// stage.
template <int kHeight, int kWidth>
Graph tiles() {
  IntegerGraph g(20, {3, kHeight, kWidth});
  const Window same = window(3, 3, 1, {1, 1, 1, 1});
  const int wide = g.add(conv(150, window(1, 1, 1)), 0, u8(), {.bits = 2});
  const int a = g.add(conv(34, same), wide, s8(), {.bits = 3});
  const int b = g.add(conv(34, same, 2), a, s8(), {.bits = 4});
  const int sum = g.add(AddAttrs{}, {b, a}, u8());
  const int cut = g.add(conv(5, window(3, 3, 1, {2, 0, 0, 2})), sum, s16(), {.bits = 1});
  const int narrow = g.add(conv(17), cut, u8(), {});
  g.add(conv(3, window(3, 3, 1, {0, 1, 2, 1})), narrow, kLogits, {.bits = 4});
  return g.finish().value();
}

/// Many lines of tiles: more than are transformed together.
Graph many_tiles() {
  IntegerGraph g(21, {130, 90, 6});
  g.add(conv(20, window(3, 3, 1, {1, 1, 1, 1})), 0, u8(), {});
  g.add(GlobalAvgPoolAttrs{}, {1}, kLogits);
  return g.finish().value();
}

// Outputs

template <int kHead>
Graph head() {
  IntegerGraph g(17, {3, 5, 4});
  const int x = g.add(conv(7), 0, u8(), {});
  if (kHead == 0) g.add(conv(37, window(2, 2, 1)), x, kLogits, {});
  if (kHead == 1) g.add(AvgPoolAttrs{window(3, 2, 2, {1, 0, 0, 0})}, {x}, kLogits);
  if (kHead == 2) g.add(FlattenAttrs{}, x);
  if (kHead == 3) g.add(conv(3), x, u16(), {});
  if (kHead == 4) g.add(ConcatAttrs{}, {x, 0}, s8(-6));
  return g.finish().value();
}

Graph image_alone() {
  IntegerGraph g(18, {2, 3, 4});
  g.add(FlattenAttrs{}, 0);
  return g.finish().value();
}

const NetworkCase kCases[] = {
    {"ConcatInConcat", concat_in_concat},
    {"TwoConcatsShareAPart", two_concats_share_a_part},
    {"ConcatOfTheSame", concat_of_the_same},
    {"ConcatOfEverything", concat_of_everything},
    {"ConcatOfFormats", concat_of_formats},
    {"DenseBlock", dense_block},
    {"WindowsBeyondTheMap", windows_beyond_the_map},
    {"FarPadding", far_padding},
    {"Groups", groups},
    {"ThinMaps", thin_maps},
    {"Sums", sums},
    {"AfterLinear", after_linear},
    {"FlattenedTwice", flattened_twice},
    {"ShiftsAtTheirLimits", shifts_at_their_limits},
    {"Accumulators30", accumulators<30>},
    {"Accumulators31", accumulators<31>},
    {"Accumulators32", accumulators<32>},
    {"Accumulators33", accumulators<33>},
    {"Accumulators48", accumulators<48>},
    {"WordsEverywhere", words_everywhere},
    {"AverageOfMany", average_of_many},
    {"Tiles1x1", tiles<1, 1>},
    {"Tiles5x6", tiles<5, 6>},
    {"Tiles13x7", tiles<13, 7>},
    {"Tiles3x14", tiles<3, 14>},
    {"ManyTiles", many_tiles},
    {"ConvolutionsLogits", head<0>},
    {"AveragesLogits", head<1>},
    {"FlattensActivations", head<2>},
    {"WordsAsOutputs", head<3>},
    {"ConcatAsOutput", head<4>},
    {"ImageAlone", image_alone},
};

class NetworksByHand : public ::testing::TestWithParam<NetworkCase> {};

TEST_P(NetworksByHand, GiveTheReferencesIntegers) {
  const Graph g = GetParam().make();
  struct {
    int images, batch, threads;
  } const runs[] = {{1, 1, 1}, {3, 1, 1}, {5, 3, 2}, {2, 40, 3}};
  for (const auto& r : runs) {
    std::mt19937 rng(static_cast<std::uint32_t>(r.images));
    std::vector<std::uint8_t> pixels(static_cast<std::size_t>(g.input().shape.size() * r.images));
    for (auto& p : pixels) p = static_cast<std::uint8_t>(rng());
    const EngineOptions o{.threads = r.threads, .batch = r.batch, .contexts = 1, .isa = {}};
    expect_equal(g, pixels, r.images, o, GetParam().name);
    if (::testing::Test::HasFatalFailure()) return;
  }
}

TEST(Memory, IsNotWhatPaddingAsksFor) {
  const auto engine = Engine::create(far_padding(), {}).value();
  EXPECT_LT(engine.arena_bytes(), std::size_t{1} << 20);
}

INSTANTIATE_TEST_SUITE_P(Engine, NetworksByHand, ::testing::ValuesIn(kCases),
                         [](const auto& c) { return c.param.name; });

}  // namespace
}  // namespace nbq::infer
