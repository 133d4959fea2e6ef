#include "hw/program_model.h"

#include <algorithm>
#include <bit>

#include "core/fixed_point.h"
#include "core/po2_code.h"
#include "hw/isa.h"

namespace nbq::hw {
namespace {

constexpr std::int64_t kAddressMask = (1 << 20) - 1;

std::int64_t sign_extend(std::uint64_t v, int bits) {
  return static_cast<std::int64_t>(v << (64 - bits)) >> (64 - bits);
}

/// Fields of a memory word arrive as 32-bit pieces, low first.
class BitReader {
 public:
  explicit BitReader(const std::vector<std::uint32_t>& words) : words_(words) {}
  std::uint64_t take(int bits) {
    std::uint64_t v = 0;
    for (int i = 0; i < bits; ++i, ++at_)
      v |= static_cast<std::uint64_t>((words_[at_ / 32] >> (at_ % 32)) & 1u) << i;
    return v;
  }

 private:
  const std::vector<std::uint32_t>& words_;
  std::size_t at_ = 0;
};

class ProgramModel final : public Device {
 public:
  explicit ProgramModel(const EngineConfig& c)
      : c_(c),
        activations_(size(c.images) * image_slots() * size(c.lanes_in)),
        weights_(size(c.weight_depth) * size(c.lanes_in) * size(c.lanes_out)),
        shifts_(size(c.param_depth) * size(c.lanes_in)),
        biases_(size(c.param_depth) * size(c.lanes_in)),
        results_(size(c.images) * size(c.result_depth) * size(c.lanes_in)),
        program_(size(c.program_depth)) {}

  void write(std::uint32_t reg, std::uint32_t value) override {
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
        break;
      default:
        break;
    }
  }

  std::uint32_t read(std::uint32_t reg) override {
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
        return u(c_.broadcast) << 24 | u(c_.mult_bits) << 16 | u(c_.images);
      case Reg::status:
        return error_ == EngineError::none ? 2 : 4;
      case Reg::error:
        return static_cast<std::uint32_t>(error_);
      case Reg::error_pc:
        return static_cast<std::uint32_t>(pc_);
      case Reg::cycles:
      case Reg::busy_cycles:
        return static_cast<std::uint32_t>(taps_);
      case Reg::result_data: {
        const std::uint32_t half = result_addr_ & 1;
        const auto v = static_cast<std::uint64_t>(result(result_addr_++));
        return static_cast<std::uint32_t>(half != 0 ? v >> 32 : v);
      }
      default:
        return 0;
    }
  }

  void wait(std::uint64_t) override {}
  std::uint64_t clock() const override { return taps_; }

 private:
  static std::size_t size(int n) { return static_cast<std::size_t>(n); }
  /// Activation words of one image.
  std::size_t image_slots() const { return size(c_.act_depth) * size(c_.pixels); }

  /// Accumulator at a host address, 0 beyond the memories.
  std::int64_t result(std::uint32_t address) const {
    const std::size_t image = address / c_.result_image_stride();
    const std::size_t at = address % c_.result_image_stride() / 2;
    const std::size_t each = size(c_.result_depth) * size(c_.lanes_in);
    return image < size(c_.images) && at < each ? results_[image * each + at] : 0;
  }

