#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "infer/convolution.h"
#include "infer/kernels/kernel_set.h"
#include "model/graph.h"

namespace nbq::infer {

struct EngineOptions {
  int threads = 1;  ///< that share a call's work, 1..256; 0: one a core
  int batch = 1;    ///< images that a call usually brings; others work, too
  int contexts =
      1;  ///< calls that may run at a time (each with threads and memory of its own); more wait
  std::string isa;  ///< a row of kernels.def; empty: NBQ_ISA, or the best one
  Convolution convolution = Convolution::kFastest;
};

/// One layer's time in profile().
struct LayerTime {
  std::string name, how;
  double seconds = 0;
  std::int64_t macs = 0;
  std::size_t weight_bytes = 0, activation_bytes = 0;  ///< read and written, an image
};

/// Runs an integer network fast: the same integers as RefExecutor, whatever the instruction set,
/// number of threads and batch. run() allocates nothing and may be called from many threads.
class Engine {
 public:
  /// Errors: verify_integer()'s, choose_isa()'s, kInvalidArgument for options out of range, or for
  /// more threads than the system gives. Throws std::bad_alloc.
  static Result<Engine> create(Graph graph, const EngineOptions& options);
  Engine(Engine&&) noexcept;
  Engine& operator=(Engine&&) noexcept;
  ~Engine();

  /// pixels: n >= 1 images, each channels x height x width bytes. logits: n x outputs(), in units
  /// of 2^logit_exp(). Errors kInvalidArgument: sizes that don't fit, naming both.
  Status run(std::span<const std::uint8_t> pixels, int n, std::span<std::int64_t> logits) const;

  /// What run() says of its arguments' sizes, all in elements.
  Status check_sizes(std::size_t pixels, int n, std::size_t logits) const;

  /// `repeats` runs of the same images, each step timed: seconds are medians.
  Result<std::vector<LayerTime>> profile(std::span<const std::uint8_t> pixels, int n,
                                         int repeats) const;

  const Shape& image() const;
  int outputs() const;
  int logit_exp() const;
  const std::string& isa() const;
  int threads() const;
  int images_together() const;       ///< that go through the network at a time, 1..batch
  std::size_t weight_bytes() const;  ///< resident
  std::size_t arena_bytes() const;   ///< a context's activations
  const std::vector<std::string>& class_names() const;
  const KernelSet& kernels() const;

 private:
  struct State;
  explicit Engine(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace nbq::infer
