#include "model/op_table.h"

namespace nbq {

ShapeFn op_shape(OpKind kind) {
  static constexpr ShapeFn kRows[] = {
#define NBQ_OP(Kind, folder, name) shape_##folder,
#include "ops.def"
  };
  return kRows[static_cast<int>(kind)];
}

BoundFn op_bound(OpKind kind) {
  static constexpr BoundFn kRows[] = {
#define NBQ_OP(Kind, folder, name) bound_##folder,
#include "ops.def"
  };
  return kRows[static_cast<int>(kind)];
}

bool keeps_format(OpKind k) {
  return k == OpKind::kMaxPool || k == OpKind::kFlatten || k == OpKind::kPad || k == OpKind::kSlice;
}

Result<AccBound> acc_bound(const Graph& graph, int id) {
  const Node& n = graph.nodes[static_cast<std::size_t>(id)];
  std::vector<const Node*> in;
  for (const int i : n.inputs) in.push_back(&graph.nodes[static_cast<std::size_t>(i)]);
  return op_bound(n.kind())(n, in);
}

bool is_matrix(OpKind kind) { return kind == OpKind::kConv2d || kind == OpKind::kLinear; }

Status check_norm(const BatchNormAttrs& a, const std::string& where) {
  if (!(a.eps > 0) || !(a.momentum >= 0 && a.momentum <= 1))
    return make_error(ErrorCode::kBadFile, "{}: eps must be positive and momentum in 0..1", where);
  return ok_status();
}

Status expect_inputs(const Node& node, std::size_t have, std::size_t want) {
  if (have != want)
    return make_error(ErrorCode::kBadFile, "{}: {} takes {} input(s), it has {}", node.name,
                      op_name(node.kind()), want, have);
  return ok_status();
}

AccBound pass_through(const Node& operand) { return {{operand.act.max_abs()}, {operand.act.exp}}; }

Result<AccBound> weighted_bound(const Node& node, const Node& operand, std::int64_t channels) {
  const Po2Weights& p = node.po2;
  if (static_cast<std::int64_t>(p.exps.size()) != channels)
    return make_error(ErrorCode::kBadFile, "{}: {} scale exponents for {} channels", node.name,
                      p.exps.size(), channels);
  AccBound b;
  for (const int s : p.exps) b.exps.push_back(s + operand.act.exp);
  if (p.codes.empty()) return b;
  auto levels_of = code_values(Po2Format{p.bits});
  for (auto& level : levels_of) level = std::abs(level);
  const std::size_t per = p.codes.size() / static_cast<std::size_t>(channels);
  for (std::int64_t c = 0; c < channels; ++c) {
    // Levels are at most 2^14, operands 2^16, rows 2^28 long: the sum stays below 2^60.
    std::int64_t levels = 0;
    const Po2Code* codes = p.codes.data() + static_cast<std::size_t>(c) * per;
    for (std::size_t i = 0; i < per; ++i) levels += levels_of[codes[i].raw];
    const std::int64_t bias = p.bias.empty() ? 0 : std::abs(p.bias[static_cast<std::size_t>(c)]);
    b.max_abs.push_back(levels * operand.act.max_abs() + bias);
  }
  return b;
}

}  // namespace nbq
