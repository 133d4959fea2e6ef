// The program model against the Verilated RTL: integers, counters, and how much faster it is:
// bench/cycle_model MODEL.nbq [options]
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <random>

#include "hw/engine.h"
#include "hw/layer_table.h"
#include "hw/program_model.h"
#include "hw/sim.h"
#include "hw/timing.h"
#include "model/nbq_file.h"

namespace nbq::hw {
namespace {

struct Options {
  std::string model, pe = "svpe";
  int lanes_in = 8, lanes_out = 8, pixels = 4, rounds = 20;
  bool rtl = true, layers = false, json = false;
};

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

CycleCounts counts(const EngineRun& r) {
  return {r.compute_cycles, r.busy_cycles,    r.residual_cycles,
          r.drain_cycles,   r.barrier_cycles, r.fetch_cycles};
}

struct Measured {
  EngineRun run;
  double seconds = 0;  ///< an image, the least of all rounds
};

Result<Measured> measure(std::unique_ptr<Device> device, const Program& program,
                         const std::vector<std::uint8_t>& pixels, int rounds) {
  NBQ_ASSIGN(Engine engine, Engine::open(std::move(device), program));
  Measured m;
  for (int i = 0; i < rounds; ++i) {
    const double start = now();
    NBQ_ASSIGN(m.run, engine.run(pixels));
    const double took = now() - start;
    if (i == 0 || took < m.seconds) m.seconds = took;
  }
  return m;
}

nlohmann::ordered_json json_of(const Measured& m) {
  const CycleCounts c = counts(m.run);
  return {{"seconds", m.seconds},   {"cycles", c.total},        {"busy", c.busy},
          {"residual", c.residual}, {"drain", c.drain},         {"barrier", c.barrier},
          {"fetch", c.fetch},       {"load", m.run.load_cycles}};
}

void print_layers(const Program& program, bool json) {
  const Timing timing = predict(program);
  if (!json) {
    std::fputs(layer_table(program, timing).c_str(), stdout);
    return;
  }
  auto rows = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < program.layers.size(); ++i)
    rows.push_back({{"name", program.layers[i].name},
                    {"macs", program.layers[i].macs},
                    {"cycles", timing.layers[i].total},
                    {"busy", timing.layers[i].busy}});
  const nlohmann::ordered_json j{{"lanes", program.config.lanes()}, {"layers", rows}};
  std::printf("%s\n", j.dump(2).c_str());
}

/// Compares both; what differs is an error.
Status compare(const Options& o) {
  NBQ_ASSIGN(const Graph graph, load_nbq(o.model));
  EngineConfig wanted;
  wanted.pe = o.pe == "vpe" ? PeKind::kVpe : PeKind::kSvpe;
  wanted.lanes_in = o.lanes_in;
  wanted.lanes_out = o.lanes_out;
  wanted.pixels = o.pixels;
  wanted.acc_bits = kMinAccBits;
  NBQ_ASSIGN(const Program program, compile(graph, wanted));
  if (o.layers) {
    print_layers(program, o.json);
    return ok_status();
  }
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(program.image.image.size()));
  std::mt19937 rng(1);
  for (auto& p : pixels) p = static_cast<std::uint8_t>(rng());

  const double start = now();
  constexpr int kPredictions = 100;
  CycleCounts predicted;
  for (int i = 0; i < kPredictions; ++i) predicted = predict(program).all;
  const double predict_s = (now() - start) / kPredictions;
  NBQ_ASSIGN(const Measured model,
             measure(make_program_model(program.config), program, pixels, o.rounds));
  nlohmann::ordered_json j{{"model", o.model},
                           {"lanes", program.config.lanes()},
                           {"predict_seconds", predict_s},
                           {"program_model", json_of(model)}};
  bool equal = predicted == counts(model.run);
  if (o.rtl) {
    constexpr int kRtlRounds = 3;
    NBQ_ASSIGN(auto device, open_sim(program.config));
    NBQ_ASSIGN(const Measured rtl, measure(std::move(device), program, pixels, kRtlRounds));
    j["rtl"] = json_of(rtl);
    j["times_faster"] = rtl.seconds / model.seconds;
    equal = equal && rtl.run.logits == model.run.logits && counts(rtl.run) == predicted &&
            rtl.run.load_cycles == model.run.load_cycles;
  }
  j["equal"] = equal;
  if (o.json) {
    std::printf("%s\n", j.dump(2).c_str());
  } else {
    std::printf("prediction alone  %.6f s  %llu cycles\nprogram model     %.6f s an image\n",
                predict_s, static_cast<unsigned long long>(predicted.total), model.seconds);
    if (o.rtl)
      std::printf("Verilated RTL     %.6f s an image, %.0f times the program model's\n",
                  j["rtl"]["seconds"].get<double>(), j["times_faster"].get<double>());
    std::printf("integers and counters: %s\n", equal ? "equal" : "DIFFERENT (see --json)");
  }
  if (!equal) return make_error(ErrorCode::kBadFile, "the program model and the RTL differ");
  return ok_status();
}

int run(int argc, char** argv) {
  Options o;
  CLI::App app{"the program model against the Verilated RTL"};
  app.add_option("model", o.model, "integer .nbq file")->required();
  app.add_option("--pe", o.pe, "svpe or vpe [svpe]")->check(CLI::IsMember({"svpe", "vpe"}));
  app.add_option("--lanes-in", o.lanes_in, "[8]");
  app.add_option("--lanes-out", o.lanes_out, "[8]");
  app.add_option("--pixels", o.pixels, "[4]");
  app.add_option("--rounds", o.rounds, "images through the program model; the fastest counts [20]")
      ->check(CLI::Range(1, 100000));
  app.add_flag("!--no-rtl", o.rtl, "the program model alone");
  app.add_flag("--layers", o.layers,
               "prints the table of layers from the prediction, runs nothing");
  app.add_flag("--json", o.json, "one JSON object on stdout");
  CLI11_PARSE(app, argc, argv);
  if (const Status s = compare(o); !s.ok()) {
    std::fprintf(stderr, "cycle_model: %s\n", s.error().message.c_str());
    return exit_code(s.error());
  }
  return 0;
}

}  // namespace
}  // namespace nbq::hw

int main(int argc, char** argv) { return nbq::hw::run(argc, argv); }
