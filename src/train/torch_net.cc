#include "train/torch_net.h"

#include <cmath>
#include <thread>

#include "core/fixed_point.h"
#include "model/fold.h"
#include "model/op_table.h"
#include "model/quantise.h"
#include "train/device.h"
#include "train/live_norm.h"

namespace nbq {
namespace {

/// Integers of up to this many bits, sign included, are exact in float32 however they are summed.
constexpr int kFloatBits = 24;

/// Their values need no requantisation.
bool keeps_values(OpKind k) { return k == OpKind::kInput || keeps_format(k); }

at::Tensor to_tensor(const FloatTensor& t) {
  return at::from_blob(const_cast<float*>(t.data.data()), t.dims, at::kFloat).clone();
}

at::Tensor exps_tensor(const std::vector<int>& exps) {
  return exps.empty() ? at::Tensor() : at::tensor(exps, at::kInt).to(compute_device());
}

std::vector<at::ScalarType> dtypes_of(const std::vector<int>& acc_bits) {
  std::vector<at::ScalarType> types;
  for (const int b : acc_bits) types.push_back(b <= kFloatBits ? at::kFloat : at::kDouble);
  return types;
}

}  // namespace

TrainFn op_train(OpKind kind) {
  static constexpr TrainFn kRows[] = {
#define NBQ_OP(Kind, folder, name) train_##folder,
#include "ops.def"
  };
  return kRows[static_cast<int>(kind)];
}

at::Tensor operand(const OpContext& op, const at::Tensor& x) {
  return op.pass.exact ? x.to(op.dtype) : x;
}

at::Tensor wide_operand(const OpContext& op, const at::Tensor& x) {
  return x.to(op.pass.exact ? op.dtype : at::kFloat);
}

at::Tensor pass_weight(const OpContext& op) {
  const at::Tensor& w = op.params.at("weight");
  if (op.method != nullptr)
    return op.pass.training ? op.method->weight(w) : op.method->quantised(w);
  if (op.graph.stage != Stage::kQuantised) return operand(op, w);
  const Po2Weights& p = op.node().po2;
  const bool norm = op.node().kind() == OpKind::kBatchNorm;
  const at::Tensor scale = op.node().norm ? norm_affine(op).scale : at::Tensor();
  return learnt_weight(w, scale, norm ? "nearest" : op.graph.quantizer, p.bits, op.weight_exps,
                       op.pass.blend, op.pass.slope);
}

at::Tensor pass_bias(const OpContext& op) {
  const auto it = op.params.find("bias");
  if (it == op.params.end() || op.live_norm()) return {};
  const at::Tensor& bias = it->second;
  if (op.graph.stage != Stage::kQuantised) return operand(op, bias);
  return rounded_bias(op.node().norm ? bias + norm_affine(op).offset : bias, op.acc_exps);
}

at::ScalarType act_type(const ActFormat& f) {
  const bool fits = f.bits <= (f.is_signed ? 9 : 8);
  return fits && Autocast::active() ? at::kBFloat16 : at::kFloat;
}

at::Tensor pad_map(const at::Tensor& x, const Window& w, double value) {
  return at::constant_pad_nd(x, {w.pad_left, w.pad_right, w.pad_top, w.pad_bottom}, value);
}

at::Tensor unfolded_conv2d(const at::Tensor& x, const at::Tensor& weight, const Window& w,
                           int groups) {
  if (groups > 1) {
    std::vector<at::Tensor> parts;
    const auto in = x.chunk(groups, 1), weights = weight.chunk(groups, 0);
    for (std::size_t g = 0; g < in.size(); ++g)
      parts.push_back(unfolded_conv2d(in[g], weights[g], w, 1));
    return at::cat(parts, 1);
  }
  const at::Tensor p = pad_map(x, w, 0).contiguous();
  const std::int64_t n = p.size(0), c = p.size(1), rows = p.size(2), columns = p.size(3);
  const auto places = [](std::int64_t size, int kernel, int stride, int dilation) {
    return (size - std::int64_t{dilation} * (kernel - 1) - 1) / stride + 1;
  };
  const std::int64_t h = places(rows, w.kernel_h, w.stride_h, w.dilation_h),
                     v = places(columns, w.kernel_w, w.stride_w, w.dilation_w);
  const at::Tensor windows =
      p.as_strided({n, h, v, c, w.kernel_h, w.kernel_w},
                   {c * rows * columns, columns * w.stride_h, std::int64_t{w.stride_w},
                    rows * columns, columns * w.dilation_h, std::int64_t{w.dilation_w}});
  const at::Tensor y = at::matmul(windows.reshape({n * h * v, -1}), weight.flatten(1).t());
  return y.view({n, h, v, weight.size(0)}).permute({0, 3, 1, 2});
}

at::Tensor window_sum(const at::Tensor& x, const Window& w) {
  const bool padded = w.pad_top + w.pad_bottom + w.pad_left + w.pad_right != 0;
  const at::Tensor p = padded ? pad_map(x, w, 0) : x;
  if (w.dilation_h == 1 && w.dilation_w == 1)
    return at::avg_pool2d(p, {w.kernel_h, w.kernel_w}, {w.stride_h, w.stride_w}, 0, false, true, 1);
  const at::Tensor ones = at::ones({x.size(1), 1, w.kernel_h, w.kernel_w}, x.options());
  return at::conv2d(p, ones, at::Tensor(), {w.stride_h, w.stride_w}, at::IntArrayRef{0, 0},
                    {w.dilation_h, w.dilation_w}, x.size(1));
}

double mean_factor(const OpContext& op, int count) {
  return op.quantised() ? po2_reciprocal(count).value() : 1.0 / count;
}

void use_threads(int threads, int processes) {
  const int cores = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  at::set_num_threads(std::max(1, (threads > 0 ? threads : cores) / processes));
}

void TorchNet::make_tensors(const Node& node, Params& params) {
  for (const auto& [name, t] : node.state) params[name] = to_tensor(t);
  if (graph_.stage != Stage::kInteger || node.po2.bits == 0) return;
  const auto channels = static_cast<std::size_t>(node.shape.c);
  const auto info = op_shape(node.kind())(
      node, graph_.input_shapes(static_cast<int>(&node - graph_.nodes.data())));
  at::Tensor w = at::empty(info->params[0].dims, at::kFloat);
  decode(Po2Format{node.po2.bits}, node.po2.codes, channels, node.po2.exps,
         {w.data_ptr<float>(), node.po2.codes.size()});
  params["weight"] = w;
  if (node.po2.bias.empty()) return;
  // Up to 47 bits: float64 holds them.
  const int in_exp = graph_.nodes[static_cast<std::size_t>(node.inputs[0])].act.exp;
  at::Tensor b = at::empty({node.shape.c}, at::kDouble);
  for (std::size_t c = 0; c < channels; ++c)
    b.data_ptr<double>()[c] =
        std::ldexp(static_cast<double>(node.po2.bias[c]), node.po2.exps[c] + in_exp);
  params["bias"] = b;
}

Status TorchNet::find_acc_exps() {
  acc_exps_.clear();
  weight_exp_tensors_.clear();
  acc_exp_tensors_.clear();
  for (std::size_t id = 0; id < graph_.nodes.size(); ++id) {
    acc_exps_.emplace_back();
    if (graph_.stage == Stage::kFloat) continue;
    NBQ_ASSIGN(OutputStage stage, output_stage(graph_, static_cast<int>(id)));
    acc_exps_.back() = std::move(stage.exps);
  }
  for (std::size_t id = 0; id < graph_.nodes.size(); ++id) {
    weight_exp_tensors_.push_back(exps_tensor(graph_.nodes[id].po2.exps));
    acc_exp_tensors_.push_back(exps_tensor(acc_exps_[id]));
  }
  return ok_status();
}

Result<TorchNet> TorchNet::create(const Graph& graph) {
  if (graph.stage == Stage::kInteger) {
    NBQ_TRY(verify_integer(graph));
  } else {
    NBQ_TRY(check_state(graph));
  }
  TorchNet net(graph.stage == Stage::kFloat ? fold_norms(graph) : graph);
  const bool learns = graph.stage != Stage::kInteger;
  for (std::size_t id = 0; id < net.graph_.nodes.size(); ++id) {
    Node& n = net.graph_.nodes[id];
    Params& params = net.tensors_.emplace_back();
    net.make_tensors(n, params);
    for (auto& [name, t] : params) t = t.to(compute_device());
    NBQ_ASSIGN(const LayerInfo info, describe(graph, static_cast<int>(id)));
    for (const ParamSpec& p : info.params)
      if (learns && p.learnt) {
        const bool weight = p.name == "weight";
        params.at(p.name).set_requires_grad(true);
        net.learnt_.push_back({static_cast<int>(id), p.name, params.at(p.name),
                               weight && n.po2.bits != 0, weight && is_matrix(n.kind()),
                               p.name == "norm.weight"});
      }
  }
  net.methods_.resize(net.graph_.nodes.size());
  NBQ_TRY(net.find_acc_exps());
  net.dtypes_.assign(net.graph_.nodes.size(), at::kFloat);
  if (graph.stage == Stage::kInteger) {
    NBQ_ASSIGN(const std::vector<int> bits, prove_acc_bits(graph));
    net.dtypes_ = dtypes_of(bits);
  }
  for (Node& n : net.graph_.nodes) {
    n.state.clear();
    n.po2.codes.clear();
  }
  for (std::size_t id = 0; id < net.graph_.nodes.size(); ++id) net.last_reader_.push_back(int(id));
  for (std::size_t id = 0; id < net.graph_.nodes.size(); ++id)
    for (const int in : graph.nodes[id].inputs)
      net.last_reader_[static_cast<std::size_t>(in)] = int(id);
  net.make_input_values(graph.input_attrs());
  return net;
}

void TorchNet::make_input_values(const InputAttrs& image) {
  const auto channels = static_cast<std::size_t>(image.channels);
  for (std::size_t c = 0; c < channels; ++c) {
    auto& values = input_values_.emplace_back();
    for (int p = 0; p < 256; ++p)
      values[static_cast<std::size_t>(p)] =
          image.mean.empty() ? static_cast<float>(p - 128) / 128.0f
                             : (static_cast<float>(p) / 255.0f - image.mean[c]) / image.std[c];
  }
  if (compute_device().is_cpu()) return;
  input_table_ =
      at::from_blob(input_values_.data(), {image.channels, 256}, at::kFloat).to(compute_device());
  input_places_ = at::arange(image.channels, input_table_.options().dtype(at::kLong)) * 256;
}

Result<TorchNet> TorchNet::for_evaluation(const Graph& graph) {
  if (graph.stage != Stage::kQuantised) return create(graph);
  NBQ_ASSIGN(const Graph integers, deploy(graph));
  return create(integers);
}

at::Tensor TorchNet::image_tensor(std::span<const std::uint8_t> pixels, std::int64_t n) const {
  const Shape& s = graph_.input().shape;
  NBQ_CHECK(static_cast<std::int64_t>(pixels.size()) == n * s.size());
  if (input_table_.defined()) {
    const at::Tensor bytes =
        at::from_blob(const_cast<std::uint8_t*>(pixels.data()), {n, s.c, s.h, s.w}, at::kByte);
    const at::Tensor place =
        bytes.to(input_table_.device()).to(at::kLong) + input_places_.view({1, -1, 1, 1});
    return at::take(input_table_, place).contiguous(at::MemoryFormat::ChannelsLast);
  }
  at::Tensor x = at::empty({n, s.c, s.h, s.w}, at::kFloat, at::MemoryFormat::ChannelsLast);
  const std::int64_t map = std::int64_t{s.h} * s.w;
  float* const out = x.data_ptr<float>();
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t c = 0; c < s.c; ++c) {
      const auto& values = input_values_[static_cast<std::size_t>(c)];
      const std::uint8_t* const from = pixels.data() + (i * s.c + c) * map;
      float* const to = out + i * s.c * map + c;
      for (std::int64_t k = 0; k < map; ++k) to[k * s.c] = values[from[k]];
    }
  return x;
}

