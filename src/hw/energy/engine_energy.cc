#include "hw/energy/engine_energy.h"

#include <algorithm>
#include <bit>
#include <future>
#include <map>
#include <set>

#include "core/fixed_point.h"
#include "core/po2_code.h"
#include "hw/bit_reader.h"
#include "hw/energy/gates.h"
#include "hw/energy/stimulus.h"
#include "hw/engine.h"
#include "hw/sim.h"
#include "hw/word_packer.h"

namespace nbq::hw {
namespace {

/// The engine's gates; memories and elements become ports, named as their instances.
Result<Gates> map_engine(const EngineConfig& config, double clock_mhz, const CellLibrary& library) {
  GateRequest r;
  r.top = engine_top(config);
  NBQ_ASSIGN(r.parameters, engine_parameters(config));
  NBQ_ASSIGN(r.sources, rtl_sources());
  r.clock_mhz = clock_mhz;
  // The library has no asynchronous pins. Copies become its cells at once: yosys would merge
  // equals.
  r.prepare =
      "blackbox *nbq_elements* *nbq_ram_piece*\n"
      "proc\nasync2sync\nsimplemap *nbq_copy*/t:$dff\ndfflibmap -liberty cells.lib *nbq_copy*\n"
      "setattr -mod -unset keep_hierarchy *\nflatten\nexpose -evert\nopt_clean\n";
  return map_gates(r, library);
}

/// A name as Verilator and yosys agree on it: without the engine's own, the probe's, and scopes
/// without a name.
std::string port_of(std::string_view path) {
  if (const auto at = path.find("nbq_engine."); at != path.npos) path.remove_prefix(at + 11);
  std::string name(path);
  for (const std::string_view drop : {"u_probe.", "genblk1."})
    for (auto at = name.find(drop); at != name.npos; at = name.find(drop))
      name.erase(at, drop.size());
  const auto last = name.rfind('.') + 1;  // 0 without one
  if (name.compare(last, 2, "p_") == 0) name.erase(last, 2);
  return name;
}

/// Registers without a reset have what they should when nothing of before it is under way.
constexpr std::int64_t kAfterReset = 64;

/// The gates beside the RTL, cycle by cycle.
class EngineGates final : public SignalProbe {
 public:
  EngineGates(const EngineEnergyRequest& request, const EngineConfig& config,
              const Netlist& netlist, const Electrical& electrical)
      : r_(request),
        c_(config),
        sim_(netlist, electrical, static_cast<int>(1e6 / request.clock_mhz)) {
    for (const auto& [name, nets] : netlist.inputs) inputs_[port_of(name)] = &nets;
    for (const auto& [name, nets] : netlist.outputs) outputs_[port_of(name)] = &nets;
  }

  void open(int id, std::string_view path, int width) override {
    Signal s;
    s.name = port_of(path);
    s.width = width;
    s.words.resize(static_cast<std::size_t>((width + 31) / 32));
    const auto in = inputs_.find(s.name), out = outputs_.find(s.name);
    if (in != inputs_.end()) {
      s.driven = in->second;
      driven_.insert(s.name);
    }
    if (out != outputs_.end()) s.compared = out->second;
    const auto ends = [&](std::string_view with) { return s.name.ends_with(with); };
    if (r_.dense_bits > 0 && s.name.find("u_weights.") != s.name.npos) s.dense = ends("rdata_o");
    // The arrays' weights are others then, and so is what memories are told to keep.
    if (r_.dense_bits > 0 && ends("w_i")) s.compared = nullptr;
    if (s.name.find("u_piece.") != s.name.npos) {
      s.enable = ends(".re_i") ? kRead : ends(".we_i") ? kWrite : kNone;
      if (ends(".rdata_o")) piece_bits_[s.name.substr(0, s.name.size() - 8)] = width;
    }
    NBQ_CHECK(id == static_cast<int>(signals_.size()));
    signals_.push_back(std::move(s));
  }

