// Whatever the network and the pixels: every instruction set gives the reference's integers. The
// network is an .nbq; what remains of the input behind it, or its last bytes, become the pixels.
#include <cstddef>
#include <cstdint>

#include "infer/engine.h"
#include "infer/isa.h"
#include "model/fold.h"
#include "model/nbq_file.h"
#include "model/quantise.h"
#include "ops/ref_executor.h"

namespace {

bool slow(const nbq::Graph& g) {
  std::int64_t work = nbq::total_macs(g);
  for (const nbq::Node& n : g.nodes) work += n.shape.size();
  return work > 20000;
}

/// Byte i counted from the input's end, again and again.
std::vector<std::uint8_t> tail(const std::uint8_t* data, std::size_t size, std::size_t count) {
  std::vector<std::uint8_t> bytes(count);
  for (std::size_t i = 0; i < count; ++i) bytes[i] = data[size - 1 - i % size];
  return bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto graph = nbq::decode_nbq({data, size});
  if (!graph.ok() || graph->stage == nbq::Stage::kFloat) return 0;
  if (graph->stage == nbq::Stage::kQuantised) {
    graph = nbq::deploy(*graph);
    if (!graph.ok()) return 0;
  }
  if (slow(*graph)) return 0;
  const auto ref = nbq::RefExecutor::create(*graph);
  if (!ref.ok()) __builtin_trap();
  const std::uint8_t choice = data[size - 1];
  const int n = 1 + choice % 3;
  const auto pixels = tail(data, size, static_cast<std::size_t>(graph->input().shape.size()) * n);
  const auto want = ref->run(pixels, n);
  if (!want.ok()) __builtin_trap();
  nbq::infer::EngineOptions options;
  options.batch = 1 + choice / 3 % 3;
  // Starting threads takes most of the time: seldom, so not for 0 or 255, which inputs often end
  // in.
  options.threads = choice % 64 == 41 ? 3 : 1;
  constexpr nbq::infer::Convolution kWays[] = {
      nbq::infer::Convolution::kFastest, nbq::infer::Convolution::kTaps,
      nbq::infer::Convolution::kWinograd, nbq::infer::Convolution::kWinograd};
  options.convolution = kWays[choice >> 6];
  for (const nbq::infer::IsaRow& row : nbq::infer::isa_rows()) {
    if (!row.available) continue;
    options.isa = row.name;
    const auto engine = nbq::infer::Engine::create(*graph, options);
    if (!engine.ok()) __builtin_trap();
    std::vector<std::int64_t> got(want->size(), -1);
    if (!engine->run(pixels, n, got).ok() || got != *want) __builtin_trap();
  }
  return 0;
}
