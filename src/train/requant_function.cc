#include <ATen/Parallel.h>

#include "train/requant_kernel.h"
#include "train/train_op.h"

namespace nbq {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr std::int64_t kGrain = 1 << 15;  // elements that are worth a thread

/// Calls f with the tensor's data as float* or, for bfloat16, as its bits.
template <class F>
void with_data(const at::Tensor& t, F&& f) {
  if (t.scalar_type() == at::kBFloat16)
    f(reinterpret_cast<std::uint16_t*>(t.data_ptr<at::BFloat16>()));
  else
    f(t.data_ptr<float>());
}

void requantise_all(const at::Tensor& acc, const at::Tensor& out, bool* mask, const ActFormat& f) {
  const auto run = [&](const auto* in) {
    with_data(out, [&](auto* to) {
      at::parallel_for(0, acc.numel(), kGrain, [&](std::int64_t begin, std::int64_t end) {
        requantise_run(in + begin, to + begin, mask == nullptr ? nullptr : mask + begin,
                       end - begin, f);
      });
    });
  };
  if (acc.scalar_type() == at::kDouble)
    run(acc.data_ptr<double>());
  else
    with_data(acc, [&](const auto* in) { run(in); });
}

at::Tensor masked(const at::Tensor& given, const at::Tensor& mask, at::ScalarType type) {
  if (type == at::kDouble) return given.to(type).mul(mask);
  const at::Tensor grad = given.contiguous(mask.suggest_memory_format());
  const at::Tensor out = at::empty_like(mask, mask.options().dtype(type));
  const bool* const m = mask.data_ptr<bool>();
  with_data(grad, [&](const auto* g) {
    with_data(out, [&](auto* to) {
      at::parallel_for(0, out.numel(), kGrain, [&](std::int64_t begin, std::int64_t end) {
        mask_run(g + begin, m + begin, to + begin, end - begin);
      });
    });
  });
  return out;
}

struct Requantise : torch::autograd::Function<Requantise> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& given, const ActFormat* format,
                            at::ScalarType type, bool wants_gradient) {
    const at::Tensor acc = given.contiguous(given.suggest_memory_format());
    const at::Tensor out = at::empty_like(acc, acc.options().dtype(type));
    at::Tensor mask;
    if (wants_gradient) {
      mask = at::empty_like(acc, acc.options().dtype(at::kBool));
      ctx->save_for_backward({mask});
      ctx->saved_data["type"] = acc.scalar_type();
    }
    requantise_all(acc, out, wants_gradient ? mask.data_ptr<bool>() : nullptr, *format);
    return out;
  }
  static variable_list backward(AutogradContext* ctx, const variable_list& grad) {
    const at::Tensor mask = ctx->get_saved_variables()[0];
    return {masked(grad[0], mask, ctx->saved_data["type"].toScalarType()), {}, {}, {}};
  }
};

}  // namespace

at::Tensor requantise(const at::Tensor& acc, const ActFormat& format, at::ScalarType out) {
  const bool wants_gradient = at::GradMode::is_enabled() && acc.requires_grad();
  return Requantise::apply(acc, &format, out, wants_gradient);
}

}  // namespace nbq
