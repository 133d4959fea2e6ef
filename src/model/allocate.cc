#include "model/allocate.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace nbq {
namespace {

constexpr std::int64_t kMostCost = std::int64_t{1} << 50;  // sums stay exact in a double

Status check(std::span<const LayerOptions> layers) {
  for (const LayerOptions& l : layers) {
    if (l.options.empty())
      return make_error(ErrorCode::kInvalidArgument, "{}: no bits to choose from", l.layer);
    for (const BitsOption& o : l.options) {
      if (!std::isfinite(o.loss_rise))
        return make_error(ErrorCode::kInvalidArgument, "{}: the loss at {} bits is not finite",
                          l.layer, o.bits);
      if (o.cost < 0 || o.cost > kMostCost / static_cast<std::int64_t>(layers.size()))
        return make_error(ErrorCode::kInvalidArgument, "{}: cost {} at {} bits is out of range",
                          l.layer, o.cost, o.bits);
    }
  }
  return ok_status();
}

struct Choice {
  std::vector<std::size_t> options;
  std::int64_t cost = 0;
  double rise = 0;
};

/// Each layer on its own: least rise + price * cost; among equals the cheaper.
Choice priced(std::span<const LayerOptions> layers, double price) {
  Choice c;
  for (const LayerOptions& l : layers) {
    const auto better = [&](const BitsOption& a, const BitsOption& b) {
      const double at_a = a.loss_rise + price * static_cast<double>(a.cost);
      const double at_b = b.loss_rise + price * static_cast<double>(b.cost);
      return at_a < at_b || (at_a == at_b && a.cost < b.cost);
    };
    const auto best = std::min_element(l.options.begin(), l.options.end(), better);
    c.options.push_back(static_cast<std::size_t>(best - l.options.begin()));
    c.cost += best->cost;
    c.rise += best->loss_rise;
  }
  return c;
}

/// A partial choice for the first layers; `before` is its predecessor's place in the layer before.
struct State {
  std::int64_t cost;
  double rise;
  std::size_t before, option;
};

/// What the layers from each one on take at least.
struct Rest {
  std::vector<std::int64_t> cost;  ///< the cheapest options
  std::vector<double> priced;      ///< least rise + price * cost
};

Rest rest_of(std::span<const LayerOptions> layers, double price) {
  Rest r{std::vector<std::int64_t>(layers.size() + 1), std::vector<double>(layers.size() + 1)};
  for (std::size_t i = layers.size(); i-- > 0;) {
    std::int64_t least = std::numeric_limits<std::int64_t>::max();
    double least_priced = std::numeric_limits<double>::infinity();
    for (const BitsOption& o : layers[i].options) {
      least = std::min(least, o.cost);
      least_priced = std::min(least_priced, o.loss_rise + price * static_cast<double>(o.cost));
    }
    r.cost[i] = r.cost[i + 1] + least;
    r.priced[i] = r.priced[i + 1] + least_priced;
  }
  return r;
}

/// Keeps the states that no cheaper (or as cheap) one beats, by ascending cost.
void keep_undominated(std::vector<State>& states) {
  std::sort(states.begin(), states.end(), [](const State& a, const State& b) {
    return a.cost != b.cost ? a.cost < b.cost : a.rise < b.rise;
  });
  double least = std::numeric_limits<double>::infinity();
  std::erase_if(states, [&](const State& s) {
    if (s.rise >= least) return true;
    least = s.rise;
    return false;
  });
}

/// The exact optimum, given a price >= 0 and a choice within the budget to beat.
std::vector<std::size_t> search(std::span<const LayerOptions> layers, std::int64_t budget,
                                double price, const Choice& incumbent) {
  const Rest rest = rest_of(layers, price);
  const double slack = 1e-9 * (1 + std::fabs(incumbent.rise));  // rounding must cut no optimum
  std::vector<std::vector<State>> reached = {{{0, 0, 0, 0}}};
  for (std::size_t i = 0; i < layers.size(); ++i) {
    std::vector<State> next;
    for (std::size_t s = 0; s < reached[i].size(); ++s)
      for (std::size_t o = 0; o < layers[i].options.size(); ++o) {
        const std::int64_t cost = reached[i][s].cost + layers[i].options[o].cost;
        const double rise = reached[i][s].rise + layers[i].options[o].loss_rise;
        if (cost + rest.cost[i + 1] > budget) continue;
        // Whatever the rest is: its rise + price * (all costs - budget) is at least this.
        const double bound = rise + rest.priced[i + 1] - price * static_cast<double>(budget - cost);
        if (bound <= incumbent.rise + slack) next.push_back({cost, rise, s, o});
      }
    keep_undominated(next);
    reached.push_back(std::move(next));
  }
  if (reached.back().empty()) return incumbent.options;
  std::vector<std::size_t> out(layers.size());
  std::size_t s = reached.back().size() - 1;  // the dearest undominated one rises least
  for (std::size_t i = layers.size(); i-- > 0;) {
    out[i] = reached[i + 1][s].option;
    s = reached[i + 1][s].before;
  }
  return out;
}

}  // namespace

Result<std::vector<std::size_t>> allocate_bits(std::span<const LayerOptions> layers,
                                               std::int64_t budget) {
  NBQ_TRY(check(layers));
  const std::int64_t least = rest_of(layers, 0).cost[0];
  if (least > budget)
    return make_error(ErrorCode::kInvalidArgument,
                      "a budget of {} can't be kept: with the fewest bits everywhere the layers "
                      "take {}",
                      budget, least);
  Choice best = priced(layers, 0);
  if (best.cost <= budget) return best.options;
  // The least price, up to rounding, at which each layer on its own stays within the budget.
  double low = 0, high = 1e-12;
  while ((best = priced(layers, high)).cost > budget) high *= 4;
  for (int i = 0; i < 100; ++i) {
    const double middle = (low + high) / 2;
    const Choice c = priced(layers, middle);
    if (c.cost > budget) {
      low = middle;
    } else {
      high = middle;
      if (c.rise < best.rise) best = c;
    }
  }
  return search(layers, budget, high, best);
}

}  // namespace nbq
