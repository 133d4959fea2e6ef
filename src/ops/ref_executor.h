#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "model/graph.h"
#include "model/quantise.h"

namespace nbq {

/// The normative executor of integer graphs: shifts and adds, exactly spec/numerics.md.
/// Every other executor must give the same integers. Immutable after create(), so thread-safe.
class RefExecutor {
 public:
  /// Errors: whatever verify_integer() finds.
  static Result<RefExecutor> create(Graph graph);

  /// pixels: n images, each channels x height x width, bytes. Logits: n x outputs, in units of
  /// 2^logit_exp(). Errors kInvalidArgument: wrong byte count.
  Result<std::vector<std::int64_t>> run(std::span<const std::uint8_t> pixels, int n) const;

  const Graph& graph() const { return graph_; }
  int outputs() const { return static_cast<int>(graph_.output().shape.size()); }
  int logit_exp() const { return logit_exp_; }

 private:
  Graph graph_;
  std::vector<OutputStage> stages_;
  int logit_exp_ = 0;
};

/// Index of the largest of `outputs` logits; the first among equals.
int argmax(std::span<const std::int64_t> logits);

}  // namespace nbq
