#include "infer/plan.h"

#include <algorithm>
#include <functional>

#include "infer/arena.h"
#include "infer/places.h"
#include "infer/steps/conv_step.h"
#include "infer/steps/io_steps.h"
#include "infer/steps/map_step.h"
#include "infer/steps/pool_step.h"
#include "infer/steps/winograd_step.h"

namespace nbq::infer {
namespace {

/// A step before it is known how many images run together.
struct Draft {
  std::vector<int> reads, writes;
  std::size_t weight_bytes = 0;  ///< about
  std::int64_t macs = 0;         ///< an image
  std::function<StepPtr(int images)> make;
};

class Planner {
 public:
  Planner(const Graph& graph, const KernelSet& kernels, const PlanOptions& options,
          std::vector<OutputStage> stages)
      : graph_(graph),
        kernels_(kernels),
        options_(options),
        stages_(std::move(stages)),
        places_(graph, stages_) {}

  Result<Plan> plan() {
    for (int id = 0; id < static_cast<int>(graph_.nodes.size()); ++id) {
      draft(id);
      NBQ_ASSIGN(const LayerInfo info, describe(graph_, id));
      if (!drafts_.empty()) drafts_.back().macs += info.macs;
    }
    finish_output();
    Plan p;
    set_lifetimes();
    p.images = choose_images();
    p.arena_bytes = place_buffers(places_.buffers(), p.images);
    p.buffers = places_.buffers();
    p.outputs = graph_.output().shape.size();
    for (const Draft& d : drafts_) {
      p.steps.push_back(d.make(p.images));
      p.steps.back()->place(p.buffers);
      p.steps.back()->macs = d.macs;
      const auto first = [&](int b) {
        return p.buffers[static_cast<std::size_t>(b)].first_step ==
               static_cast<int>(p.steps.size()) - 1;
      };
      p.steps.back()->fills_margin = std::all_of(d.writes.begin(), d.writes.end(), first);
      p.scratch_bytes = std::max(p.scratch_bytes, p.steps.back()->scratch_bytes());
      p.weight_bytes += p.steps.back()->weight_bytes();
    }
    return p;
  }

 private:
  const Node& node(int id) const { return graph_.nodes[static_cast<std::size_t>(id)]; }
  const OutputStage& stage(int id) const { return stages_[static_cast<std::size_t>(id)]; }
  const View& view(int id) const { return places_[id].view; }
  std::int64_t outputs() const { return graph_.output().shape.size(); }

  void draft(int id) {
    const NodePlace& place = places_[id];
    if (place.alias || place.fused_into >= 0) return;
    switch (node(id).kind()) {
      case OpKind::kInput:
        return draft_image(id);
      case OpKind::kConv2d:
      case OpKind::kLinear:
        return draft_conv(id);
      case OpKind::kMaxPool:
      case OpKind::kAvgPool:
      case OpKind::kGlobalAvgPool:
        return draft_pool(id);
      case OpKind::kConcat:
        return draft_concat(id);
      case OpKind::kBatchNorm:
      case OpKind::kRelu:
      case OpKind::kAdd:
      case OpKind::kFlatten:
      case OpKind::kPad:
      case OpKind::kSlice:
        return draft_map(id);
    }
  }

  void draft_image(int id) {
    add({{}, {view(id).buffer}, 0, 0, [name = node(id).name, out = view(id)](int) {
           return make_image_step(name, out);
         }});
  }

  void draft_conv(int id) {
    const NodePlace& place = places_[id];
    const int last = place.second >= 0 ? place.second : id;
    ConvSpec s;
    s.node = &node(id);
    s.in = view(node(id).inputs[0]);
    s.window = weight_window(node(id), s.in.shape);
    if (node(id).kind() == OpKind::kConv2d) s.groups = std::get<Conv2dAttrs>(node(id).attrs).groups;
    s.stage = stage(id);
    s.logits = stage(id).raw;
    s.logits_per_image = outputs();
    s.out = view(last);
    s.out.shape = node(id).shape;
    std::vector<int> reads = {s.in.buffer};
    if (last != id) s.second = second_stage(id, last, reads);
    const bool fast = runs_in_kernels(node(id), stage(id), s.in.shape);
    add({reads, outputs_of(s.logits, s.out), node(id).po2.codes.size() / 2, 0,
         [this, s, fast](int images) mutable {
           s.images = images;
           s.threads = options_.threads;
           return fast ? fast_conv_step(s) : make_wide_conv_step(s);
         }});
  }

  StepPtr fast_conv_step(const ConvSpec& s) const {
    const std::vector<Buffer>& buffers = places_.buffers();
    const Convolution how = options_.convolution;
    if (how != Convolution::kTaps && winograd_fits(s, buffers, kernels_) &&
        (how == Convolution::kWinograd || winograd_pays(s, kernels_)))
      return make_winograd_step(s, buffers, kernels_);
    return make_conv_step(s, buffers, kernels_);
  }

  SecondStage second_stage(int id, int second, std::vector<int>& reads) const {
    SecondStage s;
    s.stage = stage(second);
    for (const int in : node(second).inputs) {
      const int left = node(in).act.exp - s.stage.exps[0];
      if (in == id) {
        s.own_left = left;
        continue;
      }
      s.residual = view(in);
      s.residual_left = left;
      reads.push_back(s.residual.buffer);
    }
    return s;
  }

