#include <cstdio>
#include <string>

#include "core/file.h"
#include "model/nbq_file.h"
#include "random_graph.h"

/// Integer networks of every width, with pixels behind them.
int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: engine_seeds FOLDER\n");
    return 2;
  }
  constexpr int kActBits[] = {8, 2, 12, 16};
  for (std::uint32_t seed = 0; seed < 100; ++seed) {
    nbq::testing::RandomGraph random(seed);
    const nbq::Graph g =
        random.make_integer(1 + static_cast<int>(seed % 5), kActBits[seed / 5 % 4]);
    auto bytes = nbq::encode_nbq(g);
    for (const std::uint8_t p : random.pixels(g, 1)) bytes.push_back(p);
    if (!nbq::write_file(std::string(argv[1]) + "/" + std::to_string(seed), bytes).ok()) return 3;
  }
  return 0;
}
