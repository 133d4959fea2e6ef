#include "hw/compile.h"

#include <algorithm>
#include <bit>

#include "hw/block_emitter.h"
#include "hw/job.h"

namespace nbq::hw {
namespace {

/// One node to run, with the operand that it absorbs or -1: an addition's convolution, a pad's
/// slice.
struct Step {
  int id;
  int absorbed = -1;
};

/// Channels of zeros alone, around a slice that nothing else reads: one copy does both.
bool pads_a_slice(const Graph& g, const Node& n, const std::vector<std::vector<int>>& readers) {
  const auto* a = std::get_if<PadAttrs>(&n.attrs);
  return a != nullptr && a->top == 0 && a->bottom == 0 && a->left == 0 && a->right == 0 &&
         g.nodes[static_cast<std::size_t>(n.inputs[0])].kind() == OpKind::kSlice &&
         readers[static_cast<std::size_t>(n.inputs[0])].size() == 1;
}

/// Additions absorb their later operand where nothing else reads it and the array computes it in
/// one pass: it is then requantised, added and written at once.
std::vector<Step> plan_steps(const Graph& g) {
  const auto readers = g.consumers();
  const auto absorbable = [&](int id) {
    const OpKind k = g.nodes[static_cast<std::size_t>(id)].kind();
    return readers[static_cast<std::size_t>(id)].size() == 1 &&
           (k == OpKind::kConv2d || k == OpKind::kLinear || k == OpKind::kBatchNorm);
  };
  std::vector<int> absorbed_by(g.nodes.size(), -1);
  std::vector<Step> steps;
  for (int id = 0; id < static_cast<int>(g.nodes.size()); ++id) {
    const Node& n = g.nodes[static_cast<std::size_t>(id)];
    if (pads_a_slice(g, n, readers)) absorbed_by[static_cast<std::size_t>(n.inputs[0])] = id;
    if (n.kind() != OpKind::kAdd || n.inputs[0] == n.inputs[1]) continue;
    const int later = std::max(n.inputs[0], n.inputs[1]);
    const int pick = absorbable(later) ? later : std::min(n.inputs[0], n.inputs[1]);
    if (absorbable(pick)) absorbed_by[static_cast<std::size_t>(pick)] = id;
  }
  for (int id = 0; id < static_cast<int>(g.nodes.size()); ++id) {
    if (absorbed_by[static_cast<std::size_t>(id)] >= 0) continue;
    const auto at = std::find(absorbed_by.begin(), absorbed_by.end(), id);
    steps.push_back(
        {id, at == absorbed_by.end() ? -1 : static_cast<int>(at - absorbed_by.begin())});
  }
  return steps;
}

/// Power of two in the column stride of the reader with the most work: its banks are free of
/// conflicts.
int choose_bank_shift(const Graph& g, int id, const std::vector<std::vector<int>>& readers) {
  int shift = 0;
  std::int64_t most = -1;
  for (const int r : readers[static_cast<std::size_t>(id)]) {
    const Node& n = g.nodes[static_cast<std::size_t>(r)];
    int stride = 1;
    std::int64_t work = n.shape.size();
    if (const auto* c = std::get_if<Conv2dAttrs>(&n.attrs)) {
      stride = c->window.stride_w;
      if (const auto info = describe(g, r); info.ok()) work = info->macs;
    } else if (const auto* m = std::get_if<MaxPoolAttrs>(&n.attrs)) {
      stride = m->window.stride_w;
    } else if (const auto* a = std::get_if<AvgPoolAttrs>(&n.attrs)) {
      stride = a->window.stride_w;
    }
    if (work > most) {
      most = work;
      shift = std::min(7, std::countr_zero(static_cast<unsigned>(stride)));
    }
  }
  return shift;
}

class Compiler {
 public:
  /// loads_next: the image keeps its memory for the whole program, so that the next one can come.
  Compiler(const Graph& g, EngineConfig config, const MemoryLimits& limits, bool sketch,
           bool loads_next)
      : g_(g),
        limits_(limits),
        sketch_(sketch),
        readers_(g.consumers()),
        emitter_(config),
        places_(g.nodes.size()),
        owner_(g.nodes.size()),
        uses_(g.nodes.size(), 0) {
    program_.config = config;
    program_.loads_next = loads_next;
    for (std::size_t id = 0; id < g.nodes.size(); ++id) owner_[id] = static_cast<int>(id);
  }

  Result<Program> run() {
    const std::vector<Step> steps = plan_steps(g_);
    count_uses(steps);
    for (const Step& s : steps) NBQ_TRY(step(s));
    emitter_.finish();
    NBQ_TRY(take_results());
    NBQ_TRY(check_depths());
    return std::move(program_);
  }

