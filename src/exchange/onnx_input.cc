#include "exchange/onnx_input.h"

#include <onnx/onnx_pb.h>

#include <algorithm>
#include <cmath>

namespace nbq::exchange {
namespace {

using Ints = std::vector<std::int64_t>;

Result<const onnx::ValueInfoProto*> only_input(const ImportState& s, const onnx::GraphProto& g) {
  std::vector<const onnx::ValueInfoProto*> read;
  std::vector<std::string> names;
  for (const onnx::ValueInfoProto& v : g.input()) {
    if (s.values.contains(v.name()) || !s.reads.contains(v.name())) continue;
    read.push_back(&v);
    names.push_back(v.name());
  }
  if (read.empty())
    return make_error(ErrorCode::kUnsupported, "output {}: does not depend on an input", s.output);
  if (read.size() > 1)
    return make_error(ErrorCode::kUnsupported,
                      "{} inputs ({}); one image is the only input a network may have", read.size(),
                      fmt::join(names, ", "));
  return read[0];
}

/// Whether everything that reads the input turns rows, columns, channels to channels first.
bool channels_last(const std::vector<const onnx::NodeProto*>& nodes, const std::string& input) {
  bool all = false;
  for (const onnx::NodeProto* n : nodes) {
    if (std::find(n->input().begin(), n->input().end(), input) == n->input().end()) continue;
    Ints perm;
    AttributeReader(*n).get("perm", perm);
    if (n->op_type() != "Transpose" || perm != Ints{0, 3, 1, 2}) return false;
    all = true;
  }
  return all;
}

/// Declared sizes, 0 where they are open; the batch first.
Ints declared_sizes(const onnx::ValueInfoProto& input) {
  Ints sizes;
  for (const auto& d : input.type().tensor_type().shape().dim())
    sizes.push_back(d.has_dim_value() && d.dim_value() > 0 ? d.dim_value() : 0);
  return sizes;
}

/// One side of the image: declared, or from the options.
Result<int> side(const ImportState& s, const std::string& input, const char* what,
                 std::int64_t declared, int Shape::*given) {
  const std::int64_t wanted = s.options.input ? (*s.options.input).*given : 0;
  if (declared != 0 && wanted != 0 && declared != wanted)
    return make_error(ErrorCode::kInvalidArgument,
                      "input {}: the model takes {} {}, the given size has {}", input, declared,
                      what, wanted);
  const std::int64_t v = declared != 0 ? declared : wanted;
  if (v == 0)
    return make_error(ErrorCode::kInvalidArgument,
                      "input {}: the model leaves its {} open; give the image's size with --input "
                      "C,H,W",
                      input, what);
  return static_cast<int>(std::min<std::int64_t>(v, 1 << 20));  // infer_shapes() knows the limits
}

/// One number a channel, or one for all.
Status set_normalisation(const ImportOptions& o, InputAttrs& a) {
  const auto channels = static_cast<std::size_t>(a.channels);
  for (const auto* list : {&o.mean, &o.std})
    for (const float v : *list)
      if (!std::isfinite(v))
        return make_error(ErrorCode::kInvalidArgument, "mean and std must be numbers");
  for (const auto* list : {&o.mean, &o.std})
    if (list->size() > 1 && list->size() != channels)
      return make_error(ErrorCode::kInvalidArgument,
                        "mean and std have {} numbers, the image has {} channels", list->size(),
                        channels);
  if (o.mean.empty() != o.std.empty())
    return make_error(ErrorCode::kInvalidArgument, "mean and std must be given together");
  a.mean = o.mean.size() == 1 ? std::vector<float>(channels, o.mean[0]) : o.mean;
  a.std = o.std.size() == 1 ? std::vector<float>(channels, o.std[0]) : o.std;
  return ok_status();
}

/// Axes of the ONNX input of so many dimensions.
Result<Axes> input_axes(const std::string& name, std::size_t rank, bool last) {
  if (rank == 0 || rank == 4)
    return last ? Axes{Axis::kBatch, Axis::kH, Axis::kW, Axis::kC} : kMapAxes;
  if (rank == 3) return Axes{Axis::kBatch, Axis::kH, Axis::kW};
  if (rank == 2) return kFlatAxes;
  return make_error(ErrorCode::kUnsupported,
                    "input {}: {} dimensions; an image has batch, channels, rows, columns", name,
                    rank);
}

}  // namespace

Status read_input(ImportState& s, const onnx::GraphProto& g,
                  const std::vector<const onnx::NodeProto*>& nodes) {
  NBQ_ASSIGN(const onnx::ValueInfoProto* input, only_input(s, g));
  const std::string& name = input->name();
  const int type = input->type().tensor_type().elem_type();
  s.stored_image = type == onnx::TensorProto::UINT8;
  if (type == onnx::TensorProto::FLOAT16 || type == onnx::TensorProto::DOUBLE)
    s.notes.push_back(fmt::format("input {}: computed in float", name));
  else if (type != onnx::TensorProto::FLOAT && !s.stored_image)
    return make_error(ErrorCode::kUnsupported,
                      "input {}: elements of ONNX type {}; export with a float input, or uint8",
                      name, type);
  const Ints sizes = declared_sizes(*input);
  NBQ_ASSIGN(Axes axes, input_axes(name, sizes.size(), channels_last(nodes, name)));
  s.batch = sizes.empty() ? 0 : sizes[0];
  Shape declared;
  if (sizes.size() == 3) declared.c = 1;
  for (std::size_t i = 1; i < sizes.size() && sizes.size() > 2; ++i)
    (axes[i] == Axis::kC   ? declared.c
     : axes[i] == Axis::kH ? declared.h
                           : declared.w) =
        static_cast<int>(std::min<std::int64_t>(sizes[i], 1 << 20));
  InputAttrs a;
  NBQ_ASSIGN(a.channels, side(s, name, "channels", declared.c, &Shape::c));
  NBQ_ASSIGN(a.height, side(s, name, "rows", declared.h, &Shape::h));
  NBQ_ASSIGN(a.width, side(s, name, "columns", declared.w, &Shape::w));
  NBQ_TRY(set_normalisation(s.options, a));
  NBQ_ASSIGN(int id, s.add(name, a, {}, {}));
  if (sizes.size() == 2) {
    if (sizes[1] != 0 && sizes[1] != s.graph.nodes[0].shape.size())
      return make_error(ErrorCode::kInvalidArgument, "input {}: {} features, the image has {}",
                        name, sizes[1], s.graph.nodes[0].shape.size());
    NBQ_ASSIGN(id, s.add(name + "_flatten", FlattenAttrs{}, {0}, {}));
  }
  s.values[name] = Value{nullptr, id, std::move(axes), {}};
  // Pixels are (byte - 128) / 128 to an integer network.
  if (s.stored_image) s.values[name].stored = StoredIntegers{-7, 128, true};
  return ok_status();
}

}  // namespace nbq::exchange
