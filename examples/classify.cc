// classify_cpp MODEL.nbq IMAGES: images are raw bytes, one behind the other, each channels x height
// x width. Prints a line an image: its class, then its logits.
#include <algorithm>
#include <fstream>
#include <iostream>
#include <iterator>
#include <nbq/nbq.hpp>
#include <vector>

namespace {

std::vector<std::uint8_t> read_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error(path + ": can't be read");
  return {std::istreambuf_iterator<char>(file), {}};
}

void classify(const nbq::Model& model, std::span<const std::uint8_t> pixels) {
  const nbq_info info = model.info();
  const auto image = static_cast<std::size_t>(info.channels) * info.height * info.width;
  const auto outputs = static_cast<std::size_t>(info.outputs);
  const std::size_t n = pixels.size() / image;
  std::vector<std::int64_t> logits(n * outputs);
  model.run(pixels, static_cast<int>(n), logits);
  for (std::size_t i = 0; i < n; ++i) {
    const auto own = std::span(logits).subspan(i * outputs, outputs);
    const auto best = static_cast<int>(std::max_element(own.begin(), own.end()) - own.begin());
    const std::string_view name = model.class_name(best);
    std::cout << (name.empty() ? std::to_string(best) : std::string(name));
    for (const std::int64_t logit : own) std::cout << ' ' << logit;
    std::cout << '\n';
  }
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 3) {
    std::cerr << "usage: classify_cpp MODEL.nbq IMAGES\n";
    return 2;
  }
  const auto model = nbq::Model::load(argv[1], {.threads = 0, .max_batch = 16});
  classify(model, read_bytes(argv[2]));
  return 0;
} catch (const std::exception& e) {
  std::cerr << "classify_cpp: " << e.what() << '\n';
  return 3;
}
