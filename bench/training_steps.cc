#include "training_steps.h"

#include <c10/core/Allocator.h>
#include <c10/util/ThreadLocalDebugInfo.h>

#include <random>

#include "model/fold.h"
#include "train/executor.h"
#include "train/initial.h"
#include "train/schedules.h"

namespace nbq {
namespace {

constexpr int kCalibrationImages = 64;
constexpr double kAlpha = 0.75;  // somewhere on its way: W~ is neither W nor Q(W)

std::vector<std::uint8_t> random_pixels(std::size_t count) {
  std::mt19937 rng(1);
  std::vector<std::uint8_t> pixels(count);
  for (std::uint8_t& p : pixels) p = static_cast<std::uint8_t>(rng());
  return pixels;
}

Result<Graph> quantised(const Graph& graph, const BuildSpec& s) {
  DatasetInfo info;
  info.shape = {s.channels, s.height, s.width};
  for (int c = 0; c < s.classes; ++c) info.class_names.push_back(std::to_string(c));
  for (int i = 0; i < kCalibrationImages; ++i) info.labels.push_back(i % s.classes);
  NBQ_ASSIGN(const ImageSourcePtr images,
             make_memory_source(info, random_pixels(kCalibrationImages * info.shape.bytes())));
  NBQ_ASSIGN(const Graph absorbed, absorb_norms(graph));
  NBQ_ASSIGN(const ActSamples samples,
             calibrate(fold_norms(absorbed), *images, kCalibrationImages));
  return quantise(absorbed, QuantSpec{}, samples);
}

Result<TorchNet> make_net(const StepCase& c) {
  NBQ_ASSIGN(Graph graph, build_graph(c.model));
  NBQ_TRY(initialise(graph, 1));
  if (c.quantised) {
    NBQ_ASSIGN(graph, quantised(graph, c.model));
  }
  return TorchNet::create(graph);
}

PhaseSpec phase_of(const StepCase& c) {
  PhaseSpec spec;
  spec.quantised = c.quantised;
  spec.batch = c.batch;
  spec.lr = c.quantised ? 0.001 : 0.01;
  spec.weight_decay = 5e-4;
  return spec;
}

Batch random_batch(const StepCase& c) {
  Batch b;
  b.pixels =
      random_pixels(static_cast<std::size_t>(c.batch) *
                    static_cast<std::size_t>(c.model.channels * c.model.height * c.model.width));
  for (int i = 0; i < c.batch; ++i) b.labels.push_back(i % c.model.classes);
  return b;
}

/// Follows what tensors take while it is libtorch's memory profiler.
class PeakMemory : public c10::MemoryReportingInfoBase {
 public:
#if TORCH_VERSION_MAJOR >= 2
  using Total = std::size_t;
#else
  using Total = std::int64_t;
#endif
  void reportMemoryUsage(void*, std::int64_t size, Total, Total, c10::Device) override {
    now_ += size;
    peak_ = std::max(peak_, now_);
  }
  bool memoryProfilingEnabled() const override { return true; }
  std::int64_t peak() const { return peak_; }

 private:
  std::int64_t now_ = 0, peak_ = 0;
};

}  // namespace

SteppedNet::SteppedNet(const StepCase& c, TorchNet net, Batch batch)
    : spec_(phase_of(c)),
      net_(std::move(net)),
      batch_(std::move(batch)),
      pass_{.training = true},
      step_(spec_, net_, std::nullopt, c.bfloat16) {
  if (!c.quantised) return;
  const GradientRow& gradient = find_row(gradient_rows(), spec_.gradient);
  pass_.blend = gradient.blend(kAlpha);
  pass_.slope = gradient.slope(kAlpha);
}

std::unique_ptr<SteppedNet> SteppedNet::of(const StepCase& c, TorchNet net) {
  return std::unique_ptr<SteppedNet>(new SteppedNet(c, std::move(net), random_batch(c)));
}

Result<std::unique_ptr<SteppedNet>> SteppedNet::create(const StepCase& c) {
  NBQ_ASSIGN(TorchNet net, make_net(c));
  return of(c, std::move(net));
}

Result<std::int64_t> peak_tensor_bytes(const StepCase& c, int steps) {
  const auto memory = std::make_shared<PeakMemory>();
  NBQ_ASSIGN(TorchNet net, make_net(c));
  const c10::DebugInfoGuard guard(c10::DebugInfoKind::PROFILER_STATE, memory);
  // Made again under the guard, so that its parameters count and calibration doesn't.
  NBQ_ASSIGN(net, TorchNet::create(net.graph()));
  const auto stepped = SteppedNet::of(c, std::move(net));
  for (int i = 0; i < steps; ++i) stepped->step();
  return memory->peak();
}

}  // namespace nbq
