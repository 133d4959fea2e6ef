#include "hw/program_model.h"

#include <algorithm>

#include "core/po2_code.h"
#include "hw/array_model.h"
#include "hw/bit_reader.h"
#include "hw/external_memory.h"
#include "hw/isa.h"
#include "hw/timing.h"

namespace nbq::hw {
namespace {

class ProgramModel final : public Device {
 public:
  explicit ProgramModel(const EngineConfig& c)
      : c_(c), shared_(with_block(c)), program_(size(c.program_depth)), external_(c) {
    for (int i = 0; i < c.images; ++i) images_.push_back(std::make_unique<ArrayModel>(shared_));
  }

  void write(std::uint32_t reg, std::uint32_t value) override {
    clock_ = std::max(clock_, taken_) + 1;
    switch (static_cast<Reg>(reg)) {
      case Reg::ctrl:
        if ((value & 1) != 0) run();
        if ((value & 4) != 0 && c_.axi_bits > 0) error_ = load_image();
        break;
      case Reg::stream_mem:
        mem_ = static_cast<Mem>(value);
        pending_.clear();
        checked_ = clock_ + 2;
        break;
      case Reg::stream_addr:
        stream_addr_ = value;
        pending_.clear();
        checked_ = clock_ + 2;
        break;
      case Reg::stream_data:
        taken_ = std::max(clock_, checked_);
        stream(value);
        break;
      case Reg::result_addr:
        result_addr_ = value;
        break;
      default:
        external_.write(static_cast<Reg>(reg), value);
        break;
    }
  }

