#pragma once
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <cstdint>
#include <span>
#include <vector>

namespace nbq::python {

namespace nb = nanobind;

/// A NumPy array to read from: C-contiguous, on the CPU. Others are TypeErrors; the package's
/// Python side says what to do.
template <class T>
using In = nb::ndarray<const T, nb::c_contig, nb::device::cpu>;
template <class T>
using Out = nb::ndarray<nb::numpy, T>;

template <class T>
std::span<const T> values(const In<T>& array) {
  return {array.data(), array.size()};
}

template <class A>
std::vector<std::size_t> shape_of(const A& array) {
  std::vector<std::size_t> shape;
  for (std::size_t i = 0; i < array.ndim(); ++i) shape.push_back(array.shape(i));
  return shape;
}

/// A NumPy array that owns `data`.
template <class T>
Out<T> to_numpy(std::vector<T> data, const std::vector<std::size_t>& shape) {
  auto* const kept = new std::vector<T>(std::move(data));
  const nb::capsule owner(kept, [](void* p) noexcept { delete static_cast<std::vector<T>*>(p); });
  return Out<T>(kept->data(), shape.size(), shape.data(), owner);
}

void bind_attrs(nb::module_& m);
void bind_graph(nb::module_& m);
void bind_quantizers(nb::module_& m);
void bind_engine(nb::module_& m);

}  // namespace nbq::python
