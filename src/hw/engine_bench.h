#pragma once
// Test support: hand-made programs on a Device, and a naive model of what they compute.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "core/fixed_point.h"
#include "hw/device.h"
#include "hw/isa.h"

namespace nbq::hw {

/// A tensor of planes of C channels with its place in the activation memory.
struct TestMap {
  int planes = 1, h = 1, w = 1, lanes_in = 2;
  bool is_signed = false;
  int bs = 0, base = 0, row = 0;  ///< bank shift, first word, words of a row
  std::vector<std::int64_t> data;

  int plane() const { return h * row; }
  int end() const { return base + planes * plane(); }
  std::int64_t& at(int channel, int y, int x) {
    return data[static_cast<std::size_t>(((channel / lanes_in * h + y) * w + x) * lanes_in +
                                         channel % lanes_in)];
  }
  static TestMap make(const EngineConfig& c, int planes, int h, int w, bool is_signed, int bs,
                      int base) {
    TestMap m{planes, h, w, c.lanes_in, is_signed, bs, base, 0, {}};
    m.row = ((w - 1) / (c.pixels << bs) + 1) << bs;
    m.data.resize(static_cast<std::size_t>(planes * h * w * c.lanes_in));
    return m;
  }
};

/// Weight of output m, input lane c, at weight word `word`.
using WeightTable = std::vector<std::vector<std::int64_t>>;

class EngineBench {
 public:
  EngineBench(const EngineConfig& config, Device& device) : c_(config), device_(device) {}

  static std::uint32_t index(Reg r) { return static_cast<std::uint32_t>(r); }
  void write(Reg r, std::uint32_t v) { device_.write(index(r), v); }
  std::uint32_t read(Reg r) { return device_.read(index(r)); }

  void stream(Mem mem, std::uint32_t address, const std::vector<std::uint32_t>& words) {
    write(Reg::stream_mem, static_cast<std::uint32_t>(mem));
    write(Reg::stream_addr, address);
    for (std::uint32_t w : words) write(Reg::stream_data, w);
  }
  /// Packs fields of `bits` each into 32-bit words.
  static std::vector<std::uint32_t> pack(const std::vector<std::pair<std::int64_t, int>>& fields) {
    std::vector<std::uint32_t> words;
    int at = 0;
    for (const auto& [value, bits] : fields)
      for (int i = 0; i < bits; ++i, ++at) {
        if (at % 32 == 0) words.push_back(0);
        words.back() |= static_cast<std::uint32_t>((value >> i) & 1) << (at % 32);
      }
    return words;
  }
  /// Image whose activations are loaded and whose results are read from now on.
  void select(int image) { image_ = static_cast<std::uint32_t>(image); }
  void load(TestMap& m) {
    for (int p = 0; p < m.planes; ++p)
      for (int y = 0; y < m.h; ++y)
        for (int x = 0; x < m.w; ++x) {
          const int p2 = std::countr_zero(static_cast<unsigned>(c_.pixels));
          const int xq = ((x >> (m.bs + p2)) << m.bs) | (x & ((1 << m.bs) - 1));
          const int word = m.base + p * m.plane() + y * m.row + xq;
          const int bank = (x >> m.bs) & (c_.pixels - 1);
          for (int digit = 0; digit < c_.act_digits; ++digit) {
            std::vector<std::pair<std::int64_t, int>> fields;
            for (int i = 0; i < c_.lanes_in; ++i)
              fields.emplace_back(m.at(p * c_.lanes_in + i, y, x) >> (digit * c_.digit_bits()),
                                  c_.digit_bits());
            const int slot = (word * c_.act_digits + digit) * c_.pixels + bank;
            stream(Mem::activations,
                   image_ * c_.act_image_stride() + static_cast<std::uint32_t>(slot), pack(fields));
          }
        }
  }
  /// Code of +-2^(k-1), or the weight itself.
  std::int64_t weight_field(std::int64_t w) const {
    if (c_.pe != PeKind::kSvpe || w == 0) return w;
    const std::uint64_t magnitude = static_cast<std::uint64_t>(w < 0 ? -w : w);
    return (w < 0 ? std::int64_t{1} << (c_.code_bits - 1) : 0) + std::countr_zero(magnitude) + 1;
  }
  void load_weights(int first, const WeightTable& table) {
    for (std::size_t i = 0; i < table.size(); ++i) {
      std::vector<std::pair<std::int64_t, int>> fields;
      for (std::int64_t w : table[i]) fields.emplace_back(weight_field(w), c_.weight_bits());
      stream(Mem::weights, static_cast<std::uint32_t>(first) + static_cast<std::uint32_t>(i),
             pack(fields));
    }
  }
  void load_params(int first, const std::vector<std::pair<int, std::int64_t>>& shift_bias) {
    int slice = first * c_.out_cycles;
    std::vector<std::pair<std::int64_t, int>> fields;
    for (std::size_t i = 0; i < shift_bias.size(); ++i) {
      fields.emplace_back(shift_bias[i].second, c_.acc_bits);
      fields.emplace_back(shift_bias[i].first, 7);
      if ((i + 1) % static_cast<std::size_t>(c_.lanes_in / c_.out_cycles) == 0) {
        stream(Mem::params, static_cast<std::uint32_t>(slice++), pack(fields));
        fields.clear();
      }
    }
  }
  /// Loads the program (a finish is appended), runs it, returns the error it ended with.
  EngineError run(std::vector<Instruction> program, bool add_finish = true,
                  std::uint64_t limit = 1000000) {
    if (add_finish) program.push_back({});
    std::vector<std::uint32_t> words;
    for (const Instruction& i : program) {
      const auto encoded = encode(i);
      EXPECT_TRUE(encoded.ok()) << encoded.error().message;
      words.insert(words.end(), encoded->begin(), encoded->end());
    }
    stream(Mem::program, 0, words);
    write(Reg::ctrl, 1);
    device_.wait(limit);
    const std::uint32_t status = read(Reg::status);
    EXPECT_EQ(status & 1, 0U) << "still busy";
    const auto error = static_cast<EngineError>(read(Reg::error));
    EXPECT_EQ(status, error == EngineError::none ? 2U : 4U);
    return error;
  }
  std::int64_t result(int word, int lane) {
    write(Reg::result_addr, image_ * c_.result_image_stride() +
                                static_cast<std::uint32_t>((word * c_.lanes_in + lane) * 2));
    const std::uint64_t low = read(Reg::result_data);
    return static_cast<std::int64_t>(std::uint64_t{read(Reg::result_data)} << 32 | low);
  }

