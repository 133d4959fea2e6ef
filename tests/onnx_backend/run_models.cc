// Imports ONNX models and executes them on numbers: run_models FOLDER... reads model.onnx, x.f32
// (N x C x H x W raw floats) and, if it is there, image (C H W, as import's --input) of each folder
// and writes y.f32, N x outputs. Stdout: a JSON object, for each folder the importer's notes or its
// error.
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/file.h"
#include "exchange/onnx_import.h"
#include "model/nbq_file.h"
#include "train/executor.h"

namespace {

namespace fs = std::filesystem;

/// What `nbq import` writes and the next command reads.
nbq::Result<nbq::Graph> import(const fs::path& folder, std::vector<std::string>& notes) {
  nbq::ImportOptions options;
  nbq::Shape image;
  if (std::ifstream(folder / "image") >> image.c >> image.h >> image.w) options.input = image;
  NBQ_ASSIGN(const nbq::Graph graph, nbq::import_onnx(folder / "model.onnx", options, &notes));
  return nbq::decode_nbq(nbq::encode_nbq(graph));
}

nbq::Status execute(const nbq::Graph& graph, const fs::path& folder) {
  NBQ_ASSIGN(const std::vector<std::uint8_t> bytes, nbq::read_file(folder / "x.f32"));
  std::vector<float> image(bytes.size() / sizeof(float));
  std::memcpy(image.data(), bytes.data(), image.size() * sizeof(float));
  const std::int64_t size = graph.input().shape.size();
  const auto n = static_cast<int>(static_cast<std::int64_t>(image.size()) / size);
  NBQ_ASSIGN(const std::vector<float> y, nbq::torch_scores(graph, image, n));
  std::vector<std::uint8_t> out(y.size() * sizeof(float));
  std::memcpy(out.data(), y.data(), out.size());
  return nbq::write_file(folder / "y.f32", out);
}

}  // namespace

int main(int argc, char** argv) {
  nlohmann::ordered_json results;
  for (int i = 1; i < argc; ++i) {
    std::vector<std::string> notes;
    const auto graph = import(argv[i], notes);
    results[argv[i]] = graph.ok() ? nlohmann::ordered_json{{"notes", notes}}
                                  : nlohmann::ordered_json{{"error", graph.error().message}};
    if (!graph.ok()) continue;
    if (const nbq::Status s = execute(*graph, argv[i]); !s.ok())
      std::fprintf(stderr, "%s: %s\n", argv[i], s.error().message.c_str());
  }
  std::printf("%s\n", results.dump(2).c_str());
  return 0;
}
