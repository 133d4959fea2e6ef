#include "infer/engine.h"

#include <algorithm>
#include <chrono>
#include <system_error>
#include <thread>

#include "core/log.h"
#include "core/pool.h"
#include "infer/aligned_bytes.h"
#include "infer/plan.h"
#include "infer/team.h"
#include "model/quantise.h"

namespace nbq::infer {
namespace {

/// What one call at a time needs for itself.
struct Context {
  Context(const Plan& plan, int threads)
      : team(threads),
        arena(plan.arena_bytes),
        scratch(padded(plan.scratch_bytes) * static_cast<std::size_t>(threads)),
        scratch_each(padded(plan.scratch_bytes)) {}

  static std::size_t padded(std::size_t bytes) {
    constexpr std::size_t kLine = AlignedBytes::kAlignment;
    return (bytes + kLine - 1) / kLine * kLine + kLine;  // neighbours don't share a line
  }

  Team team;
  AlignedBytes arena, scratch;
  std::size_t scratch_each;
};

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

struct Engine::State {
  KernelSet kernels;
  Plan plan;
  Shape image;
  std::vector<std::string> class_names;
  int logit_exp = 0;
  std::string isa;
  int threads = 1;
  Pool<Context> contexts;

  Status add_contexts(int count);
  Status check_sizes(std::size_t pixels, int n, std::size_t logits) const;
  /// step_seconds: null, or where each step's time is added up by the first thread.
  void run(Context& c, const std::uint8_t* pixels, int n, std::int64_t* logits,
           std::vector<double>* step_seconds);
};

Status Engine::State::add_contexts(int count) try {
  for (int i = 0; i < count; ++i) contexts.add(std::make_unique<Context>(plan, threads));
  return ok_status();
} catch (const std::system_error& e) {
  return make_error(ErrorCode::kInvalidArgument,
                    "{} contexts of {} threads: the system gives no more threads ({}); ask for "
                    "fewer",
                    count, threads, e.what());
}

Status Engine::State::check_sizes(std::size_t pixels, int n, std::size_t logits) const {
  if (n < 1) return make_error(ErrorCode::kInvalidArgument, "{} images; at least one is needed", n);
  const auto count = static_cast<std::uint64_t>(n);
  const auto size = static_cast<std::uint64_t>(image.size());
  if (pixels != size * count)
    return make_error(ErrorCode::kInvalidArgument, "{} pixels; {} images of {}x{}x{} have {}",
                      pixels, n, image.c, image.h, image.w, size * count);
  const std::uint64_t want = static_cast<std::uint64_t>(plan.outputs) * count;
  if (logits != want)
    return make_error(ErrorCode::kInvalidArgument,
                      "room for {} logits; {} images of {} outputs have {}", logits, n,
                      plan.outputs, want);
  return ok_status();
}

void Engine::State::run(Context& c, const std::uint8_t* pixels, int n, std::int64_t* logits,
                        std::vector<double>* step_seconds) {
  const auto work = [&](int thread) {
    Worker w{};
    w.arena = c.arena.data();
    w.scratch = c.scratch.data() + c.scratch_each * static_cast<std::size_t>(thread);
    w.thread = thread;
    w.threads = threads;
    for (int first = 0; first < n; first += plan.images) {
      w.pixels = pixels + image.size() * first;
      w.logits = logits + plan.outputs * first;
      w.images = std::min(plan.images, n - first);
      for (std::size_t s = 0; s < plan.steps.size(); ++s) {
        const bool timed = step_seconds != nullptr && thread == 0;
        const double start = timed ? now() : 0;
        plan.steps[s]->run(w);
        c.team.meet();
        if (timed) (*step_seconds)[s] += now() - start;
      }
    }
    if (kernels.leave != nullptr) kernels.leave();
  };
  c.team.run(std::ref(work));  // a copy of it would be allocated
}

Engine::Engine(std::unique_ptr<State> state) : state_(std::move(state)) {}
Engine::Engine(Engine&&) noexcept = default;
Engine& Engine::operator=(Engine&&) noexcept = default;
Engine::~Engine() = default;

namespace {

Result<EngineOptions> checked(EngineOptions o) {
  if (o.threads == 0)
    o.threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  if (o.threads < 1 || o.threads > Team::kMaxThreads)
    return make_error(ErrorCode::kInvalidArgument,
                      "{} threads; allowed are 1..{}, or 0 for one a core", o.threads,
                      Team::kMaxThreads);
  constexpr int kMostContexts = 1024, kMostBatch = 1 << 16;
  if (o.contexts < 1 || o.contexts > kMostContexts)
    return make_error(ErrorCode::kInvalidArgument, "{} contexts; allowed are 1..{}", o.contexts,
                      kMostContexts);
  if (o.batch < 1 || o.batch > kMostBatch)
    return make_error(ErrorCode::kInvalidArgument, "a batch of {}; allowed are 1..{}", o.batch,
                      kMostBatch);
  return o;
}

}  // namespace

Result<Engine> Engine::create(Graph graph, const EngineOptions& given) {
  NBQ_ASSIGN(const EngineOptions o, checked(given));
  NBQ_TRY(verify_integer(graph));
  NBQ_TRY(infer_shapes(graph));
  NBQ_ASSIGN(const IsaRow* row, choose_isa(o.isa));
  auto state = std::make_unique<State>();
  state->kernels = make_kernels(*row);
  state->isa = row->name;
  state->threads = o.threads;
  NBQ_ASSIGN(state->plan, make_plan(graph, state->kernels, {o.batch, o.threads, o.convolution}));
  state->image = graph.input().shape;
  state->class_names = graph.class_names;
  const Node& last = graph.output();
  NBQ_ASSIGN(const OutputStage stage,
             output_stage(graph, static_cast<int>(graph.nodes.size()) - 1));
  state->logit_exp = last.act.quantised() ? last.act.exp : stage.exps[0];
  NBQ_TRY(state->add_contexts(o.contexts));
  log_debug(
      "{}: {} kernels, {} threads, {} images together, {} bytes of weights, {} of activations",
      graph.name, state->isa, o.threads, state->plan.images, state->plan.weight_bytes,
      state->plan.arena_bytes);
  return Engine(std::move(state));
}

Status Engine::check_sizes(std::size_t pixels, int n, std::size_t logits) const {
  return state_->check_sizes(pixels, n, logits);
}

Status Engine::run(std::span<const std::uint8_t> pixels, int n,
                   std::span<std::int64_t> logits) const {
  NBQ_TRY(check_sizes(pixels.size(), n, logits.size()));
  const auto context = state_->contexts.take();
  state_->run(*context, pixels.data(), n, logits.data(), nullptr);
  return ok_status();
}

Result<std::vector<LayerTime>> Engine::profile(std::span<const std::uint8_t> pixels, int n,
                                               int repeats) const {
  std::vector<std::int64_t> logits(static_cast<std::size_t>(state_->plan.outputs) *
                                   static_cast<std::size_t>(std::max(n, 0)));
  NBQ_TRY(check_sizes(pixels.size(), n, logits.size()));
  const auto& steps = state_->plan.steps;
  std::vector<std::vector<double>> times(steps.size());
  const auto context = state_->contexts.take();
  for (int r = 0; r < repeats; ++r) {
    std::vector<double> once(steps.size(), 0);
    state_->run(*context, pixels.data(), n, logits.data(), &once);
    for (std::size_t s = 0; s < steps.size(); ++s) times[s].push_back(once[s]);
  }
  std::vector<LayerTime> layers;
  for (std::size_t s = 0; s < steps.size(); ++s) {
    auto& t = times[s];
    std::nth_element(t.begin(), t.begin() + static_cast<std::ptrdiff_t>(t.size() / 2), t.end());
    LayerTime layer{steps[s]->name, steps[s]->how(),          t.empty() ? 0 : t[t.size() / 2],
                    steps[s]->macs, steps[s]->weight_bytes(), 0};
    for (const auto* list : {&steps[s]->reads, &steps[s]->writes})
      for (const int b : *list)
        layer.activation_bytes += static_cast<std::size_t>(
            state_->plan.buffers[static_cast<std::size_t>(b)].image_bytes());
    layers.push_back(std::move(layer));
  }
  return layers;
}

const Shape& Engine::image() const { return state_->image; }
int Engine::outputs() const { return static_cast<int>(state_->plan.outputs); }
int Engine::logit_exp() const { return state_->logit_exp; }
const std::string& Engine::isa() const { return state_->isa; }
int Engine::threads() const { return state_->threads; }
int Engine::images_together() const { return state_->plan.images; }
std::size_t Engine::weight_bytes() const { return state_->plan.weight_bytes; }
std::size_t Engine::arena_bytes() const { return state_->plan.arena_bytes; }
const std::vector<std::string>& Engine::class_names() const { return state_->class_names; }
const KernelSet& Engine::kernels() const { return state_->kernels; }

}  // namespace nbq::infer
