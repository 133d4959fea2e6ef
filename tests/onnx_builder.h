#pragma once
#include <onnx/onnx_pb.h>

#include <cstring>
#include <string>
#include <vector>

// For tests, the fuzzer's seeds and nothing else.
namespace nbq::testing {

using Ints = std::vector<std::int64_t>;

/// An ONNX model, node by node.
class OnnxBuilder {
 public:
  explicit OnnxBuilder(std::int64_t opset = 13) {
    model_.set_ir_version(7);
    model_.add_opset_import()->set_version(opset);
    opset_ = opset;
  }

  /// Sizes of 0 are left open.
  OnnxBuilder& input(const std::string& name, const Ints& dims) {
    value(model_.mutable_graph()->add_input(), name, dims);
    return *this;
  }
  OnnxBuilder& output(const std::string& name) {
    value(model_.mutable_graph()->add_output(), name, {});
    return *this;
  }
  OnnxBuilder& floats(const std::string& name, const Ints& dims, const std::vector<float>& data) {
    fill(*model_.mutable_graph()->add_initializer(), name, dims, data);
    return *this;
  }
  OnnxBuilder& ints(const std::string& name, const Ints& data) {
    fill(*model_.mutable_graph()->add_initializer(), name, data);
    return *this;
  }

  /// An 8-bit zero point: onnx::TensorProto::INT8 or UINT8.
  OnnxBuilder& zero_point(const std::string& name, onnx::TensorProto::DataType type, int value) {
    onnx::TensorProto& t = *model_.mutable_graph()->add_initializer();
    t.set_name(name);
    t.set_data_type(type);
    t.add_int32_data(value);
    return *this;
  }

  /// A node that is being described; converts to nothing, ends with the statement.
  class NodeBuilder {
   public:
    explicit NodeBuilder(onnx::NodeProto& node) : node_(node) {}
    NodeBuilder& attr(const std::string& name, std::int64_t v) {
      add(name, onnx::AttributeProto::INT).set_i(v);
      return *this;
    }
    NodeBuilder& attr(const std::string& name, int v) { return attr(name, std::int64_t{v}); }
    NodeBuilder& attr(const std::string& name, float v) {
      add(name, onnx::AttributeProto::FLOAT).set_f(v);
      return *this;
    }
    NodeBuilder& attr(const std::string& name, const char* v) {
      add(name, onnx::AttributeProto::STRING).set_s(v);
      return *this;
    }
    NodeBuilder& attr(const std::string& name, const Ints& v) {
      auto& a = add(name, onnx::AttributeProto::INTS);
      for (const std::int64_t i : v) a.add_ints(i);
      return *this;
    }
    NodeBuilder& domain(const char* set) {
      node_.set_domain(set);
      return *this;
    }
    NodeBuilder& tensor(const std::string& name, const Ints& v) {
      fill(*add(name, onnx::AttributeProto::TENSOR).mutable_t(), "", v);
      return *this;
    }
    NodeBuilder& tensor(const std::string& name, const Ints& dims, const std::vector<float>& v) {
      fill(*add(name, onnx::AttributeProto::TENSOR).mutable_t(), "", dims, v);
      return *this;
    }

   private:
    onnx::AttributeProto& add(const std::string& name, onnx::AttributeProto::AttributeType type) {
      onnx::AttributeProto& a = *node_.add_attribute();
      a.set_name(name);
      a.set_type(type);
      return a;
    }
    onnx::NodeProto& node_;
  };

  NodeBuilder node(const std::string& op, const std::vector<std::string>& in,
                   const std::string& out) {
    onnx::NodeProto& n = *model_.mutable_graph()->add_node();
    n.set_op_type(op);
    for (const std::string& i : in) n.add_input(i);
    n.add_output(out);
    return NodeBuilder(n);
  }

  /// A list that is attribute `name` before `since`, and an input from then on: returns the inputs
  /// to give the node. Call list_attr() on the node as well.
  std::vector<std::string> list_input(const std::string& name, const Ints& v, std::int64_t since) {
    if (opset_ < since) return {};
    ints("const_" + name, v);
    return {"const_" + name};
  }
  void list_attr(NodeBuilder n, const std::string& name, const Ints& v, std::int64_t since) const {
    if (opset_ < since) n.attr(name, v);
  }

  std::int64_t opset() const { return opset_; }
  onnx::ModelProto& proto() { return model_; }
  std::vector<std::uint8_t> bytes() const {
    const std::string s = model_.SerializeAsString();
    return {s.begin(), s.end()};
  }

 private:
  static void value(onnx::ValueInfoProto* v, const std::string& name, const Ints& dims) {
    v->set_name(name);
    auto* t = v->mutable_type()->mutable_tensor_type();
    t->set_elem_type(onnx::TensorProto::FLOAT);
    for (const std::int64_t d : dims) {
      auto* dim = t->mutable_shape()->add_dim();
      d > 0 ? dim->set_dim_value(d) : dim->set_dim_param("N");
    }
  }
  static void fill(onnx::TensorProto& t, const std::string& name, const Ints& dims,
                   const std::vector<float>& data) {
    t.set_name(name);
    t.set_data_type(onnx::TensorProto::FLOAT);
    for (const std::int64_t d : dims) t.add_dims(d);
    std::string raw(data.size() * sizeof(float), '\0');
    std::memcpy(raw.data(), data.data(), raw.size());
    t.set_raw_data(raw);
  }
  static void fill(onnx::TensorProto& t, const std::string& name, const Ints& data) {
    t.set_name(name);
    t.set_data_type(onnx::TensorProto::INT64);
    t.add_dims(static_cast<std::int64_t>(data.size()));
    for (const std::int64_t v : data) t.add_int64_data(v);
  }

  onnx::ModelProto model_;
  std::int64_t opset_;
};

}  // namespace nbq::testing