  std::uint32_t read(std::uint32_t reg) override {
    clock_ = std::max(clock_, taken_) + 2;
    const auto u = [](int v) { return static_cast<std::uint32_t>(v); };
    switch (static_cast<Reg>(reg)) {
      case Reg::id:
        return kEngineId;
      case Reg::lanes:
        return u(c_.lanes_out) << 16 | u(c_.lanes_in);
      case Reg::widths:
        return u(static_cast<int>(c_.pe)) << 28 | u(c_.pixels) << 16 | u(c_.code_bits) << 12 |
               u(c_.act_bits) << 6 | u(c_.acc_bits);
      case Reg::images:
        return c_.images_register();
      case Reg::axi_bits:
        return u(c_.axi_bits);
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
        clock_ += 2 + static_cast<std::uint64_t>(c_.broadcast);  // until the word is there
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
  Result<DeviceMemory> memory(std::size_t bytes) override {
    return c_.axi_bits > 0 ? external_.memory(bytes) : Device::memory(bytes);
  }

 private:
  static std::size_t size(int n) { return static_cast<std::size_t>(n); }
  /// Above the weight memory is room for one streamed block, so that it need not wrap in the ring.
  static EngineConfig with_block(EngineConfig c) {
    if (c.axi_bits > 0) c.weight_depth *= 2;
    return c;
  }

  /// Accumulator at a host address, 0 beyond the memories.
  std::int64_t result(std::uint32_t address) const {
    const std::size_t image = address / c_.result_image_stride();
    const std::size_t at = address % c_.result_image_stride() / 2;
    if (image >= images_.size()) return 0;
    const std::vector<std::int64_t>& results = images_[image]->memory().results;
    return at < results.size() ? results[at] : 0;
  }

  /// A word of activations, or of a digit of theirs, at a host address; nothing beyond the
  /// memories.
  void stream_activations(BitReader& bits, std::size_t address) {
    const std::size_t image = address / c_.act_image_stride();
    const std::size_t slot = address % c_.act_image_stride();
    const std::size_t word = slot / size(c_.pixels), bank = slot % size(c_.pixels);
    if (image >= images_.size() || word >= size(c_.act_words())) return;
    const std::size_t at = word / size(c_.act_digits) * size(c_.pixels) + bank;
    const int shift = static_cast<int>(word % size(c_.act_digits)) * c_.digit_bits();
    const std::uint32_t all = (1u << c_.act_bits) - 1;
    const std::uint32_t digit = (((1u << c_.digit_bits()) - 1) << shift) & all;
    std::uint32_t* lane = images_[image]->memory().activations.data() + at * size(c_.lanes_in);
    for (int i = 0; i < c_.lanes_in; ++i, ++lane) {
      const auto v = static_cast<std::uint32_t>(bits.take(c_.digit_bits())) << shift;
      *lane = (*lane & ~digit) | (v & digit);
    }
  }

  int stream_bits() const {
    switch (mem_) {
      case Mem::program:
        return 32;
      case Mem::weights:
        return c_.lanes_in * c_.lanes_out * c_.weight_bits();
      case Mem::params:
        return c_.lanes_in / c_.out_cycles * (c_.acc_bits + 7);
      case Mem::activations:
        return c_.act_word_bits();
    }
    return 32;
  }

  void stream(std::uint32_t value) {
    pending_.push_back(value);
    if (pending_.size() < size((stream_bits() + 31) / 32)) return;
    BitReader bits(pending_);
    const std::size_t at = stream_addr_++;
    if (mem_ == Mem::program) {
      if (at < program_.size()) program_[at] = value;
    } else if (mem_ == Mem::weights) {
      if (at < size(c_.weight_depth)) stream_weights(bits, at);
    } else if (mem_ == Mem::params) {
      const auto lanes = size(c_.lanes_in / c_.out_cycles);
      for (std::size_t i = at * lanes; i < (at + 1) * lanes && i < shared_.biases.size(); ++i) {
        shared_.biases[i] = sign_extend(bits.take(c_.acc_bits), c_.acc_bits);
        shared_.shifts[i] = static_cast<int>(sign_extend(bits.take(7), 7));
      }
    } else {
      stream_activations(bits, at);
    }
    pending_.clear();
    checked_ = taken_ + 2;
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
    if (moves(i)) return EngineError::none;
    if (maxpool ? !c_.max_pool : i.opcode != static_cast<std::int64_t>(Opcode::conv))
      return EngineError::bad_opcode;
    if (i.red_cw < 1 || i.terms < 1 || i.k_h < 1 || i.k_w < 1 || i.out_h < 1 || i.out_w < 1 ||
        i.out_words < 1 || i.out_words > c_.lanes_out / c_.lanes_in ||
        (1 << i.pix_log2) > c_.pixels ||
        (maxpool && (i.red_cw != 1 || i.terms != 1 || i.out_words != 1)) ||
        (i.res_en != 0 &&
         (std::max(i.res_lsh_acc, i.res_lsh_res) > c_.align_bits || i.res_rsh < -c_.left_bits)))
      return EngineError::bad_field;
    const std::int64_t words = i.wgt_words > 0 || maxpool ? 0 : i.terms * i.red_cw * i.k_h * i.k_w;
    return i.wgt_base + words > c_.weight_depth ? EngineError::bad_address : EngineError::none;
  }

  /// Whether an instruction only moves to or from external memory.
  bool moves(const Instruction& i) const {
    return c_.axi_bits > 0 && (i.opcode == static_cast<std::int64_t>(Opcode::load) ||
                               i.opcode == static_cast<std::int64_t>(Opcode::store));
  }

  EngineError move(const Instruction& i) {
    return i.opcode == static_cast<std::int64_t>(Opcode::load) ? load_image() : store_results();
  }

  EngineError load_image() {
    for (std::uint32_t image = 0; image < images_.size(); ++image) {
      for (std::uint32_t at = 0; at < external_.image_size(); ++at) {
        const ExternalMemory::Word word = external_.image_word(image, at);
        if (word.error != EngineError::none) return word.error;
        BitReader bits(word.pieces);
        stream_activations(bits, image * c_.act_image_stride() + word.place);
      }
      images_[image]->start();
    }
    return EngineError::none;
  }

  EngineError store_results() {
    if (external_.result_size() > static_cast<std::uint32_t>(c_.result_depth))
      return EngineError::bad_address;
    const std::size_t lanes = size(c_.lanes_in);
    for (std::uint32_t image = 0; image < images_.size(); ++image)
      for (std::uint32_t at = 0; at < external_.result_size(); ++at) {
        const std::int64_t* results = images_[image]->memory().results.data() + at * lanes;
        WordPacker word;
        for (std::size_t lane = 0; lane < lanes; ++lane)
          word.append(static_cast<std::uint64_t>(results[lane]), c_.acc_bits);
        if (const EngineError e = external_.store_result(image, at, word); e != EngineError::none)
          return e;
      }
    return EngineError::none;
  }

  /// Puts the streamed block of an instruction above the weight memory.
  EngineError take_stream(Instruction& i) {
    for (std::int64_t n = 0; n < i.wgt_words; ++n) {
      const ExternalMemory::Word word = external_.next_weight();
      if (word.error != EngineError::none) return word.error;
      // The RTL would read other words of the ring; a block larger than the ring never comes.
      if (n == 0 && word.place != i.wgt_base) return EngineError::bad_address;
      if (n >= external_.ring_size()) return EngineError::watchdog;
      BitReader bits(word.pieces);
      stream_weights(bits, static_cast<std::size_t>(c_.weight_depth + n));
    }
    if (i.wgt_words > 0) i.wgt_base = c_.weight_depth;
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
    external_.start();
    for (pc_ = 0; (pc_ + 1) * kInstrWords <= program_.size(); ++pc_) {
      EncodedInstruction words;
      std::copy_n(program_.begin() + static_cast<std::ptrdiff_t>(pc_ * kInstrWords), kInstrWords,
                  words.begin());
      Instruction i = decode(words);
      if (i.opcode == static_cast<std::int64_t>(Opcode::finish)) {
        watch.finish();
        return EngineError::none;
      }
      if (const EngineError e = check(i); e != EngineError::none) return e;
      watch.run(i);
      if (moves(i)) {
        if (const EngineError e = move(i); e != EngineError::none) return e;
        continue;
      }
      if (const EngineError e = take_stream(i); e != EngineError::none) return e;
      for (const auto& image : images_)
        if (const EngineError e = image->run(i); e != EngineError::none) return e;
    }
    return EngineError::overrun;
  }

  EngineConfig c_;
  SharedMemory shared_;
  std::vector<std::unique_ptr<ArrayModel>> images_;
  std::vector<std::uint32_t> program_;
  ExternalMemory external_;
  std::vector<std::uint32_t> pending_;
  Mem mem_ = Mem::program;
  std::uint32_t stream_addr_ = 0, result_addr_ = 0;
  EngineError error_ = EngineError::none;
  std::size_t pc_ = 0;
  CycleCounts counts_;
  std::uint64_t clock_ = 0;
  /// A streamed word waits until its address is checked, which takes the cycle after it changes;
  /// the access after it is accepted when it has been taken.
  std::uint64_t taken_ = 0, checked_ = 0;
};

}  // namespace

std::unique_ptr<Device> make_program_model(const EngineConfig& config) {
  return std::make_unique<ProgramModel>(config);
}

}  // namespace nbq::hw
