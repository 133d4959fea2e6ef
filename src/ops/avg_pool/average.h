#pragma once
#include "ops/ref_op.h"

namespace nbq {

/// Window sums times the reciprocal of the window's size in at most three signed powers of two;
/// shared by average and global average pooling.
void average(const RefLayer& layer, const Window& window);

}  // namespace nbq
