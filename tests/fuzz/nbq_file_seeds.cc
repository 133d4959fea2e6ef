#include <cstdio>
#include <string>

#include "model/nbq_file.h"
#include "random_graph.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: nbq_file_seeds FOLDER\n");
    return 2;
  }
  for (std::uint32_t seed = 0; seed < 60; ++seed) {
    nbq::testing::RandomGraph random(seed);
    const nbq::Graph g = seed % 3 == 0   ? random.make_float()
                         : seed % 3 == 1 ? random.make_quantised(3, 8)
                                         : random.make_integer(random.uniform(1, 5), 8);
    if (!nbq::save_nbq(std::string(argv[1]) + "/" + std::to_string(seed) + ".nbq", g).ok())
      return 3;
  }
  return 0;
}
