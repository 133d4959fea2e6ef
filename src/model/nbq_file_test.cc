#include "model/nbq_file.h"

#include <gtest/gtest.h>

#include "core/file.h"
#include "model/quantise.h"
#include "ops/ref_executor.h"
#include "random_graph.h"

namespace nbq {
namespace {

TEST(NbqFile, EveryStageRoundTrips) {
  for (std::uint32_t seed = 0; seed < 100; ++seed) {
    testing::RandomGraph random(seed);
    for (const Graph& g :
         {random.make_float(), random.make_quantised(3, 8), random.make_integer(4, 16)}) {
      const auto bytes = encode_nbq(g);
      const auto back = decode_nbq(bytes);
      ASSERT_TRUE(back.ok()) << "seed " << seed << ": " << back.error().message;
      EXPECT_EQ(encode_nbq(*back), bytes);
      if (g.stage != Stage::kInteger) continue;
      const auto pixels = random.pixels(g, 2);
      EXPECT_EQ(*RefExecutor::create(g).value().run(pixels, 2),
                *RefExecutor::create(*back).value().run(pixels, 2));
    }
  }
}

TEST(NbqFile, CodesArePacked) {
  Graph g;
  g.add("image", InputAttrs{64, 1, 1, {}, {}}, {});
  g.add("fc", LinearAttrs{1000, false}, {0});
  ASSERT_TRUE(infer_shapes(g).ok());
  g.nodes[1].state["weight"] = {{1000, 64}, std::vector<float>(64000, 0.5f)};
  QuantSpec spec;
  spec.weight_bits = 3;
  const Graph q = deploy(quantise(g, spec, ActSamples(2, {1.0f})).value()).value();
  EXPECT_LT(encode_nbq(q).size(), 64000u * 3 / 8 + 4000);
}

TEST(NbqFile, EveryTruncationIsAnError) {
  const auto bytes = encode_nbq(testing::RandomGraph(5).make_integer(3, 8));
  for (std::size_t n = 0; n < bytes.size(); ++n)
    EXPECT_FALSE(decode_nbq(std::span(bytes).first(n)).ok()) << n;
}

TEST(NbqFile, BitFlipsAreRefusedOrGiveASoundNetwork) {
  testing::RandomGraph random(8);
  const Graph g = random.make_integer(3, 8);
  const auto bytes = encode_nbq(g);
  int accepted = 0;
  for (std::size_t bit = 0; bit < bytes.size() * 8; bit += 3) {
    auto damaged = bytes;
    damaged[bit / 8] = static_cast<std::uint8_t>(damaged[bit / 8] ^ (1 << (bit % 8)));
    const auto back = decode_nbq(damaged);
    if (!back.ok()) {
      EXPECT_FALSE(back.error().message.empty());
      continue;
    }
    ++accepted;
    if (back->stage != Stage::kInteger || back->input().shape.size() > 10000) continue;
    const auto pixels = random.pixels(*back, 1);
    EXPECT_TRUE(RefExecutor::create(*back).value().run(pixels, 1).ok());
  }
  EXPECT_GT(accepted, 0);  // another code is another network
}

TEST(NbqFile, RefusesParametersThatNobodyAskedFor) {
  testing::RandomGraph random(6);
  Graph g = random.make_float();
  g.nodes.back().state["extra"] = {{1 << 30}, {1.0f}};
  EXPECT_NE(decode_nbq(encode_nbq(g)).error().message.find("has no parameter extra"),
            std::string::npos);
  Graph q = random.make_integer(3, 8);
  q.nodes.back().state["weight"] = {{1}, {1.0f}};
  EXPECT_FALSE(decode_nbq(encode_nbq(q)).ok());
  Graph empty;
  empty.add("image", InputAttrs{1, 2, 2, {}, {}}, {});
  EXPECT_NE(decode_nbq(encode_nbq(empty)).error().message.find("no layers"), std::string::npos);
}

TEST(NbqFile, ErrorsNameThePathAndLoseNothing) {
  const std::string path = ::testing::TempDir() + "nbq_file_test.nbq";
  ASSERT_TRUE(write_file(path, std::string_view("hello, I am no model")).ok());
  const auto r = load_nbq(path);
  ASSERT_FALSE(r.ok());
  EXPECT_EQ(r.error().code, ErrorCode::kBadFile);
  EXPECT_NE(r.error().message.find(path + ": not an .nbq model"), std::string::npos);
  EXPECT_FALSE(save_nbq("/proc/nbq/model.nbq", testing::RandomGraph(1).make_integer(3, 8)).ok());
}

}  // namespace
}  // namespace nbq
