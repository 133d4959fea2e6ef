#include "hw/energy/slice_bench.h"

#include <atomic>
#include <bit>
#include <cmath>
#include <future>
#include <thread>

#include "core/po2_code.h"

namespace nbq::hw {
namespace {

/// One slice, driven window by window.
class SliceBench {
 public:
  explicit SliceBench(const SimulatedSlice& slice)
      : request_(slice.request),
        n_(slice.netlist),
        dsps_(slice.dsps),
        sim_(n_, slice.electrical, static_cast<int>(1e6 / request_.clock_mhz)),
        latency_(1 + static_cast<std::size_t>(element_latency(request_.config))) {}

  /// Runs the window; false when a drain register differs from the sum it should hold.
  bool run(const StimulusWindow& window) {
    const auto o = static_cast<std::size_t>(request_.outputs);
    const auto want =
        expected_sums(window, request_.config.lanes_in, request_.outputs, request_.config.acc_bits);
    set("clear_i", 0, 1, 1);
    apply(window, 0, false);
    for (std::size_t i = 0; i < latency_ + 1; ++i) step(false);
    set("clear_i", 0, 1, 0);
    bool right = true, known = false;
    for (std::size_t t = 0; t < window.cycles() && right; ++t) {
      apply(window, t, window.valid[t] != 0);
      step(t >= window.warm_up);
      if (t < latency_) continue;
      known = known || window.last[t - latency_] != 0;
      for (std::size_t m = 0; m < o && known && right; ++m, ++checked_)
        right = drain(m) == want[(t - latency_) * o + m];
    }
    return right;
  }

  const Activity& activity() const { return sim_.activity(); }
  std::int64_t checked() const { return checked_; }

 private:
  /// The blocks' registers take what is there before the edge.
  void step(bool count) {
    for (DspBlock& d : dsps_) d.clock(sim_);
    for (const DspBlock& d : dsps_) d.drive(sim_);
    sim_.step(count);
  }

  void set(const std::string& port, std::size_t first, int bits, std::uint64_t value) {
    const auto found = n_.inputs.find(port);
    if (found == n_.inputs.end()) return;
    for (std::size_t i = 0; i < static_cast<std::size_t>(bits); ++i)
      sim_.set(found->second[first + i], ((value >> i) & 1) != 0);
  }

  void apply(const StimulusWindow& window, std::size_t t, bool valid) {
    const EngineConfig& c = request_.config;
    const auto lanes = static_cast<std::size_t>(c.lanes_in);
    const auto weights = lanes * static_cast<std::size_t>(request_.outputs);
    const int x_bits = c.operand_bits(), w_bits = c.weight_bits();
    set("valid_i", 0, 1, valid ? 1 : 0);
    set("last_i", 0, 1, window.last[t]);
    for (std::size_t i = 0; i < lanes; ++i)
      set("x_i", i * static_cast<std::size_t>(x_bits), x_bits,
          static_cast<std::uint64_t>(std::int64_t{window.x[t * lanes + i]}));
    for (std::size_t i = 0; i < weights; ++i)
      set("w_i", i * static_cast<std::size_t>(w_bits), w_bits, encode(window.w[t * weights + i]));
  }

  std::uint64_t encode(std::int32_t weight) const {
    if (request_.config.pe == PeKind::kVpe) return static_cast<std::uint64_t>(std::int64_t{weight});
    const auto magnitude = static_cast<unsigned>(weight < 0 ? -weight : weight);
    return Po2Code::make({request_.config.code_bits}, weight < 0, std::bit_width(magnitude)).raw;
  }

  std::int64_t drain(std::size_t output) const {
    const auto bits = static_cast<std::size_t>(request_.config.acc_bits);
    const std::vector<int>& nets = n_.outputs.at("drain_o");
    std::uint64_t v = 0;
    for (std::size_t i = 0; i < bits; ++i)
      v |= static_cast<std::uint64_t>(sim_.value(nets[output * bits + i])) << (64 - bits + i);
    return static_cast<std::int64_t>(v) >> (64 - bits);
  }

  const SliceRequest& request_;
  const Netlist& n_;
  std::vector<DspBlock> dsps_;
  GateSim sim_;
  std::size_t latency_;  ///< from a tap's cycle to its sum in the drain registers
  std::int64_t checked_ = 0;
};

}  // namespace

std::vector<WindowResult> run_windows(const SimulatedSlice& slice, const Stimulus& stimulus,
                                      int threads) {
  std::vector<WindowResult> results(stimulus.windows.size());
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < results.size(); i = next++) {
      SliceBench bench(slice);
      results[i].right = bench.run(stimulus.windows[i]);
      results[i].activity = bench.activity();
      results[i].checked = bench.checked();
    }
  };
  const unsigned wanted =
      threads > 0 ? static_cast<unsigned>(threads) : std::thread::hardware_concurrency();
  std::vector<std::future<void>> others;  // unlike threads they bring exceptions along
  for (unsigned i = 1; i < std::max(1u, wanted); ++i)
    others.push_back(std::async(std::launch::async, work));
  work();
  for (std::future<void>& o : others) o.get();
  return results;
}

double relative_error(const std::vector<double>& v) {
  double mean = 0, squares = 0;
  for (const double x : v) mean += x / static_cast<double>(v.size());
  for (const double x : v) squares += (x - mean) * (x - mean);
  const auto n = static_cast<double>(v.size());
  return v.size() < 2 || mean == 0 ? 0 : std::sqrt(squares / (n - 1) / n) / mean;
}

}  // namespace nbq::hw