 private:
  static std::size_t at(int id) { return static_cast<std::size_t>(id); }
  const Node& node(int id) const { return g_.nodes[at(id)]; }
  /// Node whose memory holds node `id`'s values.
  int owner(int id) const { return owner_[at(id)]; }

  void count_uses(const std::vector<Step>& steps) {
    for (const Step& s : steps)
      for (const int in : operands(s)) ++uses_[at(in)];
  }

  /// Nodes whose memory a step reads.
  std::vector<int> operands(const Step& s) const {
    std::vector<int> ids;
    for (const int in : node(s.id).inputs)
      if (in == s.absorbed)
        ids.insert(ids.end(), node(in).inputs.begin(), node(in).inputs.end());
      else
        ids.push_back(in);
    return ids;
  }

  /// Largest weight that average pooling may use: a code's, and a multiplier's.
  int max_level_log2() const {
    const EngineConfig& c = program_.config;
    const int code = Po2Format{c.code_bits}.max_k() - 1;
    return c.pe != PeKind::kSvpe ? std::min(code, c.mult_bits - 2) : code;
  }

  Status step(const Step& s) {
    const Node& n = node(s.id);
    const EmitContext context{g_, s.id, max_level_log2()};
    NBQ_ASSIGN(ArrayJob job, emit_job(context));
    if (s.id == 0) return place_image();
    if (job.kind == ArrayJob::Kind::kAlias) {
      const int source = owner(n.inputs[0]);
      owner_[at(s.id)] = source;
      uses_[at(source)] += uses_[at(s.id)] - 1;  // its readers read the source
      return ok_status();
    }
    BlockJob block;
    block.node = &n;
    block.job = &job;
    ArrayJob inner;
    if (s.absorbed >= 0) {
      const EmitContext inner_context{g_, s.absorbed, context.max_level_log2};
      NBQ_ASSIGN(inner, emit_job(inner_context));
      if (const auto* pad = std::get_if<PadAttrs>(&n.attrs))
        for (Pass& p : inner.passes) p = pad_channels(p, pad->before_c, node(s.absorbed).shape.c);
      block.job = &inner;
    }
    return emit(s, job, block);
  }

  Result<ArrayJob> emit_job(const EmitContext& context) const {
    NBQ_ASSIGN(ArrayJob job, op_emit(context.node().kind())(context));
    for (Pass& pass : job.passes) pass.sketched = sketch_ && context.node().po2.bits > 0;
    return job;
  }

  Status emit(const Step& s, const ArrayJob& job, BlockJob& block) {
    const Node& n = node(s.id);
    const int main_id = s.absorbed >= 0 ? s.absorbed : s.id;
    block.node = &node(main_id);
    NBQ_ASSIGN(block.stage, output_stage(g_, main_id));
    if (job.residual >= 0) {
      // The addition: which operand is which, and what brings both onto one scale.
      const int residual_operand = residual_operand_of(s);
      const int residual = n.inputs[at(residual_operand)];
      NBQ_ASSIGN(const OutputStage sum, output_stage(g_, s.id));
      block.residual = &places_[at(owner(residual))];
      block.res_lsh_acc = node(n.inputs[at(1 - residual_operand)]).act.exp - sum.exps[0];
      block.res_lsh_res = node(residual).act.exp - sum.exps[0];
      block.res_rsh = sum.shifts[0];
      block.res_lo = sum.lo;
      block.res_hi = sum.hi;
      if (s.absorbed < 0) {  // a plain copy: nothing happens to the first operand before the sum
        const ActFormat& f = node(n.inputs[0]).act;
        block.stage = OutputStage{false, {f.exp}, {0}, f.lo, f.hi};
      }
    }
    std::vector<const TensorPlace*> in;
    for (const int i : node(main_id).inputs) in.push_back(&places_[at(owner(i))]);
    block.in = in;
    block.packed_image =
        s.id != 0 && owner(node(main_id).inputs[0]) == 0 ? &program_.image : nullptr;
    const bool raw = s.id == static_cast<int>(g_.nodes.size()) - 1 && block.stage.raw;
    const int taken = raw ? -1 : replaced_by_sum(s, job);
    if (!raw) NBQ_TRY(place(s.id, taken));
    block.out = raw ? nullptr : &places_[at(s.id)];
    block.out_shape = n.shape;
    const int first = emitter_.instruction_count();
    NBQ_TRY(emitter_.emit(block));
    note_layer(s, first);
    for (const int in_id : operands(s))
      if (owner(in_id) != taken) release(in_id);
    if (s.id == static_cast<int>(g_.nodes.size()) - 1) {
      program_.result.shape = n.shape;
      if (!raw) NBQ_TRY(copy_to_results(s.id));
    }
    return ok_status();
  }

