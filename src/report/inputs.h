#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/result.h"

/// What the other commands left in a folder, as the report needs it. Only the JSON is shared with
/// them: the report links neither the trainer nor the accelerator.
namespace nbq::report {

/// An epoch of run/metrics.json. Accuracies in percent; absent: not measured.
struct Epoch {
  int phase = 0;     ///< from 0
  std::string kind;  ///< "float", "quantised"
  std::optional<double> loss, train_accuracy, validation_accuracy, test_accuracy;
  double alpha = 1;
  std::optional<double> lr;
};

/// Counts of values in equal bins over [lo, hi].
struct Histogram {
  double lo = 0, hi = 0;
  std::vector<std::int64_t> counts;  ///< empty: not measured
};

struct LayerWeights {
  std::string layer;
  int bits = 0;
  Histogram before, after;  ///< W when the quantised phase began; W at its end
  std::vector<std::pair<std::int64_t, std::int64_t>>
      levels;  ///< integer level, how often; ascending
};

struct Confusion {
  std::vector<std::string> classes;
  /// A row for each class: images of it that were given the column's. Empty: not measured.
  std::vector<std::vector<std::int64_t>> images;
};

struct Training {
  std::string name;
  std::optional<double> float_accuracy, nbit_accuracy;
  double seconds = 0;
  std::vector<Epoch> epochs;
  std::vector<LayerWeights> weights;
  Confusion confusion;

  /// Whether the last evaluation, which `confusion` is of, was of the integer network.
  bool evaluated_in_integers() const;
};

struct BitsEffect {
  std::int64_t bits = 0;
  std::optional<double> loss_rise;  ///< absent: the loss was no number
  double accuracy_fall = 0;         ///< percentage points
};

struct LayerSensitivity {
  std::string layer;
  std::int64_t weights = 0, base_bits = 0;
  std::vector<BitsEffect> at;
};

/// sensitivity.json
struct Sensitivity {
  std::int64_t images = 0;
  double loss = 0, accuracy = 0;  ///< of the base
  std::vector<LayerSensitivity> layers;
};

/// eval.json, of the integer network.
struct Evaluation {
  std::int64_t images = 0, correct = 0;
  double accuracy = 0;  ///< percent
  Confusion confusion;
};

/// How many images an executor computed, and how many logit vectors differed from the reference.
struct Checked {
  std::string name;
  std::int64_t images = 0, mismatches = 0;
};

struct Check {
  std::int64_t images = 0, mismatches = 0;
  std::vector<Checked> executors;
};

struct Layer {
  std::string name, op;
  std::int64_t shape[3] = {0, 0, 0};
  std::int64_t params = 0, macs = 0;
  std::int64_t weight_bits = 0, act_bits = 0, acc_bits = 0;  ///< 0: has none
  std::int64_t code_bytes = 0;                               ///< of packed weight codes
};

struct ModelInfo {
  std::string name;
  std::int64_t model_bytes = 0, float_bytes = 0, weight_bits = 0, act_bits = 0, params = 0,
               macs = 0;
  std::vector<Layer> layers;
};

/// Of one run; residual additions are in the layer before them.
struct LayerCycles {
  std::string name;
  std::int64_t macs = 0;        ///< of one image
  double cycles = 0, busy = 0;  ///< busy: the array took a tap
  double utilisation = 0;       ///< useful lane-cycles / all lane-cycles
};

/// What the compiler knows of a program before it runs: compile.json, and part of sim_*.json.
struct Schedule {
  std::string pe;
  std::int64_t lanes_in = 0, lanes_out = 0, pixels = 0, images_at_once = 1;
  std::int64_t act_digits = 1;  ///< cycles in which an activation enters the array
  std::int64_t axi_bits = 0;    ///< of the bus to external memory; 0: none
  std::vector<LayerCycles> layers;

