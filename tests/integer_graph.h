#pragma once
#include <algorithm>
#include <random>

#include "core/log.h"
#include "model/quantise.h"

namespace nbq::testing {

/// Integer networks by hand: formats, widths and shifts are given, codes and biases random from a
/// seed. deploy() never makes some of these, but verify_integer() takes them.
class IntegerGraph {
 public:
  IntegerGraph(std::uint32_t seed, const Shape& image) : rng_(seed) {
    graph_.name = "by hand";
    graph_.stage = Stage::kInteger;
    graph_.quantizer = "least_squares";
    add(InputAttrs{image.c, image.h, image.w, {}, {}}, {}, ActFormat::make(8, true, -7));
  }

  int uniform(int low, int high) { return std::uniform_int_distribution<int>(low, high)(rng_); }
  const Node& node(int id) const { return graph_.nodes[static_cast<std::size_t>(id)]; }
  int size() const { return static_cast<int>(graph_.nodes.size()); }

  /// A layer without weights. `act` not quantised: logits.
  int add(Attrs attrs, std::vector<int> inputs, ActFormat act) {
    const int id = graph_.add("n" + std::to_string(size()), std::move(attrs), std::move(inputs));
    Node& n = graph_.nodes.back();
    n.shape = describe(graph_, id).value().out;
    n.act = act;
    return id;
  }
  /// A layer that keeps its operand's format.
  int add(Attrs attrs, int input) { return add(std::move(attrs), {input}, node(input).act); }

  /// A layer with weights: random codes of `bits` bits, of which one in `zeros` is 0 where there is
  /// a 0, and for each channel a shift to the right in [least, most] (negative: to the left), which
  /// gives the exponents.
  struct Weights {
    int bits = 3;
    int least = 2, most = 6;
    std::int64_t bias = 100;  ///< at most, to both sides; 0: none
    int zeros = 4;
  };
  int add(Attrs attrs, int input, ActFormat act, const Weights& weights) {
    const int id = add(std::move(attrs), {input}, act);
    Node& n = graph_.nodes.back();
    NBQ_CHECK(weights.least <= weights.most);
    const Po2Format format{weights.bits};
    n.po2.bits = weights.bits;
    const LayerInfo info = describe(graph_, id).value();
    std::int64_t count = 1;
    for (const std::int64_t d : info.params[0].dims) count *= d;
    for (std::int64_t i = 0; i < count; ++i) {
      const int k = uniform(1, weights.zeros) == 1 ? 0 : uniform(1, format.max_k());
      n.po2.codes.push_back(Po2Code::make(format, uniform(0, 1) == 1, k));
    }
    const int in_exp = node(input).act.exp;
    const int logit_exp = uniform(-20, 0);
    for (int c = 0; c < n.shape.c; ++c) {
      const int exp =
          act.quantised() ? act.exp - uniform(weights.least, weights.most) : logit_exp + in_exp;
      n.po2.exps.push_back(exp - in_exp);
      if (weights.bias != 0)
        n.po2.bias.push_back(
            std::uniform_int_distribution<std::int64_t>(-weights.bias, weights.bias)(rng_));
    }
    return id;
  }

  /// Shapes and the overflow proof; an error: verify_integer() refuses it.
  Result<Graph> finish() const {
    Graph g = graph_;
    NBQ_TRY(infer_shapes(g));
    NBQ_ASSIGN(const std::vector<int> bits, prove_integer(g));
    for (std::size_t id = 0; id < g.nodes.size(); ++id) g.nodes[id].po2.acc_bits = bits[id];
    return g;
  }

  std::vector<std::uint8_t> pixels(int images) {
    std::vector<std::uint8_t> p(static_cast<std::size_t>(node(0).shape.size() * images));
    for (auto& v : p) v = static_cast<std::uint8_t>(uniform(0, 255));
    return p;
  }

 private:
  std::mt19937 rng_;
  Graph graph_;
};

}  // namespace nbq::testing