  /// Quantised activations as the network's output: a raw copy into the result memory.
  Status copy_to_results(int id) {
    ArrayJob job{ArrayJob::Kind::kConv, {copy_pass(0, 0, node(id).shape.c)}, -1};
    BlockJob block;
    block.node = &node(id);
    block.job = &job;
    block.stage.raw = true;
    block.plain_copy = true;
    block.in = {&places_[at(owner(id))]};
    block.out_shape = node(id).shape;
    return emitter_.emit(block);
  }

  void note_layer(const Step& s, int first) {
    std::int64_t macs = 0;
    for (const int id : {s.id, s.absorbed})
      if (id >= 0)
        if (const auto info = describe(g_, id); info.ok()) macs += info->macs;
    program_.layers.push_back({node(s.absorbed >= 0 ? s.absorbed : s.id).name, first,
                               emitter_.instruction_count() - first, macs});
    program_.macs += macs;
  }

  /// With one bank there is nothing to shift.
  int bank_shift(int id) const {
    return program_.config.pixels == 1 ? 0 : choose_bank_shift(g_, id, readers_);
  }

  TensorPlace unplaced(int id) const {
    return make_place(node(id).shape, node(id).act.is_signed, bank_shift(id), program_.config);
  }

  /// Of an addition: the operand that is added to what the array computes.
  int residual_operand_of(const Step& s) const {
    return s.absorbed >= 0 && node(s.id).inputs[1] == s.absorbed ? 0 : 1;
  }

  /// The residual operand whose memory the sum may take over, or -1: each of its words is read
  /// before the sum's is written there, and nobody else reads it any more.
  int replaced_by_sum(const Step& s, const ArrayJob& job) const {
    if (job.residual < 0) return -1;
    const int id = owner(node(s.id).inputs[at(residual_operand_of(s))]);
    const TensorPlace &old = places_[at(id)], sum = unplaced(s.id);
    return id != 0 && uses_[at(id)] == 1 && old.shape == sum.shape && old.row == sum.row &&
                   old.bank_shift == sum.bank_shift
               ? id
               : -1;
  }

  /// In memory of its own, or in that of `taken`.
  Status place(int id, int taken) {
    TensorPlace& t = places_[at(id)];
    t = unplaced(id);
    t.base = taken >= 0 ? places_[at(taken)].base : memory_.allocate(t.words());
    return check_activations(id);
  }

  Status check_activations(int id) const {
    if (memory_.high_water() <= limits_.act_depth) return ok_status();
    return make_error(ErrorCode::kUnsupported,
                      "{}: its output and what is still to be read take {} activation words a "
                      "bank, the engine has {}",
                      node(id).name, memory_.high_water(), limits_.act_depth);
  }

  void release(int id) {
    const int source = owner(id);
    if (--uses_[at(source)] != 0) return;
    if (source == 0 && program_.loads_next)
      emitter_.load_image();
    else
      memory_.release(places_[at(source)].base);
  }

  Status place_image() {
    ImageLayout& layout = program_.image;
    layout.image = node(0).shape;
    pack_first_layer(layout);
    TensorPlace& t = places_[0];
    t.base = memory_.allocate(t.words());
    layout.place = t;
    return check_activations(0);
  }

  /// Packs the taps of a convolution that alone reads the image, whichever way takes the fewest
  /// words.
  void pack_first_layer(ImageLayout& layout) {
    TensorPlace& t = places_[0];
    const Shape image = node(0).shape;
    t = make_place(image, true, bank_shift(0), program_.config);
    if (readers_[0].size() != 1 || limits_.packing == ImagePacking::kNone) return;
    const Node& n = node(readers_[0][0]);
    const auto* conv = std::get_if<Conv2dAttrs>(&n.attrs);
    if (conv == nullptr || conv->groups != 1) return;
    const Window& w = conv->window;
    const int lanes = program_.config.lanes_in;
    const auto words = [&](int channels) { return (channels + lanes - 1) / lanes; };
    const int plain = words(image.c) * w.kernel_h * w.kernel_w;
    const int by_row = words(image.c * w.kernel_w) * w.kernel_h;
    const int whole =
        limits_.packing == ImagePacking::kRow ? plain : words(image.c * w.kernel_w * w.kernel_h);
    if (std::min(by_row, whole) >= plain) return;
    layout.window = w;
    layout.taps_x = w.kernel_w;
    layout.taps_y = whole < by_row ? w.kernel_h : 1;
    const Shape packed{image.c * layout.taps_x * layout.taps_y,
                       layout.taps_y > 1 ? n.shape.h : image.h, n.shape.w};
    t = make_place(packed, true, 0, program_.config);
  }

