#include "cli/evaluate.h"
#include "cli/hardware.h"
#include "hw/program_model.h"
#include "infer/isa.h"
#include "model/nbq_file.h"
#include "train/executor.h"

namespace nbq::cli {
namespace {

struct CheckOptions {
  std::string model, data, pe = "svpe";
  std::size_t images = 4;
  int threads = 0;
  bool no_rtl = false;
  EngineOptions engine;
};

struct Outcome {
  std::string name;
  std::size_t images = 0, mismatches = 0;
};

using Logits = std::vector<std::int64_t>;

/// The trainer's evaluation, a few images at a time to bound memory.
Result<Logits> torch_all(const Graph& g, const TestImages& t) {
  constexpr std::size_t kBatch = 50;
  const std::size_t bytes = t.pixels.size() / t.count;
  Logits all;
  for (std::size_t i = 0; i < t.count; i += kBatch) {
    const std::size_t n = std::min(kBatch, t.count - i);
    NBQ_ASSIGN(const Logits some, torch_logits(g, std::span(t.pixels).subspan(i * bytes, n * bytes),
                                               static_cast<int>(n)));
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

Result<Logits> model_all(const hw::Program& program, const TestImages& t) {
  NBQ_ASSIGN(hw::Engine engine, hw::Engine::open(hw::make_program_model(program.config), program));
  const std::size_t bytes = t.pixels.size() / t.count;
  Logits all;
  const auto at_once = static_cast<std::size_t>(program.config.images);
  for (std::size_t i = 0; i < t.count; i += at_once) {
    const std::size_t n = std::min(at_once, t.count - i);
    NBQ_ASSIGN(const hw::EngineRun run,
               engine.run(std::span(t.pixels).subspan(i * bytes, n * bytes)));
    all.insert(all.end(), run.logits.begin(), run.logits.end());
  }
  return all;
}

/// The CPU engine, with the kernels of every instruction set that this machine has; where those can
/// convolve in two ways, each of them, too.
Status check_engine(const RefExecutor& ref, const TestImages& t, const Logits& want,
                    std::vector<Outcome>& outcomes) {
  constexpr std::pair<infer::Convolution, const char*> kWays[] = {
      {infer::Convolution::kFastest, ""},
      {infer::Convolution::kTaps, " taps"},
      {infer::Convolution::kWinograd, " winograd"}};
  for (const infer::IsaRow& row : infer::isa_rows()) {
    if (!row.available) continue;
    for (const auto& [how, name] : kWays) {
      infer::EngineOptions o;
      o.isa = row.name;
      o.convolution = how;
      NBQ_ASSIGN(const infer::Engine engine, infer::Engine::create(ref.graph(), o));
      if (how != infer::Convolution::kFastest && engine.kernels().winograd.input == nullptr)
        continue;
      NBQ_ASSIGN(const Logits got, runner(engine)(t.pixels, static_cast<int>(t.count)));
      outcomes.push_back({fmt::format("cpu {}{}", row.name, name), t.count,
                          count_mismatches(want, got, static_cast<std::size_t>(ref.outputs()))});
    }
  }
  return ok_status();
}

Result<std::vector<Outcome>> check_all(const CheckOptions& o, const RefExecutor& ref,
                                       const TestImages& t) {
  const auto outputs = static_cast<std::size_t>(ref.outputs());
  NBQ_ASSIGN(const Logits want, reference_logits(ref, t));
  std::vector<Outcome> outcomes{{"ref", t.count, 0}};
  NBQ_ASSIGN(const Logits torch, torch_all(ref.graph(), t));
  outcomes.push_back({"trainer", t.count, count_mismatches(want, torch, outputs)});
  NBQ_TRY(check_engine(ref, t, want, outcomes));
  for (const hw::PeKind kind : {hw::PeKind::kSvpe, hw::PeKind::kVpe}) {
    if (o.pe != "both" && o.pe != hw::pe_name(kind)) continue;
    NBQ_ASSIGN(const hw::Program program,
               hw::compile(ref.graph(), o.engine.wanted(kind), o.engine.limits));
    NBQ_ASSIGN(const Logits model, model_all(program, t));
    outcomes.push_back({std::string(hw::pe_name(kind)) + " program", t.count,
                        count_mismatches(want, model, outputs)});
    if (o.no_rtl) continue;
    NBQ_ASSIGN(const SimOutcome sim, simulate(program, t.pixels, t.count, o.threads));
    outcomes.push_back({std::string(hw::pe_name(kind)) + " rtl", t.count,
                        count_mismatches(want, sim.logits, outputs)});
  }
  return outcomes;
}

Status check_command(const CheckOptions& o, Context& context) {
  NBQ_ASSIGN(Graph graph, load_nbq(o.model));
  NBQ_ASSIGN(const RefExecutor ref, RefExecutor::create(std::move(graph)));
  NBQ_ASSIGN(const TestImages t, test_images(ref.graph(), o.data, o.images));
  NBQ_ASSIGN(const std::vector<Outcome> outcomes, check_all(o, ref, t));
  std::size_t mismatches = 0;
  auto list = nlohmann::ordered_json::array();
  std::string text;
  for (const Outcome& c : outcomes) {
    mismatches += c.mismatches;
    list.push_back({{"name", c.name}, {"images", c.images}, {"mismatches", c.mismatches}});
    text += fmt::format("{:<23} {:>6} images  {} mismatches\n", c.name, c.images, c.mismatches);
  }
  text += mismatches == 0 ? "bit-exact\n" : "NOT bit-exact\n";
  context.print(
      {{"model", o.model}, {"images", t.count}, {"mismatches", mismatches}, {"executors", list}},
      text);
  if (mismatches != 0) context.exit = 1;
  return ok_status();
}

}  // namespace

void add_check(CLI::App& app, Context& context) {
  auto o = std::make_shared<CheckOptions>();
  CLI::App* cmd =
      add_command(app, context, "check",
                  "prove trainer, reference, CPU engine, accelerator program and RTL bit-exact",
                  [o, &context] { return check_command(*o, context); });
  cmd->add_option("model", o->model, "integer .nbq file")->required();
  cmd->add_option("--data", o->data, "test images: digits or a folder [random pixels]");
  cmd->add_option("--images", o->images, "how many [4]")->check(CLI::Range(1, kMaxImages));
  cmd->add_option("--pe", o->pe, "svpe, vpe or both [svpe]")
      ->check(CLI::IsMember({"svpe", "vpe", "both"}));
  cmd->add_flag("--no-rtl", o->no_rtl, "leave the Verilated RTL out (needs no tool)");
  cmd->add_option("--threads", o->threads, "0: one a core")->check(CLI::NonNegativeNumber);
  o->engine.add_to(*cmd, false);
}

}  // namespace nbq::cli
