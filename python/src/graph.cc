#include "model/graph.h"

#include <nanobind/stl/array.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/variant.h>
#include <nanobind/stl/vector.h>

#include "bindings.h"
#include "core/file.h"
#include "errors.h"
#include "model/fold.h"
#include "model/nbq_file.h"
#include "model/quantise.h"
#include "ops/ref_executor.h"

// nbq.Graph is made of Python objects; what is done with one is done with a NativeGraph of it.
namespace nbq::python {

using namespace nb::literals;

namespace {

template <class T>
using Maybe = std::optional<In<T>>;
using State = std::map<std::string, In<float>>;

template <class To, class From>
std::vector<To> copied(const Maybe<From>& array) {
  if (!array) return {};
  const auto v = values(*array);
  return {v.begin(), v.end()};
}

/// What the file's fields could not hold; everything else is found by the file's own checks.
void check_fields(const std::string& where, const ActFormat& act, const Po2Weights& p) {
  if (act.bits < 0 || act.bits > 16 || act.exp < -64 || act.exp > 64)
    bad_argument("{}: an activation format of {} bits, exponent {}; allowed are 2..16 and -64..64",
                 where, act.bits, act.exp);
  if (p.bits != 0 && (p.bits < kMinWeightBits || p.bits > kMaxWeightBits))
    bad_argument("{}: {} weight bits, allowed are {}..{}", where, p.bits, kMinWeightBits,
                 kMaxWeightBits);
  for (const int s : p.exps)
    if (s < -128 || s > 127) bad_argument("{}: weight exponent {} is outside -128..127", where, s);
  if (p.bits == 0) return;
  if (const std::size_t bad = first_illegal({p.bits}, p.codes); bad != p.codes.size())
    bad_argument("{}: weight code {} is {}, which is illegal", where, bad, p.codes[bad].raw);
}

void add_node(Graph& g, const std::string& name, const Attrs& attrs, const std::vector<int>& inputs,
              const ActFormat& act, int bits, const Maybe<int>& exps,
              const Maybe<std::uint8_t>& codes, const Maybe<std::int64_t>& bias, const State& state,
              const std::optional<BatchNormAttrs>& norm) {
  Node n;
  n.name = name;
  n.attrs = attrs;
  n.inputs = inputs;
  n.act = act;
  n.norm = norm;
  n.po2.bits = bits;
  n.po2.exps = copied<int>(exps);
  n.po2.bias = copied<std::int64_t>(bias);
  for (const std::uint8_t raw : copied<std::uint8_t>(codes)) n.po2.codes.push_back({raw});
  check_fields(name, act, n.po2);
  for (const auto& [key, array] : state) {
    FloatTensor t;
    for (const std::size_t d : shape_of(array)) t.dims.push_back(static_cast<std::int64_t>(d));
    t.data.assign(array.data(), array.data() + array.size());
    n.state.emplace(key, std::move(t));
  }
  g.nodes.push_back(std::move(n));
}

Graph decoded(const nb::bytes& bytes) {
  const std::span data(reinterpret_cast<const std::uint8_t*>(bytes.c_str()), bytes.size());
  const nb::gil_scoped_release release;
  return value_or_throw(decode_nbq(data));
}

/// Sets shapes and, in an integer network, which it verifies, the accumulators' widths.
void complete(Graph& g) {
  value_or_throw(infer_shapes(g));
  if (g.stage != Stage::kInteger) return;
  const auto bits = value_or_throw(prove_integer(g));
  for (std::size_t id = 0; id < bits.size(); ++id) g.nodes[id].po2.acc_bits = bits[id];
}

/// The bytes of a graph that a reader accepts.
std::vector<std::uint8_t> sound_bytes(Graph& g) {
  complete(g);
  auto bytes = encode_nbq(g);
  value_or_throw(decode_nbq(bytes));
  return bytes;
}

nb::bytes encoded(Graph& g) {
  std::vector<std::uint8_t> bytes;
  {
    const nb::gil_scoped_release release;
    bytes = sound_bytes(g);
  }
  return nb::bytes(bytes.data(), bytes.size());
}

std::size_t checked_id(const Graph& g, int id) {
  if (id < 0 || id >= static_cast<int>(g.nodes.size()))
    bad_argument("layer {} of a network with {}", id, g.nodes.size());
  return static_cast<std::size_t>(id);
}

Graph quantised(const Graph& g, int weight_bits, int act_bits, const std::string& quantizer,
                bool per_channel, const std::vector<std::tuple<std::string, int, int>>& layers,
                const std::vector<In<float>>& samples) {
  QuantSpec spec;
  spec.weight_bits = weight_bits;
  spec.act_bits = act_bits;
  spec.quantizer = quantizer;
  spec.granularity = per_channel ? ScaleGranularity::kPerChannel : ScaleGranularity::kPerLayer;
  for (const auto& [match, w, a] : layers) spec.layers.push_back({match, w, a});
  if (g.stage != Stage::kFloat || samples.size() != g.nodes.size())
    bad_argument("quantise: a float network and a sample for each of its {} layers are needed",
                 g.nodes.size());
  ActSamples all;
  for (const In<float>& s : samples) all.emplace_back(s.data(), s.data() + s.size());
  const nb::gil_scoped_release release;
  return value_or_throw(quantise(g, spec, all));
}

Out<std::int64_t> reference_logits(Graph& g, const In<std::uint8_t>& pixels, int n) {
  std::vector<std::int64_t> logits;
  std::size_t outputs = 0;
  {
    const nb::gil_scoped_release release;
    complete(g);
    const auto reference = value_or_throw(RefExecutor::create(g));
    logits = value_or_throw(reference.run(values(pixels), n));
    outputs = static_cast<std::size_t>(reference.outputs());
  }
  return to_numpy(std::move(logits), {static_cast<std::size_t>(n), outputs});
}

Out<std::uint8_t> codes_of(const Node& n) {
  std::vector<std::uint8_t> raw;
  raw.reserve(n.po2.codes.size());
  for (const Po2Code c : n.po2.codes) raw.push_back(c.raw);
  const std::size_t size = raw.size();
  return to_numpy(std::move(raw), {size});
}

std::map<std::string, Out<float>> state_of(const Node& n) {
  std::map<std::string, Out<float>> out;
  for (const auto& [name, t] : n.state)
    out.emplace(name, to_numpy(t.data, {t.dims.begin(), t.dims.end()}));
  return out;
}

void bind_node(nb::module_& m) {
  constexpr auto owned = nb::rv_policy::automatic;  // arrays own copies: they outlive the graph
  nb::class_<Node>(m, "NativeNode")
      .def_ro("name", &Node::name)
      .def_prop_ro("attrs", [](const Node& n) { return n.attrs; })
      .def_ro("inputs", &Node::inputs)
      .def_prop_ro("act", [](const Node& n) { return n.act; })
      .def_prop_ro("norm", [](const Node& n) { return n.norm; })
      .def_prop_ro("shape",
                   [](const Node& n) {
                     return std::tuple{n.shape.c, n.shape.h, n.shape.w};
                   })
      .def_prop_ro("bits", [](const Node& n) { return n.po2.bits; })
      .def_prop_ro("acc_bits", [](const Node& n) { return n.po2.acc_bits; })
      .def_prop_ro(
          "exps", [](const Node& n) { return to_numpy(n.po2.exps, {n.po2.exps.size()}); }, owned)
      .def_prop_ro("codes", &codes_of, owned)
      .def_prop_ro(
          "bias", [](const Node& n) { return to_numpy(n.po2.bias, {n.po2.bias.size()}); }, owned)
      .def_prop_ro("state", &state_of, owned);
}

void bind_steps(nb::class_<Graph>& c) {
  const nb::call_guard<nb::gil_scoped_release> release;
  c.def("infer_shapes", [](Graph& g) { value_or_throw(infer_shapes(g)); })
      .def(
          "absorb_norms", [](const Graph& g) { return value_or_throw(absorb_norms(g)); }, release)
      .def(
          "fold_norms", [](const Graph& g) { return fold_norms(g); }, release)
      .def("quantise", &quantised, "weight_bits"_a, "act_bits"_a, "quantizer"_a, "per_channel"_a,
           "layers"_a, "samples"_a.noconvert())
      .def(
          "deploy",
          [](const Graph& g) {
            if (g.stage != Stage::kQuantised)
              bad_argument("deploy: the network is not a quantised one");
            return value_or_throw(deploy(g));
          },
          release)
      .def("reference_logits", &reference_logits, "pixels"_a.noconvert(), "n"_a);
}

}  // namespace

void bind_graph(nb::module_& m) {
  nb::enum_<Stage>(m, "Stage", "What the numbers in a graph are.")
      .value("FLOAT", Stage::kFloat, "float parameters")
      .value("QUANTISED", Stage::kQuantised, "float parameters, locked exponents and formats")
      .value("INTEGER", Stage::kInteger, "codes and integer biases: the deployed network");
  bind_node(m);
  nb::class_<Graph> c(m, "NativeGraph");
  c.def(
       "__init__",
       [](Graph* g, std::string name, Stage stage, std::string quantizer,
          std::vector<std::string> class_names) {
         new (g) Graph{std::move(name), stage, std::move(quantizer), {}, std::move(class_names)};
       },
       "name"_a, "stage"_a, "quantizer"_a, "class_names"_a)
      .def("add", &add_node, "name"_a, "attrs"_a, "inputs"_a, "act"_a, "bits"_a,
           "exps"_a.none().noconvert(), "codes"_a.none().noconvert(), "bias"_a.none().noconvert(),
           "state"_a.noconvert(), "norm"_a.none())
      .def_ro("name", &Graph::name)
      .def_ro("stage", &Graph::stage)
      .def_ro("quantizer", &Graph::quantizer)
      .def_ro("class_names", &Graph::class_names)
      .def("__len__", [](const Graph& g) { return g.nodes.size(); })
      .def(
          "node", [](const Graph& g, int id) -> const Node& { return g.nodes[checked_id(g, id)]; },
          "id"_a, nb::rv_policy::reference_internal)
      .def(
          "describe",
          [](const Graph& g, int id) {
            checked_id(g, id);
            const LayerInfo info = value_or_throw(describe(g, id));
            std::vector<std::tuple<std::string, std::vector<std::int64_t>, bool>> params;
            for (const ParamSpec& p : info.params) params.emplace_back(p.name, p.dims, p.learnt);
            return std::tuple{params, info.macs};
          },
          "id"_a, "Parameters (name, dims, learnt) and multiply-accumulates an image.")
      .def("encode", &encoded, "The .nbq bytes, once all of it is verified.")
      .def(
          "save",
          [](Graph& g, const std::string& path) {
            value_or_throw(write_file(path, sound_bytes(g)));
          },
          "path"_a, nb::call_guard<nb::gil_scoped_release>())
      .def_static("decode", &decoded, "data"_a)
      .def_static(
          "load", [](const std::string& path) { return value_or_throw(load_nbq(path)); }, "path"_a,
          nb::call_guard<nb::gil_scoped_release>());
  bind_steps(c);
}

}  // namespace nbq::python