OpContext TorchNet::context(std::size_t id, const Pass& pass) const {
  return {.graph = graph_,
          .id = static_cast<int>(id),
          .pass = pass,
          .params = tensors_[id],
          .dtype = dtypes_[id],
          .weight_exps = weight_exp_tensors_[id],
          .acc_exps = acc_exp_tensors_[id],
          .method = methods_[id].get()};
}

at::Tensor TorchNet::forward(const at::Tensor& image, const Pass& pass,
                             const Observer& observe) const {
  std::optional<FullPrecision> full_precision;
  if (!pass.training) full_precision.emplace();
  std::vector<at::Tensor> values(graph_.nodes.size());
  std::vector<at::Tensor> in;
  for (std::size_t id = 0; id < graph_.nodes.size(); ++id) {
    const Node& n = graph_.nodes[id];
    in.clear();
    for (const int i : n.inputs) in.push_back(values[static_cast<std::size_t>(i)]);
    if (id == 0) in.push_back(image);
    const OpContext op = context(id, pass);
    at::Tensor y = op_train(n.kind())(op, in);
    if (op.quantised() && n.act.quantised() && !keeps_values(n.kind()) && !op.requantises())
      y = requantise(y, n.act, pass.exact ? at::kFloat : act_type(n.act));
    if (observe) observe(static_cast<int>(id), y);
    values[id] = std::move(y);
    for (const int i : n.inputs)
      if (last_reader_[static_cast<std::size_t>(i)] == static_cast<int>(id))
        values[static_cast<std::size_t>(i)] = at::Tensor();
  }
  return values.back();
}

