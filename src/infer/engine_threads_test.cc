// Many callers on one engine. Runs under the thread sanitizer, too.
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/resource.h>

#include <atomic>
#include <cstdlib>
#include <thread>

#include "core/sanitizer.h"
#include "infer/engine.h"
#include "infer/team.h"
#include "ops/ref_executor.h"
#include "random_graph.h"

namespace nbq::infer {
namespace {

/// contexts, threads a call
class ManyCallers : public ::testing::TestWithParam<std::tuple<int, int>> {};

TEST_P(ManyCallers, GetTheirOwnImagesIntegers) {
  const auto [contexts, threads] = GetParam();
  constexpr int kCallers = 4, kRuns = 4;
  for (std::uint32_t seed = 1; seed <= 3; ++seed) {
    testing::RandomGraph random(seed);
    const Graph g = random.make_integer(3, seed % 2 == 0 ? 16 : 8);
    const auto ref = RefExecutor::create(g).value();
    const int batch = 1 + static_cast<int>(seed % 3);
    const EngineOptions o{.threads = threads, .batch = batch, .contexts = contexts, .isa = {}};
    const auto engine = Engine::create(g, o).value();
    std::vector<std::vector<std::uint8_t>> pixels;
    std::vector<std::vector<std::int64_t>> want;
    for (int c = 0; c < kCallers; ++c) {
      pixels.push_back(random.pixels(g, c + 1));
      want.push_back(ref.run(pixels.back(), c + 1).value());
    }
    std::atomic<int> wrong = 0;
    const auto call = [&](int c) {
      const auto i = static_cast<std::size_t>(c);
      std::vector<std::int64_t> got(want[i].size());
      for (int r = 0; r < kRuns; ++r) {
        std::fill(got.begin(), got.end(), -1);
        if (!engine.run(pixels[i], c + 1, got).ok() || got != want[i]) ++wrong;
      }
    };
    std::vector<std::thread> callers;
    for (int c = 0; c < kCallers; ++c) callers.emplace_back(call, c);
    for (std::thread& t : callers) t.join();
    EXPECT_EQ(wrong, 0) << "seed " << seed;
  }
}

INSTANTIATE_TEST_SUITE_P(ContextsAndThreads, ManyCallers,
                         ::testing::Combine(::testing::Values(1, 3),
                                            ::testing::Values(1, 2, 3, 4)));

// A team's end right behind its last work: threads may still be on their way out of the barrier.
TEST(ShortLives, EnginesMayEndAtOnce) {
  testing::RandomGraph random(5);
  const Graph g = random.make_integer(2, 8);
  const auto pixels = random.pixels(g, 1);
  for (int i = 0; i < 20; ++i) {
    const auto engine = Engine::create(g, {.threads = 3, .batch = 1, .contexts = 1, .isa = {}});
    std::vector<std::int64_t> logits(static_cast<std::size_t>(engine->outputs()));
    ASSERT_TRUE(engine->run(pixels, 1, logits).ok());
  }
}

/// In a process of its own: little room for threads' stacks. Ends with 0 when that is a plain
/// error.
[[noreturn]] void ask_for_too_many_threads() {
  const Graph g = testing::RandomGraph(5).make_integer(2, 8);
  const rlimit little{std::size_t{512} << 20, std::size_t{512} << 20};
  if (setrlimit(RLIMIT_AS, &little) != 0) std::_Exit(2);
  const auto engine = Engine::create(g, {.threads = 200, .batch = 1, .contexts = 3, .isa = {}});
  if (!engine.ok()) std::fprintf(stderr, "%s\n", engine.error().message.c_str());
  std::_Exit(engine.ok() ? 3 : 0);
}

#if defined(__linux__)
// Where another library left both on one core, the system alone would not part them.
TEST(Team, ThreadsPartThatShareACore) {
  cpu_set_t allowed, one;
  ASSERT_EQ(sched_getaffinity(0, sizeof allowed, &allowed), 0);
  if (CPU_COUNT(&allowed) < 2) GTEST_SKIP() << "one core";
  CPU_ZERO(&one);
  CPU_SET(static_cast<std::size_t>(sched_getcpu()), &one);
  ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
  Team team(2);  // its second thread, too, is bound to this core
  int core = -1;
  team.run([&](int t) {
    if (t == 1) sched_setaffinity(0, sizeof allowed, &allowed);
  });
  // Beside other programs the system may move it back: once is enough.
  bool parted = false;
  for (int i = 0; i < 200 && !parted; ++i) {
    team.run([&](int t) {
      if (t == 1) core = sched_getcpu();
    });
    parted = core != sched_getcpu();
  }
  EXPECT_TRUE(parted);
  EXPECT_EQ(sched_setaffinity(0, sizeof allowed, &allowed), 0);
}
#endif

TEST(ShortLives, MoreThreadsThanTheSystemGivesAreAnError) {
#if NBQ_SANITIZED
  GTEST_SKIP() << "sanitizers need more room than the limit";
#endif
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(ask_for_too_many_threads(), ::testing::ExitedWithCode(0),
              "3 contexts of 200 threads: the system gives no more threads");
}

}  // namespace
}  // namespace nbq::infer
