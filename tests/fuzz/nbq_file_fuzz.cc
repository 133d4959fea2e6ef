// Whatever the bytes: decode_nbq() returns a sound network or an error, and what it accepts runs.
#include <cstddef>
#include <cstdint>

#include "model/fold.h"
#include "model/nbq_file.h"
#include "model/quantise.h"
#include "ops/ref_executor.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto graph = nbq::decode_nbq({data, size});
  if (!graph.ok()) return 0;
  if (graph->stage == nbq::Stage::kFloat) {
    (void)nbq::fold(*graph);
    return 0;
  }
  if (graph->stage == nbq::Stage::kQuantised) {
    auto deployed = nbq::deploy(*graph);
    if (!deployed.ok()) return 0;
    graph = std::move(deployed);
  }
  std::int64_t work = nbq::total_macs(*graph);
  for (const nbq::Node& n : graph->nodes) work += n.shape.size();
  if (work > 20000) return 0;  // sound, but slow
  const auto ref = nbq::RefExecutor::create(std::move(*graph));
  if (!ref.ok()) __builtin_trap();
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(ref->graph().input().shape.size()));
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = i % 2 != 0 ? 255 : 0;
  if (!ref->run(pixels, 1).ok()) __builtin_trap();
  return 0;
}