Graph TorchNet::graph() const {
  NBQ_CHECK(graph_.stage != Stage::kInteger);
  Graph g = graph_;
  for (std::size_t id = 0; id < g.nodes.size(); ++id)
    for (const auto& [name, t] : tensors_[id]) {
      const at::Tensor here = t.cpu();
      const float* const data = here.data_ptr<float>();
      g.nodes[id].state[name] = {t.sizes().vec(), {data, data + t.numel()}};
    }
  return g;
}

int TorchNet::output_exp() const {
  const Node& n = graph_.output();
  return n.act.quantised() ? n.act.exp : acc_exps_.back()[0];
}

std::vector<at::Tensor> TorchNet::statistics() const {
  std::vector<at::Tensor> all;
  for (const Params& params : tensors_)
    for (const auto& [name, t] : params)
      if (name.ends_with("running_mean") || name.ends_with("running_var")) all.push_back(t);
  return all;
}

std::vector<at::Tensor> TorchNet::numbers() const {
  std::vector<at::Tensor> all = statistics();
  for (const Param& p : learnt_) all.push_back(p.tensor);
  for (const at::Tensor& t : method_state()) all.push_back(t);
  for (const at::Tensor& t : weight_exp_tensors_)
    if (t.defined()) all.push_back(t);
  return all;
}

std::string TorchNet::first_non_finite() const {
  for (std::size_t id = 0; id < graph_.nodes.size(); ++id)
    for (const auto& [name, t] : tensors_[id])
      if (!at::isfinite(t).all().item<bool>()) return graph_.nodes[id].name + ": " + name;
  for (const Param& p : learnt_)
    if (!at::isfinite(p.tensor).all().item<bool>())
      return graph_.nodes[static_cast<std::size_t>(p.node)].name + ": " + p.name;
  return {};
}

}  // namespace nbq
