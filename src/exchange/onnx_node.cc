#include "exchange/onnx_node.h"

#include <onnx/onnx_pb.h>

namespace nbq::exchange {

using onnx::AttributeProto;

std::string AttributeReader::where() const {
  const std::string& name = !proto_.name().empty()     ? proto_.name()
                            : proto_.output_size() > 0 ? proto_.output(0)
                                                       : proto_.name();
  return fmt::format("node {} ({})", name.empty() ? "without a name" : name, proto_.op_type());
}

const AttributeProto* AttributeReader::find(const std::string& name) const {
  for (const AttributeProto& a : proto_.attribute())
    if (a.name() == name) return &a;
  return nullptr;
}

const AttributeProto* AttributeReader::take(const std::string& name, int type) {
  seen_.insert(name);
  const AttributeProto* a = find(name);
  if (a == nullptr || a->type() == type) return a;
  if (wrong_.empty()) wrong_ = name;
  return nullptr;
}

void AttributeReader::get(const std::string& name, std::int64_t& value) {
  if (const auto* a = take(name, AttributeProto::INT)) value = a->i();
}
void AttributeReader::get(const std::string& name, float& value) {
  if (const auto* a = take(name, AttributeProto::FLOAT)) value = a->f();
}
void AttributeReader::get(const std::string& name, std::string& value) {
  if (const auto* a = take(name, AttributeProto::STRING)) value = a->s();
}
void AttributeReader::get(const std::string& name, std::vector<std::int64_t>& value) {
  if (const auto* a = take(name, AttributeProto::INTS))
    value.assign(a->ints().begin(), a->ints().end());
}
const onnx::TensorProto* AttributeReader::tensor(const std::string& name) {
  const auto* a = take(name, AttributeProto::TENSOR);
  return a == nullptr ? nullptr : &a->t();
}

Status AttributeReader::finish() const {
  if (!wrong_.empty())
    return make_error(ErrorCode::kBadFile, "{}: attribute {} has a wrong type", where(), wrong_);
  for (const AttributeProto& a : proto_.attribute())
    if (!seen_.contains(a.name()))
      return make_error(ErrorCode::kUnsupported,
                        "{}: attribute {} is not known; re-export at an opset of 9 to 28", where(),
                        a.name());
  return ok_status();
}

}  // namespace nbq::exchange
