// nbq_dma by itself, with an AXI4 memory that has latency, stalls and errors.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <random>

#include "hw/isa.h"
#include "hw/rtl_build.h"
#include "hw/sim.h"

namespace nbq::hw {
namespace {

/// As rtl/sim/dma_harness.cc has it.
struct DmaCycle {
  std::uint32_t reg_we, reg_addr, reg_data, start, clear, load, store, free_words, act_ready;
  std::uint32_t flags, wgt_we, wgt_addr, act_we, act_addr;
  std::uint32_t wgt_data[16], act_data[16];
  bool arrived() const { return (flags & 64) != 0; }
  bool stream_done() const { return (flags & 32) != 0; }
  bool load_busy() const { return (flags & 16) != 0; }
  bool store_busy() const { return (flags & 8) != 0; }
  bool quiet() const { return (flags & 4) != 0; }
  bool error() const { return (flags & 2) != 0; }
  bool bad() const { return (flags & 1) != 0; }
};

struct Shape {
  int axi_bits, images, wgt_width, act_width, raw_width, weight_depth, act_slots, result_depth;
  int slices = 1;  ///< of a result word
};

class DmaTest : public testing::TestWithParam<Shape> {
 protected:
  void SetUp() override {
    const Shape& s = GetParam();
    const auto path = build_model({"nbq_cell_dma",
                                   {{"AxiBits", s.axi_bits},
                                    {"Images", s.images},
                                    {"WgtWidth", s.wgt_width},
                                    {"ActWidth", s.act_width},
                                    {"RawWidth", s.raw_width},
                                    {"WeightDepth", s.weight_depth},
                                    {"ActSlots", s.act_slots},
                                    {"ResultDepth", s.result_depth},
                                    {"OutCycles", s.slices}},
                                   "sim/dma_harness.cc",
                                   {"sim/nbq_cell_dma.sv"},
                                   {"sim/axi_memory.h"}});
    if (!path.ok() && path.error().code == ErrorCode::kToolMissing)
      GTEST_SKIP() << path.error().message;
    ASSERT_TRUE(path.ok()) << path.error().message;
    void* handle = ::dlopen(path->c_str(), RTLD_NOW | RTLD_LOCAL);
    ASSERT_NE(handle, nullptr);
    const auto find = [&](auto& f, const char* name) {
      f = reinterpret_cast<std::remove_reference_t<decltype(f)>>(::dlsym(handle, name));
      ASSERT_NE(f, nullptr) << name;
    };
    void* (*create)() = nullptr;
    find(create, "nbq_dma_create");
    find(destroy_, "nbq_dma_destroy");
    find(cycle_, "nbq_dma_cycle");
    find(configure_, "nbq_dma_configure");
    find(violation_, "nbq_dma_violation");
    std::uint8_t* (*memory)(void*, std::uint64_t) = nullptr;
    find(memory, "nbq_dma_memory");
    dma_ = create();
    memory_ = memory(dma_, kMemory);
    const char* replayed = std::getenv("NBQ_SEED");
    const unsigned seed =
        replayed != nullptr ? static_cast<unsigned>(std::stoul(replayed)) : std::random_device{}();
    std::printf("NBQ_SEED=%u\n", seed);
    rng_.seed(seed);
    for (std::size_t i = 0; i < kMemory; ++i) memory_[i] = static_cast<std::uint8_t>(rng_());
  }
  void TearDown() override {
    if (dma_ == nullptr) return;
    EXPECT_STREQ(violation_(dma_), "");
    destroy_(dma_);
  }

  std::uint32_t random(std::uint32_t low, std::uint32_t high) {
    return std::uniform_int_distribution<std::uint32_t>(low, high)(rng_);
  }
  void set(Reg r, std::uint64_t value) {
    DmaCycle c{};
    c.reg_we = 1;
    c.reg_addr = static_cast<std::uint32_t>(r);
    c.reg_data = static_cast<std::uint32_t>(value);
    cycle_(dma_, &c);
  }
  /// Bytes of a word as the external memory has it.
  std::uint32_t stride(int width) const {
    const int beats = (width + GetParam().axi_bits - 1) / GetParam().axi_bits;
    return static_cast<std::uint32_t>(beats * GetParam().axi_bits / 8);
  }

