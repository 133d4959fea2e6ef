#include "train/parallel.h"
#include "train/requant_kernel.h"
#include "train/tensor_data.h"
#include "train/train_op.h"

namespace nbq {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr std::int64_t kGrain = (1 << 15) / kLanes;  // mask words that are worth a thread

/// Calls f(first element, its mask word, elements) for parts that begin on a mask word.
template <class F>
void for_parts(std::int64_t count, F&& f) {
  at::parallel_for(0, mask_words(count), kGrain, [&](std::int64_t begin, std::int64_t end) {
    f(begin * kLanes, begin, std::min(end * kLanes, count) - begin * kLanes);
  });
}

void requantise_all(const at::Tensor& acc, const at::Tensor& out, MaskWord* mask,
                    const ActFormat& f) {
  if (acc.is_cuda())
    return cuda::requantise(cuda_array(acc), cuda_array(out), mask, acc.numel(), f);
  const auto run = [&](const auto* in) {
    with_data(out, [&](auto* to) {
      for_parts(acc.numel(), [&](std::int64_t i, std::int64_t word, std::int64_t count) {
        requantise_run(in + i, to + i, mask == nullptr ? nullptr : mask + word, count, f);
      });
    });
  };
  if (acc.scalar_type() == at::kDouble)
    run(acc.data_ptr<double>());
  else
    with_data(acc, [&](const auto* in) { run(in); });
}

/// `given`, in the memory order of the mask, where the mask lets it through.
at::Tensor masked(const at::Tensor& given, const at::Tensor& mask, at::MemoryFormat order,
                  at::ScalarType type) {
  const at::Tensor grad = given.contiguous(order);
  const at::ScalarType narrow = type == at::kBFloat16 ? type : at::kFloat;
  const at::Tensor out = at::empty_like(grad, grad.options().dtype(narrow));
  const MaskWord* const m = mask_data(mask);
  if (grad.is_cuda()) {
    cuda::mask_gradient(cuda_array(grad), m, cuda_array(out), out.numel());
    return out.to(type);
  }
  with_data(grad, [&](const auto* g) {
    with_data(out, [&](auto* to) {
      for_parts(out.numel(), [&](std::int64_t i, std::int64_t word, std::int64_t count) {
        mask_run(g + i, m + word, to + i, count);
      });
    });
  });
  return out.to(type);
}

struct Requantise : torch::autograd::Function<Requantise> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& given, const ActFormat* format,
                            at::ScalarType type, bool wants_gradient) {
    const at::MemoryFormat order = given.suggest_memory_format();
    const at::Tensor acc = given.contiguous(order);
    const at::Tensor out = at::empty_like(acc, acc.options().dtype(type));
    at::Tensor mask;
    if (wants_gradient) {
      mask = make_mask(mask_words(acc.numel()), acc.device());
      ctx->save_for_backward({mask});
      ctx->saved_data["type"] = acc.scalar_type();
      ctx->saved_data["order"] = order;
    }
    requantise_all(acc, out, mask_data(mask), *format);
    return out;
  }
  static variable_list backward(AutogradContext* ctx, const variable_list& grad) {
    const at::Tensor mask = ctx->get_saved_variables()[0];
    return {masked(grad[0], mask, ctx->saved_data["order"].toMemoryFormat(),
                   ctx->saved_data["type"].toScalarType()),
            {},
            {},
            {}};
  }
};

}  // namespace

at::Tensor requantise(const at::Tensor& acc, const ActFormat& format, at::ScalarType out) {
  const bool wants_gradient = at::GradMode::is_enabled() && acc.requires_grad();
  return Requantise::apply(acc, &format, out, wants_gradient);
}

}  // namespace nbq
