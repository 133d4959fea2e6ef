#include <cstdio>
#include <string>

#include "core/file.h"
#include "hw/energy/tiny_library.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: liberty_seeds FOLDER\n");
    return 2;
  }
  const std::string text = nbq::hw::tiny_liberty();
  return nbq::write_file(std::string(argv[1]) + "/tiny.lib", std::string_view(text)).ok() ? 0 : 3;
}
