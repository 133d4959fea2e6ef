#include "hw/program_model.h"

#include <algorithm>

#include "core/po2_code.h"
#include "hw/array_model.h"
#include "hw/isa.h"
#include "hw/timing.h"

namespace nbq::hw {
namespace {

std::int64_t sign_extend(std::uint64_t v, int bits) {
  return static_cast<std::int64_t>(v << (64 - bits)) >> (64 - bits);
}

/// Fields of a memory word arrive as 32-bit pieces, low first.
class BitReader {
 public:
  explicit BitReader(const std::vector<std::uint32_t>& words) : words_(words) {}
  /// The next `bits` (1..48).
  std::uint64_t take(int bits) {
    std::uint64_t v = 0;
    for (int have = 0; have < bits;) {
      const int from = at_ % 32;
      const int n = std::min(bits - have, 32 - from);
      const std::uint64_t mask = (std::uint64_t{1} << n) - 1;
      v |= ((words_[static_cast<std::size_t>(at_ / 32)] >> from) & mask) << have;
      have += n;
      at_ += n;
    }
    return v;
  }

 private:
  const std::vector<std::uint32_t>& words_;
  int at_ = 0;
};

class ProgramModel final : public Device {
 public:
  explicit ProgramModel(const EngineConfig& c)
      : c_(c), shared_(c), program_(size(c.program_depth)) {
    for (int i = 0; i < c.images; ++i) images_.push_back(std::make_unique<ArrayModel>(shared_));
  }

  void write(std::uint32_t reg, std::uint32_t value) override {
    ++clock_;
    switch (static_cast<Reg>(reg)) {
      case Reg::ctrl:
        if ((value & 1) != 0) run();
        break;
      case Reg::stream_mem:
        mem_ = static_cast<Mem>(value);
        pending_.clear();
        break;
      case Reg::stream_addr:
        stream_addr_ = value;
        pending_.clear();
        break;
      case Reg::stream_data:
        stream(value);
        break;
      case Reg::result_addr:
        result_addr_ = value;
        result_there_ = clock_ + 1 + result_cycles();
        break;
      default:
        break;
    }
  }

  std::uint32_t read(std::uint32_t reg) override {
    clock_ += 2;
    const auto u = [](int v) { return static_cast<std::uint32_t>(v); };
    switch (static_cast<Reg>(reg)) {
      case Reg::id:
        return 0x4E425131;
      case Reg::lanes:
        return u(c_.lanes_out) << 16 | u(c_.lanes_in);
      case Reg::widths:
        return u(static_cast<int>(c_.pe)) << 28 | u(c_.pixels) << 16 | u(c_.code_bits) << 12 |
               u(c_.act_bits) << 6 | u(c_.acc_bits);
      case Reg::images:
        return c_.log2_out_cycles() << 28 | u(c_.broadcast) << 24 | u(c_.mult_bits) << 16 |
               u(c_.images);
      case Reg::status:
        return error_ == EngineError::none ? 2 : 4;
      case Reg::error:
        return static_cast<std::uint32_t>(error_);
      case Reg::error_pc:
        return static_cast<std::uint32_t>(pc_);
      case Reg::cycles:
        return static_cast<std::uint32_t>(counts_.total);
      case Reg::busy_cycles:
        return static_cast<std::uint32_t>(counts_.busy);
      case Reg::residual_cycles:
        return static_cast<std::uint32_t>(counts_.residual);
      case Reg::drain_cycles:
        return static_cast<std::uint32_t>(counts_.drain);
      case Reg::barrier_cycles:
        return static_cast<std::uint32_t>(counts_.barrier);
      case Reg::fetch_cycles:
        return static_cast<std::uint32_t>(counts_.fetch);
      case Reg::result_data: {
        clock_ = std::max(clock_, result_there_);
        result_there_ = clock_ + result_cycles();
        const std::uint32_t half = result_addr_ & 1;
        const auto v = static_cast<std::uint64_t>(result(result_addr_++));
        return static_cast<std::uint32_t>(half != 0 ? v >> 32 : v);
      }
      default:
        return 0;
    }
  }

  void wait(std::uint64_t) override {}
  std::uint64_t clock() const override { return clock_; }

 private:
  static std::size_t size(int n) { return static_cast<std::size_t>(n); }

  /// From a new result address to its word at the host port.
  std::uint64_t result_cycles() const { return 3 + static_cast<std::uint64_t>(c_.broadcast); }

  /// Accumulator at a host address, 0 beyond the memories.
  std::int64_t result(std::uint32_t address) const {
    const std::size_t image = address / c_.result_image_stride();
    const std::size_t at = address % c_.result_image_stride() / 2;
    if (image >= images_.size()) return 0;
    const std::vector<std::int64_t>& results = images_[image]->memory().results;
    return at < results.size() ? results[at] : 0;
  }