  void value(int id, const std::uint32_t* bits) override {
    Signal& s = signals_[static_cast<std::size_t>(id)];
    if (!std::equal(s.words.begin(), s.words.end(), bits)) {
      std::copy_n(bits, s.words.size(), s.words.begin());
      s.changed = true;
    }
    if (s.name == "busy_o") busy_ = (bits[0] & 1) != 0;
    if (++values_ == signals_.size()) cycle();
  }

  /// Empty, or where gates and RTL differ first; a port that nothing drives is a difference, too.
  std::string difference() const {
    for (const auto& [name, nets] : inputs_)
      if (!driven_.contains(name) && !name.starts_with("mem_"))
        return fmt::format("the RTL has no signal {}", name);
    return compared_ == 0 ? "no signal was compared" : difference_;
  }
  const Activity& activity() const { return sim_.activity(); }
  std::int64_t compared() const { return compared_; }
  double read_bits() const { return bits_[kRead]; }
  double write_bits() const { return bits_[kWrite]; }

 private:
  enum Enable : std::uint8_t { kNone, kRead, kWrite };
  struct Signal {
    std::string name;
    int width = 0;
    const std::vector<int>*driven = nullptr, *compared = nullptr;
    bool dense = false, changed = true;
    Enable enable = kNone;
    std::vector<std::uint32_t> words;
  };

  void cycle() {
    values_ = 0;
    for (Signal& s : signals_) {
      if (s.driven != nullptr && s.changed) drive(s);
      if (s.enable != kNone && busy_) count(s);
      s.changed = false;
    }
    sim_.step(busy_);
    for (const Signal& s : signals_)
      if (s.compared != nullptr && difference_.empty() && cycles_ > kAfterReset) compare(s);
    ++cycles_;
  }

  void drive(const Signal& s) {
    const std::vector<std::uint32_t> other =
        s.dense ? dense(s.words) : std::vector<std::uint32_t>();
    const std::vector<std::uint32_t>& words = s.dense ? other : s.words;
    for (std::size_t i = 0; i < s.driven->size(); ++i)
      sim_.set((*s.driven)[i], ((words[i / 32] >> (i % 32)) & 1) != 0);
  }

  /// A word of integer weights made such that use all their bits.
  std::vector<std::uint32_t> dense(const std::vector<std::uint32_t>& words) const {
    const int bits = c_.mult_bits;
    std::vector<std::int32_t> weights(static_cast<std::size_t>(c_.lanes_in * c_.lanes_out));
    BitReader in(words);
    for (std::int32_t& w : weights) w = static_cast<std::int32_t>(sign_extend(in.take(bits), bits));
    densify(weights, Po2Format{c_.code_bits}.max_level(), r_.dense_bits, r_.seed);
    WordPacker out;
    for (const std::int32_t w : weights)
      out.append(static_cast<std::uint64_t>(std::int64_t{w}), bits);
    return out.words();
  }

  void count(const Signal& s) {
    int on = 0;
    for (const std::uint32_t w : s.words) on += std::popcount(w);
    const double bits = piece_bits_.at(s.name.substr(0, s.name.size() - 5));
    bits_[s.enable] += on * bits / s.width;
  }

  void compare(const Signal& s) {
    for (std::size_t i = 0; i < s.compared->size(); ++i)
      if (sim_.value((*s.compared)[i]) != (((s.words[i / 32] >> (i % 32)) & 1) != 0)) {
        difference_ = fmt::format("bit {} of {} in cycle {}", i, s.name, cycles_);
        return;
      }
    ++compared_;
  }