  /// Name of the layer that an instruction belongs to.
  std::string layer_of(int instruction) const {
    std::string name;
    for (const LayerSpan& s : program_.layers)
      if (s.first_instruction <= instruction) name = s.name;
    return name;
  }

  Status take_results() {
    program_.instructions = emitter_.take_instructions();
    NBQ_ASSIGN(WeightPlan plan,
               plan_weights(emitter_.weights(), program_.instructions, limits_.weight_depth,
                            program_.config.axi_bits > 0, [this](int i) { return layer_of(i); }));
    program_.weights = std::move(plan.resident);
    program_.stream = std::move(plan.stream);
    program_.stream_words = plan.stream_words;
    program_.ring = static_cast<int>(plan.ring);
    program_.params = emitter_.take_params();
    EngineConfig& c = program_.config;
    fit_shifts(c);
    const auto depth = [](std::size_t words, int at_least, int rows_a_word = 1) {
      const auto step = static_cast<std::size_t>(std::max(1, kDepthStep / rows_a_word));
      const std::size_t most = std::max(words, static_cast<std::size_t>(at_least));
      return static_cast<int>((most + step - 1) / step * step);
    };
    const auto lanes = static_cast<std::size_t>(c.lanes_in);
    c.act_depth = std::min(limits_.act_depth,
                           depth(static_cast<std::size_t>(memory_.high_water()), c.act_depth));
    c.weight_depth = program_.stream_words == 0
                         ? std::min(limits_.weight_depth,
                                    depth(static_cast<std::size_t>(plan.depth), c.weight_depth))
                         : static_cast<int>(plan.depth);  // the ring ends with the memory
    c.param_depth = depth(program_.params.size() / lanes, c.param_depth);
    const Shape& out = program_.result.shape;
    const std::size_t results = ((static_cast<std::size_t>(out.c) + lanes - 1) / lanes) *
                                static_cast<std::size_t>(out.h * out.w);
    // A single word is a register, or a row for each of its slices.
    c.result_depth =
        results == 1 && c.result_depth == 1 ? 1 : depth(results, c.result_depth, c.out_cycles);
    c.program_depth = depth(program_.instructions.size() * kInstrWords, c.program_depth);
    return ok_status();
  }

  /// How far the output stage must shift up.
  void fit_shifts(EngineConfig& c) const {
    for (const Instruction& i : program_.instructions)
      if (i.res_en != 0) {
        c.align_bits = std::max(
            {c.align_bits, static_cast<int>(i.res_lsh_acc), static_cast<int>(i.res_lsh_res)});
        c.left_bits = std::max(c.left_bits, -static_cast<int>(i.res_rsh));
      }
    for (const Program::Param& p : program_.params) c.left_bits = std::max(c.left_bits, -p.shift);
  }

  Status check_depths() const {
    const EngineConfig& c = program_.config;
    const std::pair<const char*, int> memories[] = {{"activation words a bank", c.act_depth},
                                                    {"weight words", c.weight_depth},
                                                    {"parameter words", c.param_depth},
                                                    {"result words", c.result_depth}};
    for (const auto& [name, depth] : memories)
      if (depth > kMaxDepth)
        return make_error(ErrorCode::kUnsupported,
                          "{}: needs {} {}, the engine addresses {}; more lanes make wider words",
                          g_.name.empty() ? "the network" : g_.name, depth, name, kMaxDepth);
    return ok_status();
  }