  /// Activations of the word at a host address; nullptr beyond the memories.
  std::uint32_t* activation_word(std::uint32_t address) {
    const std::size_t image = address / c_.act_image_stride();
    const std::size_t at = address % c_.act_image_stride();
    if (image >= size(c_.images) || at >= image_slots()) return nullptr;
    return &activations_[(image * image_slots() + at) * size(c_.lanes_in)];
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
      const std::size_t per = lanes * size(c_.lanes_out);
      for (std::size_t i = 0; i < per && at * per + i < weights_.size(); ++i) {
        const std::uint64_t raw = bits.take(c_.weight_bits());
        weights_[at * per + i] =
            c_.pe == PeKind::kVpe ? static_cast<std::int32_t>(sign_extend(raw, c_.mult_bits))
                                  : Po2Code{static_cast<std::uint8_t>(raw)}.value({c_.code_bits});
      }
    } else if (mem_ == Mem::params) {
      for (std::size_t i = 0; i < lanes && at * lanes + i < biases_.size(); ++i) {
        biases_[at * lanes + i] = sign_extend(bits.take(c_.acc_bits), c_.acc_bits);
        shifts_[at * lanes + i] = static_cast<int>(sign_extend(bits.take(7), 7));
      }
    } else {
      std::uint32_t* word = activation_word(static_cast<std::uint32_t>(at));
      for (std::size_t i = 0; i < lanes && word != nullptr; ++i)
        word[i] = static_cast<std::uint32_t>(bits.take(c_.act_bits));
    }
    pending_.clear();
  }

  void fail(EngineError e) {
    if (error_ == EngineError::none) error_ = e;
  }

  /// The images know nothing of each other: one after the other is the same as in lockstep.
  void run() {
    error_ = EngineError::none;
    for (image_ = 0; image_ < size(c_.images) && error_ == EngineError::none; ++image_) run_image();
  }

  void run_image() {
    taps_ = 0;
    for (pc_ = 0; error_ == EngineError::none; ++pc_) {
      if ((pc_ + 1) * kInstrWords > program_.size()) return fail(EngineError::overrun);
      std::array<std::uint32_t, kInstrWords> words;
      std::copy_n(program_.begin() + static_cast<std::ptrdiff_t>(pc_ * kInstrWords), kInstrWords,
                  words.begin());
      const Instruction i = decode(words);
      if (i.opcode == static_cast<std::int64_t>(Opcode::finish)) return;
      if (i.opcode > static_cast<std::int64_t>(Opcode::maxpool))
        return fail(EngineError::bad_opcode);
      if (i.red_cw < 1 || i.terms < 1 || i.k_h < 1 || i.k_w < 1 || i.out_h < 1 || i.out_w < 1 ||
          i.out_words < 1 || i.out_words > c_.lanes_out / c_.lanes_in ||
          (1 << i.pix_log2) > c_.pixels)
        return fail(EngineError::bad_field);
      for (std::int64_t y = 0; y < i.out_h; ++y)
        for (std::int64_t x = 0; x < i.out_w; ++x)
          for (std::int64_t word = 0; word < i.out_words; ++word) output_word(i, word, y, x);
    }
  }

  /// xq(x) and the flat slot of a word: (word * P + bank), after the earlier images'.
  std::size_t slot(std::int64_t base, std::int64_t x, std::int64_t bs) {
    const int lp = std::countr_zero(static_cast<unsigned>(c_.pixels));
    const std::int64_t xq = ((x >> (bs + lp)) << bs) | (x & ((std::int64_t{1} << bs) - 1));
    const std::int64_t word = (base + xq) & kAddressMask;
    if (word >= c_.act_depth) {
      fail(EngineError::bad_address);
      return 0;
    }
    return image_ * image_slots() +
           static_cast<std::size_t>(word * c_.pixels + ((x >> bs) & (c_.pixels - 1)));
  }

  std::int64_t activation(std::size_t at, std::int64_t lane, bool is_signed) const {
    const std::uint32_t raw = activations_[at * size(c_.lanes_in) + static_cast<std::size_t>(lane)];
    return is_signed ? sign_extend(raw, c_.act_bits) : raw;
  }

  void output_word(const Instruction& i, std::int64_t word, std::int64_t y, std::int64_t x) {
    const bool maxpool = i.opcode == static_cast<std::int64_t>(Opcode::maxpool);
    std::vector<std::int64_t> acc(size(c_.lanes_in), maxpool ? INT64_MIN : 0);
    std::int64_t tap = 0;
    for (std::int64_t term = 0; term < i.terms; ++term)
      for (std::int64_t plane = 0; plane < i.red_cw; ++plane)
        for (std::int64_t ky = 0; ky < i.k_h; ++ky)
          for (std::int64_t kx = 0; kx < i.k_w; ++kx, ++tap) {
            const std::int64_t iy = y * i.stride_y + ky * i.dil_y - i.pad_y;
            const std::int64_t ix = x * i.stride_x + kx * i.dil_x - i.pad_x;
            if (word == 0) ++taps_;
            if (iy < 0 || iy >= i.in_h || ix < 0 || ix >= i.in_w) continue;
            const std::size_t at =
                slot(i.in_base + plane * i.in_plane + y * i.in_sy + ky * i.in_dy, ix, i.in_bs);
            maxpool ? take_max(i, at, acc) : take_tap(i, at, word, i.wgt_base + tap, acc);
          }
    write_word(i, word, y, x, acc);
  }

  void take_max(const Instruction& i, std::size_t at, std::vector<std::int64_t>& acc) const {
    for (int c = 0; c < c_.lanes_in; ++c)
      acc[size(c)] = std::max(acc[size(c)], activation(at, c, i.in_signed != 0));
  }

  void take_tap(const Instruction& i, std::size_t at, std::int64_t word, std::int64_t weight_word,
                std::vector<std::int64_t>& acc) {
    if (weight_word >= c_.weight_depth) return fail(EngineError::bad_address);
    const std::int64_t first = (weight_word * c_.lanes_out + word * c_.lanes_in) * c_.lanes_in;
    for (int m = 0; m < c_.lanes_in; ++m)
      for (int c = 0; c < c_.lanes_in; ++c) {
        const std::int32_t w = weights_[static_cast<std::size_t>(first + m * c_.lanes_in + c)];
        if (w == 0) continue;
        const std::int64_t x = activation(at, c, i.in_signed != 0);
        const int shift = std::countr_zero(static_cast<unsigned>(w < 0 ? -w : w));
        const auto p = static_cast<std::int64_t>(static_cast<std::uint64_t>(x) << shift);
        acc[size(m)] += w < 0 ? -p : p;
      }
  }

  void write_word(const Instruction& i, std::int64_t word, std::int64_t y, std::int64_t x,
                  const std::vector<std::int64_t>& acc) {
    const std::int64_t par = i.par_base + word;
    const std::int64_t base = i.out_base + word * i.out_plane + y * i.out_row;
    if (par >= c_.param_depth) return fail(EngineError::bad_address);
    const std::int64_t raw_word = (base + x) & kAddressMask;
    if (i.out_raw != 0 && raw_word >= c_.result_depth) return fail(EngineError::bad_address);
    const std::size_t to = i.out_raw != 0 ? 0 : slot(base, x, i.out_bs);
    const std::size_t res =
        i.res_en != 0 ? slot(i.res_base + word * i.res_plane + y * i.res_row, x, i.res_bs) : 0;
    if (error_ != EngineError::none) return;
    for (int lane = 0; lane < c_.lanes_in; ++lane) {
      const std::size_t p = static_cast<std::size_t>(par * c_.lanes_in + lane);
      const std::int64_t v = acc[size(lane)] + biases_[p];
      if (i.out_raw != 0) {
        results_[image_ * size(c_.result_depth) * size(c_.lanes_in) +
                 static_cast<std::size_t>(raw_word * c_.lanes_in + lane)] = v;
        continue;
      }
      std::int64_t out = requantize(v, shifts_[p], i.lo, i.hi);
      if (i.res_en != 0) {
        const std::int64_t r = activation(res, lane, i.res_signed != 0);
        const std::int64_t sum =
            static_cast<std::int64_t>((static_cast<std::uint64_t>(out) << i.res_lsh_acc) +
                                      (static_cast<std::uint64_t>(r) << i.res_lsh_res));
        out = requantize(sum, static_cast<int>(i.res_rsh), i.res_lo, i.res_hi);
      }
      const std::uint32_t mask = c_.act_bits == 32 ? ~0u : (1u << c_.act_bits) - 1;
      activations_[to * size(c_.lanes_in) + size(lane)] = static_cast<std::uint32_t>(out) & mask;
    }
  }

  EngineConfig c_;
  std::vector<std::uint32_t> activations_;
  std::vector<std::int32_t> weights_;
  std::vector<int> shifts_;
  std::vector<std::int64_t> biases_, results_;
  std::vector<std::uint32_t> program_;
  std::vector<std::uint32_t> pending_;
  Mem mem_ = Mem::program;
  std::uint32_t stream_addr_ = 0, result_addr_ = 0;
  EngineError error_ = EngineError::none;
  std::size_t pc_ = 0, image_ = 0;
  std::uint64_t taps_ = 0;
};

}  // namespace

std::unique_ptr<Device> make_program_model(const EngineConfig& config) {
  return std::make_unique<ProgramModel>(config);
}

}  // namespace nbq::hw
