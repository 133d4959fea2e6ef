#pragma once
#include <cstdint>
#include <deque>
#include <random>
#include <span>
#include <vector>

#include "hw/compile.h"
#include "hw/sim.h"

namespace nbq::hw {

/// What a slice of the array (one pixel lane, some output channels) sees over neighbouring cycles.
struct StimulusWindow {
  int pixel = 0, first_output = 0;
  std::size_t warm_up = 0;                ///< cycles before those that count
  std::vector<std::uint8_t> valid, last;  ///< by cycle
  std::vector<std::int32_t> x;            ///< cycle x lanes_in
  std::vector<std::int32_t> w;            ///< cycle x outputs x lanes_in: integer weights
  std::size_t cycles() const { return valid.size(); }
};

struct Stimulus {
  int lanes_in = 0, outputs = 0;
  int max_weight = 1;             ///< largest magnitude that the code has
  std::int64_t image_cycles = 0;  ///< from start to done
  std::int64_t image_taps = 0;    ///< cycles of these in which the array took a tap
  std::vector<StimulusWindow> windows;
};

/// How cycles are sampled: `windows` windows of `cycles` cycles in all, one at a random place in
/// each of as many equal parts of the images' time, so layers count as long as they take. Pixel
/// lane and output channels are random for each window. Equal seeds give equal windows.
struct Sampling {
  int windows = 64;
  int cycles = 64;
  std::uint64_t seed = 1;
};

/// Records windows of what enters the array. A window begins with the whole sum before it and what
/// has been added up of its own first one, so that accumulators hold what they do in the engine.
class StimulusRecorder final : public ArrayProbe {
 public:
  StimulusRecorder(const EngineConfig& config, int outputs);

  void tap(bool valid, bool last, const std::uint32_t* x, const std::uint32_t* w) override;

  /// Begins to count cycles; the windows of one image, each starting at its cycle. They may not
  /// overlap. Without windows cycles are only counted.
  void begin_image(std::vector<std::int64_t> starts, int cycles, std::mt19937_64& rng);
  const Stimulus& stimulus() const { return s_; }

 private:
  struct Raw {
    bool valid, last;
    std::vector<std::uint32_t> x, w;
  };
  void append(StimulusWindow& window, const Raw& raw) const;

  EngineConfig config_;
  Stimulus s_;
  std::deque<Raw> recent_;  ///< since the end of the last sum but one
  std::size_t last_sum_ = 0;
  std::vector<std::int64_t> starts_;
  std::vector<std::pair<int, int>> places_;  ///< pixel lane and first output of each window
  std::size_t next_ = 0;
  int window_cycles_ = 0, left_ = 0;
};

/// Runs `images` (one after the other, each of program.image.image.size() bytes) through the
/// Verilated SVPE engine and records what a slice of `outputs` output channels sees.
/// The engine has one image's array: with more in lockstep they are all alike.
/// Errors: as open_sim() and Engine::run(); kInvalidArgument: `outputs` does not divide lanes_out,
/// or windows that are longer than their part of the time.
Result<Stimulus> record_stimulus(const Program& program, std::span<const std::uint8_t> images,
                                 int outputs, const Sampling& sampling);

/// The drain registers of the slice after each cycle's tap, were there no latency: sums modulo
/// 2^acc_bits as two's complement, cycle x outputs; what the gates must give.
std::vector<std::int64_t> expected_sums(const StimulusWindow& window, int lanes_in, int outputs,
                                        int acc_bits);

/// The weights of one word with `bits` bits, as with_dense_weights() says; the largest magnitude.
int densify(std::span<std::int32_t> word, int max_weight, int bits, std::uint64_t seed);

/// The same windows with weights of `bits` bits, such as a network has whose weights are not powers
/// of two: each weight a fixed number, drawn evenly from those that round to its code, scaled so
/// that the largest level is 2^(bits - 2). Sets max_weight.
Stimulus with_dense_weights(const Stimulus& stimulus, int bits, std::uint64_t seed);

}  // namespace nbq::hw
