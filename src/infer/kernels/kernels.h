#pragma once
#include "infer/kernels/kernel_set.h"

namespace nbq::infer {

/// Each fills in one row's kernels; call it only where the row's instruction set is there (isa.h).
#define NBQ_KERNELS(name) void kernels_##name(KernelSet& set);
#include "infer/kernels/kernels.def"

}  // namespace nbq::infer
