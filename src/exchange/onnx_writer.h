#pragma once
#include <onnx/onnx_pb.h>

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "core/result.h"

// Private to src/exchange: an ONNX model that is being written.
namespace nbq::exchange {

using Ints = std::vector<std::int64_t>;

/// The node that was added last; for its attributes.
class WrittenNode {
 public:
  explicit WrittenNode(onnx::NodeProto& proto) : proto_(proto) {}
  WrittenNode& attr(const char* name, std::int64_t value);
  WrittenNode& attr(const char* name, const Ints& values);
  WrittenNode& text_attr(const char* name, const char* text);
  /// An operator of another set than ONNX's.
  WrittenNode& domain(const char* name);
  const std::string& output() const { return proto_.output(0); }

 private:
  onnx::AttributeProto& add(const char* name, onnx::AttributeProto::AttributeType type);
  onnx::NodeProto& proto_;
};

class OnnxWriter {
 public:
  /// `dims` of -1 are open.
  OnnxWriter(const std::string& graph_name, std::int64_t opset, std::int64_t ir_version);
  /// Says that operators of another set are used.
  void import_domain(const char* domain, std::int64_t version);
  // Both take the name: nothing else gets it. The node that gives an output comes later.
  void input(const std::string& name, onnx::TensorProto::DataType type, const Ints& dims);
  void output(const std::string& name, onnx::TensorProto::DataType type, const Ints& dims);

  /// Appends a node with one output that is named `output`, or like it where that is taken.
  WrittenNode node(const char* op, const std::vector<std::string>& inputs,
                   const std::string& output);
  /// The node that gives an output of the network.
  WrittenNode output_node(const char* op, const std::string& input, const std::string& output);

  // Constants; each returns its name. A constant without dims is a scalar.
  std::string constant(const std::string& name, const Ints& dims, std::span<const float> data);
  std::string constant(const std::string& name, const Ints& dims,
                       std::span<const std::int8_t> data);
  std::string constant(const std::string& name, const Ints& dims,
                       std::span<const std::uint8_t> data);
  std::string constant(const std::string& name, const Ints& dims,
                       std::span<const std::int32_t> data);
  std::string constant(const std::string& name, const Ints& dims,
                       std::span<const std::int64_t> data);

  /// Errors kUnsupported: more than the 2 GB that protobuf can hold.
  Result<std::vector<std::uint8_t>> bytes() const;

 private:
  std::string unique(const std::string& wanted);
  WrittenNode append(const char* op, const std::vector<std::string>& inputs,
                     const std::string& output);
  template <class T>
  std::string raw(const std::string& name, onnx::TensorProto::DataType type, const Ints& dims,
                  std::span<const T> data);

  onnx::ModelProto model_;
  std::set<std::string> names_;
};

}  // namespace nbq::exchange
