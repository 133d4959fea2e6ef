#include "exchange/c_export.h"

#include "c_program.h"
#include "integer_graph.h"
#include "ops/ref_executor.h"
#include "random_graph.h"

namespace nbq {
namespace {

using testing::CProgram;
using testing::TempFolder;

/// Networks beside the reference, compiled strictly and with the undefined behaviour sanitizer.
class BesideTheReference {
 public:
  BesideTheReference() : program_(folder_) {}

  void add(const Graph& g, const std::vector<std::uint8_t>& pixels, int images,
           const std::string& what) {
    const CSource source = program_.add(g, pixels, images);
    const auto executor = RefExecutor::create(g);
    expected_.push_back({what, executor.value().run(pixels, images).value(),
                         source.header.find("typedef int64_t") != std::string::npos});
  }

  void check() {
    program_.write_main("#include <stdio.h>\n#define give(p, n) fwrite(p, n, 1, stdout)\n",
                        "int main(void)");
    std::vector<std::string> compile{"gcc",
                                     "-std=c99",
                                     "-O1",
                                     "-Wall",
                                     "-Wextra",
                                     "-Wpedantic",
                                     "-Werror",
                                     "-fsanitize=undefined",
                                     "-fno-sanitize-recover",
                                     "main.c"};
    compile.insert(compile.end(), program_.files().begin(), program_.files().end());
    compile.insert(compile.end(), {"-o", "program"});
    program_.run(compile);
    const std::string output = program_.run({(folder_ / "program").string()});
    std::size_t at = 0;
    for (const Expected& e : expected_)
      EXPECT_EQ(testing::take_logits(output, at, e.logits.size(), e.wide), e.logits) << e.what;
    EXPECT_EQ(at, output.size());
  }

