#pragma once
#include <array>
#include <vector>

#include "hw/output_model.h"

namespace nbq::hw {

/// What instructions do to one image's memories, without time: lanes, array, maxima and output
/// stage.
class ArrayModel {
 public:
  explicit ArrayModel(const SharedMemory& shared);

  ImageMemory& memory() { return image_; }

  /// Forgets what it knows of the activations: they come from outside now.
  void start();
  /// Runs a `conv` or `maxpool` whose counts the engine takes. What it reads is what was written
  /// before the last barrier; a residual word is read just before its place is written.
  /// Gives none or bad_address, then with part of the outputs written.
  EngineError run(const Instruction& instruction);

 private:
  void prepare_rows();
  std::int64_t input_row(std::int64_t base);
  bool gather_lines(std::int64_t y);
  template <class Sum>
  bool run_rows(std::vector<Sum>& sums);
  template <class Sum>
  void convolve(ReduceRow& row, std::vector<Sum>& sums);
  template <class Sum>
  void maxima(Sum* sums) const;

  const SharedMemory& shared_;
  const EngineConfig& c_;
  ImageMemory image_;
  OutputModel output_;
  RowPlace in_;
  Instruction i_;
  std::int32_t offset_ = 0;  ///< of operands, OperandFormat
  std::uint32_t zero_ = 0;   ///< a word of operands that are 0, each with the offset
  /// Input rows as operands, with the zeros around them; place in `rows_` by first word, or -1.
  std::vector<std::uint32_t> rows_;
  std::vector<std::int64_t> row_at_, rows_known_;
  std::array<std::int64_t, 5> rows_key_{};  ///< what their form depends on
  std::int64_t row_columns_ = 0;
  struct LinePlace {
    std::int64_t row, weights;  ///< first words in `rows_` and in the weights
  };
  std::vector<LinePlace> places_;
  std::vector<ReduceLine> lines_;
  std::vector<std::uint32_t> narrow_;   ///< a row's accumulators, of up to 32 bits
  std::vector<std::uint64_t> wide_;     ///< and of more
  std::vector<std::uint32_t> offsets_;  ///< one column of zeros, each with the offset
};

}  // namespace nbq::hw
