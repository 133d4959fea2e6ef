#include "hw/array_model.h"

#include <algorithm>

namespace nbq::hw {
namespace {

constexpr std::int64_t kAddressMask = kMaxDepth - 1;  // addresses are modulo 2^20 words

std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

bool is_maxpool(const Instruction& i) {
  return i.opcode == static_cast<std::int64_t>(Opcode::maxpool);
}

}  // namespace

ArrayModel::ArrayModel(const SharedMemory& shared)
    : shared_(shared),
      c_(shared.config),
      image_(c_),
      output_(c_),
      in_(c_),
      row_at_(size(c_.act_depth), -1) {}

void ArrayModel::start() {
  for (const std::int64_t base : rows_known_) row_at_[size(base)] = -1;
  rows_known_.clear();
  rows_.clear();
}

/// Blocks of one layer read the same rows; the first has the barrier.
void ArrayModel::prepare_rows() {
  const std::int64_t reach = (i_.out_w - 1) * i_.stride_x + (i_.k_w - 1) * i_.dil_x + 1;
  row_columns_ = std::max(reach, i_.pad_x);
  const std::array key{i_.in_signed, i_.in_bs, i_.in_w, i_.pad_x, row_columns_};
  if (i_.barrier != 0 || key != rows_key_) start();
  rows_key_ = key;
  in_.set(i_.in_w, i_.in_bs);
  offset_ = shared_.format.offset(i_.in_signed != 0);
  zero_ = 0;
  for (int lane = 0; lane < shared_.format.per_word; ++lane)
    zero_ |= shared_.format.put(offset_, lane);
}

/// The row of operands that begins at word `base`: its place in rows_, or -1 beyond the memory.
std::int64_t ArrayModel::input_row(std::int64_t base) {
  if (base >= c_.act_depth) return -1;
  std::int64_t& at = row_at_[size(base)];
  if (at >= 0) return at;
  const std::int64_t columns = std::min(i_.in_w, row_columns_ - i_.pad_x);
  if (base + in_.last_word(columns) >= c_.act_depth) return -1;
  at = static_cast<std::int64_t>(rows_.size());
  rows_known_.push_back(base);
  const int steps = shared_.format.steps;
  rows_.resize(rows_.size() + size(row_columns_ * steps), zero_);
  PackRow row;
  row.activations = image_.activations.data();
  row.slots = in_.slots();
  row.first_slot = base * c_.pixels;
  row.columns = columns;
  row.lanes = c_.lanes_in;
  row.packing = shared_.format.packing;
  row.sign_bits = i_.in_signed != 0 ? c_.act_bits : 32;
  row.offset = offset_;
  pack(row, rows_.data() + at + i_.pad_x * steps);
  return at;
}

/// The kernel rows that fall into the map at output row y, with their weights.
bool ArrayModel::gather_lines(std::int64_t y) {
  lines_.clear();
  places_.clear();
  const std::int64_t word_weights = shared_.format.steps * c_.lanes_out;
  std::int64_t weights = i_.wgt_base * word_weights;
  for (std::int64_t term = 0; term < i_.terms; ++term)
    for (std::int64_t plane = 0; plane < i_.red_cw; ++plane)
      for (std::int64_t ky = 0; ky < i_.k_h; ++ky, weights += i_.k_w * word_weights) {
        const std::int64_t iy = y * i_.stride_y + ky * i_.dil_y - i_.pad_y;
        if (iy < 0 || iy >= i_.in_h) continue;
        const std::int64_t base = i_.in_base + plane * i_.in_plane + y * i_.in_sy + ky * i_.in_dy;
        const std::int64_t row = input_row(base & kAddressMask);
        if (row < 0) return false;
        places_.push_back({row, weights});
      }
  for (const LinePlace& p : places_)  // rows_ has grown, and may have moved
    lines_.push_back(
        {rows_.data() + p.row, is_maxpool(i_) ? nullptr : shared_.weights.data() + p.weights});
  return true;
}

/// Maxima over what of the window lies in the map; the lowest operand where nothing does.
template <class Sum>
void ArrayModel::maxima(Sum* sums) const {
  const OperandFormat& format = shared_.format;
  for (std::int64_t x = 0; x < i_.out_w; ++x, sums += c_.lanes_in)
    for (int lane = 0; lane < c_.lanes_in; ++lane) {
      std::int32_t most = -(1 << c_.act_bits);
      for (const ReduceLine& line : lines_)
        for (std::int64_t kx = 0; kx < i_.k_w; ++kx) {
          const std::int64_t ix = x * i_.stride_x + kx * i_.dil_x;
          if (ix < i_.pad_x || ix >= i_.pad_x + i_.in_w) continue;
          most = std::max(most, format.get(line.x + ix * format.steps, lane) - offset_);
        }
      sums[lane] = static_cast<Sum>(std::int64_t{most});
    }
}

/// All operands have the offset, those outside the map, too: its share is that of one column of
/// nothing else.
template <class Sum>
void ArrayModel::convolve(ReduceRow& row, std::vector<Sum>& sums) {
  row.lines = lines_.data();
  row.line_count = lines_.size();
  reduce(row, sums.data());
  if (offset_ == 0) return;
  offsets_.assign(size(row.steps), zero_);
  std::vector<ReduceLine> lines = lines_;
  for (ReduceLine& line : lines) line.x = offsets_.data();
  ReduceRow one = row;
  one.lines = lines.data();
  one.columns = 1;
  one.tap_step = 0;
  std::vector<Sum> share(size(row.outputs));
  reduce(one, share.data());
  for (std::size_t at = 0; at < sums.size(); ++at) sums[at] -= share[at % share.size()];
}

template <class Sum>
bool ArrayModel::run_rows(std::vector<Sum>& sums) {
  ReduceRow row;
  row.packing = shared_.format.packing;
  row.taps = i_.k_w;
  row.steps = shared_.format.steps;
  row.lanes_out = c_.lanes_out;
  row.outputs = i_.out_words * c_.lanes_in;
  row.tap_step = i_.dil_x * row.steps;
  row.columns = i_.out_w;
  row.column_step = i_.stride_x * row.steps;
  sums.resize(size(row.columns * row.outputs));
  for (std::int64_t y = 0; y < i_.out_h; ++y) {
    if (!gather_lines(y)) return false;
    if (is_maxpool(i_))
      maxima(sums.data());
    else
      convolve(row, sums);
    if (!output_.write(y, sums.data(), image_)) return false;
  }
  return true;
}

EngineError ArrayModel::run(const Instruction& i) {
  i_ = i;
  const std::int64_t taps = i.terms * i.red_cw * i.k_h * i.k_w;
  if ((!is_maxpool(i) && i.wgt_base + taps > c_.weight_depth) ||
      i.par_base + i.out_words > c_.param_depth)
    return EngineError::bad_address;
  prepare_rows();
  output_.start(i, shared_);
  const bool in_range = c_.acc_bits <= 32 ? run_rows(narrow_) : run_rows(wide_);
  return in_range ? EngineError::none : EngineError::bad_address;
}

}  // namespace nbq::hw
