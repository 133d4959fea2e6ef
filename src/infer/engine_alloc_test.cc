// This program's operator new counts, on all threads.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "infer/engine.h"
#include "infer/isa.h"
#include "random_graph.h"

namespace {

std::atomic<std::int64_t> allocations = 0;

void* counted(std::size_t size, std::size_t alignment) {
  ++allocations;
  const std::size_t whole =
      (std::max<std::size_t>(size, 1) + alignment - 1) / alignment * alignment;
  void* const p = std::aligned_alloc(alignment, whole);
  if (p == nullptr) throw std::bad_alloc();
  return p;
}

}  // namespace

// The other forms call these, but under a sanitizer, which has its own: of those only what would
// mix with these is here, too. GCC takes the two for a mismatch where it inlines only one of them.
void* operator new(std::size_t size) { return counted(size, alignof(std::max_align_t)); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return counted(size, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept try {
  return operator new(size);
} catch (const std::bad_alloc&) {
  return nullptr;
}
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t, std::align_val_t) noexcept {
  std::free(p);
}

namespace nbq::infer {
namespace {

TEST(Allocations, AreCounted) {
  const std::int64_t before = allocations;
  int* volatile p = new int;  // volatile: a pair that nobody sees may be left out
  delete p;
  EXPECT_GT(allocations, before);
}

/// threads a call
class Run : public ::testing::TestWithParam<int> {};

TEST_P(Run, AllocatesNothing) {
  for (std::uint32_t seed = 1; seed <= 8; ++seed) {
    testing::RandomGraph random(seed);
    const Graph g = random.make_integer(1 + static_cast<int>(seed % 5), seed % 3 == 0 ? 16 : 8);
    for (const IsaRow& row : isa_rows()) {
      if (!row.available) continue;
      const EngineOptions o{
          .threads = GetParam(), .batch = 2, .contexts = 2, .isa = std::string(row.name)};
      const auto engine = Engine::create(g, o).value();
      const int n = 5;
      const auto pixels = random.pixels(g, n);
      std::vector<std::int64_t> logits(static_cast<std::size_t>(engine.outputs() * n));
      const std::int64_t before = allocations;
      bool fine = true;
      for (int i = 0; i < 3; ++i) fine = engine.run(pixels, n, logits).ok() && fine;
      const std::int64_t after = allocations;
      EXPECT_TRUE(fine);
      EXPECT_EQ(after - before, 0) << "seed " << seed << ", " << row.name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Threads, Run, ::testing::Values(1, 2, 4));

}  // namespace
}  // namespace nbq::infer
