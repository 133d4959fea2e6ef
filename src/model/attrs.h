#pragma once
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace nbq {

/// Kinds of layers, one per row of spec/ops.def.
enum class OpKind : std::uint8_t {
#define NBQ_OP(Kind, folder, name) k##Kind,
#include "ops.def"
};

/// The image. Float graphs see (pixel/255 - mean) / std per channel; integer graphs always see
/// x_int = pixel - 128 with exponent -7, which is mean = std = 128/255.
struct InputAttrs {
  int channels = 0, height = 0, width = 0;
  std::vector<float> mean, std;  ///< of pixels in 0..1; empty: 128/255 each
};

/// A window that slides over the map; rows first. Shared by convolution and pooling.
struct Window {
  int kernel_h = 1, kernel_w = 1;
  int stride_h = 1, stride_w = 1;
  int pad_top = 0, pad_left = 0, pad_bottom = 0, pad_right = 0;
  int dilation_h = 1, dilation_w = 1;
};

struct Conv2dAttrs {
  int out_channels = 0;
  int groups = 1;
  bool bias = false;
  Window window;
};

struct LinearAttrs {
  int out_features = 0;
  bool bias = true;
};

struct BatchNormAttrs {
  float eps = 1e-5f;
  float momentum = 0.1f;
};

struct ReluAttrs {
  float max = 0;  ///< upper clip (6 for ReLU6); 0: none
};

struct MaxPoolAttrs {
  Window window;
};

/// The divisor is kernel_h * kernel_w, padding included (PyTorch's count_include_pad).
struct AvgPoolAttrs {
  Window window;
};

struct GlobalAvgPoolAttrs {};
struct AddAttrs {};
struct ConcatAttrs {};  ///< along channels
struct FlattenAttrs {};

/// Zeros around the map: channels before and after, rows above and below, columns at both sides.
struct PadAttrs {
  int before_c = 0, after_c = 0;
  int top = 0, bottom = 0, left = 0, right = 0;
};

/// Along each axis, `size` elements from `start` on, `step` apart.
struct SliceAttrs {
  int start_c = 0, start_h = 0, start_w = 0;
  int size_c = 0, size_h = 0, size_w = 0;
  int step_c = 1, step_h = 1, step_w = 1;
};

namespace detail {
/// The variant in the registry's order, so that index() is the OpKind.
template <class Tag, class... Ts>
struct DropFirst {
  using type = std::variant<Ts...>;
};
}  // namespace detail

using Attrs = detail::DropFirst<void
#define NBQ_OP(Kind, folder, name) , Kind##Attrs
#include "ops.def"
                                >::type;

inline OpKind kind_of(const Attrs& a) { return static_cast<OpKind>(a.index()); }
/// The registry's name: "conv2d", ...
const char* op_name(OpKind kind);
/// Number of rows in the registry.
inline constexpr int kOpCount = static_cast<int>(std::variant_size_v<Attrs>);

}  // namespace nbq
