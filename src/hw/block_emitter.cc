#include "hw/block_emitter.h"

#include <algorithm>
#include <bit>

namespace nbq::hw {
namespace {

constexpr std::int64_t kAddressMask = (1 << 20) - 1;  // addresses are modulo 2^20 words

/// The pass of the layer whose taps the host packed: fewer taps, more channels.
Pass pack_pass(const Pass& pass, const ImageLayout& layout) {
  Pass p = pass;
  const int channels = layout.image.c;
  const int taps_x = layout.taps_x;
  if (layout.taps_y > 1) {
    p.window = Window{};
    p.weight = [w = pass.weight, channels, taps_x](int term, int oc, int ic, int, int) {
      const int tap = ic / channels;
      return w(term, oc, ic % channels, tap / taps_x, tap % taps_x);
    };
  } else {
    p.window.kernel_w = p.window.stride_w = p.window.dilation_w = 1;
    p.window.pad_left = p.window.pad_right = 0;
    p.weight = [w = pass.weight, channels](int term, int oc, int ic, int ky, int) {
      return w(term, oc, ic % channels, ky, ic / channels);
    };
  }
  const int packed = layout.place.shape.c;
  p.range = [packed](int, int) { return ChannelRange{0, packed}; };
  return p;
}

}  // namespace

Status BlockEmitter::emit(const BlockJob& b) {
  const int words = (b.out_shape.c + config_.lanes_in - 1) / config_.lanes_in;
  std::vector<bool> written(static_cast<std::size_t>(words), false);
  for (const Pass& pass : b.job->passes) {
    const bool packed =
        b.packed_image != nullptr && b.packed_image->taps_x * b.packed_image->taps_y > 1;
    NBQ_TRY(emit_pass(b, packed ? pack_pass(pass, *b.packed_image) : pass, written));
  }
  return ok_status();
}

Status BlockEmitter::emit_pass(const BlockJob& b, const Pass& pass, std::vector<bool>& written) {
  const bool maxpool = b.job->kind == ArrayJob::Kind::kMaxPool;
  const int step = maxpool ? config_.lanes_in : config_.lanes_out;
  const TensorPlace& in = *b.in[static_cast<std::size_t>(pass.operand)];
  bool barrier = true;  // this pass reads what earlier instructions wrote
  for (int first = 0; first < b.out_shape.c; first += step) {
    const int last = std::min(b.out_shape.c, first + step);
    if (pass.range(first, last).empty()) continue;
    const auto word = static_cast<std::size_t>(first / config_.lanes_in);
    NBQ_TRY(emit_block(b, pass, in, first, barrier, written[word]));
    for (std::size_t w = word; w < written.size() && static_cast<int>(w) * config_.lanes_in < last;
         ++w)
      written[w] = true;
    barrier = false;
  }
  return ok_status();
}

Status BlockEmitter::emit_block(const BlockJob& b, const Pass& pass, const TensorPlace& in,
                                int first, bool barrier, bool accumulate) {
  const bool maxpool = b.job->kind == ArrayJob::Kind::kMaxPool;
  const int c = config_.lanes_in;
  const int last = std::min(b.out_shape.c, first + (maxpool ? c : config_.lanes_out));
  const ChannelRange range = pass.range(first, last);
  const int first_plane = range.first / c;
  const int planes = (range.last - 1) / c + 1 - first_plane;
  const Window& w = pass.window;

  Instruction i;
  i.opcode = static_cast<std::int64_t>(maxpool ? Opcode::maxpool : Opcode::conv);
  i.barrier = barrier;
  int pixels = conflict_free_pixels(w.stride_w, in.bank_shift, config_.pixels);
  i.in_signed = in.is_signed;
  i.in_bs = in.bank_shift;
  i.in_base =
      (in.base + first_plane * in.plane() - std::int64_t{w.pad_top} * in.row) & kAddressMask;
  i.in_sy = std::int64_t{w.stride_h} * in.row;
  i.in_dy = std::int64_t{w.dilation_h} * in.row;
  i.in_plane = in.plane();
  i.in_h = in.shape.h;
  i.in_w = in.shape.w;
  i.red_cw = planes;
  i.terms = pass.terms;
  i.k_h = w.kernel_h;
  i.k_w = w.kernel_w;
  i.stride_y = w.stride_h;
  i.stride_x = w.stride_w;
  i.dil_y = w.dilation_h;
  i.dil_x = w.dilation_w;
  i.pad_y = w.pad_top;
  i.pad_x = w.pad_left;
  i.out_h = b.out_shape.h;
  i.out_w = b.out_shape.w;
  i.out_words = (last - first + c - 1) / c;
  const int out_plane = first / c;
  if (b.out == nullptr) {
    i.out_raw = 1;
    i.out_row = b.out_shape.w;
    i.out_plane = std::int64_t{b.out_shape.w} * b.out_shape.h;
    i.out_base = out_plane * i.out_plane;
  } else {
    i.out_bs = b.out->bank_shift;
    i.out_row = b.out->row;
    i.out_plane = b.out->plane();
    i.out_base = b.out->base + out_plane * b.out->plane();
  }
  i.lo = b.stage.lo;
  i.hi = b.stage.hi;
  const TensorPlace* residual = accumulate ? b.out : b.residual;
  if (residual != nullptr) {
    pixels = std::min(pixels, conflict_free_pixels(1, residual->bank_shift, config_.pixels));
    i.res_en = 1;
    i.res_signed = residual->is_signed;
    i.res_bs = residual->bank_shift;
    i.res_row = residual->row;
    i.res_plane = residual->plane();
    i.res_base = residual->base + out_plane * residual->plane();
    i.res_lsh_acc = accumulate ? 0 : b.res_lsh_acc;
    i.res_lsh_res = accumulate ? 0 : b.res_lsh_res;
    i.res_rsh = accumulate ? 0 : b.res_rsh;
    i.res_lo = accumulate ? b.stage.lo : b.res_lo;
    i.res_hi = accumulate ? b.stage.hi : b.res_hi;
  }
  i.pix_log2 = std::countr_zero(static_cast<unsigned>(pixels));
  if (!maxpool) {
    if (pass.sketched) {
      weights_.add_sketch(instruction_count(), i.terms * i.red_cw * i.k_h * i.k_w);
    } else {
      NBQ_ASSIGN(std::vector<std::int16_t> block,
                 block_weights(b, pass, first_plane, planes, in.shape.c, first, last));
      weights_.add(instruction_count(), std::move(block));
    }
  }
  i.par_base = add_params(b, first, last);
  if (const auto encoded = encode(i); !encoded.ok())
    return make_error(ErrorCode::kUnsupported, "{}: does not fit the accelerator's instruction: {}",
                      b.node->name, encoded.error().message);
  instructions_.push_back(i);
  return ok_status();
}

Result<std::vector<std::int16_t>> BlockEmitter::block_weights(const BlockJob& b, const Pass& pass,
                                                              int first_plane, int planes,
                                                              int in_channels, int first,
                                                              int last) const {
  const int c = config_.lanes_in;
  const int m = config_.lanes_out;
  const Window& w = pass.window;
  std::vector<std::int16_t> block;
  const std::size_t count = static_cast<std::size_t>(pass.terms) *
                            static_cast<std::size_t>(planes) *
                            static_cast<std::size_t>(w.kernel_h * w.kernel_w * m * c);
  block.reserve(count);
  for (int term = 0; term < pass.terms; ++term)
    for (int plane = first_plane; plane < first_plane + planes; ++plane)
      for (int ky = 0; ky < w.kernel_h; ++ky)
        for (int kx = 0; kx < w.kernel_w; ++kx)
          for (int lane_out = 0; lane_out < m; ++lane_out)
            for (int lane_in = 0; lane_in < c; ++lane_in) {
              const int oc = first + lane_out;
              const int ic = plane * c + lane_in;
              const bool inside = oc < last && ic < in_channels;
              block.push_back(
                  static_cast<std::int16_t>(inside ? pass.weight(term, oc, ic, ky, kx) : 0));
            }
  if (config_.pe != PeKind::kSvpe) {
    const int limit = 1 << (config_.mult_bits - 1);
    for (const std::int16_t v : block)
      if (v < -limit || v >= limit)
        return make_error(ErrorCode::kUnsupported,
                          "{}: weight {} does not fit multipliers of {} bits; give them more",
                          b.node->name, v, config_.mult_bits);
  }
  return block;
}

std::int64_t BlockEmitter::add_params(const BlockJob& b, int first, int last) {
  std::vector<std::int64_t> key;
  std::vector<Program::Param> words;
  const int c = config_.lanes_in;
  const int padded = (last - first + c - 1) / c * c;
  for (int lane = 0; lane < padded; ++lane) {
    Program::Param p{0, 0};
    const auto channel = static_cast<std::size_t>(first + lane);
    if (first + lane < last && !b.plain_copy) {
      if (!b.stage.shifts.empty())
        p.shift = b.stage.shifts[b.stage.shifts.size() == 1 ? 0 : channel];
      if (!b.node->po2.bias.empty()) p.bias = b.node->po2.bias[channel];
    }
    words.push_back(p);
    key.push_back(p.shift);
    key.push_back(p.bias);
  }
  const auto [it, is_new] =
      known_params_.try_emplace(key, static_cast<std::int64_t>(params_.size()) / c);
  if (is_new) params_.insert(params_.end(), words.begin(), words.end());
  return it->second;
}

void BlockEmitter::load_image() {
  Instruction load;
  load.opcode = static_cast<std::int64_t>(Opcode::load);
  load.barrier = 1;
  instructions_.push_back(load);
}

void BlockEmitter::finish() {
  if (config_.axi_bits > 0) {
    Instruction store;
    store.opcode = static_cast<std::int64_t>(Opcode::store);
    instructions_.push_back(store);
  }
  Instruction end;
  end.opcode = static_cast<std::int64_t>(Opcode::finish);
  instructions_.push_back(end);
}

}  // namespace nbq::hw
