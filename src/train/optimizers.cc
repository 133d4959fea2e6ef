#include "train/optimizers.h"

#include <map>
#include <sstream>
#include <tuple>

#include "train/device.h"
#include "train/schedules.h"

namespace nbq {
namespace {

using Groups = std::vector<torch::optim::OptimizerParamGroup>;
using torch::optim::AdamOptions;
using torch::optim::OptimizerOptions;
using torch::optim::SGDOptions;

/// libtorch's SGD, a few kernels for all parameters of a group instead of five for each: on a GPU
/// their starts are what takes time.
class GroupedSgd : public torch::optim::SGD {
 public:
  using SGD::SGD;

  at::Tensor step(LossClosure) override {
    const at::NoGradGuard no_grad;
    for (auto& group : param_groups()) step_group(group);
    return {};
  }

 private:
  using Key = std::remove_cvref_t<decltype(std::declval<Optimizer&>().state())>::key_type;

  /// Differs between libtorch's versions.
  template <class K = Key>
  static K key_of(const at::Tensor& t) {
    if constexpr (std::is_same_v<K, std::string>) {
      std::ostringstream text;
      text << t.unsafeGetTensorImpl();
      return text.str();
    } else {
      return t.unsafeGetTensorImpl();
    }
  }

  void step_group(torch::optim::OptimizerParamGroup& group) {
    const auto& o = static_cast<const SGDOptions&>(group.options());
    std::vector<at::Tensor> params, grads, buffers;
    for (const at::Tensor& p : group.params())
      if (p.grad().defined()) {
        params.push_back(p);
        grads.push_back(p.grad());
      }
    if (params.empty()) return;
    if (o.weight_decay() != 0) grads = at::_foreach_add(grads, params, o.weight_decay());
    if (o.momentum() != 0) {
      std::vector<at::Tensor> moving, into;
      for (std::size_t i = 0; i < params.size(); ++i) {
        auto& state = this->state()[key_of(params[i])];
        if (!state) state = std::make_unique<torch::optim::SGDParamState>();
        at::Tensor& buffer = static_cast<torch::optim::SGDParamState&>(*state).momentum_buffer();
        if (buffer.defined()) {
          moving.push_back(buffer);
          into.push_back(grads[i]);
        } else {
          buffer = grads[i].clone();
        }
        buffers.push_back(buffer);
      }
      if (!moving.empty()) {
        at::_foreach_mul_(moving, o.momentum());
        at::_foreach_add_(moving, into, 1 - o.dampening());
      }
      grads = o.nesterov() ? at::_foreach_add(grads, buffers, o.momentum()) : buffers;
    }
    at::_foreach_add_(params, grads, -o.lr());
  }
};

std::unique_ptr<torch::optim::Optimizer> make_sgd(const PhaseSpec& p, Groups groups) {
  const auto options = SGDOptions(p.lr).momentum(p.momentum).nesterov(p.nesterov);
  if (compute_device().is_cuda()) return std::make_unique<GroupedSgd>(std::move(groups), options);
  return std::make_unique<torch::optim::SGD>(std::move(groups), options);
}
std::unique_ptr<torch::optim::Optimizer> make_adam(const PhaseSpec& p, Groups groups) {
  const auto options = AdamOptions(p.lr).betas({p.beta1, p.beta2});
  return std::make_unique<torch::optim::Adam>(std::move(groups), options);
}

template <class Options>
void set_options(OptimizerOptions& o, double lr, double weight_decay) {
  static_cast<Options&>(o).lr(lr);
  static_cast<Options&>(o).weight_decay(weight_decay);
}

/// One optimizer: a row.
struct OptimizerRow {
  std::string_view name;
  std::unique_ptr<torch::optim::Optimizer> (*make)(const PhaseSpec&, Groups);
  void (*set)(OptimizerOptions&, double lr, double weight_decay);
  bool scale_free;  ///< the size of the gradient does not matter
};
constexpr OptimizerRow kRows[] = {{"sgd", make_sgd, set_options<SGDOptions>, false},
                                  {"adam", make_adam, set_options<AdamOptions>, true}};

}  // namespace

std::vector<std::string> optimizer_names() {
  return row_names(std::span<const OptimizerRow>(kRows));
}

NetOptimizer::NetOptimizer(const PhaseSpec& phase, const std::vector<Param>& params)
    : phase_(phase) {
  std::map<std::tuple<bool, bool, bool>, std::vector<at::Tensor>> parts;
  for (const Param& p : params) parts[{p.is_po2, p.is_matrix, p.is_norm}].push_back(p.tensor);
  Groups groups;
  for (auto& [kind, tensors] : parts) {
    groups_.push_back({std::get<0>(kind), std::get<1>(kind), std::get<2>(kind)});
    groups.emplace_back(std::move(tensors));
  }
  const auto& row = find_row(std::span<const OptimizerRow>(kRows), phase.optimizer);
  impl_ = row.make(phase, std::move(groups));
}

void NetOptimizer::step(double lr, double slope, bool norms_frozen) {
  const auto& row = find_row(std::span<const OptimizerRow>(kRows), phase_.optimizer);
  const double divisor = phase_.compensate && !row.scale_free && slope > 0 ? slope : 1.0;
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    const bool po2 = groups_[g].is_po2;
    const bool rests = (po2 && slope == 0) || (groups_[g].is_norm && norms_frozen);
    const double rate = rests ? 0.0 : po2 ? lr / divisor : lr;
    // The decay keeps its pace: rate * decay is lr * weight_decay.
    const double decay = groups_[g].decays ? phase_.weight_decay * (po2 ? divisor : 1.0) : 0.0;
    row.set(impl_->param_groups()[g].options(), rate, decay);
  }
  impl_->step();
}

}  // namespace nbq
