#include <algorithm>

#include "model/fold.h"
#include "train/evaluate.h"

namespace nbq {
namespace {

constexpr std::size_t kBatch = 64;
constexpr std::size_t kValuesPerNode = std::size_t{1} << 16;

/// Every `stride`-th value, in memory order, so that all images, channels and places take part.
void sample_into(std::vector<float>& out, const at::Tensor& value, std::size_t wanted) {
  const at::Tensor v = value.cpu().to(at::kFloat).contiguous();
  const auto count = static_cast<std::size_t>(v.numel());
  // An odd stride, so that it does not keep to a few channels.
  const std::size_t stride = std::max<std::size_t>(1, count / std::max<std::size_t>(wanted, 1)) | 1;
  const float* const data = v.data_ptr<float>();
  for (std::size_t i = 0; i < count; i += stride) out.push_back(data[i]);
}

}  // namespace

Status observe_images(const Graph& graph, const ImageSource& source, std::size_t n,
                      std::span<const std::size_t> images, std::size_t batch,
                      const TorchNet::Observer& observe) {
  const std::size_t available = images.empty() ? source.size() : images.size();
  n = std::min(n, available);
  if (n == 0) return make_error(ErrorCode::kInvalidArgument, "no images to calibrate with");
  return guard_torch([&]() -> Status {
    NBQ_TRY(check_fits(graph, source));
    NBQ_ASSIGN(TorchNet net, TorchNet::create(graph));
    const at::NoGradGuard no_grad;
    const std::size_t bytes = source.shape().bytes();
    std::vector<std::uint8_t> pixels;
    for (std::size_t first = 0; first < n; first += batch) {
      const std::size_t count = std::min(batch, n - first);
      pixels.resize(count * bytes);
      for (std::size_t i = 0; i < count; ++i) {
        const std::size_t k = first + i;
        const std::size_t image = images.empty() ? k * available / n : images[k];
        NBQ_TRY(source.load(image, {pixels.data() + i * bytes, bytes}));
      }
      net.forward(net.image_tensor(pixels, static_cast<std::int64_t>(count)), Pass{}, observe);
    }
    return ok_status();
  });
}

Result<ActSamples> calibrate(const Graph& graph, const ImageSource& source, std::size_t n,
                             std::span<const std::size_t> images) {
  if (graph.stage != Stage::kFloat)
    return make_error(ErrorCode::kInvalidArgument, "only a float network is calibrated");
  const std::size_t available = images.empty() ? source.size() : images.size();
  const std::size_t batches = (std::min(n, available) + kBatch - 1) / kBatch;
  ActSamples samples(graph.nodes.size());
  NBQ_TRY(observe_images(graph, source, n, images, kBatch, [&](int id, const at::Tensor& value) {
    sample_into(samples[static_cast<std::size_t>(id)], value, kValuesPerNode / batches);
  }));
  return samples;
}

Result<Graph> quantise_post_training(const Graph& float_graph, const QuantSpec& spec,
                                     const ImageSource& source, std::size_t n) {
  if (float_graph.stage != Stage::kFloat)
    return make_error(ErrorCode::kInvalidArgument, "only a float network can be quantised");
  NBQ_ASSIGN(const Graph folded, fold(float_graph));
  NBQ_ASSIGN(const ActSamples samples, calibrate(folded, source, n));
  return quantise(folded, spec, samples);
}

}  // namespace nbq
