#include <algorithm>
#include <bit>
#include <functional>
#include <optional>

#include "cli/hardware.h"
#include "core/fixed_point.h"
#include "hw/energy/energy.h"
#include "hw/energy/engine_energy.h"
#include "hw/energy/toggles.h"
#include "model/nbq_file.h"

namespace nbq::cli {
namespace {

struct EnergyOptions {
  std::string model, data, liberty, target, pe = "both";
  std::vector<std::string> dont_use;
  std::size_t images = 4;
  int threads = 0, slice_outputs = 0;
  /// A slice on an FPGA is whole: copies of activations serve several output channels.
  int outputs() const {
    return slice_outputs > 0 ? slice_outputs : target.empty() ? 2 : engine.config.lanes_in;
  }
  double clock_mhz = 50, wire_ff = 0, memory_pj = 0;
  bool whole = false;  ///< the rest of the engine, too
  hw::Sampling sampling;
  EngineOptions engine;
};

/// One line of the table: an element with the weights that it is fed.
struct Row {
  std::string key, name;
  hw::EnergyResult result;
  std::optional<hw::EngineEnergy> engine;  ///< with --engine: what is around the array
};

/// What an image costs in the whole array, of which the slice is a part.
struct PerImage {
  double pj_per_mac = 0, settled_pj_per_mac = 0, uj = 0, mw = 0;
};

PerImage per_image(const hw::EnergyResult& r, const hw::Program& program,
                   const hw::Stimulus& stimulus) {
  const double slices = static_cast<double>(program.config.lanes()) / r.lanes();
  const double cycles = static_cast<double>(stimulus.image_cycles) * slices;
  const double macs = static_cast<double>(program.macs);
  return {r.pj_per_cycle(true) * cycles / macs, r.pj_per_cycle(false) * cycles / macs,
          r.pj_per_cycle(true) * cycles * 1e-6,
          r.pj_per_cycle(true) * slices * r.slice.clock_mhz * 1e-3};
}

/// A multiply-accumulate in the whole engine, pJ.
struct PerMac {
  double array = 0, rest = 0, memories = 0;
  double sum() const { return array + rest + memories; }
};

PerMac per_mac(const Row& row, const EnergyOptions& o, const hw::Program& program,
               const hw::Stimulus& stimulus) {
  const int images = o.engine.config.images;
  const double one_cycle =
      static_cast<double>(stimulus.image_cycles) / static_cast<double>(program.macs) / images;
  const hw::EnginePart all = row.engine->all(images);
  const double arrays = static_cast<double>(program.config.lanes()) / row.result.lanes() * images;
  return {row.result.pj_per_cycle(true) * arrays * one_cycle, all.pj * one_cycle,
          (all.read_bits + all.write_bits) * o.memory_pj * one_cycle};
}

nlohmann::ordered_json engine_json(const hw::EngineEnergy& e, const PerMac& p) {
  const auto part = [](const hw::EnginePart& x) {
    return nlohmann::ordered_json{{"pj_per_cycle", x.pj},
                                  {"pj_per_cycle_without_glitches", x.settled_pj},
                                  {"read_bits_per_cycle", x.read_bits},
                                  {"write_bits_per_cycle", x.write_bits},
                                  {"cells", x.cells},
                                  {"flip_flops", x.flip_flops}};
  };
  return {{"shared", part(e.shared)},
          {"image", part(e.image)},
          {"cycles", e.cycles},
          {"signals_compared", e.compared},
          {"late_transitions", e.late},
          {"pj_per_mac",
           {{"array", p.array}, {"rest", p.rest}, {"memories", p.memories}, {"all", p.sum()}}}};
}

/// The whole engine beside the array: what each row's multiply-accumulate takes.
void add_engines(const EnergyOptions& o, const hw::Program& program, const hw::Stimulus& stimulus,
                 const std::vector<Row>& rows, nlohmann::ordered_json& j, std::string& text) {
  text +=
      fmt::format("\nwhole engine of {} images at once: pJ/MAC    array   rest  memories    all\n",
                  o.engine.config.images);
  j["memory_pj_per_bit"] = o.memory_pj;
  j["images_at_once"] = o.engine.config.images;
  double first = 0;
  for (const Row& row : rows) {
    if (!row.engine) continue;
    const PerMac p = per_mac(row, o, program, stimulus);
    j[row.key]["engine"] = engine_json(*row.engine, p);
    text += fmt::format("{:<41} {:>10.3f} {:>6.3f} {:>9.3f} {:>6.3f}", row.name, p.array, p.rest,
                        p.memories, p.sum());
    if (row.key == "svpe") {
      first = p.sum();
    } else if (first > 0) {
      j["engine_energy_ratio"][row.key] = first / p.sum();
      text += fmt::format("   SVPE : this {:.1f} %", 100 * first / p.sum());
    }
    text += "\n";
  }
}

nlohmann::ordered_json row_json(const Row& row, const PerImage& p) {
  const hw::EnergyResult& r = row.result;
  const auto cycles = static_cast<double>(r.activity.cycles);
  const auto part = [&](const hw::SwitchingEnergy& e) {
    return nlohmann::ordered_json{{"nets", e.nets / cycles},
                                  {"gates", e.gates / cycles},
                                  {"registers", e.registers / cycles},
                                  {"clock", r.clock_pj},
                                  {"leakage", r.leakage_pj}};
  };
  const auto power = [](const hw::PowerTotals& t) {
    return nlohmann::ordered_json{
        {"internal_w", t.internal}, {"switching_w", t.switching}, {"leakage_w", t.leakage}};
  };
  return {{"pe", hw::pe_name(r.slice.config.pe)},
          {"acc_bits", r.slice.config.acc_bits},
          {"mult_bits", r.slice.config.mult_bits},
          {"pj_per_mac", p.pj_per_mac},
          {"pj_per_lane_cycle", r.pj_per_cycle(true) / r.lanes()},
          {"uj_per_image", p.uj},
          {"array_mw", p.mw},
          {"pj_per_mac_without_glitches", p.settled_pj_per_mac},
          {"standard_error", r.error},
          {"slice_lanes", r.lanes()},
          {"area", r.area},
          {"cells", r.cells},
          {"flip_flops", r.flip_flops},
          {"worst_slack_ns", r.sta.slack_ns},
          {"pj_per_cycle", part(r.activity.all)},
          {"pj_per_cycle_without_glitches", part(r.activity.settled)},
          {"transitions_per_cycle", static_cast<double>(r.activity.transitions) / cycles},
          {"transitions_per_cycle_without_glitches",
           static_cast<double>(r.activity.settled_transitions) / cycles},
          {"cycles_simulated", r.activity.cycles},
          {"sums_checked", r.sums_checked},
          {"uniform_activity", {{"opensta", power(r.sta.power)}, {"nbq", power(r.uniform)}}}};
}

std::string table(const std::vector<Row>& rows, const std::vector<PerImage>& images) {
  std::string text =
      "array                       pJ/MAC (no glitches)  uJ/image   mW     +-     area a lane  "
      "slack ns\n";
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const hw::EnergyResult& r = rows[i].result;
    text +=
        fmt::format("{:<26} {:>7.3f} {:>13.3f} {:>10.2f} {:>7.1f} {:>5.1f} % {:>12.0f} {:>9.2f}\n",
                    rows[i].name, images[i].pj_per_mac, images[i].settled_pj_per_mac, images[i].uj,
                    images[i].mw, 100 * r.error, r.area / r.lanes(), r.sta.slack_ns);
  }
  return text;
}

/// The arrays that --pe asks for, one after the other: multipliers of 16 and of 8 bits, fed with
/// the network's own weights, and with weights of all those bits, which are what multipliers are
/// for; accumulators are then as much wider as the weights are.
using Measure =
    std::function<Status(const std::string& key, const std::string& name,
                         const hw::SliceRequest& request, const hw::Stimulus& stimulus)>;
Status each_array(const EnergyOptions& o, const hw::Program& program, const hw::Stimulus& stimulus,
                  const Measure& measure) {
  hw::SliceRequest request{program.config, o.outputs(), o.clock_mhz};
  if (o.pe != "vpe") NBQ_TRY(measure("svpe", "SVPE", request, stimulus));
  for (const int bits : {16, 8}) {
    if (o.pe == "svpe") break;
    request.config = program.config;
    request.config.pe = hw::PeKind::kVpe;
    request.config.mult_bits = bits;
    if (2 * stimulus.max_weight <= 1 << (bits - 1))
      NBQ_TRY(measure(fmt::format("vpe{}", bits), fmt::format("VPE {}, the same weights", bits),
                      request, stimulus));
    const hw::Stimulus dense = hw::with_dense_weights(stimulus, bits, o.sampling.seed);
    const int wider = std::bit_width(static_cast<unsigned>(dense.max_weight)) -
                      std::bit_width(static_cast<unsigned>(stimulus.max_weight));
    request.config.acc_bits =
        std::clamp(request.config.acc_bits + wider, hw::kMinAccBits, kMaxAccBits);
    NBQ_TRY(measure(fmt::format("vpe{}_dense", bits),
                    fmt::format("VPE {}, {}-bit weights", bits, bits), request, dense));
  }
  return ok_status();
}

/// What `o` says of the run, for both kinds of figures.
nlohmann::ordered_json head_json(const EnergyOptions& o, const hw::Program& program,
                                 const hw::Stimulus& stimulus, std::size_t images) {
  nlohmann::ordered_json j{{"model", o.model}};
  j.update(config_json(program.config));
  j.erase("pe");
  j["images"] = images;
  j["windows"] = o.sampling.windows;
  j["cycles_a_window"] = o.sampling.cycles;
  j["seed"] = o.sampling.seed;
  j["cycles_per_image"] = stimulus.image_cycles;
  j["macs"] = program.macs;
  return j;
}

/// The engine around a row's array; of multipliers with the weights that they are for, if those of
/// the network, which the RTL runs with, fit as well.
Status measure_rest(const EnergyOptions& o, const Graph& graph, const hw::SliceRequest& request,
                    const hw::CellLibrary& library, std::span<const std::uint8_t> pixels,
                    int max_weight, Row& row) {
  const bool shifts = request.config.pe == hw::PeKind::kSvpe;
  const int bits = request.config.mult_bits;
  if (!shifts && (!row.key.ends_with("_dense") || 2 * max_weight > 1 << (bits - 1)))
    return ok_status();
  hw::EngineEnergyRequest e;
  e.config = o.engine.wanted(request.config.pe);
  hw::take_least_depths(e.config);
  e.config.mult_bits = bits;
  e.config.acc_bits = request.config.acc_bits;
  e.clock_mhz = o.clock_mhz;
  e.wire_ff = o.wire_ff;
  e.dense_bits = shifts ? 0 : bits;
  e.seed = o.sampling.seed;
  NBQ_ASSIGN(row.engine, hw::measure_engine(graph, e, library, pixels));
  return ok_status();
}

/// Energy in standard cells.
Status in_gates(const EnergyOptions& o, const Graph& graph, const hw::Program& program,
                const hw::Stimulus& stimulus, std::span<const std::uint8_t> pixels,
                nlohmann::ordered_json& j, std::string& text) {
  NBQ_ASSIGN(const hw::CellLibrary library, hw::load_cell_library(o.liberty, o.dont_use));
  std::vector<Row> rows;
  NBQ_TRY(each_array(o, program, stimulus,
                     [&](const std::string& key, const std::string& name,
                         const hw::SliceRequest& request, const hw::Stimulus& s) -> Status {
                       NBQ_ASSIGN(hw::EnergyResult r,
                                  hw::measure_energy(request, s, library, o.wire_ff, o.threads));
                       rows.push_back({key, name, std::move(r), {}});
                       if (!o.whole) return ok_status();
                       return measure_rest(o, graph, request, library, pixels, stimulus.max_weight,
                                           rows.back());
                     }));
  j["liberty"] = o.liberty;
  j["library"] = library.name;
  j["voltage"] = library.voltage;
  j["clock_mhz"] = o.clock_mhz;
  j["wire_ff"] = o.wire_ff;
  std::vector<PerImage> images;
  for (const Row& row : rows) {
    images.push_back(per_image(row.result, program, stimulus));
    j[row.key] = row_json(row, images.back());
  }
  text = table(rows, images);
  for (std::size_t i = 1; i < rows.size() && o.pe == "both"; ++i) {
    const double ratio = images[0].mw / images[i].mw;
    j["power_ratio"][rows[i].key] = ratio;
    text += fmt::format("SVPE : {} {:.1f} % at equal array and clock\n", rows[i].name, 100 * ratio);
  }
  if (o.whole) add_engines(o, program, stimulus, rows, j, text);
  return ok_status();
}

/// Toggles on an FPGA's wires.
Status on_fpga(const EnergyOptions& o, const hw::Program& program, const hw::Stimulus& stimulus,
               nlohmann::ordered_json& j, std::string& text) {
  const auto target = o.target == "xcup" ? hw::SynthTarget::kXcup : hw::SynthTarget::kEcp5;
  j["target"] = o.target;
  text = "array                      toggles/MAC  pins/MAC     +-    LUT    FF   DSP a lane\n";
  double first = 0, first_pins = 0;
  return each_array(
      o, program, stimulus,
      [&](const std::string& key, const std::string& name, const hw::SliceRequest& request,
          const hw::Stimulus& s) -> Status {
        NBQ_ASSIGN(const hw::ToggleResult r, hw::measure_toggles(request, target, s, o.threads));
        const double lanes = r.lanes();
        const double per_mac = static_cast<double>(stimulus.image_cycles) * program.config.lanes() /
                               lanes / static_cast<double>(program.macs);
        const double all = r.toggles() * per_mac, pins = r.pins() * per_mac;
        j[key] = {{"pe", hw::pe_name(request.config.pe)},
                  {"mult_bits", request.config.mult_bits},
                  {"toggles_per_mac", all},
                  {"pins_per_mac", pins},
                  {"toggles_per_image", all * static_cast<double>(program.macs)},
                  {"standard_error", r.error},
                  {"slice_lanes", r.lanes()},
                  {"lut", r.luts},
                  {"ff", r.flip_flops},
                  {"dsp", r.dsps},
                  {"cycles_simulated", r.activity.cycles},
                  {"sums_checked", r.sums_checked}};
        text += fmt::format("{:<26} {:>11.2f} {:>9.2f} {:>4.1f} % {:>6.1f} {:>5.1f} {:>5.2f}", name,
                            all, pins, 100 * r.error, r.luts / lanes, r.flip_flops / lanes,
                            r.dsps / lanes);
        if (key == "svpe") {
          first = all;
          first_pins = pins;
        } else if (first > 0) {
          j["toggle_ratio"][key] = first / all;
          j["pin_ratio"][key] = first_pins / pins;
          text += fmt::format("   SVPE : this {:.2f}, pins {:.2f}", first / all, first_pins / pins);
        }
        text += "\n";
        return ok_status();
      });
}

Status energy_command(const EnergyOptions& o, Context& context) {
  if (o.liberty.empty() == o.target.empty())
    return make_error(
        ErrorCode::kInvalidArgument,
        "give --liberty FILE for energy in standard cells, or --target for toggles on "
        "an FPGA's wires");
  NBQ_ASSIGN(const Graph graph, load_nbq(o.model));
  hw::EngineConfig one = o.engine.wanted(hw::PeKind::kSvpe);
  one.images = 1;  // the others are alike
  if (o.whole) hw::take_least_depths(one);
  NBQ_ASSIGN(const hw::Program program, hw::compile(graph, one));
  NBQ_ASSIGN(const TestImages t, test_images(graph, o.data, o.images));
  if (o.whole && t.count < 2)
    return make_error(ErrorCode::kInvalidArgument, "--engine runs two images: --images 2 at least");
  NBQ_ASSIGN(const hw::Stimulus stimulus,
             hw::record_stimulus(program, t.pixels, o.outputs(), o.sampling));
  nlohmann::ordered_json j = head_json(o, program, stimulus, t.count);
  std::string text;
  NBQ_TRY(o.target.empty() ? in_gates(o, graph, program, stimulus, t.pixels, j, text)
                           : on_fpga(o, program, stimulus, j, text));
  context.print(j, text);
  return ok_status();
}

}  // namespace

