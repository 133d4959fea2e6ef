#pragma once

/// at::parallel_for for nbq's own passes. It is a template: without OpenMP where it is compiled it
/// silently runs everything on the calling thread.

#include <ATen/Parallel.h>

#if AT_PARALLEL_OPENMP && !defined(_OPENMP)
#error "libtorch's threads are OpenMP's: compile src/train with OpenMP (find_package(OpenMP))"
#endif
