#pragma once
#include "hw/array_memory.h"
#include "hw/isa.h"

namespace nbq::hw {

/// The output stage without time: a row of accumulators to activations or results.
class OutputModel {
 public:
  explicit OutputModel(const EngineConfig& config) : c_(config), out_(config), res_(config) {}

  /// The instruction whose rows come next; its parameter words must lie in the memory.
  void start(const Instruction& instruction, const SharedMemory& shared);
  /// Output row y from sums[column][output], modulo their type. False: an address beyond a memory.
  bool write(std::int64_t y, const std::uint32_t* sums, ImageMemory& image);
  bool write(std::int64_t y, const std::uint64_t* sums, ImageMemory& image);

 private:
  template <class Sum>
  bool write_results(std::int64_t y, const Sum* sums, ImageMemory& image) const;
  template <class Sum>
  void requantise_wide(const Sum* sums);
  bool read_residual(std::int64_t y, const ImageMemory& image);
  bool write_activations(std::int64_t y, ImageMemory& image) const;
  template <class Sum>
  std::int64_t biased(const Sum* sums, std::int64_t column, std::int64_t output) const;
  void prepare_finish();

  EngineConfig c_;
  RowPlace out_, res_;
  // Of the instruction:
  Instruction i_;
  std::int64_t outputs_ = 0;  ///< channels a column
  const std::int64_t* biases_ = nullptr;
  const int* shifts_ = nullptr;
  bool narrow_ = false;  ///< finish() can do it
  FinishRow finish_;
  std::vector<std::int32_t> narrow_bias_, narrow_shift_;
  std::vector<std::uint32_t> residual_, activations_;  ///< a row: columns x outputs
};

}  // namespace nbq::hw
