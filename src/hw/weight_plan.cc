#include "hw/weight_plan.h"

#include <algorithm>
#include <numeric>
#include <string_view>

#include "core/file.h"

namespace nbq::hw {
namespace {

/// Times that an instruction reads each of its weight words.
std::int64_t sweeps(const Instruction& i) {
  const std::int64_t pixels = std::int64_t{1} << i.pix_log2;
  return i.out_h * ((i.out_w + pixels - 1) / pixels);
}

void append(std::vector<std::int16_t>& to, const std::vector<std::int16_t>& block) {
  to.insert(to.end(), block.begin(), block.end());
}

/// Blocks that stay in `budget` words beside the ring.
std::vector<bool> choose_resident(const WeightBlocks& blocks,
                                  const std::vector<Instruction>& instructions,
                                  std::int64_t budget) {
  std::vector<std::int64_t> least(static_cast<std::size_t>(blocks.count()), INT64_MAX);
  for (const WeightBlocks::Use& use : blocks.uses()) {
    std::int64_t& l = least[static_cast<std::size_t>(use.block)];
    l = std::min(l, sweeps(instructions[static_cast<std::size_t>(use.instruction)]));
  }
  std::vector<int> order(least.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
    return least[static_cast<std::size_t>(a)] < least[static_cast<std::size_t>(b)];
  });
  std::vector<bool> resident(least.size(), false);
  for (const int b : order) {
    if (blocks.words(b) > budget) continue;
    budget -= blocks.words(b);
    resident[static_cast<std::size_t>(b)] = true;
  }
  return resident;
}

}  // namespace

void WeightBlocks::add(int instruction, std::vector<std::int16_t> weights) {
  NBQ_CHECK(!weights.empty() && weights.size() % word_size_ == 0);
  const std::uint64_t hash = fnv1a(std::string_view(reinterpret_cast<const char*>(weights.data()),
                                                    weights.size() * sizeof(std::int16_t)));
  const auto [first, last] = known_.equal_range(hash);
  const auto same = std::find_if(first, last, [&](const auto& entry) {
    return blocks_[static_cast<std::size_t>(entry.second)].weights == weights;
  });
  if (same != last) {
    uses_.push_back({instruction, same->second});
    return;
  }
  known_.emplace(hash, count());
  add_sketch(instruction, static_cast<std::int64_t>(weights.size() / word_size_));
  blocks_.back().weights = std::move(weights);
}

void WeightBlocks::add_sketch(int instruction, std::int64_t words) {
  uses_.push_back({instruction, count()});
  blocks_.push_back({{}, words});
}

Result<WeightPlan> plan_weights(const WeightBlocks& blocks, std::vector<Instruction>& instructions,
                                std::int64_t depth, bool may_stream,
                                const std::function<std::string(int)>& layer_of) {
  std::int64_t total = 0, largest = 0;
  for (int b = 0; b < blocks.count(); ++b) {
    total += blocks.words(b);
    largest = std::max(largest, blocks.words(b));
  }
  const bool streams = total > depth;
  std::vector<bool> resident(static_cast<std::size_t>(blocks.count()), true);
  WeightPlan plan;
  if (streams && may_stream) {
    plan.ring = depth - std::min(depth, 2 * largest);
    resident = choose_resident(blocks, instructions, plan.ring);
  }

  std::vector<std::int64_t> place(resident.size(), -1);
  for (const WeightBlocks::Use& use : blocks.uses()) {
    Instruction& i = instructions[static_cast<std::size_t>(use.instruction)];
    const auto b = static_cast<std::size_t>(use.block);
    const std::int64_t words = blocks.words(use.block);
    if (!resident[b]) {
      if (words > depth)
        return make_error(
            ErrorCode::kUnsupported,
            "{}: {} weight words must be there at once, the engine has {}; more lanes make "
            "wider words",
            layer_of(use.instruction), words, depth);
      i.wgt_base = plan.ring + plan.stream_words % (depth - plan.ring);
      i.wgt_words = words;
      plan.stream_words += words;
      append(plan.stream, blocks.weights(use.block));
      continue;
    }
    if (place[b] < 0) {
      place[b] = plan.depth;
      plan.depth += words;
      if (plan.depth > depth)
        return make_error(ErrorCode::kUnsupported,
                          "{}: does not fit: the weights up to here take {} words, all of them {}, "
                          "the engine has {}; with an AXI bus they can be streamed",
                          layer_of(use.instruction), plan.depth, total, depth);
      append(plan.resident, blocks.weights(use.block));
    }
    i.wgt_base = place[b];
    i.wgt_words = 0;
  }
  if (streams) plan.depth = depth;
  return plan;
}

}  // namespace nbq::hw
