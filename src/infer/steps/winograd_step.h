#pragma once
#include "infer/steps/conv_step.h"

namespace nbq::infer {

/// Whether a layer's sums come out exact by Winograd's minimal filtering (kernels/winograd.h): 3x3
/// taps next to each other, bytes as operands, kernels that have the transforms.
bool winograd_fits(const ConvSpec& spec, const std::vector<Buffer>& buffers,
                   const KernelSet& kernels);

/// Whether it then takes fewer cycles than make_conv_step()'s.
bool winograd_pays(const ConvSpec& spec, const KernelSet& kernels);

/// For layers that fit.
StepPtr make_winograd_step(const ConvSpec& spec, const std::vector<Buffer>& buffers,
                           const KernelSet& kernels);

}  // namespace nbq::infer
