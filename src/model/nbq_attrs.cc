#include "model/nbq_attrs.h"

namespace nbq {
namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;

fb::Window to_fb(const Window& w) {
  return {w.kernel_h, w.kernel_w,   w.stride_h,  w.stride_w,   w.pad_top,
          w.pad_left, w.pad_bottom, w.pad_right, w.dilation_h, w.dilation_w};
}

Window from_fb(const fb::Window* w) {
  if (w == nullptr) return {};
  return {w->kernel_h(), w->kernel_w(),   w->stride_h(),  w->stride_w(),   w->pad_top(),
          w->pad_left(), w->pad_bottom(), w->pad_right(), w->dilation_h(), w->dilation_w()};
}

std::vector<float> floats(const flatbuffers::Vector<float>* v) {
  return v == nullptr ? std::vector<float>() : std::vector<float>(v->begin(), v->end());
}

// One pair per layer.
Offset<void> pack(FlatBufferBuilder& b, const InputAttrs& a) {
  const auto mean = b.CreateVector(a.mean);
  const auto std = b.CreateVector(a.std);
  return fb::CreateInputAttrs(b, a.channels, a.height, a.width, mean, std).Union();
}
Attrs unpack(const fb::InputAttrs& f) {
  return InputAttrs{f.channels(), f.height(), f.width(), floats(f.mean()), floats(f.std())};
}
Offset<void> pack(FlatBufferBuilder& b, const Conv2dAttrs& a) {
  const fb::Window w = to_fb(a.window);
  return fb::CreateConv2dAttrs(b, a.out_channels, a.groups, a.bias, &w).Union();
}
Attrs unpack(const fb::Conv2dAttrs& f) {
  return Conv2dAttrs{f.out_channels(), f.groups(), f.bias(), from_fb(f.window())};
}
Offset<void> pack(FlatBufferBuilder& b, const LinearAttrs& a) {
  return fb::CreateLinearAttrs(b, a.out_features, a.bias).Union();
}
Attrs unpack(const fb::LinearAttrs& f) { return LinearAttrs{f.out_features(), f.bias()}; }
Offset<void> pack(FlatBufferBuilder& b, const BatchNormAttrs& a) {
  return fb::CreateBatchNormAttrs(b, a.eps, a.momentum).Union();
}
Attrs unpack(const fb::BatchNormAttrs& f) { return BatchNormAttrs{f.eps(), f.momentum()}; }
Offset<void> pack(FlatBufferBuilder& b, const ReluAttrs& a) {
  return fb::CreateReluAttrs(b, a.max).Union();
}
Attrs unpack(const fb::ReluAttrs& f) { return ReluAttrs{f.max()}; }
Offset<void> pack(FlatBufferBuilder& b, const MaxPoolAttrs& a) {
  const fb::Window w = to_fb(a.window);
  return fb::CreateMaxPoolAttrs(b, &w).Union();
}
Attrs unpack(const fb::MaxPoolAttrs& f) { return MaxPoolAttrs{from_fb(f.window())}; }
Offset<void> pack(FlatBufferBuilder& b, const AvgPoolAttrs& a) {
  const fb::Window w = to_fb(a.window);
  return fb::CreateAvgPoolAttrs(b, &w).Union();
}
Attrs unpack(const fb::AvgPoolAttrs& f) { return AvgPoolAttrs{from_fb(f.window())}; }
Offset<void> pack(FlatBufferBuilder& b, const GlobalAvgPoolAttrs&) {
  return fb::CreateGlobalAvgPoolAttrs(b).Union();
}
Attrs unpack(const fb::GlobalAvgPoolAttrs&) { return GlobalAvgPoolAttrs{}; }
Offset<void> pack(FlatBufferBuilder& b, const AddAttrs&) { return fb::CreateAddAttrs(b).Union(); }
Attrs unpack(const fb::AddAttrs&) { return AddAttrs{}; }
Offset<void> pack(FlatBufferBuilder& b, const ConcatAttrs&) {
  return fb::CreateConcatAttrs(b).Union();
}
Attrs unpack(const fb::ConcatAttrs&) { return ConcatAttrs{}; }
Offset<void> pack(FlatBufferBuilder& b, const FlattenAttrs&) {
  return fb::CreateFlattenAttrs(b).Union();
}
Attrs unpack(const fb::FlattenAttrs&) { return FlattenAttrs{}; }
Offset<void> pack(FlatBufferBuilder& b, const PadAttrs& a) {
  return fb::CreatePadAttrs(b, a.before_c, a.after_c, a.top, a.bottom, a.left, a.right).Union();
}
Attrs unpack(const fb::PadAttrs& f) {
  return PadAttrs{f.before_c(), f.after_c(), f.top(), f.bottom(), f.left(), f.right()};
}
Offset<void> pack(FlatBufferBuilder& b, const SliceAttrs& a) {
  return fb::CreateSliceAttrs(b, a.start_c, a.start_h, a.start_w, a.size_c, a.size_h, a.size_w,
                              a.step_c, a.step_h, a.step_w)
      .Union();
}
Attrs unpack(const fb::SliceAttrs& f) {
  return SliceAttrs{f.start_c(), f.start_h(), f.start_w(), f.size_c(), f.size_h(),
                    f.size_w(),  f.step_c(),  f.step_h(),  f.step_w()};
}

}  // namespace

Offset<void> pack_attrs(FlatBufferBuilder& b, const Attrs& attrs) {
  return std::visit([&](const auto& a) { return pack(b, a); }, attrs);
}

Result<Attrs> unpack_attrs(const fb::Node& node, const std::string& where) {
  switch (node.attrs_type()) {
#define NBQ_OP(Kind, folder, name)                                        \
  case fb::Attrs_##Kind##Attrs:                                           \
    if (const auto* a = node.attrs_as_##Kind##Attrs()) return unpack(*a); \
    break;
#include "ops.def"
    default:
      break;
  }
  return make_error(ErrorCode::kBadFile, "{}: layer of an unknown kind ({})", where,
                    static_cast<int>(node.attrs_type()));
}

}  // namespace nbq
