#pragma once
#include <string>

#include "model/graph.h"
#include "nbq_generated.h"

// Private to src/model: FlatBuffers headers stay out of public ones.
namespace nbq {

/// Writes the union member of a layer's attributes.
flatbuffers::Offset<void> pack_attrs(flatbuffers::FlatBufferBuilder& b, const Attrs& attrs);
/// Errors kBadFile: an unknown layer, a member missing.
Result<Attrs> unpack_attrs(const fb::Node& node, const std::string& where);

#define NBQ_OP(Kind, folder, name)                                                        \
  static_assert(                                                                          \
      static_cast<int>(fb::Attrs_##Kind##Attrs) == static_cast<int>(OpKind::k##Kind) + 1, \
      "spec/nbq.fbs's union must follow spec/ops.def");
#include "ops.def"

}  // namespace nbq