  std::int64_t lanes() const { return lanes_in * lanes_out * pixels * images_at_once; }
};

/// sim_*.json: means over the images.
struct Simulation {
  std::int64_t lanes_in = 0, lanes_out = 0, pixels = 0, lanes = 0, acc_bits = 0;
  std::vector<std::int64_t> depths;  ///< of the memories; empty: the file does not say
  double clock_mhz = 0;
  std::int64_t images = 0, mismatches = 0;
  double cycles =
      0;  ///< start to done; its causes follow and add up to it but for a few hand-over cycles
  double busy = 0, residual = 0, drain = 0, barrier = 0, fetch = 0;
  double load = 0;         ///< image in and logits out through the host port, not in `cycles`
  double utilisation = 0;  ///< useful lane-cycles / all lane-cycles
  std::optional<double> accuracy;
  std::optional<Schedule> schedule;
};

/// synth_*.json: cells after technology mapping.
struct Resources {
  double lut = 0, ff = 0, dsp = 0, bram = 0;
};

/// One of the two arrays.
struct Array {
  std::optional<Simulation> sim;
  std::optional<Resources> xcup, ecp5;
};

/// A layer on the CPU engine, of bench.json: of one call.
struct CpuLayer {
  std::string name;
  double us = 0;
  double macs = 0, bytes = 0;  ///< bytes: weights and activations, each once
};

/// bench.json
struct CpuSpeed {
  std::string isa;
  std::int64_t threads = 0, batch = 0;
  double images_per_s = 0, median_ms = 0;
  /// With --layers: of one core at best, and the layers.
  double peak_gmacs = 0, memory_gbytes = 0;
  std::vector<CpuLayer> layers;
};

/// An array of energy.json. The parts of `pj_per_mac` are in `pj_per_lane_cycle`'s proportions.
struct ArrayEnergy {
  std::string pe;
  std::int64_t mult_bits = 0;
  bool dense = false;  ///< fed with weights of all those bits, not with the network's
  double pj_per_mac = 0, settled_pj_per_mac = 0;  ///< settled: without glitches
  double uj_per_image = 0, array_mw = 0;
  double standard_error = 0;  ///< relative
  double area_per_lane = 0;   ///< the library's unit, square micrometres
  double nets = 0, gates = 0, registers = 0, clock = 0, leakage = 0;  ///< pJ a cycle of the slice
  std::optional<double> power_ratio;  ///< the SVPE's power : this one's
};

/// energy.json
struct Energy {
  std::string library;
  double voltage = 0, clock_mhz = 0, wire_ff = 0;
  std::int64_t lanes = 0, images = 0, windows = 0, window_cycles = 0;
  std::vector<ArrayEnergy> arrays;  ///< SVPE first
};

/// All of a folder; what no file told is absent.
struct Inputs {
  std::optional<Training> training;        ///< run/metrics.json, or metrics.json of a run folder
  std::optional<Sensitivity> sensitivity;  ///< sensitivity.json, there or beside metrics.json
  std::optional<Evaluation> eval;          ///< eval.json
  std::optional<Check> check;              ///< check.json
  std::optional<ModelInfo> info;           ///< info.json
  Array svpe, vpe;                   ///< sim_{svpe,vpe}.json, synth_{svpe,vpe}_{xcup,ecp5}.json
  std::optional<Schedule> compiled;  ///< compile.json
  std::optional<Energy> energy;      ///< energy.json
  std::optional<CpuSpeed> bench;     ///< bench.json

  /// Cycles of the layers: of the simulations (SVPE first), else the compiler's; or nullptr.
  const Schedule* schedule() const;
  /// Of eval.json, else of the training; or nullptr.
  const Confusion* confusion() const;
  /// Whether confusion() is the integer network's.
  bool confusion_in_integers() const;
  bool has_accuracy() const;  ///< of the integer network
};

/// What stands in for files that are absent, as the commands print it with --json; empty: nothing.
struct StandIns {
  std::string info, compiled;
};

/// Reads the files that exist. Errors kBadFile: damaged JSON, a key missing or of the wrong kind
/// (names file and key), a file about another thing than its name says, no such folder, none of the
/// files.
Result<Inputs> read_inputs(const std::filesystem::path& dir, const StandIns& stand_ins = {});

}  // namespace nbq::report