  const Graph& g_;
  MemoryLimits limits_;
  bool sketch_;
  std::vector<std::vector<int>> readers_;
  BlockEmitter emitter_;
  std::vector<TensorPlace> places_;
  std::vector<int> owner_;
  std::vector<int> uses_;  ///< reads that are still to come of each owner's memory
  WordAllocator memory_;
  Program program_;
};

/// Widths and units that the network needs.
Result<EngineConfig> fit_widths(const Graph& g, EngineConfig c) {
  NBQ_ASSIGN(const std::vector<int> acc, prove_acc_bits(g));
  c.acc_bits = std::max({c.acc_bits, kMinAccBits, *std::max_element(acc.begin(), acc.end())});
  for (const Node& n : g.nodes) {
    c.code_bits = std::max({c.code_bits, n.po2.bits, 2});
    c.act_bits = std::max(c.act_bits, n.act.bits);
    c.max_pool = c.max_pool || n.kind() == OpKind::kMaxPool;
  }
  return c;
}

Status check_lanes(const EngineConfig& c) {
  const auto pow2 = [](int v) { return v > 0 && std::has_single_bit(static_cast<unsigned>(v)); };
  if (!pow2(c.lanes_in) || c.lanes_in < 2 || c.lanes_in > kMaxLanesIn || !pow2(c.pixels) ||
      c.pixels > kMaxPixels || c.lanes_out < c.lanes_in || c.lanes_out % c.lanes_in != 0 ||
      c.lanes_out / c.lanes_in > kMaxOutWords)
    return make_error(
        ErrorCode::kInvalidArgument,
        "lanes {}x{}x{}: lanes_in must be a power of two in 2..256, lanes_out 1..15 times "
        "lanes_in, pixels a power of two in 1..32",
        c.lanes_in, c.lanes_out, c.pixels);
  if (!pow2(c.out_cycles) || c.out_cycles > c.lanes_in)
    return make_error(ErrorCode::kInvalidArgument,
                      "{} cycles a word in the output stage: must be a power of two, lanes_in ({}) "
                      "at most",
                      c.out_cycles, c.lanes_in);
  if (c.act_digits < 1 || c.act_digits > 2 || (c.act_digits > 1 && c.pe != PeKind::kSvpe))
    return make_error(ErrorCode::kInvalidArgument,
                      "activations of {} digits: must be 1, or 2 for shift elements", c.act_digits);
  if (c.act_digits > c.out_cycles)
    return make_error(ErrorCode::kInvalidArgument,
                      "activations of 2 digits with {} cycle a word in the output stage: a word "
                      "is written in 2, so --out-cycles must be 2 at least",
                      c.out_cycles);
  if (c.images < 1 || c.images > kMaxImages)
    return make_error(ErrorCode::kInvalidArgument, "{} images at once: must be 1..{}", c.images,
                      kMaxImages);
  return ok_status();
}

/// With the next image's loading in the program if the activations leave room for it.
Result<Program> compile_within(const Graph& g, const EngineConfig& config,
                               const MemoryLimits& limits, bool sketch) {
  if (config.axi_bits > 0) {
    auto program = Compiler(g, config, limits, sketch, true).run();
    if (program.ok()) return program;
  }
  return Compiler(g, config, limits, sketch, false).run();
}

}  // namespace

void take_least_depths(EngineConfig& c) {
  c.act_depth = c.weight_depth = c.param_depth = 2;
  c.result_depth = 1;
  c.program_depth = 2 * kInstrWords;
}

EngineConfig least_engine() {
  EngineConfig c;
  c.max_pool = false;
  c.align_bits = c.left_bits = 0;
  c.code_bits = c.act_bits = 2;
  c.acc_bits = kMinAccBits;
  take_least_depths(c);
  return c;
}

Result<Program> compile(const Graph& graph, const EngineConfig& wanted,
                        const MemoryLimits& limits) {
  NBQ_TRY(check_lanes(wanted));
  NBQ_TRY(verify_integer(graph));
  Graph g = graph;
  NBQ_TRY(infer_shapes(g));
  NBQ_ASSIGN(const EngineConfig config, fit_widths(g, wanted));
  return compile_within(g, config, limits, false);
}

Result<ProgramSketch> ProgramSketch::create(const Graph& graph) {
  NBQ_TRY(verify_integer(graph));
  ProgramSketch sketch;
  sketch.graph_ = graph;
  NBQ_TRY(infer_shapes(sketch.graph_));
  NBQ_ASSIGN(sketch.least_, fit_widths(sketch.graph_, least_engine()));
  for (Node& n : sketch.graph_.nodes) n.po2.codes = {};
  return sketch;
}

Result<Program> ProgramSketch::program(const EngineConfig& wanted,
                                       const MemoryLimits& limits) const {
  NBQ_TRY(check_lanes(wanted));
  EngineConfig config = wanted;
  config.code_bits = std::max(config.code_bits, least_.code_bits);
  config.act_bits = std::max(config.act_bits, least_.act_bits);
  config.acc_bits = std::max(config.acc_bits, least_.acc_bits);
  config.max_pool = config.max_pool || least_.max_pool;
  NBQ_ASSIGN(Program program, compile_within(graph_, config, limits, true));
  program.weights.clear();  // those of layers without codes: pooling, copies
  program.stream.clear();
  return program;
}

}  // namespace nbq::hw
