#pragma once
#include <algorithm>
#include <random>

#include "core/log.h"
#include "model/fold.h"
#include "model/quantise.h"

namespace nbq::testing {

/// Random networks over every op, float with parameters or deployed, from a seed. Tests print the
/// seed.
class RandomGraph {
 public:
  explicit RandomGraph(std::uint32_t seed) : rng_(seed) {}

  int uniform(int low, int high) { return std::uniform_int_distribution<int>(low, high)(rng_); }
  float normal(float deviation) { return std::normal_distribution<float>(0, deviation)(rng_); }

  /// A float graph with parameters.
  Graph make_float() {
    Graph g;
    g.add("image", InputAttrs{uniform(1, 5), uniform(3, 9), uniform(3, 9), {}, {}}, {});
    shapes(g);
    const int layers = uniform(2, 7);
    for (int i = 0; i < layers; ++i) grow(g);
    const int head = uniform(0, 2);
    int id = static_cast<int>(g.nodes.size()) - 1;
    if (head == 0) {
      id = g.add("pool", GlobalAvgPoolAttrs{}, {id});
    } else {
      id = g.add("flat", FlattenAttrs{}, {id});
      id = g.add("fc", LinearAttrs{uniform(2, 11), head == 1}, {id});
    }
    shapes(g);
    prune(g);
    fill(g);
    return g;
  }

  QuantSpec make_spec(int weight_bits, int act_bits) {
    QuantSpec s;
    s.weight_bits = weight_bits;
    s.act_bits = act_bits;
    s.granularity =
        uniform(0, 1) == 0 ? ScaleGranularity::kPerLayer : ScaleGranularity::kPerChannel;
    return s;
  }

  /// Locked formats from random samples, so that clamps and shifts of every size occur.
  Graph make_quantised(int weight_bits, int act_bits) {
    return quantise_randomly(make_float(), weight_bits, act_bits);
  }

  /// A given structure (shapes set, no parameters) with random ones, deployed.
  Graph deploy_with_random_weights(Graph g, int weight_bits = 3, int act_bits = 8) {
    fill(g);
    return deploy(quantise_randomly(g, weight_bits, act_bits)).value();
  }

  Graph quantise_randomly(const Graph& g, int weight_bits, int act_bits) {
    const Graph folded = fold(g).value();
    ActSamples samples(folded.nodes.size());
    for (auto& s : samples) {
      const float deviation = std::ldexp(1.0f, uniform(-2, 2));
      for (int i = 0; i < 100; ++i) s.push_back(normal(deviation));
    }
    return quantise(folded, make_spec(weight_bits, act_bits), samples).value();
  }

  Graph make_integer(int weight_bits, int act_bits) {
    return deploy(make_quantised(weight_bits, act_bits)).value();
  }

  std::vector<std::uint8_t> pixels(const Graph& g, int images) {
    std::vector<std::uint8_t> p(static_cast<std::size_t>(g.input().shape.size() * images));
    for (auto& v : p) v = static_cast<std::uint8_t>(uniform(0, 255));
    return p;
  }

 private:
  static void shapes(Graph& g) {
    // While it grows, unread nodes are no error.
    for (std::size_t id = 0; id < g.nodes.size(); ++id)
      g.nodes[id].shape = describe(g, static_cast<int>(id)).value().out;
  }

  Window window(const Shape& in, bool padding) {
    Window w;
    w.kernel_h = uniform(1, std::min(3, in.h));
    w.kernel_w = uniform(1, std::min(3, in.w));
    w.stride_h = uniform(1, 2);
    w.stride_w = uniform(1, 3);
    if (padding) {
      w.pad_top = uniform(0, w.kernel_h - 1);
      w.pad_left = uniform(0, w.kernel_w - 1);
      w.pad_bottom = uniform(0, w.kernel_h - 1);
      w.pad_right = uniform(0, w.kernel_w - 1);
    }
    return w;
  }

