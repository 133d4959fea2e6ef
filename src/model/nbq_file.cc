#include "model/nbq_file.h"

#include <cstring>

#include "core/file.h"
#include "model/fold.h"
#include "model/nbq_attrs.h"
#include "model/quantise.h"

namespace nbq {
namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;

Offset<fb::Po2Weights> pack_po2(FlatBufferBuilder& b, const Po2Weights& p) {
  const std::vector<std::int16_t> exps(p.exps.begin(), p.exps.end());
  const auto packed = pack_codes(Po2Format{p.bits}, p.codes);
  const auto exps_at = b.CreateVector(exps);
  const auto codes_at = b.CreateVector(packed);
  const auto bias_at = b.CreateVector(p.bias);
  return fb::CreatePo2Weights(b, static_cast<std::uint8_t>(p.bits), exps_at, p.codes.size(),
                              codes_at, bias_at);
}

Offset<fb::Node> pack_node(FlatBufferBuilder& b, const Node& n) {
  std::vector<Offset<fb::Tensor>> state;
  for (const auto& [name, t] : n.state) {
    const auto name_at = b.CreateString(name);
    const auto dims_at = b.CreateVector(t.dims);
    state.push_back(fb::CreateTensor(b, name_at, dims_at, b.CreateVector(t.data)));
  }
  const auto state_at = b.CreateVector(state);
  const auto name_at = b.CreateString(n.name);
  const auto inputs_at = b.CreateVector(n.inputs);
  Offset<fb::Po2Weights> po2_at;
  if (n.po2.bits != 0) po2_at = pack_po2(b, n.po2);
  const Offset<void> attrs_at = pack_attrs(b, n.attrs);
  Offset<fb::BatchNormAttrs> norm_at;
  if (n.norm) norm_at = fb::CreateBatchNormAttrs(b, n.norm->eps, n.norm->momentum);
  const fb::ActFormat act(static_cast<std::uint8_t>(n.act.bits), n.act.is_signed,
                          static_cast<std::int16_t>(n.act.exp), n.act.lo, n.act.hi);
  fb::NodeBuilder node(b);
  node.add_name(name_at);
  node.add_attrs_type(static_cast<fb::Attrs>(n.attrs.index() + 1));
  node.add_attrs(attrs_at);
  node.add_inputs(inputs_at);
  node.add_act(&act);
  if (n.po2.bits != 0) node.add_po2(po2_at);
  node.add_acc_bits(static_cast<std::uint8_t>(n.po2.acc_bits));
  node.add_state(state_at);
  if (n.norm) node.add_norm(norm_at);
  return node.Finish();
}

std::string text(const flatbuffers::String* s) { return s == nullptr ? std::string() : s->str(); }

/// The verifier bounds a vector but does not align its elements: a hostile file may put them
/// anywhere.
template <class To, class From>
std::vector<To> values(const flatbuffers::Vector<From>* v) {
  std::vector<To> out(v == nullptr ? 0 : v->size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    From element;
    std::memcpy(&element, v->Data() + i * sizeof(From), sizeof(From));
    out[i] = static_cast<To>(flatbuffers::EndianScalar(element));
  }
  return out;
}

Result<Po2Weights> unpack_po2(const fb::Po2Weights& f, const std::string& where) {
  Po2Weights p;
  p.bits = f.bits();
  if (p.bits < kMinWeightBits || p.bits > kMaxWeightBits)
    return make_error(ErrorCode::kBadFile, "{}: {} weight bits, allowed are {}..{}", where, p.bits,
                      kMinWeightBits, kMaxWeightBits);
  p.exps = values<int>(f.exps());
  p.bias = values<std::int64_t>(f.bias());
  const std::size_t bytes = f.codes() == nullptr ? 0 : f.codes()->size();
  if (f.code_count() > bytes * 8)
    return make_error(ErrorCode::kBadFile, "{}: {} codes in {} bytes", where, f.code_count(),
                      bytes);
  auto codes = unpack_codes(Po2Format{p.bits}, {bytes == 0 ? nullptr : f.codes()->data(), bytes},
                            f.code_count());
  if (!codes.ok()) return make_error(ErrorCode::kBadFile, "{}: {}", where, codes.error().message);
  p.codes = std::move(*codes);
  return p;
}

Status unpack_state(const fb::Node& f, Node& n) {
  if (f.state() == nullptr) return ok_status();
  for (const fb::Tensor* t : *f.state()) {
    FloatTensor tensor{values<std::int64_t>(t->dims()), values<float>(t->data())};
    if (!n.state.emplace(text(t->name()), std::move(tensor)).second)
      return make_error(ErrorCode::kBadFile, "{}: parameter {} is there twice", n.name,
                        text(t->name()));
  }
  return ok_status();
}

Result<Node> unpack_node(const fb::Node& f, std::size_t id) {
  Node n;
  n.name = text(f.name());
  const std::string where = n.name.empty() ? fmt::format("layer {}", id) : n.name;
  NBQ_ASSIGN(n.attrs, unpack_attrs(f, where));
  n.inputs = values<int>(f.inputs());
  if (const fb::ActFormat* a = f.act()) {
    n.act.bits = a->bits();
    n.act.is_signed = a->is_signed();
    n.act.exp = a->exp();
    n.act.lo = a->lo();
    n.act.hi = a->hi();
  }
  if (f.po2() != nullptr) {
    NBQ_ASSIGN(n.po2, unpack_po2(*f.po2(), where));
  }
  n.po2.acc_bits = f.acc_bits();
  if (const fb::BatchNormAttrs* a = f.norm()) n.norm = BatchNormAttrs{a->eps(), a->momentum()};
  NBQ_TRY(unpack_state(f, n));
  return n;
}

/// FlatBuffers may point to one vector many times: bytes that a node takes once unpacked.
std::size_t unpacked_bytes(const fb::Node& f) {
  const auto count = [](const auto* v) {
    return v == nullptr ? std::size_t{0} : std::size_t{v->size()};
  };
  std::size_t bytes = count(f.name()) + 4 * count(f.inputs());
  if (const fb::Po2Weights* p = f.po2())
    bytes += 4 * count(p->exps()) + 8 * count(p->codes()) + 8 * count(p->bias());
  if (const auto* input = f.attrs_as_InputAttrs())
    bytes += 4 * (count(input->mean()) + count(input->std()));
  if (f.state() != nullptr)
    for (const fb::Tensor* t : *f.state())
      bytes += 64 + count(t->name()) + 8 * count(t->dims()) + 4 * count(t->data());
  return bytes;
}

/// Refuses what could not come from distinct bytes of the file: at most 8 unpacked bytes come from
/// one.
Status check_size(const fb::Model& f, std::size_t file_bytes) {
  constexpr std::size_t kMaxNodes = 1 << 16;
  const std::size_t allowed = 16 * file_bytes + (1 << 16);
  std::size_t bytes = 0;
  if (f.nodes() != nullptr) {
    if (f.nodes()->size() > kMaxNodes)
      return make_error(ErrorCode::kBadFile, "{} layers, more than {}", f.nodes()->size(),
                        kMaxNodes);
    for (const fb::Node* n : *f.nodes()) bytes += unpacked_bytes(*n);
  }
  if (f.class_names() != nullptr)
    for (const flatbuffers::String* s : *f.class_names()) bytes += sizeof(std::string) + s->size();
  if (bytes > allowed)
    return make_error(ErrorCode::kBadFile, "damaged: its parts overlap ({} bytes unpacked from {})",
                      bytes, file_bytes);
  return ok_status();
}

/// Formats and locked exponents are there when the network is being learnt, and nothing beyond.
Status verify_learning_po2(const Graph& g, const Node& n) {
  const bool weighted =
      n.kind() == OpKind::kConv2d || n.kind() == OpKind::kLinear || n.kind() == OpKind::kBatchNorm;
  const bool wanted = weighted && g.stage == Stage::kQuantised;
  if (!n.po2.codes.empty() || !n.po2.bias.empty() || (n.po2.bits != 0) != wanted)
    return make_error(ErrorCode::kBadFile, "{}: power-of-two weights do not fit a {} of this stage",
                      n.name, op_name(n.kind()));
  if (wanted && n.po2.exps.size() != static_cast<std::size_t>(n.shape.c))
    return make_error(ErrorCode::kBadFile, "{}: {} scale exponents for {} channels", n.name,
                      n.po2.exps.size(), n.shape.c);
  for (const int s : n.po2.exps)
    if (s < -128 || s > 127)
      return make_error(ErrorCode::kBadFile, "{}: weight exponent {} is outside -128..127", n.name,
                        s);
  return ok_status();
}

/// A graph that is still float, or being learnt.
Status verify_learning(const Graph& g) {
  NBQ_TRY(check_state(g));
  if (g.stage == Stage::kQuantised) NBQ_TRY(find_quantizer(g.quantizer));
  for (const Node& n : g.nodes) {
    const ActFormat& f = n.act;
    const bool sound = !f.quantised() ? f.lo == 0 && f.hi == 0
                                      : f.bits >= 2 && f.bits <= 16 && f.exp >= -64 && f.exp <= 64;
    const ActFormat full = sound && f.quantised() ? ActFormat::make(f.bits, f.is_signed, f.exp) : f;
    if (!sound || f.lo > 0 || f.hi < 0 || f.lo < full.lo || f.hi > full.hi)
      return make_error(ErrorCode::kBadFile, "{}: activation format out of range", n.name);
    NBQ_TRY(verify_learning_po2(g, n));
  }
  return ok_status();
}

}  // namespace