  /// Activations of the word at a host address; nullptr beyond the memories.
  std::uint32_t* activation_word(std::size_t address) {
    const std::size_t image = address / c_.act_image_stride();
    const std::size_t at = address % c_.act_image_stride() * size(c_.lanes_in);
    if (image >= images_.size()) return nullptr;
    std::vector<std::uint32_t>& activations = images_[image]->memory().activations;
    return at < activations.size() ? activations.data() + at : nullptr;
  }

  int stream_bits() const {
    switch (mem_) {
      case Mem::program:
        return 32;
      case Mem::weights:
        return c_.lanes_in * c_.lanes_out * c_.weight_bits();
      case Mem::params:
        return c_.lanes_in * (c_.acc_bits + 7);
      case Mem::activations:
        return c_.lanes_in * c_.act_bits;
    }
    return 32;
  }

  void stream(std::uint32_t value) {
    pending_.push_back(value);
    if (pending_.size() < size((stream_bits() + 31) / 32)) return;
    BitReader bits(pending_);
    const std::size_t at = stream_addr_++;
    const auto lanes = size(c_.lanes_in);
    if (mem_ == Mem::program) {
      if (at < program_.size()) program_[at] = value;
    } else if (mem_ == Mem::weights) {
      if (at < size(c_.weight_depth)) stream_weights(bits, at);
    } else if (mem_ == Mem::params) {
      for (std::size_t i = 0; i < lanes && at < size(c_.param_depth); ++i) {
        shared_.biases[at * lanes + i] = sign_extend(bits.take(c_.acc_bits), c_.acc_bits);
        shared_.shifts[at * lanes + i] = static_cast<int>(sign_extend(bits.take(7), 7));
      }
    } else {
      std::uint32_t* word = activation_word(at);
      for (std::size_t i = 0; i < lanes && word != nullptr; ++i)
        word[i] = static_cast<std::uint32_t>(bits.take(c_.act_bits));
    }
    pending_.clear();
  }

  void stream_weights(BitReader& bits, std::size_t at) {
    for (int out = 0; out < c_.lanes_out; ++out)
      for (int in = 0; in < c_.lanes_in; ++in) {
        const std::uint64_t raw = bits.take(c_.weight_bits());
        shared_.set_weight(at, out, in,
                           c_.pe != PeKind::kSvpe
                               ? static_cast<std::int32_t>(sign_extend(raw, c_.weight_bits()))
                               : Po2Code{static_cast<std::uint8_t>(raw)}.value({c_.code_bits}));
      }
  }

  EngineError check(const Instruction& i) const {
    const bool maxpool = i.opcode == static_cast<std::int64_t>(Opcode::maxpool);
    if (!maxpool && i.opcode != static_cast<std::int64_t>(Opcode::conv))
      return EngineError::bad_opcode;
    if (i.red_cw < 1 || i.terms < 1 || i.k_h < 1 || i.k_w < 1 || i.out_h < 1 || i.out_w < 1 ||
        i.out_words < 1 || i.out_words > c_.lanes_out / c_.lanes_in ||
        (1 << i.pix_log2) > c_.pixels ||
        (maxpool && (i.red_cw != 1 || i.terms != 1 || i.out_words != 1)))
      return EngineError::bad_field;
    return EngineError::none;
  }

  void run() {
    Stopwatch watch(c_);
    error_ = execute(watch);
    counts_ = watch.all();
    clock_ += counts_.total;
  }

  EngineError execute(Stopwatch& watch) {
    for (const auto& image : images_) image->start();
    for (pc_ = 0; (pc_ + 1) * kInstrWords <= program_.size(); ++pc_) {
      EncodedInstruction words;
      std::copy_n(program_.begin() + static_cast<std::ptrdiff_t>(pc_ * kInstrWords), kInstrWords,
                  words.begin());
      const Instruction i = decode(words);
      if (i.opcode == static_cast<std::int64_t>(Opcode::finish)) {
        watch.finish();
        return EngineError::none;
      }
      if (const EngineError e = check(i); e != EngineError::none) return e;
      watch.run(i);
      for (const auto& image : images_)
        if (const EngineError e = image->run(i); e != EngineError::none) return e;
    }
    return EngineError::overrun;
  }

  EngineConfig c_;
  SharedMemory shared_;
  std::vector<std::unique_ptr<ArrayModel>> images_;
  std::vector<std::uint32_t> program_;
  std::vector<std::uint32_t> pending_;
  Mem mem_ = Mem::program;
  std::uint32_t stream_addr_ = 0, result_addr_ = 0;
  EngineError error_ = EngineError::none;
  std::size_t pc_ = 0;
  CycleCounts counts_;
  std::uint64_t clock_ = 0, result_there_ = 0;
};

}  // namespace

std::unique_ptr<Device> make_program_model(const EngineConfig& config) {
  return std::make_unique<ProgramModel>(config);
}

}  // namespace nbq::hw