  /// Reads map `m` (plane by plane) as raw results from word 0 on; needs an identity weight word
  /// at `weight` and C parameters of 0 at `param`.
  std::vector<Instruction> dump_program(const TestMap& m, int weight, int param,
                                        int first_word = 0) const {
    std::vector<Instruction> program;
    for (int p = 0; p < m.planes; ++p) {
      Instruction i = conv(m, 1, 1);
      i.barrier = p == 0;
      i.pix_log2 = m.bs == 0 ? std::countr_zero(static_cast<unsigned>(c_.pixels)) : 0;
      i.in_base = m.base + p * m.plane();
      i.red_cw = 1;
      i.out_h = m.h;
      i.out_w = m.w;
      i.out_raw = i.out_words = 1;
      i.out_base = first_word + p * m.h * m.w;
      i.out_row = m.w;
      i.wgt_base = weight;
      i.par_base = param;
      program.push_back(i);
    }
    return program;
  }
  /// Input side of a convolution over `m`, stride 1, no padding.
  Instruction conv(const TestMap& m, int kernel_h, int kernel_w, int stride = 1, int dil = 1,
                   int pad = 0) const {
    Instruction i;
    i.opcode = static_cast<std::int64_t>(Opcode::conv);
    i.in_signed = m.is_signed;
    i.in_bs = m.bs;
    i.in_base = (m.base - pad * m.row) & 0xfffff;
    i.in_sy = stride * m.row;
    i.in_dy = dil * m.row;
    i.in_plane = m.plane();
    i.in_h = m.h;
    i.in_w = m.w;
    i.red_cw = m.planes;
    i.terms = 1;
    i.k_h = kernel_h;
    i.k_w = kernel_w;
    i.stride_y = i.stride_x = stride;
    i.dil_y = i.dil_x = dil;
    i.pad_y = i.pad_x = pad;
    return i;
  }
  std::vector<std::int64_t> identity() const {
    std::vector<std::int64_t> word(static_cast<std::size_t>(c_.lanes_in * c_.lanes_out));
    for (int i = 0; i < c_.lanes_in; ++i) word[static_cast<std::size_t>(i * c_.lanes_in + i)] = 1;
    return word;
  }

 private:
  const EngineConfig c_;
  Device& device_;
  std::uint32_t image_ = 0;
};

/// Accumulator of output m at (oy, ox) of a convolution, or the maximum of channel m: from the
/// definition, with the geometry of `i`.
inline std::int64_t naive_acc(const Instruction& i, TestMap& in, const WeightTable& weights, int m,
                              int oy, int ox) {
  const bool pool = i.opcode == static_cast<std::int64_t>(Opcode::maxpool);
  std::int64_t acc = pool ? INT64_MIN : 0;
  std::size_t word = 0;
  for (int term = 0; term < i.terms; ++term)
    for (int plane = 0; plane < i.red_cw; ++plane)
      for (int ky = 0; ky < i.k_h; ++ky)
        for (int kx = 0; kx < i.k_w; ++kx, ++word) {
          const int y = static_cast<int>(oy * i.stride_y + ky * i.dil_y - i.pad_y);
          const int x = static_cast<int>(ox * i.stride_x + kx * i.dil_x - i.pad_x);
          if (y < 0 || y >= in.h || x < 0 || x >= in.w) continue;
          if (pool) {
            acc = std::max(acc, in.at(m, y, x));
            continue;
          }
          for (int c = 0; c < in.lanes_in; ++c)
            acc += weights[word][static_cast<std::size_t>(m * in.lanes_in + c)] *
                   in.at(plane * in.lanes_in + c, y, x);
        }
  return acc;
}

}  // namespace nbq::hw