 private:
  struct Expected {
    std::string what;
    std::vector<std::int64_t> logits;
    bool wide;
  };
  TempFolder folder_;
  CProgram program_;
  std::vector<Expected> expected_;
};

class RandomNetworksInC : public ::testing::TestWithParam<std::tuple<int, int>> {};

TEST_P(RandomNetworksInC, GiveTheReferencesIntegers) {
  const auto [weight_bits, act_bits] = GetParam();
  BesideTheReference both;
  for (std::uint32_t i = 0; i < 4; ++i) {
    const std::uint32_t seed = 1000 * i + static_cast<std::uint32_t>(weight_bits * 16 + act_bits);
    testing::RandomGraph random(seed);
    const Graph g = random.make_integer(weight_bits, act_bits);
    both.add(g, random.pixels(g, 2), 2, fmt::format("seed {}", seed));
  }
  both.check();
}

INSTANTIATE_TEST_SUITE_P(Widths, RandomNetworksInC,
                         ::testing::Combine(::testing::Values(1, 2, 3, 4, 5),
                                            ::testing::Values(2, 8, 12, 16)));

TEST(CExport, EveryShiftOfAnOutputStage) {
  BesideTheReference both;
  for (int least = -15; least <= 62; least += 11) {
    testing::IntegerGraph g(static_cast<std::uint32_t>(least + 100), {3, 5, 4});
    const int bits = least % 2 == 0 ? 8 : 16;
    const int conv = g.add(Conv2dAttrs{12, 1, true, Window{3, 3, 1, 1, 1, 1, 1, 1}}, 0,
                           ActFormat::make(bits, least % 3 == 0, 4),
                           {.bits = 4, .least = least, .most = std::min(62, least + 10)});
    g.add(GlobalAvgPoolAttrs{}, {conv}, ActFormat{});
    const Result<Graph> made = g.finish();
    ASSERT_TRUE(made.ok()) << made.error().message;
    both.add(*made, g.pixels(3), 3, fmt::format("shifts from {}", least));
  }
  both.check();
}

// 31, 32, 33 and more bits, whose rounding must not overflow either.
TEST(CExport, SumsAsWideAsTheProofAllows) {
  BesideTheReference both;
  for (const int bias_bits : {29, 30, 31, 32, 40, 46}) {
    testing::IntegerGraph g(static_cast<std::uint32_t>(bias_bits), {2, 3, 3});
    const std::int64_t bias = (std::int64_t{1} << bias_bits) - (1 << 20);
    const int conv = g.add(Conv2dAttrs{40, 1, true, {}}, 0, ActFormat::make(16, true, 0),
                           {.bits = 5, .least = 1, .most = 40, .bias = bias});
    g.add(FlattenAttrs{}, conv);
    g.add(LinearAttrs{5, true}, g.size() - 1, ActFormat{}, {.bits = 3, .bias = bias});
    const Result<Graph> made = g.finish();
    ASSERT_TRUE(made.ok()) << made.error().message;
    both.add(*made, g.pixels(4), 4, fmt::format("biases of {} bits", bias_bits));
  }
  both.check();
}

// Windows that reach far into the padding, or lie in it alone.
TEST(CExport, WindowsInThePadding) {
  BesideTheReference both;
  for (const bool maximum : {false, true}) {
    testing::IntegerGraph g(maximum ? 1 : 2, {2, 3, 4});
    Window far{2, 3, 2, 2, 7, 9, 6, 8};
    const Window near{2, 3, 2, 2, 1, 2, 1, 2};  // each window of a maximum touches the map
    const int pool = maximum ? g.add(MaxPoolAttrs{near}, 0)
                             : g.add(AvgPoolAttrs{far}, {0}, ActFormat::make(8, true, -7));
    far.dilation_h = 3;
    const int conv = g.add(Conv2dAttrs{4, 2, true, far}, pool, ActFormat::make(6, false, 2), {});
    g.add(PadAttrs{1, 2, 0, 1, 2, 0}, conv);
    g.add(SliceAttrs{1, 1, 0, 2, 2, 2, 3, 2, 3}, g.size() - 1);
    const Result<Graph> made = g.finish();
    ASSERT_TRUE(made.ok()) << made.error().message;
    both.add(*made, g.pixels(2), 2, maximum ? "maximum" : "average");
  }
  both.check();
}

// The last layer's activations are the logits where it has no sums to give; here those of the
// image.
TEST(CExport, NetworksWithoutAnyBuffer) {
  BesideTheReference both;
  testing::IntegerGraph flat(1, {3, 2, 2});
  flat.add(FlattenAttrs{}, 0);
  both.add(flat.finish().value(), flat.pixels(2), 2, "flatten");
  testing::IntegerGraph fc(2, {3, 1, 1});
  fc.add(LinearAttrs{4, true}, 0, ActFormat{}, {.bits = 1});
  both.add(fc.finish().value(), fc.pixels(2), 2, "linear");
  both.check();
}

Graph small() {
  testing::IntegerGraph g(1, {1, 2, 2});
  g.add(FlattenAttrs{}, 0);
  g.add(LinearAttrs{3, true}, 1, ActFormat{}, {});
  return g.finish().value();
}

TEST(CExport, NamesAreIdentifiersAndCommentsStayComments) {
  for (const char* bad : {"2net", "net-1", "", "a b", "_net", "n\xc3\xa9t"})
    EXPECT_EQ(export_c_source(small(), bad, "net.h").error().code, ErrorCode::kInvalidArgument)
        << bad;
  Graph g = small();
  g.name = "a */ #error\n\\ ?\?/";
  g.nodes.back().name = "b */ x";
  const CSource c = export_c_source(g, "net", "net.h").value();
  for (const std::string* text : {&c.header, &c.source}) {
    EXPECT_EQ(text->find("#error\n"), std::string::npos);
    EXPECT_EQ(text->find("b */ x"), std::string::npos);
    EXPECT_EQ(text->find("?\?/"), std::string::npos);
  }
}

TEST(CExport, FilesLieSideBySideOrNotAtAll) {
  const TempFolder folder;
  ASSERT_TRUE(export_c(folder / "7-segment.c", small()).ok());
  EXPECT_NE(read_text_file(folder / "7-segment.h").value().find("void net_7_segment_run("),
            std::string::npos);
  EXPECT_NE(read_text_file(folder / "7-segment.c").value().find("#include \"7-segment.h\""),
            std::string::npos);
  EXPECT_EQ(export_c(folder / "net.txt", small()).error().code, ErrorCode::kInvalidArgument);
  Graph damaged = small();
  damaged.nodes.back().po2.codes.pop_back();
  EXPECT_EQ(export_c(folder / "damaged.c", damaged).error().code, ErrorCode::kBadFile);
  EXPECT_FALSE(std::filesystem::exists(folder / "damaged.h"));
}

// 8193 rows of 2^18 bytes, in all 2^31 and more.
TEST(CExport, MapsBeyondItsOffsetsAreRefused) {
  testing::IntegerGraph g(1, {1, 1, 1 << 14});
  int id = 0;
  for (int i = 0; i < 30; ++i) id = g.add(PadAttrs{0, 0, 0, 0, 1 << 12, 1 << 12}, id);
  const int pool = g.add(AvgPoolAttrs{Window{2, 1, 4096, 4096, 4096, 0, 4096, 0, 4096, 1}}, {id},
                         ActFormat::make(8, true, -7));
  g.add(GlobalAvgPoolAttrs{}, {pool}, ActFormat{});
  const Result<Graph> made = g.finish();
  ASSERT_TRUE(made.ok()) << made.error().message;
  const auto refused = export_c_source(*made, "net", "net.h");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(refused.error().message.find(made->nodes[static_cast<std::size_t>(pool)].name),
            std::string::npos);
}

}  // namespace
}  // namespace nbq