  void grow(Graph& g) {
    const int id = static_cast<int>(g.nodes.size()) - 1;
    const Shape in = g.nodes.back().shape;
    const std::string name = "n" + std::to_string(id + 1);
    switch (uniform(0, 10)) {
      case 0:
        g.add(name, ReluAttrs{uniform(0, 1) == 0 ? 0.0f : 6.0f}, {id});
        break;
      case 1:
        g.add(name, BatchNormAttrs{}, {id});
        break;
      case 2:
        g.add(name, MaxPoolAttrs{window(in, true)}, {id});
        break;
      case 3:
        g.add(name, AvgPoolAttrs{window(in, true)}, {id});
        break;
      case 4:
        add_with_earlier(g, name, id);
        break;
      case 5:
        concat_with_earlier(g, name, id);
        break;
      case 6:
        g.add(name,
              PadAttrs{uniform(0, 5), uniform(0, 5), uniform(0, 2), uniform(0, 2), uniform(0, 2),
                       uniform(0, 2)},
              {id});
        break;
      case 7:
        g.add(name, slice(in), {id});
        break;
      default:
        conv(g, name, id, in);
        break;
    }
    shapes(g);
  }

  SliceAttrs slice(const Shape& in) {
    SliceAttrs a;
    const auto axis = [&](int have, int& start, int& size, int& step) {
      start = uniform(0, std::min(3, have - 1));
      step = uniform(1, 2);
      size = uniform(1, (have - 1 - start) / step + 1);
    };
    axis(in.c, a.start_c, a.size_c, a.step_c);
    axis(in.h, a.start_h, a.size_h, a.step_h);
    axis(in.w, a.start_w, a.size_w, a.step_w);
    return a;
  }

  void conv(Graph& g, const std::string& name, int id, const Shape& in) {
    Conv2dAttrs a;
    a.window = window(in, true);
    a.groups = in.c % 2 == 0 && uniform(0, 2) == 0 ? (uniform(0, 1) == 0 ? 2 : in.c) : 1;
    a.out_channels = a.groups * uniform(1, std::max(1, 20 / a.groups));
    a.bias = uniform(0, 1) == 0;
    if (uniform(0, 3) == 0 && in.h >= 2 * a.window.kernel_h && in.w >= 2 * a.window.kernel_w)
      a.window.dilation_h = a.window.dilation_w = 2;
    g.add(name, a, {id});
    if (uniform(0, 1) == 0) {
      shapes(g);
      g.add(name + "r", ReluAttrs{}, {id + 1});
    }
  }

  void add_with_earlier(Graph& g, const std::string& name, int id) {
    std::vector<int> equal;
    for (int i = 0; i <= id; ++i)
      if (g.nodes[static_cast<std::size_t>(i)].shape == g.nodes.back().shape) equal.push_back(i);
    const int other =
        equal[static_cast<std::size_t>(uniform(0, static_cast<int>(equal.size()) - 1))];
    g.add(name, AddAttrs{},
          uniform(0, 1) == 0 ? std::vector<int>{other, id} : std::vector<int>{id, other});
  }

  void concat_with_earlier(Graph& g, const std::string& name, int id) {
    std::vector<int> inputs{id};
    const Shape& s = g.nodes.back().shape;
    for (int i = 0; i <= id && inputs.size() < 3; ++i)
      if (const Shape& o = g.nodes[static_cast<std::size_t>(i)].shape; o.h == s.h && o.w == s.w)
        inputs.push_back(i);
    g.add(name, ConcatAttrs{}, inputs);
  }

  /// Removes what nothing reads.
  static void prune(Graph& g) {
    for (;;) {
      const auto readers = g.consumers();
      std::size_t dead = 0;
      for (std::size_t id = 1; id + 1 < g.nodes.size(); ++id)
        if (readers[id].empty()) dead = id;
      if (dead == 0) break;
      bypass(g, static_cast<int>(dead));
    }
    NBQ_CHECK(infer_shapes(g).ok());
  }

  void fill(Graph& g) {
    for (std::size_t id = 0; id < g.nodes.size(); ++id) {
      const LayerInfo info = describe(g, static_cast<int>(id)).value();
      for (const ParamSpec& p : info.params) {
        FloatTensor t{p.dims, {}};
        std::int64_t count = 1;
        for (const std::int64_t d : p.dims) count *= d;
        const float deviation = std::ldexp(1.0f, uniform(-4, 0));
        for (std::int64_t i = 0; i < count; ++i)
          t.data.push_back(p.name == "running_var" ? 0.1f + std::abs(normal(1.0f))
                                                   : normal(deviation));
        g.nodes[id].state[p.name] = std::move(t);
      }
    }
  }

  std::mt19937 rng_;
};

}  // namespace nbq::testing
