#pragma once
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "core/result.h"

namespace onnx {
class AttributeProto;
class NodeProto;
class TensorProto;
}  // namespace onnx

// Private to src/exchange.
namespace nbq::exchange {

/// The attributes of an ONNX node, strictly: the first of a wrong type, and any that nothing asked
/// for, is an error of finish(). Ask for all, then finish(), then use the values.
class AttributeReader {
 public:
  explicit AttributeReader(const onnx::NodeProto& proto) : proto_(proto) {}

  /// "node conv1 (Conv)": how errors begin.
  std::string where() const;
  const onnx::NodeProto& proto() const { return proto_; }

  bool has(const std::string& name) const { return find(name) != nullptr; }
  void get(const std::string& name, std::int64_t& value);
  void get(const std::string& name, float& value);
  void get(const std::string& name, std::string& value);
  void get(const std::string& name, std::vector<std::int64_t>& value);
  /// nullptr: absent.
  const onnx::TensorProto* tensor(const std::string& name);
  /// An attribute without meaning here.
  void skip(const std::string& name) { seen_.insert(name); }
  Status finish() const;

 private:
  const onnx::AttributeProto* find(const std::string& name) const;
  const onnx::AttributeProto* take(const std::string& name, int type);

  const onnx::NodeProto& proto_;
  std::set<std::string> seen_;
  std::string wrong_;  ///< the first attribute of a wrong type
};

}  // namespace nbq::exchange
