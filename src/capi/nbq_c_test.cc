#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nbq/nbq.h>
#include <sys/resource.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <thread>

#include "core/file.h"
#include "core/sanitizer.h"
#include "model/nbq_file.h"
#include "ops/ref_executor.h"
#include "random_graph.h"

namespace nbq::capi {
namespace {

using ::testing::HasSubstr;

std::string temporary(const std::string& name) { return ::testing::TempDir() + "/nbq_c_" + name; }

struct Free {
  void operator()(nbq_model* m) const { nbq_model_free(m); }
};
using Handle = std::unique_ptr<nbq_model, Free>;

nbq_options make_options(int threads = 1, int max_batch = 1, int contexts = 1) {
  nbq_options o;
  nbq_options_init(&o);
  o.threads = threads, o.max_batch = max_batch, o.contexts = contexts;
  return o;
}

/// A random integer network, also as bytes and with the reference beside it.
struct Network {
  explicit Network(std::uint32_t seed, bool names = false) : random(seed) {
    graph = random.make_integer(3, 8);
    if (names)
      for (std::int64_t i = 0; i < graph.output().shape.size(); ++i)
        graph.class_names.push_back("class " + std::to_string(i));
    bytes = encode_nbq(graph);
  }
  Handle load(const nbq_options& o) const {
    nbq_model* m = nullptr;
    EXPECT_EQ(nbq_model_load_memory(bytes.data(), bytes.size(), &o, &m), NBQ_OK)
        << nbq_last_error();
    return Handle(m);
  }
  std::vector<std::int64_t> want(const std::vector<std::uint8_t>& pixels, int n) const {
    return RefExecutor::create(graph)->run(pixels, n).value();
  }
  std::size_t size() const { return static_cast<std::size_t>(graph.input().shape.size()); }
  std::size_t outputs() const { return static_cast<std::size_t>(graph.output().shape.size()); }

