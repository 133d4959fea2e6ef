#include "hw/energy/slice.h"

namespace nbq::hw {

RtlParameters slice_parameters(const SliceRequest& r) {
  return {{"PeKind", static_cast<int>(r.config.pe)},
          {"Target", static_cast<int>(r.config.target)},
          {"LanesIn", r.config.lanes_in},
          {"Outputs", r.outputs},
          {"CodeBits", r.config.code_bits},
          {"MultBits", r.config.mult_bits},
          {"XBits", r.config.operand_bits()},
          {"AccBits", r.config.acc_bits}};
}

Result<std::vector<std::filesystem::path>> slice_sources() {
  NBQ_ASSIGN(std::vector<std::filesystem::path> files, rtl_sources());
  files.push_back(rtl_dir() / "sim" / "nbq_array_slice.sv");
  return files;
}

Result<Gates> map_slice(const SliceRequest& r, const CellLibrary& library) {
  NBQ_ASSIGN(std::vector<std::filesystem::path> files, slice_sources());
  return map_gates({kSliceTop, slice_parameters(r), std::move(files), "", r.clock_mhz}, library);
}

}  // namespace nbq::hw
