#include "hw/layer_table.h"

#include <algorithm>

namespace nbq::hw {
namespace {

std::string row(const EngineConfig& config, const std::string& name, std::int64_t macs,
                const CycleCounts& c, std::size_t width) {
  const std::uint64_t other =
      c.total - c.busy - c.residual - c.drain - c.barrier - c.fetch - c.memory;
  return fmt::format("{:{}} {:>11} {:>11} {:>8} {:>9} {:>8} {:>7} {:>8} {:>7} {:>6.1f} {:>6.1f}\n",
                     name, width, macs, c.total, c.residual, c.drain, c.barrier, c.fetch, c.memory,
                     other, 100 * array_busy(c), 100 * lanes_used(config, macs, c));
}

}  // namespace

double lanes_used(const EngineConfig& config, std::int64_t macs, const CycleCounts& cycles) {
  const double slots = static_cast<double>(config.lanes()) * static_cast<double>(cycles.total);
  return slots > 0 ? static_cast<double>(macs) * config.act_digits * config.images / slots : 0;
}

double array_busy(const CycleCounts& cycles) {
  return cycles.total > 0 ? static_cast<double>(cycles.busy) / static_cast<double>(cycles.total)
                          : 0;
}

std::string layer_table(const Program& program, const Timing& timing) {
  std::size_t width = 5;
  for (const LayerSpan& layer : program.layers) width = std::max(width, layer.name.size());
  std::string text =
      fmt::format("{:{}} {:>11} {:>11} {:>8} {:>9} {:>8} {:>7} {:>8} {:>7} {:>6} {:>6}\n", "layer",
                  width, "MAC", "cycles", "residual", "drain", "barrier", "fetch", "memory",
                  "other", "busy%", "lanes%");
  for (std::size_t i = 0; i < program.layers.size(); ++i)
    text += row(program.config, program.layers[i].name, program.layers[i].macs, timing.layers[i],
                width);
  return text + row(program.config, "all", program.macs, timing.all, width);
}

}  // namespace nbq::hw