std::vector<std::uint8_t> encode_nbq(const Graph& graph) {
  FlatBufferBuilder b;
  std::vector<Offset<fb::Node>> nodes;
  for (const Node& n : graph.nodes) nodes.push_back(pack_node(b, n));
  const auto nodes_at = b.CreateVector(nodes);
  const auto name_at = b.CreateString(graph.name);
  const auto quantizer_at = b.CreateString(graph.quantizer);
  const auto classes_at = b.CreateVectorOfStrings(graph.class_names);
  fb::FinishModelBuffer(b, fb::CreateModel(b, kNbqVersion, static_cast<std::uint8_t>(graph.stage),
                                           name_at, nodes_at, classes_at, quantizer_at));
  return {b.GetBufferPointer(), b.GetBufferPointer() + b.GetSize()};
}

Result<Graph> decode_nbq(std::span<const std::uint8_t> bytes) {
  if (reinterpret_cast<std::uintptr_t>(bytes.data()) % 8 !=
      0) {  // offsets count from an aligned start
    const std::vector<std::uint8_t> aligned(bytes.begin(), bytes.end());
    return decode_nbq(aligned);
  }
  if (bytes.size() < 8 || !fb::ModelBufferHasIdentifier(bytes.data()))
    return make_error(ErrorCode::kBadFile, "not an .nbq model (identifier missing)");
  flatbuffers::Verifier verifier(bytes.data(), bytes.size(), 64, 1 << 22);
  if (!fb::VerifyModelBuffer(verifier))
    return make_error(ErrorCode::kBadFile, "damaged or truncated (buffer verification failed)");
  const fb::Model& f = *fb::GetModel(bytes.data());
  if (f.version() != kNbqVersion)
    return make_error(ErrorCode::kBadFile, "version {} of the format; this nbq reads version {}",
                      f.version(), kNbqVersion);
  if (f.stage() > static_cast<std::uint8_t>(Stage::kInteger))
    return make_error(ErrorCode::kBadFile, "unknown stage {}", f.stage());
  NBQ_TRY(check_size(f, bytes.size()));
  Graph g;
  g.name = text(f.name());
  g.quantizer = text(f.quantizer());
  g.stage = static_cast<Stage>(f.stage());
  if (f.nodes() != nullptr)
    for (std::size_t id = 0; id < f.nodes()->size(); ++id) {
      NBQ_ASSIGN(Node n, unpack_node(*f.nodes()->Get(static_cast<flatbuffers::uoffset_t>(id)), id));
      g.nodes.push_back(std::move(n));
    }
  if (f.class_names() != nullptr)
    for (const flatbuffers::String* s : *f.class_names()) g.class_names.push_back(text(s));
  NBQ_TRY(infer_shapes(g));
  NBQ_TRY(g.stage == Stage::kInteger ? verify_integer(g) : verify_learning(g));
  if (!g.class_names.empty() &&
      g.class_names.size() != static_cast<std::size_t>(g.output().shape.size()))
    return make_error(ErrorCode::kBadFile, "{} class names for {} outputs", g.class_names.size(),
                      g.output().shape.size());
  return g;
}

Status save_nbq(const std::filesystem::path& path, const Graph& graph) {
  return write_file(path, encode_nbq(graph));
}

Result<Graph> load_nbq(const std::filesystem::path& path) {
  NBQ_ASSIGN(const auto bytes, read_file(path));
  auto graph = decode_nbq(bytes);
  if (!graph.ok())
    return make_error(graph.error().code, "{}: {}", path.string(), graph.error().message);
  return graph;
}

}  // namespace nbq
