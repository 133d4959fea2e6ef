#include "train/weight_average.h"

#include <algorithm>

namespace nbq {

WeightAverage::WeightAverage(double decay, const std::vector<Param>& params) : decay_(decay) {
  if (!on()) return;
  for (const Param& p : params) {
    params_.push_back(p.tensor.detach());
    average_.push_back(p.tensor.detach().clone());
  }
}

void WeightAverage::update(std::int64_t steps) {
  const double t = static_cast<double>(steps);
  const double decay = std::min(decay_, (1 + t) / (10 + t));
  for (std::size_t i = 0; i < params_.size(); ++i) average_[i].lerp_(params_[i], 1 - decay);
}

void WeightAverage::take_norms(const std::vector<Param>& params) {
  for (std::size_t i = 0; i < average_.size(); ++i)
    if (params[i].is_norm) average_[i].copy_(params_[i]);
}

void WeightAverage::swap() {
  for (std::size_t i = 0; i < params_.size(); ++i) {
    const at::Tensor kept = params_[i].clone();
    params_[i].copy_(average_[i]);
    average_[i].copy_(kept);
  }
}

Status WeightAverage::restore(const std::vector<at::Tensor>& values) {
  bool fits = values.size() == average_.size();
  for (std::size_t i = 0; fits && i < values.size(); ++i)
    fits = values[i].sizes() == average_[i].sizes();
  if (!fits)
    return make_error(ErrorCode::kBadFile, "the checkpoint's weight average is another network's");
  for (std::size_t i = 0; i < values.size(); ++i) average_[i].copy_(values[i]);
  return ok_status();
}

}  // namespace nbq
