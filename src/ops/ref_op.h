#pragma once
#include <cstdint>
#include <vector>

#include "core/fixed_point.h"
#include "model/quantise.h"

namespace nbq {

/// Integer activations of a few images, images innermost: [c][h][w][n]. Inner loops then run over
/// whole rows of all images, which compilers vectorise.
struct IntBatch {
  Shape shape;
  int n = 0;
  std::vector<std::int32_t> x;

  std::int64_t row_size() const { return std::int64_t{shape.w} * n; }
  const std::int32_t* row(int c, int y) const {
    return x.data() + (std::int64_t{c} * shape.h + y) * row_size();
  }
  std::int32_t* row(int c, int y) {
    return x.data() + (std::int64_t{c} * shape.h + y) * row_size();
  }
};

/// One layer to run: its operands, and where its accumulators go.
struct RefLayer {
  const Node& node;
  std::vector<const IntBatch*> in;
  std::vector<int> in_exps;  ///< the operands' exponents
  const OutputStage& stage;
  IntBatch& out;                      ///< shaped; filled unless stage.raw
  std::vector<std::int64_t>& logits;  ///< [c][h][w][n]; filled when stage.raw

  /// The output stage: takes one row of accumulators, shape.w * n of them.
  template <class Acc>
  void store(int c, int y, const Acc* acc) const {
    const std::int64_t size = out.row_size();
    if (stage.raw) {
      std::int64_t* to = logits.data() + (std::int64_t{c} * out.shape.h + y) * size;
      for (std::int64_t i = 0; i < size; ++i) to[i] = acc[i];
      return;
    }
    const int r = stage.shifts[stage.shifts.size() == 1 ? 0 : static_cast<std::size_t>(c)];
    std::int32_t* to = out.row(c, y);
    for (std::int64_t i = 0; i < size; ++i)
      to[i] = static_cast<std::int32_t>(requantize(acc[i], r, stage.lo, stage.hi));
  }

  /// Left shift that brings operand i onto the accumulator's scale.
  int operand_shift(std::size_t i) const { return in_exps[i] - stage.exps[0]; }

  std::int64_t bias(int c) const {
    return node.po2.bias.empty() ? 0 : node.po2.bias[static_cast<std::size_t>(c)];
  }
};

using RefFn = void (*)(const RefLayer&);
// src/ops/<folder>/ref.cc defines one for every row of the registry.
#define NBQ_OP(Kind, folder, name) void ref_##folder(const RefLayer& layer);
#include "ops.def"
RefFn ref_op(OpKind kind);

/// acc[i] += or -= x[i] << shift, i < count.
void add_shifted(std::int32_t* acc, const std::int32_t* x, std::int64_t count, int shift,
                 bool negative);
void add_shifted(std::int64_t* acc, const std::int32_t* x, std::int64_t count, int shift,
                 bool negative);

/// acc row += tap kx of an input row, shifted: the inner step of convolution and average pooling.
template <class Acc>
void accumulate_tap(Acc* acc, const std::int32_t* row, const Window& w, int kx, int in_w, int out_w,
                    int n, int shift, bool negative) {
  const ColumnRange r = tap_columns(w, kx, in_w, out_w);
  if (r.first >= r.last) return;
  const std::int64_t offset = std::int64_t{kx} * w.dilation_w - w.pad_left;
  if (w.stride_w == 1) {
    add_shifted(acc + std::int64_t{r.first} * n, row + (r.first + offset) * n,
                std::int64_t{r.last - r.first} * n, shift, negative);
    return;
  }
  for (int ox = r.first; ox < r.last; ++ox)
    add_shifted(acc + std::int64_t{ox} * n, row + (std::int64_t{ox} * w.stride_w + offset) * n, n,
                shift, negative);
}

}  // namespace nbq
