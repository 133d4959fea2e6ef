#pragma once
#include <set>
#include <string>

// Private to src/exchange: the functions of an exported C network.
namespace nbq::exchange {

/// Which variants of the functions a network uses; no others are written, as compilers warn of
/// functions that nothing calls.
struct CVariants {
  std::set<std::pair<int, int>> adds;    ///< element bits, bits of the sums
  std::set<int> maxima;                  ///< element bits
  std::set<int> sums;                    ///< bits: 32, 64
  std::set<std::pair<int, int>> stores;  ///< element bits, bits of the sums
  int raw = 0;                           ///< bits of the sums that are the logits
};

/// The structs of the tables.
std::string c_types();
/// The functions that work on a row. `sums_32` and `sums_64` must be there.
std::string c_row_functions(const CVariants& variants);
/// run_layer() and what it needs.
std::string c_layer_functions();

// sizeof of the structs where pointers take 4 bytes; c_export_test.cc looks.
inline constexpr int kColumnsBytes = 12;
inline constexpr int kTermBytes = 2;
inline constexpr int kPassBytes = 80;
inline constexpr int kLayerBytes = 72;

}  // namespace nbq::exchange
