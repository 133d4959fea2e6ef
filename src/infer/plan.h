#pragma once
#include <vector>

#include "infer/convolution.h"
#include "infer/isa.h"
#include "infer/step.h"

namespace nbq::infer {

struct PlanOptions {
  int batch = 1;    ///< images that a call usually brings
  int threads = 1;  ///< that share the work
  Convolution convolution = Convolution::kFastest;
};

/// A network as steps over an arena. Immutable, shared by all contexts.
struct Plan {
  std::vector<Buffer> buffers;
  std::vector<StepPtr> steps;
  int images = 1;                 ///< that run together
  std::size_t arena_bytes = 0;    ///< for so many images
  std::size_t scratch_bytes = 0;  ///< a thread
  std::size_t weight_bytes = 0;
  std::int64_t outputs = 0;  ///< logits an image
};

/// `graph` is verified and has its shapes. `kernels` must outlive the plan. Throws std::bad_alloc.
Result<Plan> make_plan(const Graph& graph, const KernelSet& kernels, const PlanOptions& options);

}  // namespace nbq::infer