  testing::RandomGraph random;
  Graph graph;
  std::vector<std::uint8_t> bytes;
};

/// Loading must fail so, with a message that holds `text`.
void expect_refused(const std::vector<std::uint8_t>& bytes, const nbq_options& o, int status,
                    const std::string& text) {
  auto* m = reinterpret_cast<nbq_model*>(&status);  // must become null
  EXPECT_EQ(nbq_model_load_memory(bytes.data(), bytes.size(), &o, &m), status) << text;
  EXPECT_EQ(m, nullptr);
  EXPECT_THAT(nbq_last_error(), HasSubstr(text));
}

TEST(CApi, GivesTheReferencesIntegersForAnyNumberOfImages) {
  for (std::uint32_t seed = 1; seed <= 10; ++seed) {
    Network net(seed);
    const int threads = 1 + static_cast<int>(seed % 3);
    const Handle model = net.load(make_options(threads, 2, 2));
    for (const int n : {1, 2, 5}) {
      const auto pixels = net.random.pixels(net.graph, n);
      const auto want = net.want(pixels, n);
      std::vector<std::int64_t> got(want.size());
      ASSERT_EQ(nbq_model_run(model.get(), pixels.data(), pixels.size(), n, got.data(), got.size()),
                NBQ_OK);
      EXPECT_EQ(got, want) << "seed " << seed << ", " << n << " images";
    }
  }
}

TEST(CApi, FloatsAreBytesOver255) {
  for (std::uint32_t seed = 1; seed <= 6; ++seed) {
    Network net(seed);
    const Handle model = net.load(make_options(1, 2));
    const int n = 5;
    auto bytes = net.random.pixels(net.graph, n);
    for (std::size_t i = 0; i < bytes.size() && i < 256; ++i) bytes[i] = static_cast<uint8_t>(i);
    std::vector<float> pixels;
    // Anywhere but at the rounding's border.
    for (const std::uint8_t b : bytes)
      pixels.push_back(
          std::clamp((static_cast<float>(b) + (b % 2 != 0 ? 0.49f : -0.49f)) / 255.0f, 0.0f, 1.0f));
    const auto want = net.want(bytes, n);
    const int exp = RefExecutor::create(net.graph)->logit_exp();
    std::vector<float> got(want.size());
    ASSERT_EQ(
        nbq_model_run_float(model.get(), pixels.data(), pixels.size(), n, got.data(), got.size()),
        NBQ_OK)
        << nbq_last_error();
    for (std::size_t i = 0; i < want.size(); ++i)
      EXPECT_EQ(got[i], std::ldexp(static_cast<float>(want[i]), exp)) << "seed " << seed;
  }
}

TEST(CApi, FloatsThatAreNoPixelsAreNamed) {
  Network net(3);
  const Handle model = net.load(make_options());
  const Shape& s = net.graph.input().shape;
  const int n = 2;
  for (const float bad : {std::nanf(""), std::numeric_limits<float>::infinity(), -0.01f, 1.01f}) {
    std::vector<float> pixels(net.size() * n, 0.5f), scores(net.outputs() * n, -7);
    const std::size_t at = net.size() + static_cast<std::size_t>(((s.c - 1) * s.h + 1) * s.w + 2);
    pixels[at] = bad;
    EXPECT_EQ(nbq_model_run_float(model.get(), pixels.data(), pixels.size(), n, scores.data(),
                                  scores.size()),
              NBQ_BAD_ARGUMENT);
    EXPECT_THAT(nbq_last_error(),
                HasSubstr(fmt::format("image 1, channel {}, row 1, column 2: the pixel is {}",
                                      s.c - 1, bad)));
    EXPECT_THAT(scores, ::testing::Each(-7.0f));
  }
}

TEST(CApi, TellsWhatAModelIs) {
  Network net(4, true);
  const Handle model = net.load(make_options(2, 3));
  nbq_info i{};
  i.struct_size = sizeof i;
  ASSERT_EQ(nbq_model_info(model.get(), &i), NBQ_OK);
  const Shape& s = net.graph.input().shape;
  EXPECT_EQ((Shape{i.channels, i.height, i.width}), s);
  EXPECT_EQ(i.outputs, static_cast<int>(net.outputs()));
  EXPECT_EQ(i.logit_exp, RefExecutor::create(net.graph)->logit_exp());
  EXPECT_EQ(i.max_batch, 3);
  EXPECT_EQ(i.threads, 2);
  EXPECT_GT(i.arena_bytes, 0u);
  EXPECT_STRNE(i.isa, "");
  EXPECT_STREQ(nbq_class_name(model.get(), 1), "class 1");
  EXPECT_EQ(nbq_class_name(model.get(), i.outputs), nullptr);
  EXPECT_THAT(nbq_last_error(), HasSubstr("output"));
  EXPECT_EQ(nbq_class_name(model.get(), -1), nullptr);
  EXPECT_EQ(nbq_class_name(nullptr, 0), nullptr);
  EXPECT_EQ(nbq_class_name(Network(4).load(make_options()).get(), 0), nullptr);
  EXPECT_THAT(nbq_last_error(), HasSubstr("no class names"));
  EXPECT_STRNE(nbq_version(), "");
}

// A caller that was compiled against another release.
TEST(CApi, StructsMayBeOfAnotherSize) {
  Network net(4);
  struct {
    nbq_options known;
    std::int64_t newer;
  } o{make_options(), 0};
  o.known.struct_size = sizeof o;
  const Handle model = net.load(o.known);
  o.newer = 1;
  expect_refused(net.bytes, o.known, NBQ_BAD_ARGUMENT, "doesn't know");
  o.known.struct_size = 8;
  expect_refused(net.bytes, o.known, NBQ_BAD_ARGUMENT, "nbq_options_init");
  o.known.struct_size = 0xffffffff;
  expect_refused(net.bytes, o.known, NBQ_BAD_ARGUMENT, "struct_size 4294967295");

  struct {
    nbq_info known;
    std::int64_t newer, beyond;
  } i{{}, 1, 1};
  i.known.struct_size = offsetof(decltype(i), beyond);
  EXPECT_EQ(nbq_model_info(model.get(), &i.known), NBQ_OK);
  EXPECT_EQ(i.known.struct_size, offsetof(decltype(i), beyond));
  EXPECT_EQ(i.newer, 0);
  EXPECT_EQ(i.beyond, 1);
  i.known.struct_size = 0;
  EXPECT_EQ(nbq_model_info(model.get(), &i.known), NBQ_BAD_ARGUMENT);
  EXPECT_THAT(nbq_last_error(), HasSubstr("sizeof"));
}

TEST(CApi, NullIsAnError) {
  Network net(4);
  const Handle model = net.load(make_options());
  nbq_model* m = nullptr;
  std::uint8_t pixel = 0;
  float real = 0;
  std::int64_t logit = 0;
  EXPECT_EQ(nbq_model_load(nullptr, nullptr, &m), NBQ_BAD_ARGUMENT);
  EXPECT_STREQ(nbq_last_error(), "path is NULL");
  EXPECT_EQ(nbq_model_load("model.nbq", nullptr, nullptr), NBQ_BAD_ARGUMENT);
  EXPECT_EQ(nbq_model_load_memory(nullptr, 10, nullptr, &m), NBQ_BAD_ARGUMENT);
  EXPECT_EQ(nbq_model_load_memory(net.bytes.data(), 10, nullptr, nullptr), NBQ_BAD_ARGUMENT);
  EXPECT_EQ(nbq_model_info(nullptr, nullptr), NBQ_BAD_ARGUMENT);
  EXPECT_EQ(nbq_model_info(model.get(), nullptr), NBQ_BAD_ARGUMENT);
  EXPECT_EQ(nbq_model_run(nullptr, &pixel, 1, 1, &logit, 1), NBQ_BAD_ARGUMENT);
  EXPECT_EQ(nbq_model_run(model.get(), nullptr, 1, 1, &logit, 1), NBQ_BAD_ARGUMENT);
  EXPECT_EQ(nbq_model_run(model.get(), &pixel, 1, 1, nullptr, 1), NBQ_BAD_ARGUMENT);
  EXPECT_EQ(nbq_model_run_float(nullptr, &real, 1, 1, &real, 1), NBQ_BAD_ARGUMENT);
  EXPECT_EQ(nbq_model_run_float(model.get(), nullptr, 1, 1, &real, 1), NBQ_BAD_ARGUMENT);
  EXPECT_EQ(nbq_model_run_float(model.get(), &real, 1, 1, nullptr, 1), NBQ_BAD_ARGUMENT);
  EXPECT_STREQ(nbq_last_error(), "scores is NULL");
  nbq_options_init(nullptr);
  nbq_model_free(nullptr);
}

TEST(CApi, WrongSizesAreNamed) {
  Network net(4);
  const Handle model = net.load(make_options());
  std::vector<std::uint8_t> pixels(net.size());
  std::vector<float> reals(net.size());
  std::vector<std::int64_t> logits(net.outputs());
  std::vector<float> scores(net.outputs());
  const auto refused = [&](std::size_t size, int n, std::size_t count, const std::string& text) {
    EXPECT_EQ(nbq_model_run(model.get(), pixels.data(), size, n, logits.data(), count),
              NBQ_BAD_ARGUMENT);
    EXPECT_THAT(nbq_last_error(), HasSubstr(text));
    EXPECT_EQ(nbq_model_run_float(model.get(), reals.data(), size, n, scores.data(), count),
              NBQ_BAD_ARGUMENT);
    EXPECT_THAT(nbq_last_error(), HasSubstr(text));
  };
  refused(pixels.size(), 0, logits.size(), "0 images");
  refused(pixels.size(), -1, logits.size(), "-1 images");
  refused(pixels.size() - 1, 1, logits.size(), fmt::format("{} pixels", pixels.size() - 1));
  refused(pixels.size(), 2, logits.size(), "2 images of");
  refused(pixels.size(), std::numeric_limits<std::int32_t>::max(), logits.size(), "images of");
  refused(pixels.size(), 1, logits.size() - 1, fmt::format("room for {}", logits.size() - 1));
  refused(pixels.size(), 1, logits.size() + 1, "outputs have");
}

TEST(CApi, BadFilesAndModelsAreNamed) {
  Network net(4);
  nbq_model* m = nullptr;
  EXPECT_EQ(nbq_model_load("/nonexistent/model.nbq", nullptr, &m), NBQ_BAD_FILE);
  EXPECT_THAT(nbq_last_error(), HasSubstr("/nonexistent/model.nbq: no such file"));
  EXPECT_EQ(nbq_model_load("/", nullptr, &m), NBQ_BAD_FILE);
  EXPECT_EQ(nbq_model_load("", nullptr, &m), NBQ_BAD_FILE);
  const std::string path = temporary("truncated.nbq");
  ASSERT_TRUE(write_file(path, std::span(net.bytes).first(net.bytes.size() / 2)).ok());
  EXPECT_EQ(nbq_model_load(path.c_str(), nullptr, &m), NBQ_BAD_FILE);
  EXPECT_THAT(nbq_last_error(), HasSubstr("truncated.nbq: damaged or truncated"));
  for (std::size_t size = 0; size < net.bytes.size(); ++size)
    EXPECT_NE(nbq_model_load_memory(net.bytes.data(), size, nullptr, &m), NBQ_OK);
  expect_refused(encode_nbq(net.random.make_float()), make_options(), NBQ_BAD_ARGUMENT,
                 "float weights, an integer network is needed");
  EXPECT_EQ(nbq_model_load_memory("no model", 8, nullptr, &m), NBQ_BAD_FILE);
  EXPECT_THAT(nbq_last_error(), HasSubstr("not an .nbq model"));
}

TEST(CApi, OptionsOutOfRangeAreNamed) {
  const Network net(4);
  const auto refused = [&](const nbq_options& o, const std::string& text) {
    expect_refused(net.bytes, o, NBQ_BAD_ARGUMENT, text);
  };
  refused(make_options(-1), "-1 threads");
  refused(make_options(257), "257 threads");
  refused(make_options(1, 0), "batch of 0");
  refused(make_options(1, -4), "batch of -4");
  refused(make_options(1, 1, 0), "0 contexts");
  refused(make_options(1, 1, 1 << 30), "contexts; allowed are");
  nbq_options o = make_options();
  o.isa = "sse9";
  refused(o, "\"sse9\" is not known; there are");
}

/// In a process of its own with little memory: ends with the status of a load that needs much.
[[noreturn]] void ask_for_too_much_memory() {
  const Network net(4);
  const rlimit little{std::size_t{256} << 20, std::size_t{256} << 20};
  if (setrlimit(RLIMIT_AS, &little) != 0) std::_Exit(100);
  const nbq_options o = make_options(1, 65536, 1024);
  nbq_model* m = nullptr;
  const int status = nbq_model_load_memory(net.bytes.data(), net.bytes.size(), &o, &m);
  std::fprintf(stderr, "%s\n", nbq_last_error());
  std::_Exit(m == nullptr ? status : 100);
}

TEST(CApi, TooLittleMemoryIsAnError) {
#if NBQ_SANITIZED
  GTEST_SKIP() << "sanitizers need more room than the limit";
#endif
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(ask_for_too_much_memory(), ::testing::ExitedWithCode(NBQ_OUT_OF_MEMORY),
              "fewer contexts");
}

TEST(CApi, TheEnvironmentsInstructionSetIsNamed) {
  const Network net(4);
  ASSERT_EQ(setenv("NBQ_ISA", "z80", 1), 0);
  expect_refused(net.bytes, make_options(), NBQ_BAD_ARGUMENT, "\"z80\" is not known");
  unsetenv("NBQ_ISA");
}

TEST(CApi, BytesMayLieAnywhereAndGo) {
  Network net(6);
  std::vector<std::uint8_t> shifted(net.bytes.size() + 1);
  std::memcpy(shifted.data() + 1, net.bytes.data(), net.bytes.size());
  nbq_model* m = nullptr;
  ASSERT_EQ(nbq_model_load_memory(shifted.data() + 1, net.bytes.size(), nullptr, &m), NBQ_OK);
  const Handle model(m);
  std::fill(shifted.begin(), shifted.end(), 0xff);
  const auto pixels = net.random.pixels(net.graph, 1);
  std::vector<std::int64_t> got(net.outputs());
  ASSERT_EQ(nbq_model_run(m, pixels.data(), pixels.size(), 1, got.data(), got.size()), NBQ_OK);
  EXPECT_EQ(got, net.want(pixels, 1));
}

TEST(CApi, EachThreadHasItsOwnLastError) {
  nbq_model_run(nullptr, nullptr, 0, 0, nullptr, 0);
  EXPECT_STREQ(nbq_last_error(), "model is NULL");
  std::thread([] { EXPECT_STREQ(nbq_last_error(), ""); }).join();
}

}  // namespace
}  // namespace nbq::capi
