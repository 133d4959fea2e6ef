#pragma once
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/result.h"
#include "infer/kernels/kernel_set.h"

namespace nbq::infer {

/// A row of kernels.def.
struct IsaRow {
  std::string_view name;
  bool built;      ///< this build has its kernels
  bool available;  ///< and this processor (and operating system) runs them
  void (*fill)(KernelSet& set);
};

/// All rows, best first.
std::span<const IsaRow> isa_rows();

/// The row called `name`; an empty name: what the environment variable NBQ_ISA says, else the best
/// one that is available. Errors kInvalidArgument: no such row, with the names there are;
/// kUnsupported: not in this build, or not on this processor.
Result<const IsaRow*> choose_isa(std::string_view name);

/// The row's kernels.
KernelSet make_kernels(const IsaRow& row);

}  // namespace nbq::infer