  /// One program's worth of traffic.
  struct Job {
    std::uint32_t weights = 0, ring = 0, load_words = 0, load_slot = 0, store_words = 0;
    std::uint64_t weight_addr = 0, load_addr = 0, store_addr = 0;
  };
  Job random_job() {
    const Shape& s = GetParam();
    const auto beat = static_cast<std::uint32_t>(s.axi_bits / 8);
    Job j;
    j.weights = random(0, 4) == 0 ? 0 : random(1, 400);
    j.ring = random(0, static_cast<std::uint32_t>(s.weight_depth) - 1);
    j.load_words = random(0, static_cast<std::uint32_t>(s.act_slots) / 2);
    j.load_slot = random(0, static_cast<std::uint32_t>(s.act_slots) / 2 - 1);
    j.store_words = random(0, static_cast<std::uint32_t>(s.result_depth));
    j.weight_addr = random(0, 2048) * beat;
    j.load_addr = 300000 / beat * beat + random(0, 2048) * beat;
    j.store_addr = 4096ULL * random(200, 210);
    return j;
  }
  void begin(const Job& j) {
    set(Reg::weight_addr, j.weight_addr);
    set(Reg::weight_addr_hi, 0);
    set(Reg::weight_words, j.weights);
    set(Reg::weight_ring, j.ring);
    set(Reg::load_addr, j.load_addr);
    set(Reg::load_addr_hi, 0);
    set(Reg::load_slot, j.load_slot);
    set(Reg::load_words, j.load_words);
    set(Reg::store_addr, j.store_addr);
    set(Reg::store_addr_hi, 0);
    set(Reg::store_words, j.store_words);
    weight_columns_ = load_columns_ = load_word_ = 0;
    arrived_ = freed_ = 0;
    failed_ = false;
  }
  void step(const Job& j, DmaCycle& c) {
    c.act_ready = random(0, 3) != 0;
    cycle_(dma_, &c);
    failed_ = failed_ || c.error();  // what still comes before the clear lands anywhere
    if (c.wgt_we != 0 && !failed_) take_weight(j, c);
    if (c.act_we != 0 && c.act_ready != 0 && !failed_) take_image(j, c);
    arrived_ += c.arrived();
  }
  /// Runs the job; frees what has come in blocks of random size. After `stop_after` cycles: clear.
  bool run(const Job& j, std::uint32_t stop_after) {
    bool load = true, store = true, error = false;
    for (std::uint32_t n = 0; n < 200000; ++n) {
      DmaCycle c{};
      c.start = n == 0;
      c.load = load && random(0, 50) == 0;
      c.store = store && random(0, 50) == 0;
      if (c.load != 0) load = false;
      if (c.store != 0) store = false;
      if (arrived_ > freed_ && random(0, 20) == 0) c.free_words = random(1, arrived_ - freed_);
      if (c.free_words != 0) freed_ += c.free_words;
      if (n == stop_after) {  // the sequencer is silent then: nbq_control's `alive`
        c.clear = 1;
        c.load = c.store = 0;
      }
      step(j, c);
      EXPECT_FALSE(c.bad());
      error = error || c.error();
      if (testing::Test::HasFailure() || n == stop_after || error) return error;
      if (n > 1 && !load && !store && c.load == 0 && c.store == 0 && c.stream_done() &&
          !c.load_busy() && !c.store_busy())
        break;
    }
    EXPECT_EQ(arrived_, j.weights);
    EXPECT_EQ(load_word_, j.load_words * static_cast<std::uint32_t>(GetParam().images));
    check_results(j);
    return error;
  }
  void take_weight(const Job& j, const DmaCycle& c) {
    const std::uint32_t columns = static_cast<std::uint32_t>((GetParam().wgt_width + 31) / 32);
    const std::uint32_t depth = static_cast<std::uint32_t>(GetParam().weight_depth);
    const std::uint32_t word = weight_columns_ / columns;
    ASSERT_EQ(c.wgt_addr, j.ring + word % (depth - j.ring));
    ASSERT_LT(word, freed_ + depth - j.ring) << "a word that is in use is written over";
    compare(c.wgt_we, c.wgt_data, columns, j.weight_addr + word * stride(GetParam().wgt_width),
            weight_columns_);
  }
  void take_image(const Job& j, const DmaCycle& c) {
    const std::uint32_t columns = static_cast<std::uint32_t>((GetParam().act_width + 31) / 32);
    ASSERT_EQ(c.act_addr,
              (load_word_ / j.load_words) << 24 | (j.load_slot + load_word_ % j.load_words));
    compare(c.act_we, c.act_data, columns, j.load_addr + load_word_ * stride(GetParam().act_width),
            load_columns_);
    load_word_ = load_columns_ / columns;
  }
  /// The columns in `we` are the next ones of the word at `address`.
  void compare(std::uint32_t we, const std::uint32_t* data, std::uint32_t columns,
               std::uint64_t address, std::uint32_t& done) {
    for (std::uint32_t i = 0; i < columns; ++i) {
      if ((we >> i & 1) == 0) continue;
      ASSERT_EQ(i, done % columns);
      std::uint32_t want = 0;
      std::memcpy(&want, memory_ + address + i * 4, 4);
      ASSERT_EQ(data[i], want);
      ++done;
    }
  }
  void check_results(const Job& j) {
    const Shape& s = GetParam();
    std::uint32_t bytes = static_cast<std::uint32_t>(s.axi_bits / 8);
    const auto slices = static_cast<std::uint32_t>(s.slices);
    const std::uint32_t slice_bytes = static_cast<std::uint32_t>(s.raw_width) / slices / 8;
    while (bytes * 8 < static_cast<std::uint32_t>(s.raw_width)) bytes *= 2;
    for (std::uint32_t i = 0; i < static_cast<std::uint32_t>(s.images); ++i)
      for (std::uint32_t at = 0; at < j.store_words * slices; ++at) {
        const std::uint64_t word = (i * j.store_words + at / slices) * bytes;
        for (std::uint32_t b = 0; b + 2 <= slice_bytes; b += 2) {
          std::uint16_t have = 0;
          std::memcpy(&have, memory_ + j.store_addr + word + at % slices * slice_bytes + b, 2);
          ASSERT_EQ(have, i << 8 | at);
        }
      }
  }
  void wait_quiet(const Job& j) {
    for (int n = 0; n < 100000; ++n) {
      DmaCycle c{};
      step(j, c);
      ASSERT_EQ(c.wgt_we | c.act_we, n == 0 ? c.wgt_we | c.act_we : 0U);
      if (n > 0 && c.quiet()) return;
    }
    FAIL() << "the bus never fell quiet";
  }
  AxiMemoryOptions stalls() {
    AxiMemoryOptions o;
    o.latency = random(0, 150);  // with which writes wait for answers to earlier ones
    o.stall_percent = random(0, 3) * 25;
    o.seed = random(0, 1000000);
    return o;
  }