void add_energy(CLI::App& app, Context& context) {
  auto o = std::make_shared<EnergyOptions>();
  CLI::App* cmd = add_command(app, context, "energy",
                              "energy of the arrays in gates, from the network's own activity",
                              [o, &context] { return energy_command(*o, context); });
  cmd->add_option("model", o->model, "integer .nbq file")->required();
  cmd->add_option("--liberty", o->liberty, "timing and power of a standard-cell library (.lib)");
  CLI::Option* target =
      cmd->add_option("--target", o->target,
                      "instead: toggles on the wires of a family's FPGA, xcup or ecp5")
          ->check(CLI::IsMember({"xcup", "ecp5"}));
  cmd->add_option("--data", o->data, "test images: digits or a folder [random pixels]");
  cmd->add_option("--images", o->images, "how many [4]")->check(CLI::Range(1, kMaxImages));
  cmd->add_option("--pe", o->pe, "svpe, vpe or both [both]")
      ->check(CLI::IsMember({"svpe", "vpe", "both"}));
  cmd->add_option("--dont-use", o->dont_use, "cells to leave out, by pattern: '*lpflow*'");
  cmd->add_option("--clock-mhz", o->clock_mhz, "clock that both are mapped for [50]")
      ->check(CLI::PositiveNumber);
  cmd->add_option("--wire-ff", o->wire_ff, "femtofarad of wire for each pin that a net drives [0]")
      ->check(CLI::NonNegativeNumber);
  cmd->add_flag(
      "--engine", o->whole,
      "the rest of the engine in gates, too: a whole run of two images, compared with the "
      "RTL in every cycle (minutes)");
  cmd->add_option(
         "--memory-pj", o->memory_pj,
         "with --engine: pJ of a bit of memory in a cycle in which it is read or written [0: not "
         "counted]")
      ->check(CLI::NonNegativeNumber);
  cmd->add_option("--windows", o->sampling.windows, "windows of cycles that are simulated [64]")
      ->check(CLI::Range(1, 1 << 20));
  cmd->add_option("--cycles", o->sampling.cycles, "cycles of a window [64]")
      ->check(CLI::Range(1, 1 << 20));
  cmd->add_option("--seed", o->sampling.seed, "chooses the windows and the 16-bit weights [1]");
  cmd->add_option("--slice-outputs", o->slice_outputs,
                  "output channels of the slice that is mapped [2; with --target lanes-in]")
      ->check(CLI::Range(1, hw::kMaxLanesIn));
  cmd->add_option("--threads", o->threads, "0: one a core")->check(CLI::NonNegativeNumber);
  o->engine.add_to(*cmd, false);
  for (const char* of_cells :
       {"--liberty", "--dont-use", "--clock-mhz", "--wire-ff", "--engine", "--memory-pj"})
    target->excludes(cmd->get_option(of_cells));
  // The array alone is looked at, with the multipliers of --pe.
  for (const char* option :
       {"--mult-bits", "--axi-bits", "--weight-depth", "--act-depth", "--act-digits"})
    cmd->remove_option(cmd->get_option(option));
}

}  // namespace nbq::cli
