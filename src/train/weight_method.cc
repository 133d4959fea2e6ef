#include "train/weight_method.h"

namespace nbq {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct StraightThrough : torch::autograd::Function<StraightThrough> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& /*w*/, const at::Tensor& value,
                            const at::Tensor* factor) {
    if (factor->defined()) ctx->save_for_backward({*factor});
    return value.clone();
  }
  static variable_list backward(AutogradContext* ctx, const variable_list& grad) {
    const variable_list saved = ctx->get_saved_variables();
    return {saved.empty() ? grad[0] : grad[0] * saved[0], {}, {}};
  }
};

}  // namespace

std::vector<at::Tensor> WeightMethod::state() const {
  std::vector<at::Tensor> all;
  for (const Named& n : learnt()) all.push_back(n.tensor);
  for (const at::Tensor& t : kept()) all.push_back(t);
  return all;
}

std::unique_ptr<WeightMethod> make_method(const MethodRow& row, const at::Tensor& w, int bits) {
  const at::NoGradGuard no_grad;
#define NBQ_WEIGHT_METHOD(suffix, text, ...) \
  if (row.name == text) return make_##suffix(w, bits);
#include "train/weight_methods.def"
  NBQ_CHECK(!"a row of the registry");
  return nullptr;
}

at::Tensor straight_through(const at::Tensor& w, const at::Tensor& value,
                            const at::Tensor& factor) {
  return StraightThrough::apply(w, value.detach(), &factor);
}

at::Tensor binary_sign(const at::Tensor& w) { return at::where(w >= 0, 1.0, -1.0).to(at::kFloat); }

at::Tensor per_channel(const at::Tensor& numbers, const at::Tensor& w) {
  std::vector<std::int64_t> dims(static_cast<std::size_t>(w.dim()), 1);
  dims[0] = -1;
  return numbers.reshape(dims);
}

}  // namespace nbq
