#include "exchange/onnx_writer.h"

#include <bit>
#include <limits>

#include "core/version.h"

namespace nbq::exchange {
namespace {

using onnx::AttributeProto;
using onnx::TensorProto;

void describe_tensor(onnx::ValueInfoProto& v, const std::string& name, TensorProto::DataType type,
                     const Ints& dims) {
  v.set_name(name);
  auto* t = v.mutable_type()->mutable_tensor_type();
  t->set_elem_type(type);
  for (const std::int64_t d : dims) {
    auto* dim = t->mutable_shape()->add_dim();
    d >= 0 ? dim->set_dim_value(d) : dim->set_dim_param("N");
  }
}

}  // namespace

AttributeProto& WrittenNode::add(const char* name, AttributeProto::AttributeType type) {
  AttributeProto& a = *proto_.add_attribute();
  a.set_name(name);
  a.set_type(type);
  return a;
}

WrittenNode& WrittenNode::attr(const char* name, std::int64_t value) {
  add(name, AttributeProto::INT).set_i(value);
  return *this;
}

WrittenNode& WrittenNode::attr(const char* name, const Ints& values) {
  AttributeProto& a = add(name, AttributeProto::INTS);
  for (const std::int64_t v : values) a.add_ints(v);
  return *this;
}

WrittenNode& WrittenNode::text_attr(const char* name, const char* text) {
  add(name, AttributeProto::STRING).set_s(text);
  return *this;
}

WrittenNode& WrittenNode::domain(const char* name) {
  proto_.set_domain(name);
  return *this;
}

OnnxWriter::OnnxWriter(const std::string& graph_name, std::int64_t opset, std::int64_t ir_version) {
  model_.set_ir_version(ir_version);
  model_.set_producer_name("nbq");
  model_.set_producer_version(kVersion);
  model_.add_opset_import()->set_version(opset);
  model_.mutable_graph()->set_name(graph_name.empty() ? "network" : graph_name);
}

void OnnxWriter::import_domain(const char* domain, std::int64_t version) {
  onnx::OperatorSetIdProto& set = *model_.add_opset_import();
  set.set_domain(domain);
  set.set_version(version);
}

void OnnxWriter::input(const std::string& name, TensorProto::DataType type, const Ints& dims) {
  names_.insert(name);
  describe_tensor(*model_.mutable_graph()->add_input(), name, type, dims);
}

void OnnxWriter::output(const std::string& name, TensorProto::DataType type, const Ints& dims) {
  names_.insert(name);
  describe_tensor(*model_.mutable_graph()->add_output(), name, type, dims);
}

std::string OnnxWriter::unique(const std::string& wanted) {
  std::string name = wanted;
  for (int i = 2; !names_.insert(name).second; ++i) name = fmt::format("{}:{}", wanted, i);
  return name;
}

WrittenNode OnnxWriter::append(const char* op, const std::vector<std::string>& inputs,
                               const std::string& output) {
  onnx::NodeProto& n = *model_.mutable_graph()->add_node();
  n.set_name(output);
  n.set_op_type(op);
  for (const std::string& i : inputs) n.add_input(i);
  n.add_output(output);
  return WrittenNode(n);
}

WrittenNode OnnxWriter::node(const char* op, const std::vector<std::string>& inputs,
                             const std::string& output) {
  return append(op, inputs, unique(output));
}

WrittenNode OnnxWriter::output_node(const char* op, const std::string& input,
                                    const std::string& output) {
  return append(op, {input}, output);
}

template <class T>
std::string OnnxWriter::raw(const std::string& name, TensorProto::DataType type, const Ints& dims,
                            std::span<const T> data) {
  static_assert(std::endian::native == std::endian::little);
  TensorProto& t = *model_.mutable_graph()->add_initializer();
  t.set_name(unique(name));
  t.set_data_type(type);
  for (const std::int64_t d : dims) t.add_dims(d);
  t.set_raw_data(data.data(), data.size_bytes());
  return t.name();
}

std::string OnnxWriter::constant(const std::string& name, const Ints& dims,
                                 std::span<const float> data) {
  return raw(name, TensorProto::FLOAT, dims, data);
}
std::string OnnxWriter::constant(const std::string& name, const Ints& dims,
                                 std::span<const std::int8_t> data) {
  return raw(name, TensorProto::INT8, dims, data);
}
std::string OnnxWriter::constant(const std::string& name, const Ints& dims,
                                 std::span<const std::uint8_t> data) {
  return raw(name, TensorProto::UINT8, dims, data);
}
std::string OnnxWriter::constant(const std::string& name, const Ints& dims,
                                 std::span<const std::int32_t> data) {
  return raw(name, TensorProto::INT32, dims, data);
}
std::string OnnxWriter::constant(const std::string& name, const Ints& dims,
                                 std::span<const std::int64_t> data) {
  return raw(name, TensorProto::INT64, dims, data);
}

Result<std::vector<std::uint8_t>> OnnxWriter::bytes() const {
  const std::size_t size = model_.ByteSizeLong();
  if (size > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()))
    return make_error(ErrorCode::kUnsupported,
                      "{}: {} bytes as an ONNX model, more than the 2 GB that one file may hold",
                      model_.graph().name(), size);
  std::vector<std::uint8_t> bytes(size);
  if (!model_.SerializeToArray(bytes.data(), static_cast<int>(size)))
    return make_error(ErrorCode::kIo, "{}: writing the ONNX model failed", model_.graph().name());
  return bytes;
}

}  // namespace nbq::exchange
