#include "model/attrs.h"

#include <nanobind/stl/array.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/variant.h>
#include <nanobind/stl/vector.h>

#include "bindings.h"
#include "errors.h"
#include "model/graph.h"

namespace nbq::python {

using namespace nb::literals;

namespace {

const nb::sig kEquals("def __eq__(self, other: object, /) -> bool");

/// One number for both axes, or (rows, columns).
using Pair = std::variant<int, std::vector<int>>;

std::vector<int> expanded(const Pair& p, const char* name, std::size_t most) {
  if (const int* both = std::get_if<int>(&p)) return {*both, *both};
  const auto& list = std::get<std::vector<int>>(p);
  if (list.size() != 2 && list.size() != most)
    bad_argument("window: {} has {} numbers; it takes one, (rows, columns){}", name, list.size(),
                 most == 4 ? " or (top, left, bottom, right)" : "");
  return list;
}

Window make_window(const Pair& kernel, const Pair& stride, const Pair& padding,
                   const Pair& dilation) {
  const auto k = expanded(kernel, "kernel", 2), s = expanded(stride, "stride", 2),
             p = expanded(padding, "padding", 4), d = expanded(dilation, "dilation", 2);
  return {k[0], k[1], s[0], s[1], p[0], p[1], p[p.size() - 2], p[p.size() - 1], d[0], d[1]};
}

std::vector<int> fields(const Window& w) {
  return {w.kernel_h, w.kernel_w,   w.stride_h,  w.stride_w,   w.pad_top,
          w.pad_left, w.pad_bottom, w.pad_right, w.dilation_h, w.dilation_w};
}

void bind_window(nb::module_& m) {
  nb::class_<Window>(m, "Window", "A window that slides over a map (convolution, pooling).")
      .def(
          "__init__",
          [](Window* w, const Pair& kernel, const Pair& stride, const Pair& padding,
             const Pair& dilation) {
            new (w) Window(make_window(kernel, stride, padding, dilation));
          },
          "kernel"_a, "stride"_a = 1, "padding"_a = 0, "dilation"_a = 1,
          "Each takes one number or (rows, columns); padding also (top, left, bottom, right).\n"
          "Kernel, stride and dilation are in 1..4096, padding in 0..4096: Graph.verify() checks.")
      .def_rw("kernel_h", &Window::kernel_h)
      .def_rw("kernel_w", &Window::kernel_w)
      .def_rw("stride_h", &Window::stride_h)
      .def_rw("stride_w", &Window::stride_w)
      .def_rw("pad_top", &Window::pad_top)
      .def_rw("pad_left", &Window::pad_left)
      .def_rw("pad_bottom", &Window::pad_bottom)
      .def_rw("pad_right", &Window::pad_right)
      .def_rw("dilation_h", &Window::dilation_h)
      .def_rw("dilation_w", &Window::dilation_w)
      .def(
          "__eq__", [](const Window& a, const Window& b) { return fields(a) == fields(b); },
          nb::is_operator(), kEquals)
      .def("__getstate__", &fields)
      .def("__setstate__",
           [](Window* w, const std::vector<int>& f) {
             if (f.size() != 10) bad_argument("a pickled window of {} numbers", f.size());
             new (w) Window{f[0], f[1], f[2], f[3], f[4], f[5], f[6], f[7], f[8], f[9]};
           })
      .def("__repr__", [](const Window& w) {
        return fmt::format(
            "Window(kernel=({}, {}), stride=({}, {}), padding=({}, {}, {}, {}), dilation=({}, {}))",
            w.kernel_h, w.kernel_w, w.stride_h, w.stride_w, w.pad_top, w.pad_left, w.pad_bottom,
            w.pad_right, w.dilation_h, w.dilation_w);
      });
}

// One overload for every row of spec/ops.def: a layer without one does not compile.

void bind_op(nb::class_<InputAttrs>& c) {
  c.def(
       "__init__",
       [](InputAttrs* a, int channels, int height, int width, std::vector<float> mean,
          std::vector<float> deviation) {
         new (a) InputAttrs{channels, height, width, std::move(mean), std::move(deviation)};
       },
       "channels"_a, "height"_a, "width"_a, "mean"_a = std::vector<float>(),
       "std"_a = std::vector<float>(),
       "The image, u8 pixels. mean, std: a value a channel, of pixels in 0..1, in float networks;\n"
       "empty: 128/255 each, which integer networks always have.")
      .def_rw("channels", &InputAttrs::channels)
      .def_rw("height", &InputAttrs::height)
      .def_rw("width", &InputAttrs::width)
      .def_rw("mean", &InputAttrs::mean)
      .def_rw("std", &InputAttrs::std);
}

void bind_op(nb::class_<Conv2dAttrs>& c) {
  c.def(
       "__init__",
       [](Conv2dAttrs* a, int out_channels, const Window& window, int groups, bool bias) {
         new (a) Conv2dAttrs{out_channels, groups, bias, window};
       },
       "out_channels"_a, "window"_a, "groups"_a = 1, "bias"_a = false,
       "Weight [out_channels, channels / groups, kernel_h, kernel_w]. `bias` tells whether a "
       "float\n"
       "network has one; an integer one has it in Weights.bias.")
      .def_rw("out_channels", &Conv2dAttrs::out_channels)
      .def_rw("window", &Conv2dAttrs::window)
      .def_rw("groups", &Conv2dAttrs::groups)
      .def_rw("bias", &Conv2dAttrs::bias);
}

void bind_op(nb::class_<LinearAttrs>& c) {
  c.def(
       "__init__",
       [](LinearAttrs* a, int out_features, bool bias) {
         new (a) LinearAttrs{out_features, bias};
       },
       "out_features"_a, "bias"_a = true, "Weight [out_features, channels]; reads a flat map.")
      .def_rw("out_features", &LinearAttrs::out_features)
      .def_rw("bias", &LinearAttrs::bias);
}

void bind_op(nb::class_<BatchNormAttrs>& c) {
  c.def(
       "__init__",
       [](BatchNormAttrs* a, float eps, float momentum) {
         new (a) BatchNormAttrs{eps, momentum};
       },
       "eps"_a = 1e-5f, "momentum"_a = 0.1f,
       "In integer networks +-2^s a channel and an offset (2-bit codes).")
      .def_rw("eps", &BatchNormAttrs::eps)
      .def_rw("momentum", &BatchNormAttrs::momentum);
}

void bind_op(nb::class_<ReluAttrs>& c) {
  c.def(
       "__init__", [](ReluAttrs* a, float max) { new (a) ReluAttrs{max}; }, "max"_a = 0.0f,
       "max: upper clip (6 for ReLU6), 0: none.")
      .def_rw("max", &ReluAttrs::max);
}

void bind_op(nb::class_<MaxPoolAttrs>& c) {
  c.def(
       "__init__", [](MaxPoolAttrs* a, const Window& w) { new (a) MaxPoolAttrs{w}; }, "window"_a)
      .def_rw("window", &MaxPoolAttrs::window);
}

void bind_op(nb::class_<AvgPoolAttrs>& c) {
  c.def(
       "__init__", [](AvgPoolAttrs* a, const Window& w) { new (a) AvgPoolAttrs{w}; }, "window"_a,
       "The divisor is the whole window, padding included.")
      .def_rw("window", &AvgPoolAttrs::window);
}

void bind_op(nb::class_<GlobalAvgPoolAttrs>& c) { c.def(nb::init<>()); }
void bind_op(nb::class_<AddAttrs>& c) { c.def(nb::init<>()); }
void bind_op(nb::class_<ConcatAttrs>& c) { c.def(nb::init<>()); }
void bind_op(nb::class_<FlattenAttrs>& c) { c.def(nb::init<>()); }

void bind_op(nb::class_<PadAttrs>& c) {
  c.def(
       "__init__",
       [](PadAttrs* a, int before_c, int after_c, int top, int bottom, int left, int right) {
         new (a) PadAttrs{before_c, after_c, top, bottom, left, right};
       },
       "before_c"_a = 0, "after_c"_a = 0, "top"_a = 0, "bottom"_a = 0, "left"_a = 0, "right"_a = 0,
       "Zeros around the map: channels before and after, rows, columns.")
      .def_rw("before_c", &PadAttrs::before_c)
      .def_rw("after_c", &PadAttrs::after_c)
      .def_rw("top", &PadAttrs::top)
      .def_rw("bottom", &PadAttrs::bottom)
      .def_rw("left", &PadAttrs::left)
      .def_rw("right", &PadAttrs::right);
}

void bind_op(nb::class_<SliceAttrs>& c) {
  c.def(
       "__init__",
       [](SliceAttrs* a, std::array<int, 3> start, std::array<int, 3> size,
          std::array<int, 3> step) {
         new (a) SliceAttrs{start[0], start[1], start[2], size[0], size[1],
                            size[2],  step[0],  step[1],  step[2]};
       },
       "start"_a, "size"_a, "step"_a = std::array<int, 3>{1, 1, 1},
       "Along channels, rows and columns, `size` elements from `start` on, `step` apart.")
      .def_prop_ro("start",
                   [](const SliceAttrs& a) {
                     return std::array{a.start_c, a.start_h, a.start_w};
                   })
      .def_prop_ro("size",
                   [](const SliceAttrs& a) {
                     return std::array{a.size_c, a.size_h, a.size_w};
                   })
      .def_prop_ro("step", [](const SliceAttrs& a) {
        return std::array{a.step_c, a.step_h, a.step_w};
      });
}

template <class A>
void bind_row(nb::module_& m, const char* name, const char* op) {
  nb::class_<A> c(m, name);
  c.def(
      "__deepcopy__", [](const A& a, nb::handle) { return a; }, "memo"_a);
  c.def_prop_ro_static("op", [op](nb::handle) { return op; });
  bind_op(c);
}

void bind_format(nb::module_& m) {
  nb::class_<ActFormat>(m, "ActFormat",
                        "Integer activations x_int * 2^exp, x_int in [lo, hi]. bits 0: a network's "
                        "raw accumulators (logits).")
      .def(
          "__init__",
          [](ActFormat* f, int bits, bool is_signed, int exp, std::optional<int> lo,
             std::optional<int> hi) {
            if (bits < 0 || bits > 16 || bits == 1)
              bad_argument("ActFormat: {} bits; allowed are 2..16, or 0 for logits", bits);
            new (f) ActFormat(bits == 0 ? ActFormat{} : ActFormat::make(bits, is_signed, exp));
            if (lo) f->lo = *lo;
            if (hi) f->hi = *hi;
          },
          "bits"_a = 8, "is_signed"_a = true, "exp"_a = 0, "lo"_a = nb::none(), "hi"_a = nb::none(),
          "bits 2..16, exp -64..64; lo <= 0 <= hi within the bits, which are their defaults.\n"
          "lo = 0 is a relu.")
      .def_rw("bits", &ActFormat::bits)
      .def_rw("is_signed", &ActFormat::is_signed)
      .def_rw("exp", &ActFormat::exp)
      .def_rw("lo", &ActFormat::lo)
      .def_rw("hi", &ActFormat::hi)
      .def_prop_ro("quantised", &ActFormat::quantised, "False: logits, not requantised.")
      .def(
          "__eq__", [](const ActFormat& a, const ActFormat& b) { return a == b; },
          nb::is_operator(), kEquals)
      .def("__getstate__",
           [](const ActFormat& f) {
             return std::tuple{f.bits, f.is_signed, f.exp, f.lo, f.hi};
           })
      .def("__setstate__",
           [](ActFormat* f, const std::tuple<int, bool, int, int, int>& s) {
             const auto [bits, is_signed, exp, lo, hi] = s;
             new (f) ActFormat{bits, is_signed, exp, lo, hi};
           })
      .def("__repr__", [](const ActFormat& f) {
        return fmt::format("ActFormat(bits={}, is_signed={}, exp={}, lo={}, hi={})", f.bits,
                           f.is_signed ? "True" : "False", f.exp, f.lo, f.hi);
      });
}

}  // namespace

void bind_attrs(nb::module_& m) {
  bind_window(m);
#define NBQ_OP(Kind, folder, name) bind_row<Kind##Attrs>(m, #Kind "Attrs", name);
#include "ops.def"
  bind_format(m);
}

}  // namespace nbq::python
