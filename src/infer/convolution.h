#pragma once

namespace nbq::infer {

/// How convolutions of 3x3 taps are summed up; the integers are the same.
enum class Convolution {
  kFastest,   ///< by an estimate of cycles, layer by layer
  kTaps,      ///< tap by tap
  kWinograd,  ///< by minimal filtering (kernels/winograd.h) wherever sums come out exact
};

}  // namespace nbq::infer
