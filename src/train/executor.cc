#include "train/executor.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

#include "data/loader.h"
#include "train/device.h"
#include "train/evaluate.h"
#include "train/torch_net.h"

namespace nbq {
namespace {

Status check_size(const Graph& graph, std::size_t numbers, int n) {
  const std::int64_t want = std::max(n, 0) * graph.input().shape.size();
  if (n < 0 || static_cast<std::int64_t>(numbers) != want)
    return make_error(ErrorCode::kInvalidArgument, "{} pixels for {} images: {} are needed",
                      numbers, n, want);
  return ok_status();
}

/// Output values [n, outputs] as float64.
at::Tensor run(const TorchNet& net, const at::Tensor& image, int n) {
  const at::NoGradGuard no_grad;
  const Pass pass{.exact = net.structure().stage != Stage::kFloat};
  return net.forward(image, pass).reshape({n, -1}).to(at::kDouble).cpu().contiguous();
}
Result<at::Tensor> run(const TorchNet& net, std::span<const std::uint8_t> pixels, int n) {
  NBQ_TRY(check_size(net.structure(), pixels.size(), n));
  return run(net, net.image_tensor(pixels, n), n);
}

std::vector<float> as_floats(const at::Tensor& y) {
  const double* const v = y.data_ptr<double>();
  return std::vector<float>(v, v + y.numel());
}

/// Sums of the processes' parts.
void add_up(Peers& peers, EvalResult& r) {
  const at::Tensor loss = at::full({1}, r.loss, at::kDouble);
  const at::Tensor correct = at::full({1}, static_cast<std::int64_t>(r.correct), at::kLong);
  const at::Tensor confusion =
      at::from_blob(r.confusion.data(), {static_cast<std::int64_t>(r.confusion.size())}, at::kLong);
  peers.sum(loss);
  peers.sum_all(std::vector<at::Tensor>{correct, confusion});
  r.loss = loss.item<double>();
  r.correct = static_cast<std::size_t>(correct.item<std::int64_t>());
}

}  // namespace

Result<std::vector<std::int64_t>> torch_logits(const Graph& graph,
                                               std::span<const std::uint8_t> pixels, int n) {
  if (graph.stage == Stage::kFloat)
    return make_error(ErrorCode::kInvalidArgument, "a float network has no integer logits");
  return guard_torch([&]() -> Result<std::vector<std::int64_t>> {
    NBQ_ASSIGN(TorchNet net, TorchNet::for_evaluation(graph));
    if (n == 0) return std::vector<std::int64_t>{};
    NBQ_ASSIGN(const at::Tensor y, run(net, pixels, n));
    std::vector<std::int64_t> logits;
    const double* const v = y.data_ptr<double>();
    for (std::int64_t i = 0; i < y.numel(); ++i)
      logits.push_back(static_cast<std::int64_t>(std::ldexp(v[i], -net.output_exp())));
    return logits;
  });
}

Result<std::vector<float>> torch_scores(const Graph& graph, std::span<const std::uint8_t> pixels,
                                        int n) {
  return guard_torch([&]() -> Result<std::vector<float>> {
    NBQ_ASSIGN(TorchNet net, TorchNet::for_evaluation(graph));
    if (n == 0) return std::vector<float>{};
    NBQ_ASSIGN(const at::Tensor y, run(net, pixels, n));
    return as_floats(y);
  });
}

Result<std::vector<float>> torch_scores(const Graph& graph, std::span<const float> image, int n) {
  if (graph.stage != Stage::kFloat)
    return make_error(ErrorCode::kInvalidArgument, "only a float network takes real numbers");
  return guard_torch([&]() -> Result<std::vector<float>> {
    NBQ_ASSIGN(const TorchNet net, TorchNet::for_evaluation(graph));
    NBQ_TRY(check_size(net.structure(), image.size(), n));
    if (n == 0) return std::vector<float>{};
    const Shape& s = net.structure().input().shape;
    at::Tensor x = at::empty({n, s.c, s.h, s.w}, at::kFloat);
    std::copy(image.begin(), image.end(), x.data_ptr<float>());
    return as_floats(
        run(net, x.to(compute_device()).contiguous(at::MemoryFormat::ChannelsLast), n));
  });
}

Status check_fits(const Graph& graph, const ImageSource& source) {
  const Shape& s = graph.input().shape;
  if (s.c != source.channels() || s.h != source.height() || s.w != source.width())
    return make_error(ErrorCode::kInvalidArgument,
                      "the network reads images of {}x{}x{}, the dataset's are {}x{}x{}", s.c, s.h,
                      s.w, source.channels(), source.height(), source.width());
  const auto outputs = graph.output().shape.size();
  if (outputs != static_cast<std::int64_t>(source.class_names().size()))
    return make_error(ErrorCode::kInvalidArgument,
                      "the network tells {} classes apart, the dataset has {}", outputs,
                      source.class_names().size());
  return ok_status();
}

Result<EvalResult> evaluate_images(const Graph& graph, const ImageSource& source,
                                   std::span<const std::size_t> images, Peers* peers, int batch) {
  NBQ_ASSIGN(const TorchNet net, TorchNet::for_evaluation(graph));
  NBQ_TRY(check_fits(net.structure(), source));
  if (batch < 1) return make_error(ErrorCode::kInvalidArgument, "batch is {}, at least 1", batch);
  const auto start = std::chrono::steady_clock::now();
  EvalResult r;
  std::vector<std::size_t> order(images.begin(), images.end());
  if (order.empty()) {
    order.resize(source.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
  }
  r.images = order.size();
  r.classes = net.outputs();
  const auto classes = static_cast<std::size_t>(r.classes);
  r.confusion.resize(classes * classes);
  const at::NoGradGuard no_grad;
  const Pass pass{.exact = net.structure().stage != Stage::kFloat};
  // Files are decoded beside the network's work.
  const std::size_t parts = peers == nullptr ? 1 : static_cast<std::size_t>(peers->size());
  const std::size_t part = peers == nullptr ? 0 : static_cast<std::size_t>(peers->rank());
  BatchLoader loader(
      ImageSourcePtr(ImageSourcePtr(), &source), std::move(order),
      {.batch_size = static_cast<std::size_t>(batch) * parts, .part = part, .parts = parts});
  Batch loaded;
  for (;;) {
    NBQ_ASSIGN(const bool more, loader.next(loaded));
    if (!more) break;
    const std::size_t count = loaded.size();
    if (count == 0) continue;
    const auto n = static_cast<std::int64_t>(count);
    const at::Tensor y = net.forward(net.image_tensor(loaded.pixels, n), pass)
                             .reshape({n, -1})
                             .to(at::kDouble)
                             .cpu()
                             .contiguous();
    const double* row = y.data_ptr<double>();
    for (std::size_t i = 0; i < count; ++i, row += classes) {
      const auto label = static_cast<std::size_t>(loaded.labels[i]);
      const auto best = static_cast<std::size_t>(std::max_element(row, row + classes) - row);
      double sum = 0;
      for (std::size_t k = 0; k < classes; ++k) sum += std::exp(row[k] - row[best]);
      r.loss += std::log(sum) + row[best] - row[label];
      r.correct += best == label ? 1 : 0;
      ++r.confusion[label * classes + best];
    }
  }
  if (peers != nullptr) add_up(*peers, r);
  const double n = static_cast<double>(std::max<std::size_t>(r.images, 1));
  r.loss /= n;
  r.accuracy = 100.0 * static_cast<double>(r.correct) / n;
  r.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return r;
}

Result<EvalResult> evaluate_torch(const Graph& graph, const ImageSource& source, int batch) {
  return guard_torch(
      [&]() -> Result<EvalResult> { return evaluate_images(graph, source, {}, nullptr, batch); });
}

}  // namespace nbq