  const EngineEnergyRequest& r_;
  const EngineConfig& c_;
  GateSim sim_;
  std::map<std::string, const std::vector<int>*> inputs_, outputs_;
  std::set<std::string> driven_;
  std::map<std::string, int> piece_bits_;
  std::vector<Signal> signals_;
  std::size_t values_ = 0;  ///< of this cycle so far
  bool busy_ = false;
  double bits_[3] = {};
  std::int64_t cycles_ = 0, compared_ = 0;
  std::string difference_;
};

struct Measured {
  EnginePart part;
  std::int64_t cycles = 0, compared = 0;
  double late = 0;
};

/// `images` at once.
Result<Measured> measure(const Graph& graph, const EngineEnergyRequest& r,
                         const CellLibrary& library, std::span<const std::uint8_t> pixels,
                         int images) {
  EngineConfig wanted = r.config;
  wanted.images = images;
  NBQ_ASSIGN(const Program program, compile(graph, wanted));
  const EngineConfig& c = program.config;
  if (std::max(c.lanes_in * c.lanes_out * c.weight_bits(), c.pixels * c.lanes_out * c.acc_bits) >
      kMostSignalBits)
    return make_error(ErrorCode::kInvalidArgument,
                      "{}x{}x{} lanes: words of weights or sums of more than {} bits; take less",
                      c.lanes_in, c.lanes_out, c.pixels, kMostSignalBits);
  NBQ_ASSIGN(const Gates gates, map_engine(program.config, r.clock_mhz, library));
  const Electrical electrical = annotate(gates.netlist, library, r.wire_ff);
  EngineGates beside(r, program.config, gates.netlist, electrical);
  NBQ_ASSIGN(auto device, open_sim(program.config, beside));
  NBQ_ASSIGN(Engine engine, Engine::open(std::move(device), program));
  const auto bytes = static_cast<std::size_t>(program.image.image.size());
  NBQ_TRY(engine.run(pixels.first(bytes * static_cast<std::size_t>(images))));
  if (const std::string what = beside.difference(); !what.empty())
    return make_error(ErrorCode::kInvalidArgument, "the {} engine's gates differ from its RTL: {}",
                      pe_name(program.config.pe), what);
  const Activity& a = beside.activity();
  const auto cycles = static_cast<double>(a.cycles);
  const double idle = electrical.clock_inside_pj + electrical.clock_pins_pj +
                      electrical.leakage_w * 1e6 / r.clock_mhz;
  return Measured{{a.all.total() / cycles + idle, a.settled.total() / cycles + idle,
                   beside.read_bits() / cycles, beside.write_bits() / cycles,
                   static_cast<double>(gates.netlist.gates.size()),
                   static_cast<double>(gates.netlist.flip_flops)},
                  a.cycles,
                  beside.compared(),
                  static_cast<double>(a.late) / static_cast<double>(a.transitions)};
}

}  // namespace

EnginePart& EnginePart::operator+=(const EnginePart& o) {
  pj += o.pj;
  settled_pj += o.settled_pj;
  read_bits += o.read_bits;
  write_bits += o.write_bits;
  cells += o.cells;
  flip_flops += o.flip_flops;
  return *this;
}

EnginePart EnginePart::operator*(double n) const {
  return {pj * n, settled_pj * n, read_bits * n, write_bits * n, cells * n, flip_flops * n};
}

EnginePart EngineEnergy::all(int images) const {
  EnginePart sum = shared;
  sum += image * images;
  return sum;
}

Result<EngineEnergy> measure_engine(const Graph& graph, const EngineEnergyRequest& request,
                                    const CellLibrary& library,
                                    std::span<const std::uint8_t> images) {
  // A future, unlike a thread, brings an exception along.
  auto beside =
      std::async(std::launch::async, [&] { return measure(graph, request, library, images, 1); });
  NBQ_ASSIGN(const Measured two, measure(graph, request, library, images, 2));
  NBQ_ASSIGN(const Measured one, beside.get());
  EngineEnergy e;
  e.image = two.part;
  e.image += one.part * -1;
  e.shared = one.part;
  e.shared += e.image * -1;
  e.cycles = one.cycles;
  e.late = two.late;
  e.compared = one.compared + two.compared;
  return e;
}

}  // namespace nbq::hw
