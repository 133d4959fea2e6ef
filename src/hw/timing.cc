#include "hw/timing.h"

#include <algorithm>
#include <bit>

namespace nbq::hw {
namespace {

// rtl/README.md, "Timing", has these as a table; the tests hold them against the RTL.
constexpr std::int64_t kFetchCycles = 17;  ///< from the hand-over to the next instruction
constexpr std::int64_t kFeedCycles = 6;    ///< from a tap's issue to its operands
constexpr std::int64_t kFlushCycles = 12;  ///< from a word's turn to its landing in memory, a digit
constexpr std::int64_t kLateReads = 3;     ///< residual words and maxima: beyond the element

}  // namespace

CycleCounts& CycleCounts::operator+=(const CycleCounts& other) {
  total += other.total;
  busy += other.busy;
  residual += other.residual;
  drain += other.drain;
  barrier += other.barrier;
  fetch += other.fetch;
  memory += other.memory;
  return *this;
}

Stopwatch::Stopwatch(const EngineConfig& config, std::optional<BusTiming> bus)
    : bus_(std::move(bus)),
      act_digits_(config.act_digits),
      out_cycles_(config.out_cycles),
      element_latency_(element_latency(config)),
      fetched_(kFetchCycles) {}

void Stopwatch::step(Cycle until, std::uint64_t& cause) {
  if (until <= now_) return;
  cause += static_cast<std::uint64_t>(until - now_);
  now_ = until;
}

/// Waits for the instruction and, if asked, for the output stage.
void Stopwatch::take(bool barrier, CycleCounts& counts) {
  step(fetched_, counts.fetch);
  if (barrier) step(drained_, counts.barrier);
}

Stopwatch::Free Stopwatch::free_after(Cycle tile_end, std::int64_t words) const {
  // The last word leaves while the next sum arrives; other registers are read some cycles later.
  const Cycle accumulators = tile_end + words;
  const std::int64_t late = 1 + element_latency_ + kLateReads;
  // Where a word takes several cycles, residual words are taken over when its tile begins to leave.
  const Cycle residual = out_cycles_ > 1 ? tile_end + late : accumulators + late;
  return {accumulators, accumulators + late, residual};
}

/// The first tile of an instruction. Words of the tile before are counted with the new
/// instruction's words a column from the hand-over on: the sequencer has only one instruction.
Stopwatch::Free Stopwatch::free_for(std::int64_t words_each, Cycle taken) const {
  if (pixels_ == 0) return {0, 0, 0};
  const std::int64_t with_old = std::min(pixels_, (taken - tile_end_) / words_each_ + 1);
  return free_after(tile_end_, with_old * words_each_ + (pixels_ - with_old) * words_each);
}

/// One tile from its first tap on: its last cycle.
Stopwatch::Cycle Stopwatch::tile(const Instruction& i, Cycle first, const Free& free,
                                 Cycle config_taken, CycleCounts& counts) const {
  const bool maxpool = i.opcode == static_cast<std::int64_t>(Opcode::maxpool);
  const std::int64_t taps = i.terms * i.red_cw * i.k_h * i.k_w * act_digits_;
  const Cycle last_tap = first + taps - 1;
  Cycle end = std::max({last_tap, config_taken, maxpool ? free.all : free.accumulators});
  std::int64_t waited = end - last_tap;
  counts.busy += static_cast<std::uint64_t>(taps);
  if (i.res_en != 0) {
    const Cycle residual = std::max({end + 1, config_taken, free.residual});
    waited += residual - (end + 1);
    end = residual + i.out_words * act_digits_ - 1;
    counts.residual += static_cast<std::uint64_t>(i.out_words * act_digits_);
  }
  counts.drain += static_cast<std::uint64_t>(waited);
  return end;
}

CycleCounts Stopwatch::book(CycleCounts counts) {
  counts.total = static_cast<std::uint64_t>(now_ - counted_);
  counted_ = now_;
  all_ += counts;
  return counts;
}

void Stopwatch::move(const Instruction& i, Cycle taken) {
  now_ = taken + 1;
  if (!bus_) return;
  if (i.opcode == static_cast<std::int64_t>(Opcode::load))
    bus_->load(taken);
  else
    bus_->store(taken);
}

CycleCounts Stopwatch::run(const Instruction& i) {
  CycleCounts counts;
  const bool load = i.opcode == static_cast<std::int64_t>(Opcode::load);
  const bool store = i.opcode == static_cast<std::int64_t>(Opcode::store);
  take(i.barrier != 0 || store, counts);
  if (bus_ && i.wgt_words > 0) step(bus_->claim(i.wgt_words), counts.memory);
  const Cycle taken = now_;
  fetched_ = taken + kFetchCycles;
  if (load || store) {
    move(i, taken);
    return book(counts);
  }
  // The output stage takes an instruction when the one before has left it.
  const Cycle config_taken = std::max(taken + 1, drained_) + 1;
  const std::int64_t out_each = i.out_words * out_cycles_;  // a column

  const std::int64_t full = std::int64_t{1} << i.pix_log2;
  const std::int64_t full_tiles = (i.out_w - 1) / full;  // of a row, before its last one
  const std::int64_t rest = i.out_w - full_tiles * full;
  Cycle end = tile(i, taken + 1, free_for(out_each, taken), config_taken, counts);
  // Every other tile follows a full one or a row's last one, and goes as all of its sort.
  const auto repeat = [&](std::int64_t pixels, std::int64_t times) {
    if (times == 0) return;
    CycleCounts one;
    const Cycle length = tile(i, 1, free_after(0, pixels * out_each), 0, one);
    const auto n = static_cast<std::uint64_t>(times);
    end += length * times;
    counts += {0, n * one.busy, n * one.residual, n * one.drain, 0, 0, 0};
  };
  repeat(full, i.out_h * full_tiles);
  repeat(rest, i.out_h - 1);

  if (bus_ && i.wgt_words > 0) bus_->release(i.wgt_words, end);
  now_ = end + 1;
  tile_end_ = end;
  pixels_ = rest;
  words_each_ = out_each;
  drained_ =
      end + kFeedCycles + element_latency_ + rest * out_each + kFlushCycles + act_digits_ - 1;
  return book(counts);
}

CycleCounts Stopwatch::finish() {
  CycleCounts counts;
  take(true, counts);
  if (bus_) step(bus_->quiet(), counts.memory);
  ++now_;
  return book(counts);
}

Timing predict(const Program& program, std::int64_t bus_latency) {
  Timing timing;
  timing.layers.resize(program.layers.size());
  std::optional<BusTiming> bus;
  if (program.config.axi_bits > 0) bus.emplace(program, bus_latency);
  Stopwatch watch(program.config, std::move(bus));
  std::size_t layer = 0;
  const auto belongs = [&](std::size_t pc) {
    while (layer + 1 < program.layers.size() &&
           static_cast<int>(pc) >= program.layers[layer + 1].first_instruction)
      ++layer;
    return layer;
  };
  for (std::size_t pc = 0; pc < program.instructions.size(); ++pc) {
    const Instruction& i = program.instructions[pc];
    const bool finish = i.opcode == static_cast<std::int64_t>(Opcode::finish);
    const CycleCounts counts = finish ? watch.finish() : watch.run(i);
    if (!timing.layers.empty()) timing.layers[belongs(pc)] += counts;
  }
  timing.all = watch.all();
  return timing;
}

}  // namespace nbq::hw
