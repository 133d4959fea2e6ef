#pragma once
#include <array>
#include <string_view>
#include <vector>

#include "hw/engine_config.h"
#include "hw/synth.h"

namespace nbq::hw {

/// What LUTs and flip-flops of an engine grow with, in the order of resource_term_names(). The
/// coefficients are fitted to yosys's counts by bench/fit_resources and lie in resource_model.def.
std::vector<double> resource_terms(const EngineConfig& config);
const std::vector<std::string_view>& resource_term_names();

/// What an engine will take, without synthesis, in microseconds: dsp exactly, bram and lutram as
/// memory_resources(), lut and ff fitted (resource_model.def says how well); carry is not
/// estimated.
Resources estimate_resources(const EngineConfig& config, SynthTarget target);

/// A synthesis that the coefficients were fitted to.
struct ResourceRun {
  EngineConfig config;
  SynthTarget target;
  int lut, ff, dsp;
  double bram;
};
const std::vector<ResourceRun>& resource_runs();

}  // namespace nbq::hw
