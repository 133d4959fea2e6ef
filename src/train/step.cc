#include "train/step.h"

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include <algorithm>
#include <cmath>

namespace nbq {
namespace {

/// 8 significant bits hold activations of at most 8 bits.
bool fits_bfloat16(const Graph& g) {
  return std::all_of(g.nodes.begin(), g.nodes.end(), [](const Node& n) { return n.act.bits <= 8; });
}

}  // namespace

void keep_memory() {
#if defined(__GLIBC__)
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
#endif
}

TrainStep::TrainStep(const PhaseSpec& spec, const TorchNet& net, std::optional<TorchNet> teacher,
                     bool may_use_bfloat16, Peers* peers)
    : spec_(spec),
      net_(net),
      teacher_(std::move(teacher)),
      optimizer_(spec, net.params()),
      bfloat16_(may_use_bfloat16 && fits_bfloat16(net.structure())),
      peers_(peers) {}

at::Tensor TrainStep::image_of(const Batch& batch) const {
  return net_.image_tensor(batch.pixels, static_cast<std::int64_t>(batch.size()));
}

at::Tensor TrainStep::wanted(const Batch& batch, at::IntArrayRef sizes) const {
  const at::NoGradGuard no_grad;
  const Autocast autocast(bfloat16_);
  const Pass pass{.exact = teacher_->structure().stage == Stage::kInteger};
  const at::Tensor image = teacher_->image_tensor(batch.pixels, sizes[0]);
  const at::Tensor scores = teacher_->forward(image, pass).reshape(sizes).to(at::kFloat);
  return at::softmax(scores / spec_.temperature, 1);
}

at::Tensor TrainStep::loss_of(const at::Tensor& logits, const Batch& batch,
                              const at::Tensor& labels) const {
  const at::Tensor given =
      at::cross_entropy_loss(logits, labels, {}, at::Reduction::Mean, -100, spec_.label_smoothing);
  if (!teacher_) return given;
  const double t = spec_.temperature;
  const at::Tensor distance = at::kl_div(at::log_softmax(logits / t, 1),
                                         wanted(batch, logits.sizes()), at::Reduction::Sum) /
                              static_cast<double>(logits.size(0));
  return given * (1 - spec_.distill) + distance * (spec_.distill * t * t);
}

Batch TrainStep::stand_in() const {
  Batch b;
  b.pixels.resize(static_cast<std::size_t>(net_.structure().input().shape.size()));
  b.labels.resize(1);
  return b;
}

/// Gradients and results of all parts, which are weighted already.
void TrainStep::add_up(Result& r) const {
  std::vector<at::Tensor> all;
  for (const Param& p : net_.params())
    if (p.tensor.grad().defined()) all.push_back(p.tensor.grad());
  // Counts up to the largest batch are exact in float32.
  all.push_back(at::tensor({r.loss, static_cast<double>(r.correct), static_cast<double>(r.images),
                            r.stop ? 1.0 : 0.0},
                           at::kFloat)
                    .to(compute_device()));
  peers_->sum_all(all);
  const at::Tensor summed = all.back().cpu();
  const float* const sums = summed.data_ptr<float>();
  r.loss = static_cast<double>(sums[0]);
  r.correct = std::llround(sums[1]);
  r.images = std::llround(sums[2]);
  r.stop = sums[3] > 0;
}

TrainStep::Result TrainStep::run(const Batch& given, double lr, const Pass& pass, bool stop) {
  const bool idle = shares() && given.size() == 0;
  const Batch batch_of_none = idle ? stand_in() : Batch();
  const Batch& batch = idle ? batch_of_none : given;
  const auto n = static_cast<std::int64_t>(batch.size());
  const at::Tensor labels =
      at::from_blob(const_cast<std::int64_t*>(batch.labels.data()), {n}, at::kLong)
          .to(compute_device());
  at::Tensor logits;
  {
    const Autocast autocast(bfloat16_);
    logits = net_.forward(image_of(batch), pass);
  }
  logits = logits.reshape({n, -1}).to(at::kFloat);
  at::Tensor loss = loss_of(logits, batch, labels);
  if (shares())
    loss = loss * (static_cast<double>(given.size()) / static_cast<double>(given.whole));
  // Both in one transfer: reading a number from a GPU waits for all that is queued.
  const at::Tensor found = at::stack({loss.detach().to(at::kDouble),
                                      logits.detach().argmax(1).eq(labels).sum().to(at::kDouble)})
                               .cpu();
  Result result{.loss = found[0].item<double>(), .images = n, .stop = stop};
  if (!shares() && !std::isfinite(result.loss)) return result;
  optimizer_.zero_grad();
  loss.backward();
  result.correct = std::llround(found[1].item<double>());
  if (idle) result.correct = result.images = 0;
  if (shares()) add_up(result);
  if (std::isfinite(result.loss))
    optimizer_.step(lr, pass.slope, pass.freeze_norms || pass.means_only);
  return result;
}

}  // namespace nbq
