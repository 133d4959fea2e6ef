#include "ops/ref_executor.h"

#include <algorithm>

#include "core/clones.h"
#include "ops/ref_op.h"

namespace nbq {

RefFn ref_op(OpKind kind) {
  static constexpr RefFn kRows[] = {
#define NBQ_OP(Kind, folder, name) ref_##folder,
#include "ops.def"
  };
  return kRows[static_cast<int>(kind)];
}

// Unsigned arithmetic: a left shift of a negative integer is defined, and equal modulo 2^32.
NBQ_CLONES static void add32(std::uint32_t* acc, const std::int32_t* x, std::int64_t count,
                             int shift) {
  for (std::int64_t i = 0; i < count; ++i) acc[i] += static_cast<std::uint32_t>(x[i]) << shift;
}
NBQ_CLONES static void sub32(std::uint32_t* acc, const std::int32_t* x, std::int64_t count,
                             int shift) {
  for (std::int64_t i = 0; i < count; ++i) acc[i] -= static_cast<std::uint32_t>(x[i]) << shift;
}
NBQ_CLONES static void add64(std::int64_t* acc, const std::int32_t* x, std::int64_t count,
                             int shift) {
  for (std::int64_t i = 0; i < count; ++i)
    acc[i] += static_cast<std::int64_t>(static_cast<std::uint64_t>(std::int64_t{x[i]}) << shift);
}
NBQ_CLONES static void sub64(std::int64_t* acc, const std::int32_t* x, std::int64_t count,
                             int shift) {
  for (std::int64_t i = 0; i < count; ++i)
    acc[i] -= static_cast<std::int64_t>(static_cast<std::uint64_t>(std::int64_t{x[i]}) << shift);
}

void add_shifted(std::int32_t* acc, const std::int32_t* x, std::int64_t count, int shift,
                 bool negative) {
  auto* a = reinterpret_cast<std::uint32_t*>(acc);
  negative ? sub32(a, x, count, shift) : add32(a, x, count, shift);
}

void add_shifted(std::int64_t* acc, const std::int32_t* x, std::int64_t count, int shift,
                 bool negative) {
  negative ? sub64(acc, x, count, shift) : add64(acc, x, count, shift);
}

Result<RefExecutor> RefExecutor::create(Graph graph) {
  NBQ_TRY(verify_integer(graph));
  RefExecutor e;
  e.graph_ = std::move(graph);
  NBQ_TRY(infer_shapes(e.graph_));
  for (std::size_t id = 0; id < e.graph_.nodes.size(); ++id) {
    NBQ_ASSIGN(OutputStage stage, output_stage(e.graph_, static_cast<int>(id)));
    e.stages_.push_back(std::move(stage));
  }
  const Node& last = e.graph_.output();
  e.logit_exp_ = last.act.quantised() ? last.act.exp : e.stages_.back().exps[0];
  return e;
}

namespace {

/// Bytes NCHW to x_int = pixel - 128, images innermost.
IntBatch read_pixels(std::span<const std::uint8_t> pixels, int n, const Shape& shape) {
  IntBatch b{shape, n, std::vector<std::int32_t>(static_cast<std::size_t>(shape.size() * n))};
  const auto size = static_cast<std::size_t>(shape.size());
  for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i)
    for (std::size_t j = 0; j < size; ++j)
      b.x[j * static_cast<std::size_t>(n) + i] = pixels[i * size + j] - 128;
  return b;
}

}  // namespace

Result<std::vector<std::int64_t>> RefExecutor::run(std::span<const std::uint8_t> pixels,
                                                   int n) const {
  const Shape& image = graph_.input().shape;
  if (n < 1 || static_cast<std::int64_t>(pixels.size()) != image.size() * n)
    return make_error(ErrorCode::kInvalidArgument, "{} bytes for {} images of {}x{}x{}",
                      pixels.size(), n, image.c, image.h, image.w);
  const auto readers = graph_.consumers();
  std::vector<int> pending;
  for (const auto& r : readers) pending.push_back(static_cast<int>(r.size()));
  std::vector<IntBatch> values(graph_.nodes.size());
  std::vector<std::int64_t> logits(static_cast<std::size_t>(std::int64_t{outputs()} * n));
  values[0] = read_pixels(pixels, n, image);
  for (std::size_t id = 1; id < graph_.nodes.size(); ++id) {
    const Node& node = graph_.nodes[id];
    IntBatch& out = values[id];
    out.shape = node.shape;
    out.n = n;
    if (!stages_[id].raw) out.x.resize(static_cast<std::size_t>(node.shape.size() * n));
    RefLayer layer{node, {}, {}, stages_[id], out, logits};
    for (const int in : node.inputs) {
      layer.in.push_back(&values[static_cast<std::size_t>(in)]);
      layer.in_exps.push_back(graph_.nodes[static_cast<std::size_t>(in)].act.exp);
    }
    ref_op(node.kind())(layer);
    for (const int in : node.inputs)
      if (--pending[static_cast<std::size_t>(in)] == 0) values[static_cast<std::size_t>(in)].x = {};
  }
  if (!stages_.back().raw)
    std::copy(values.back().x.begin(), values.back().x.end(), logits.begin());
  std::vector<std::int64_t> by_image(logits.size());
  const auto per = static_cast<std::size_t>(outputs());
  for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i)
    for (std::size_t j = 0; j < per; ++j)
      by_image[i * per + j] = logits[j * static_cast<std::size_t>(n) + i];
  return by_image;
}

int argmax(std::span<const std::int64_t> logits) {
  return static_cast<int>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

}  // namespace nbq
