#pragma once
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "model/graph.h"

namespace nbq::testing {

/// What a network computes in real numbers for one image, written for being obviously right: of a
/// float graph in evaluation mode, and of an integer one without its rounding.
class FloatReference {
 public:
  explicit FloatReference(const Graph& graph) : g_(graph) {}

  /// `image`: channels, rows, columns as the first layer sees them. Returns the outputs.
  std::vector<double> run(const std::vector<double>& image) {
    values_.assign(g_.nodes.size(), {});
    values_[0] = image;
    for (std::size_t id = 1; id < g_.nodes.size(); ++id) {
      const Node& n = g_.nodes[id];
      std::vector<double>& out = values_[id];
      out.assign(static_cast<std::size_t>(n.shape.size()), 0.0);
      std::size_t i = 0;
      for (int c = 0; c < n.shape.c; ++c)
        for (int y = 0; y < n.shape.h; ++y)
          for (int x = 0; x < n.shape.w; ++x) out[i++] = clamp(n, element(n, c, y, x));
    }
    return values_.back();
  }

 private:
  const Node& in(const Node& n, std::size_t i = 0) const {
    return g_.nodes[static_cast<std::size_t>(n.inputs[i])];
  }
  /// Zero outside the map.
  double at(const Node& n, int c, int y, int x, std::size_t i = 0) const {
    const Shape& s = in(n, i).shape;
    if (c < 0 || y < 0 || x < 0 || c >= s.c || y >= s.h || x >= s.w) return 0;
    return values_[static_cast<std::size_t>(n.inputs[i])]
                  [static_cast<std::size_t>((std::int64_t{c} * s.h + y) * s.w + x)];
  }

  double weight(const Node& n, std::int64_t i) const {
    const auto k = static_cast<std::size_t>(i);
    if (g_.stage != Stage::kInteger) return n.state.at("weight").data[k];
    const std::size_t per = n.po2.codes.size() / n.po2.exps.size();
    return std::ldexp(n.po2.codes[k].value(Po2Format{n.po2.bits}), n.po2.exps[k / per]);
  }
  double bias(const Node& n, int c) const {
    const auto k = static_cast<std::size_t>(c);
    if (g_.stage == Stage::kInteger)
      return n.po2.bias.empty()
                 ? 0
                 : std::ldexp(static_cast<double>(n.po2.bias[k]), n.po2.exps[k] + in(n).act.exp);
    const auto b = n.state.find("bias");
    return b == n.state.end() ? 0 : b->second.data[k];
  }

  double element(const Node& n, int c, int y, int x) const {
    switch (n.kind()) {
      case OpKind::kConv2d:
        return conv(n, c, y, x);
      case OpKind::kLinear: {
        double sum = bias(n, c);
        const int count = in(n).shape.c;
        for (int i = 0; i < count; ++i)
          sum += weight(n, std::int64_t{c} * count + i) * at(n, i, 0, 0);
        return sum;
      }
      case OpKind::kBatchNorm:
        return norm(n, c, at(n, c, y, x));
      case OpKind::kMaxPool:
        return max_pool(n, c, y, x);
      case OpKind::kAvgPool:
        return average(n, std::get<AvgPoolAttrs>(n.attrs).window, c, y, x);
      case OpKind::kGlobalAvgPool: {
        Window whole;
        whole.kernel_h = in(n).shape.h;
        whole.kernel_w = in(n).shape.w;
        return average(n, whole, c, y, x);
      }
      case OpKind::kAdd:
        return at(n, c, y, x, 0) + at(n, c, y, x, 1);
      case OpKind::kConcat: {
        std::size_t i = 0;
        for (; c >= in(n, i).shape.c; ++i) c -= in(n, i).shape.c;
        return at(n, c, y, x, i);
      }
      case OpKind::kFlatten:
        return values_[static_cast<std::size_t>(n.inputs[0])][static_cast<std::size_t>(c)];
      case OpKind::kPad: {
        const auto& a = std::get<PadAttrs>(n.attrs);
        return at(n, c - a.before_c, y - a.top, x - a.left);
      }
      case OpKind::kSlice: {
        const auto& a = std::get<SliceAttrs>(n.attrs);
        return at(n, a.start_c + c * a.step_c, a.start_h + y * a.step_h, a.start_w + x * a.step_w);
      }
      case OpKind::kRelu:
        return at(n, c, y, x);
      case OpKind::kInput:
        break;
    }
    return std::numeric_limits<double>::quiet_NaN();
  }

  double conv(const Node& n, int c, int y, int x) const {
    const auto& a = std::get<Conv2dAttrs>(n.attrs);
    const Window& w = a.window;
    const int per = in(n).shape.c / a.groups;
    const int first = c / (a.out_channels / a.groups) * per;
    double sum = bias(n, c);
    std::int64_t k = std::int64_t{c} * per * w.kernel_h * w.kernel_w;
    for (int i = 0; i < per; ++i)
      for (int ky = 0; ky < w.kernel_h; ++ky)
        for (int kx = 0; kx < w.kernel_w; ++kx)
          sum += weight(n, k++) * at(n, first + i, y * w.stride_h + ky * w.dilation_h - w.pad_top,
                                     x * w.stride_w + kx * w.dilation_w - w.pad_left);
    return sum;
  }

  double norm(const Node& n, int c, double v) const {
    if (g_.stage == Stage::kInteger) return weight(n, c) * v + bias(n, c);
    const auto k = static_cast<std::size_t>(c);
    const double variance = n.state.at("running_var").data[k];
    const double sigma = std::sqrt(variance + std::get<BatchNormAttrs>(n.attrs).eps);
    return (v - n.state.at("running_mean").data[k]) / sigma * weight(n, c) + bias(n, c);
  }

  double max_pool(const Node& n, int c, int y, int x) const {
    const Window& w = std::get<MaxPoolAttrs>(n.attrs).window;
    const Shape& s = in(n).shape;
    double best = -std::numeric_limits<double>::infinity();
    for (int ky = 0; ky < w.kernel_h; ++ky)
      for (int kx = 0; kx < w.kernel_w; ++kx) {
        const int iy = y * w.stride_h + ky - w.pad_top, ix = x * w.stride_w + kx - w.pad_left;
        if (iy >= 0 && ix >= 0 && iy < s.h && ix < s.w) best = std::max(best, at(n, c, iy, ix));
      }
    return best;
  }

  double average(const Node& n, const Window& w, int c, int y, int x) const {
    double sum = 0;
    for (int ky = 0; ky < w.kernel_h; ++ky)
      for (int kx = 0; kx < w.kernel_w; ++kx)
        sum += at(n, c, y * w.stride_h + ky * w.dilation_h - w.pad_top,
                  x * w.stride_w + kx * w.dilation_w - w.pad_left);
    return sum / (w.kernel_h * w.kernel_w);
  }

  /// A relu, on its own or taken up by the layer: what clips on purpose, not what saturates.
  double clamp(const Node& n, double v) const {
    if (g_.stage == Stage::kInteger) {
      const ActFormat& f = n.act;
      if (!f.quantised()) return v;
      if (f.lo == 0) v = std::max(v, 0.0);
      return f.hi < ActFormat::make(f.bits, f.is_signed, f.exp).hi
                 ? std::min(v, std::ldexp(f.hi, f.exp))
                 : v;
    }
    if (n.kind() != OpKind::kRelu) return v;
    const float max = std::get<ReluAttrs>(n.attrs).max;
    v = std::max(v, 0.0);
    return max > 0 ? std::min<double>(v, max) : v;
  }

  const Graph& g_;
  std::vector<std::vector<double>> values_;
};

}  // namespace nbq::testing
