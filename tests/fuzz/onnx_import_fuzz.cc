// Whatever the bytes: import_onnx_bytes() returns an error or a network that can be stored, read
// again and folded.
#include <google/protobuf/stubs/logging.h>

#include <cstddef>
#include <cstdint>

#include "exchange/onnx_import.h"
#include "model/fold.h"
#include "model/nbq_file.h"
#include "model/quantise.h"

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  google::protobuf::SetLogHandler(nullptr);  // a line for each string that is not UTF-8
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  nbq::ImportOptions options;
  options.input = nbq::Shape{1, 4, 4};
  auto graph = nbq::import_onnx_bytes({data, size}, "/nonexistent", options);
  if (!graph.ok()) {
    options.input.reset();
    graph = nbq::import_onnx_bytes({data, size}, "/nonexistent", options);
  }
  if (!graph.ok()) return 0;
  if (!nbq::decode_nbq(nbq::encode_nbq(*graph)).ok()) __builtin_trap();
  if (graph->stage == nbq::Stage::kInteger) {
    if (!nbq::verify_integer(*graph).ok()) __builtin_trap();
    return 0;
  }
  (void)nbq::fold(*graph);
  return 0;
}