  static constexpr std::size_t kMemory = 1 << 20;
  void* dma_ = nullptr;
  std::uint8_t* memory_ = nullptr;
  void (*destroy_)(void*) = nullptr;
  void (*cycle_)(void*, DmaCycle*) = nullptr;
  void (*configure_)(void*, const AxiMemoryOptions*) = nullptr;
  const char* (*violation_)(void*) = nullptr;
  std::mt19937 rng_;
  std::uint32_t weight_columns_ = 0, load_columns_ = 0, load_word_ = 0;
  std::uint32_t arrived_ = 0, freed_ = 0;
  bool failed_ = false;
};

TEST_P(DmaTest, EveryWordArrivesOnceAndInOrder) {
  for (int round = 0; round < 40; ++round) {
    SCOPED_TRACE(round);
    const AxiMemoryOptions o = stalls();
    configure_(dma_, &o);
    const Job j = random_job();
    begin(j);
    EXPECT_FALSE(run(j, UINT32_MAX));
    if (HasFailure()) return;
  }
}

TEST_P(DmaTest, ClearForgetsAndTheNextProgramIsSound) {
  for (int round = 0; round < 40; ++round) {
    SCOPED_TRACE(round);
    AxiMemoryOptions o = stalls();
    configure_(dma_, &o);
    const Job j = random_job();
    begin(j);
    run(j, random(1, 600));
    if (HasFailure()) return;
    wait_quiet(j);
    const Job next = random_job();
    begin(next);
    EXPECT_FALSE(run(next, UINT32_MAX));
    if (HasFailure()) return;
  }
}

TEST_P(DmaTest, ErrorsOfTheBusAreTold) {
  for (int round = 0; round < 30; ++round) {
    SCOPED_TRACE(round);
    AxiMemoryOptions o = stalls();
    Job j = random_job();
    j.weights = 20;
    j.load_words = j.store_words = 5;
    const int what = round % 3;
    o.error_begin = what == 0   ? j.weight_addr + 7 * stride(GetParam().wgt_width)
                    : what == 1 ? j.load_addr + 4 * stride(GetParam().act_width)
                                : j.store_addr;
    o.error_end = o.error_begin + 4;
    configure_(dma_, &o);
    begin(j);
    EXPECT_TRUE(run(j, UINT32_MAX));
    DmaCycle c{};
    c.clear = 1;
    step(j, c);
    wait_quiet(j);
    if (HasFailure()) return;
  }
}

TEST_P(DmaTest, RegistersBeyondAMemoryAreTold) {
  const auto start = [&](const Job& j) {
    begin(j);
    DmaCycle c{};
    c.start = c.store = 1;
    cycle_(dma_, &c);
    c = {};
    c.clear = 1;
    cycle_(dma_, &c);
    const bool bad = c.bad();
    wait_quiet(j);
    return bad;
  };
  Job j;
  j.weights = 1;
  EXPECT_FALSE(start(j));
  j.ring = static_cast<std::uint32_t>(GetParam().weight_depth);
  EXPECT_TRUE(start(j));
  j.ring = 0;
  j.store_words = static_cast<std::uint32_t>(GetParam().result_depth) + 1;
  EXPECT_TRUE(start(j));
}

INSTANTIATE_TEST_SUITE_P(Shapes, DmaTest,
                         testing::Values(Shape{32, 1, 72, 16, 96, 16, 64, 8},
                                         Shape{32, 2, 72, 16, 192, 16, 64, 8, 2},
                                         Shape{64, 2, 192, 64, 112, 37, 100, 13, 2},
                                         Shape{256, 3, 480, 72, 512, 100, 200, 5, 8}),
                         [](const auto& p) {
                           return fmt::format("axi{}_images{}", p.param.axi_bits, p.param.images);
                         });

}  // namespace
}  // namespace nbq::hw
