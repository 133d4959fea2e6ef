#include "train/recipe_model.h"

#include <map>

namespace nbq {
namespace {

constexpr int kMaxSide = 4096;

/// kernel = 3 or [3, 5]; stride and dilation alike; padding = 1, [rows, columns], or
/// [top, left, bottom, right].
void read_window(StrictTable& t, Window& w) {
  const auto pair = [&](const char* key, int& rows, int& columns, int lo) {
    std::vector<int> v = {rows, columns};
    t.get_sizes(key, v, {2}, lo, kMaxSide);
    rows = v.front();
    columns = v.back();
  };
  if (!t.has("kernel")) t.fail("kernel", "is needed");
  pair("kernel", w.kernel_h, w.kernel_w, 1);
  pair("stride", w.stride_h, w.stride_w, 1);
  pair("dilation", w.dilation_h, w.dilation_w, 1);
  std::vector<int> pad = {0};
  t.get_sizes("padding", pad, {2, 4}, 0, kMaxSide);
  w.pad_top = pad[0];
  w.pad_left = pad[pad.size() > 1 ? 1 : 0];
  w.pad_bottom = pad.size() == 4 ? pad[2] : w.pad_top;
  w.pad_right = pad.size() == 4 ? pad[3] : w.pad_left;
}

// One reader for each row of spec/ops.def; a new row does not compile without its own.
void read(StrictTable& t, InputAttrs&) { t.fail("op", "the input is there without being named"); }
void read(StrictTable& t, Conv2dAttrs& a) {
  if (!t.has("out_channels")) t.fail("out_channels", "is needed");
  t.get("out_channels", a.out_channels, 1, 1 << 16);
  t.get("groups", a.groups, 1, 1 << 16);
  t.get("bias", a.bias);
  read_window(t, a.window);
}
void read(StrictTable& t, LinearAttrs& a) {
  if (!t.has("out_features")) t.fail("out_features", "is needed");
  t.get("out_features", a.out_features, 1, 1 << 20);
  t.get("bias", a.bias);
}
void read(StrictTable& t, BatchNormAttrs& a) {
  double eps = 1e-5, momentum = 0.1;
  t.get("eps", eps, 1e-12, 1);
  t.get("momentum", momentum, 0, 1);
  a.eps = static_cast<float>(eps);
  a.momentum = static_cast<float>(momentum);
}
void read(StrictTable& t, ReluAttrs& a) {
  double max = 0;
  t.get("max", max, 0, 1e6);
  a.max = static_cast<float>(max);
}
void read(StrictTable& t, MaxPoolAttrs& a) { read_window(t, a.window); }
void read(StrictTable& t, AvgPoolAttrs& a) { read_window(t, a.window); }
void read(StrictTable&, GlobalAvgPoolAttrs&) {}
void read(StrictTable&, AddAttrs&) {}
void read(StrictTable&, ConcatAttrs&) {}
void read(StrictTable&, FlattenAttrs&) {}
/// rows = [above, below], columns = [left, right], channels = [before, after].
void read(StrictTable& t, PadAttrs& a) {
  const auto pair = [&](const char* key, int& before, int& after) {
    std::vector<int> v = {before, after};
    t.get_sizes(key, v, {2}, 0, kMaxSide);
    before = v.front();
    after = v.back();
  };
  pair("channels", a.before_c, a.after_c);
  pair("rows", a.top, a.bottom);
  pair("columns", a.left, a.right);
}
/// start, size and step, each [channels, rows, columns].
void read(StrictTable& t, SliceAttrs& a) {
  const auto axes = [&](const char* key, int lo, int& c, int& h, int& w) {
    std::vector<int> v = {c, h, w};
    t.get_sizes(key, v, {3}, lo, 1 << 20);
    c = v[0];
    h = v[v.size() > 1 ? 1 : 0];
    w = v.back();
  };
  if (!t.has("size")) t.fail("size", "is needed");
  axes("start", 0, a.start_c, a.start_h, a.start_w);
  axes("size", 1, a.size_c, a.size_h, a.size_w);
  axes("step", 1, a.step_c, a.step_h, a.step_w);
}

Attrs read_attrs(StrictTable& t, const std::string& op) {
#define NBQ_OP(Kind, folder, name) \
  if (op == name) {                \
    Kind##Attrs a;                 \
    read(t, a);                    \
    return a;                      \
  }
#include "ops.def"
  return FlattenAttrs{};
}

std::vector<std::string> op_names() {
  std::vector<std::string> names;
  for (int k = 0; k < kOpCount; ++k) names.emplace_back(op_name(static_cast<OpKind>(k)));
  return names;
}

Status read_layers(std::vector<StrictTable> tables, std::vector<Node>& layers) {
  std::map<std::string, int> ids = {{"image", -1}};
  for (StrictTable& t : tables) {
    std::string op;
    t.get_choice("op", op, op_names());
    if (op.empty()) t.fail("op", "is needed");
    Node n;
    n.name = fmt::format("layer{}", layers.size() + 1);
    t.get("name", n.name);
    n.attrs = read_attrs(t, op);
    std::vector<std::string> inputs;
    t.get("inputs", inputs);
    if (!t.has("inputs")) n.inputs = {static_cast<int>(layers.size()) - 1};
    for (const std::string& in : inputs) {
      if (const auto it = ids.find(in); it != ids.end())
        n.inputs.push_back(it->second);
      else
        t.fail("inputs", fmt::format("no layer before this one is named \"{}\"", in));
    }
    if (!ids.emplace(n.name, static_cast<int>(layers.size())).second)
      t.fail("name", fmt::format("two layers are named \"{}\"", n.name));
    NBQ_TRY(t.finish());
    layers.push_back(std::move(n));
  }
  return ok_status();
}

std::string window_toml(const Window& w) {
  return fmt::format(
      "kernel = [{}, {}]\nstride = [{}, {}]\ndilation = [{}, {}]\npadding = [{}, {}, {}, {}]\n",
      w.kernel_h, w.kernel_w, w.stride_h, w.stride_w, w.dilation_h, w.dilation_w, w.pad_top,
      w.pad_left, w.pad_bottom, w.pad_right);
}

std::string write(const InputAttrs&) { return ""; }
std::string write(const Conv2dAttrs& a) {
  return fmt::format("out_channels = {}\ngroups = {}\nbias = {}\n{}", a.out_channels, a.groups,
                     a.bias, window_toml(a.window));
}
std::string write(const LinearAttrs& a) {
  return fmt::format("out_features = {}\nbias = {}\n", a.out_features, a.bias);
}
std::string write(const BatchNormAttrs& a) {
  return fmt::format("eps = {}\nmomentum = {}\n", a.eps, a.momentum);
}
std::string write(const ReluAttrs& a) { return fmt::format("max = {}\n", a.max); }
std::string write(const MaxPoolAttrs& a) { return window_toml(a.window); }
std::string write(const AvgPoolAttrs& a) { return window_toml(a.window); }
std::string write(const GlobalAvgPoolAttrs&) { return ""; }
std::string write(const AddAttrs&) { return ""; }
std::string write(const ConcatAttrs&) { return ""; }
std::string write(const FlattenAttrs&) { return ""; }
std::string write(const PadAttrs& a) {
  return fmt::format("channels = [{}, {}]\nrows = [{}, {}]\ncolumns = [{}, {}]\n", a.before_c,
                     a.after_c, a.top, a.bottom, a.left, a.right);
}
std::string write(const SliceAttrs& a) {
  return fmt::format("start = [{}, {}, {}]\nsize = [{}, {}, {}]\nstep = [{}, {}, {}]\n", a.start_c,
                     a.start_h, a.start_w, a.size_c, a.size_h, a.size_w, a.step_c, a.step_h,
                     a.step_w);
}

}  // namespace

std::string attrs_toml(const Attrs& attrs) {
  return std::visit([](const auto& a) { return write(a); }, attrs);
}

Status read_model(StrictTable t, ModelSpec& m) {
  read_family(t, m.build);
  t.get("mean", m.mean);
  t.get("std", m.std);
  if (m.mean.size() != m.std.size()) t.fail("mean", "and std must have as many numbers");
  std::vector<StrictTable> layers = t.tables("layer");
  if (!layers.empty() && !m.build.family.empty())
    t.fail("family", "is given beside [[model.layer]]s: only one of them describes the network");
  NBQ_TRY(t.finish());
  return read_layers(std::move(layers), m.layers);
}

Result<Graph> recipe_graph(const Recipe& recipe, const Shape& image, int classes) {
  const ModelSpec& m = recipe.model;
  Graph g;
  if (m.layers.empty()) {
    BuildSpec spec = m.build;
    spec.channels = image.c;
    spec.height = image.h;
    spec.width = image.w;
    spec.classes = classes;
    NBQ_ASSIGN(g, build_graph(spec));
  } else {
    g.add("image", InputAttrs{image.c, image.h, image.w, {}, {}}, {});
    for (const Node& n : m.layers) {
      g.nodes.push_back(n);
      for (int& in : g.nodes.back().inputs) ++in;
    }
  }
  g.name = recipe.name;
  auto& attrs = std::get<InputAttrs>(g.nodes[0].attrs);
  attrs.mean = m.mean;
  attrs.std = m.std;
  NBQ_TRY(infer_shapes(g));
  if (g.output().shape.size() != classes)
    return make_error(ErrorCode::kInvalidArgument,
                      "{}: the network's output has {} values, the data has {} classes",
                      g.output().name, g.output().shape.size(), classes);
  return g;
}

}  // namespace nbq
