#include "train/sensitivity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/file.h"
#include "model/fold.h"
#include "model/nbq_file.h"
#include "train/executor.h"
#include "train/trainer.h"

namespace nbq {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

constexpr const char* kRecipe = R"(name = "small"
[data]
source = "digits"
[model]
family = "nbqnn"
stages = [[8], [16], [16]]
[[phase]]
kind = "float"
epochs = 3
batch = 64
[[phase]]
kind = "quantised"
epochs = 1
batch = 64
)";

TrainRequest request(const std::string& name, const std::string& text) {
  TrainRequest q;
  q.recipe = parse_recipe(text, "small.toml").value();
  q.run_dir = fs::path(testing::TempDir()) / ("nbq_sensitivity_test_" + name);
  fs::remove_all(q.run_dir);
  q.threads = 2;
  q.quiet = true;
  q.handle_signals = false;
  return q;
}

TEST(Sensitivity, IsThatOfALayerAtOtherBitsOnItsOwn) {
  const TrainRequest q = request("learnt", kRecipe);
  ASSERT_TRUE(train(q).ok());
  const Graph net = load_nbq(q.run_dir / "float.nbq").value();
  DatasetSpec data;
  data.path = "digits";
  const ImageSourcePtr source = open_dataset(data).value();
  const auto images = sensitivity_images(source->size(), 0.2, 1, 200).value();
  ASSERT_EQ(images.size(), 200u);
  EXPECT_EQ(images, sensitivity_images(source->size(), 0.2, 1, 200).value());
  QuantSpec base;
  base.weight_bits = 5;
  const int bits[] = {1, 3, 5};
  std::size_t calls = 0;
  const auto s = measure_sensitivity(net, base, bits, *source, images,
                                     [&](std::size_t done, std::size_t total) {
                                       EXPECT_EQ(done, ++calls);
                                       EXPECT_EQ(total, 3 * 4u);
                                     });
  ASSERT_TRUE(s.ok()) << s.error().message;
  EXPECT_EQ(s->images, 200u);
  ASSERT_EQ(s->layers.size(), 4u);
  // Each figure is what quantising with an exception for this layer gives.
  const Graph folded = fold(net).value();
  const ActSamples samples = calibrate(folded, *source, 256, images).value();
  DatasetInfo info{source->class_names(), source->shape(), {}};
  std::vector<std::uint8_t> pixels(images.size() * source->shape().bytes());
  for (std::size_t i = 0; i < images.size(); ++i) {
    info.labels.push_back(source->label(images[i]));
    ASSERT_TRUE(source
                    ->load(images[i], std::span(pixels).subspan(i * source->shape().bytes(),
                                                                source->shape().bytes()))
                    .ok());
  }
  const ImageSourcePtr some = make_memory_source(info, pixels).value();
  for (const LayerSensitivity& l : s->layers) {
    ASSERT_EQ(l.at.size(), 3u);
    for (const BitsEffect& e : l.at) {
      QuantSpec spec = base;
      spec.layers.push_back({l.layer, e.bits, 0});
      const EvalResult r = evaluate_torch(quantise(folded, spec, samples).value(), *some).value();
      EXPECT_DOUBLE_EQ(e.loss, r.loss) << l.layer << " at " << e.bits;
      EXPECT_DOUBLE_EQ(e.accuracy, r.accuracy);
    }
    EXPECT_EQ(l.at[2].loss, s->loss);  // 5 bits are the base
    EXPECT_GT(l.at[0].loss, s->loss) << l.layer;
  }
  const auto j = nlohmann::json::parse(sensitivity_json(*s));
  EXPECT_EQ(j["layers"][1]["at"][0]["loss_rise"], s->layers[1].at[0].loss - s->loss);
  // A network that has been learning: its own scales are the base.
  const Graph learning = load_nbq(q.run_dir / "quantised.nbq").value();
  const auto own = measure_sensitivity(learning, bits, *source, images);
  ASSERT_TRUE(own.ok()) << own.error().message;
  EXPECT_EQ(own->loss, evaluate_torch(learning, *some).value().loss);
  EXPECT_EQ(own->layers[0].at[1].loss, own->loss);
  EXPECT_FALSE(
      measure_sensitivity(load_nbq(q.run_dir / "model.nbq").value(), bits, *source, images).ok());
  EXPECT_FALSE(measure_sensitivity(net, base, bits, *source, {}).ok());
}

Sensitivity made_up() {
  Sensitivity s;
  s.name = "net";
  s.loss = 1;
  s.other_code_bits = 16;
  s.layers = {{"first", 100, 1, 5, {{2, 3.0, 0}, {4, 1.5, 0}}},
              {"second", 1000, 1, 5, {{2, 1.2, 0}, {4, 1.1, 0}}}};
  return s;
}

TEST(BitBudget, GivesBitsToTheLayersThatNeedThem) {
  QuantSpec spec;
  // 4 bits of `first` and 2 of `second` are 2400 bits, 302 bytes with the 16 others.
  QuantSpec fitted = fit_budget(made_up(), spec, 302).value();
  EXPECT_EQ(fitted.weight_bits_of("first"), 4);
  EXPECT_EQ(fitted.weight_bits_of("second"), 2);
  fitted = fit_budget(made_up(), spec, 301).value();
  EXPECT_EQ(fitted.weight_bits_of("first"), 2);
  const auto small = fit_budget(made_up(), spec, 276);
  ASSERT_FALSE(small.ok());
  EXPECT_THAT(small.error().message, HasSubstr("they take 277"));
  spec.layers.push_back({"f*", 3, 0});  // an exception stays
  fitted = fit_budget(made_up(), spec, 10000).value();
  EXPECT_EQ(fitted.weight_bits_of("first"), 3);
  EXPECT_EQ(fitted.weight_bits_of("second"), 4);
}

TEST(BitBudget, TrainingKeepsIt) {
  std::string text = kRecipe;
  text += "[quant]\nbudget_bytes = 1500\nbudget_images = 100\n";
  TrainRequest q = request("budget", text);
  const auto r = train(q);
  ASSERT_TRUE(r.ok()) << r.error().message;
  const Graph made = load_nbq(r->integer_model).value();
  std::size_t bits = 0;
  for (const Node& n : made.nodes)
    bits += n.po2.codes.size() * static_cast<std::size_t>(n.po2.bits);
  EXPECT_LE(bits, 1500u * 8);
  EXPECT_TRUE(fs::exists(q.run_dir / "sensitivity.json"));
  const Recipe again = load_recipe(q.run_dir / "recipe.toml").value();
  EXPECT_EQ(again.budget.bytes, 1500);
  EXPECT_EQ(again.budget.images, 100);
  // A budget that can't be kept is refused before hours of float phases.
  q.recipe.budget.bytes = 10;
  q.overwrite = true;
  const auto small = train(q);
  ASSERT_FALSE(small.ok());
  EXPECT_THAT(small.error().message, HasSubstr("can't be brought into 10 bytes"));
}

}  // namespace
}  // namespace nbq