  void draft_pool(int id) {
    const Node& n = node(id);
    PoolSpec s;
    s.node = &n;
    s.average = n.kind() != OpKind::kMaxPool;
    s.in = view(n.inputs[0]);
    s.window.kernel_h = s.in.shape.h;
    s.window.kernel_w = s.in.shape.w;
    if (const auto* a = std::get_if<MaxPoolAttrs>(&n.attrs)) s.window = a->window;
    if (const auto* a = std::get_if<AvgPoolAttrs>(&n.attrs)) s.window = a->window;
    s.target = {stage(id), view(id), stage(id).raw, outputs()};
    s.target.out.shape = n.shape;
    s.acc_bits = n.po2.acc_bits;
    add({{s.in.buffer}, outputs_of(s.target.logits, s.target.out), 0, 0, [s, this](int) {
           return make_pool_step(s, kernels_);
         }});
  }

  /// Each operand that does not lie where it belongs is copied there.
  void draft_concat(int id) {
    const Node& n = node(id);
    int channel = 0;
    for (std::size_t i = 0; i < n.inputs.size(); ++i) {
      const int first = channel;
      channel += node(n.inputs[i]).shape.c;
      if (places_.in_place(id, n.inputs[i], first)) continue;
      MapSpec s = map_of(id);
      s.operands = {{view(n.inputs[i]), 0}};
      s.out.first_channel += first;
      s.out.shape = node(n.inputs[i]).shape;
      s.first_stage_channel = first;
      add_map(s);
    }
  }

  MapSpec map_of(int id) const {
    MapSpec s;
    s.node = &node(id);
    s.stage = stage(id);
    s.out = view(id);
    s.acc_bits = node(id).po2.acc_bits;
    return s;
  }

  void draft_map(int id) {
    const Node& n = node(id);
    MapSpec s = map_of(id);
    for (const int in : n.inputs)
      s.operands.push_back(
          {view(in), n.kind() == OpKind::kAdd ? node(in).act.exp - stage(id).exps[0] : 0});
    s.weights = n.kind() == OpKind::kBatchNorm;
    s.flatten = n.kind() == OpKind::kFlatten;
    if (const auto* a = std::get_if<PadAttrs>(&n.attrs)) {
      s.start_c = -a->before_c;
      s.start_y = -a->top;
      s.start_x = -a->left;
    }
    if (const auto* a = std::get_if<SliceAttrs>(&n.attrs)) {
      s.start_c = a->start_c, s.start_y = a->start_h, s.start_x = a->start_w;
      s.step_c = a->step_c, s.step_y = a->step_h, s.step_x = a->step_w;
    }
    add_map(s);
  }

  void add_map(const MapSpec& s) {
    std::vector<int> reads;
    for (const MapSpec::Operand& o : s.operands) reads.push_back(o.view.buffer);
    add({reads, {s.out.buffer}, 0, 0, [s, this](int) { return make_map_step(s, kernels_); }});
  }

  void finish_output() {
    const int last = static_cast<int>(graph_.nodes.size()) - 1;
    if (stage(last).raw) return;
    add({{view(last).buffer}, {}, 0, 0, [name = node(last).name, in = view(last)](int) {
           return make_logits_step(name, in);
         }});
  }

  static std::vector<int> outputs_of(bool logits, const View& out) {
    return logits ? std::vector<int>{} : std::vector<int>{out.buffer};
  }

  void add(Draft d) { drafts_.push_back(std::move(d)); }

  void set_lifetimes() {
    for (std::size_t i = 0; i < drafts_.size(); ++i)
      for (const auto* list : {&drafts_[i].reads, &drafts_[i].writes})
        for (const int id : *list) {
          Buffer& b = places_.buffers()[static_cast<std::size_t>(id)];
          if (b.first_step < 0) b.first_step = static_cast<int>(i);
          b.last_step = static_cast<int>(i);
        }
  }

  /// As many as stay in a core's cache; more where weights come from further away than activations
  /// do.
  int choose_images() {
    const int batch = options_.batch, threads = options_.threads;
    constexpr std::size_t kCache = std::size_t{1} << 20, kMuch = std::size_t{4} << 20;
    constexpr int kShareMuch = 16;
    const std::size_t image = place_buffers(places_.buffers(), 1);
    std::size_t weights = 0;
    for (const Draft& d : drafts_) weights += d.weight_bytes;
    const int most = (batch + threads - 1) / threads;
    int each = static_cast<int>(std::clamp<std::size_t>(kCache / image, 1, std::size_t{1} << 16));
    if (weights > kMuch) each = std::max(each, kShareMuch);
    return std::min(batch, std::min(each, most) * threads);
  }

  const Graph& graph_;
  const KernelSet& kernels_;
  PlanOptions options_;
  std::vector<OutputStage> stages_;
  Places places_;
  std::vector<Draft> drafts_;
};

}  // namespace

Result<Plan> make_plan(const Graph& graph, const KernelSet& kernels, const PlanOptions& options) {
  std::vector<OutputStage> stages;
  for (int id = 0; id < static_cast<int>(graph.nodes.size()); ++id) {
    NBQ_ASSIGN(OutputStage stage, output_stage(graph, id));
    stages.push_back(std::move(stage));
  }
  return Planner(graph, kernels, options, std::move(stages)).plan();
}

}  // namespace nbq::infer
