#include "infer/isa.h"

#include <cstdlib>
#include <string>

#include "infer/kernels/kernels.h"
#if defined(__x86_64__) && defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace nbq::infer {
namespace {

#if defined(__x86_64__)
#define NBQ_X86 1
#define NBQ_ARM 0

[[maybe_unused]] bool has_avx2() { return __builtin_cpu_supports("avx2") != 0; }

[[maybe_unused]] bool has_avx512vnni() {
  return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
         __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0 &&
         __builtin_cpu_supports("avx512vnni") != 0;
}

/// The tiles' registers are large, so Linux gives them only to a process that asks.
[[maybe_unused]] bool has_amx() {
#if defined(__linux__)
  unsigned a = 7, b = 0, c = 0, d = 0;
  asm volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
  constexpr unsigned kTile = 1u << 24, kInt8 = 1u << 25;
  constexpr long kRequestPermission = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM
  return has_avx512vnni() && (d & kTile) != 0 && (d & kInt8) != 0 &&
         syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}
#elif defined(__aarch64__)
#define NBQ_X86 0
#define NBQ_ARM 1

[[maybe_unused]] bool has_neon() { return true; }

[[maybe_unused]] bool has_neondot() {
#if defined(__linux__)
  return (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0;
#else
  return false;
#endif
}
#else
#define NBQ_X86 0
#define NBQ_ARM 0
#endif

bool has_portable() { return true; }

// Which rows a processor's build has: names are those of kernels.def.
#define NBQ_BUILT_amx NBQ_X86
#define NBQ_BUILT_avx512vnni NBQ_X86
#define NBQ_BUILT_avx2 NBQ_X86
#define NBQ_BUILT_neondot NBQ_ARM
#define NBQ_BUILT_neon NBQ_ARM
#define NBQ_BUILT_portable 1

std::string names() {
  std::string all;
  for (const IsaRow& row : isa_rows()) {
    if (!row.available) continue;
    all += (all.empty() ? "" : ", ");
    all += row.name;
  }
  return all;
}

}  // namespace

// A row that is not built has no kernels to link with.
#define NBQ_ROW_0(name) \
  IsaRow { #name, false, false, nullptr }
#define NBQ_ROW_1(name) \
  IsaRow { #name, true, has_##name(), kernels_##name }
#define NBQ_ROW_(built, name) NBQ_CONCAT(NBQ_ROW_, built)(name)

std::span<const IsaRow> isa_rows() {
  static const IsaRow kRows[] = {
#define NBQ_KERNELS(name) NBQ_ROW_(NBQ_BUILT_##name, name),
#include "infer/kernels/kernels.def"
  };
  return kRows;
}

Result<const IsaRow*> choose_isa(std::string_view name) {
  const char* forced = std::getenv("NBQ_ISA");
  if (name.empty() && forced != nullptr) name = forced;
  for (const IsaRow& row : isa_rows()) {
    if (name.empty() ? !row.available : row.name != name) continue;
    if (!row.available)
      return make_error(ErrorCode::kUnsupported, "instruction set {}: {}; there are {}", name,
                        row.built ? "this processor has it not" : "this build has it not", names());
    return &row;
  }
  return make_error(ErrorCode::kInvalidArgument,
                    "instruction set \"{}\" is not known; there are {}", name, names());
}

KernelSet make_kernels(const IsaRow& row) {
  KernelSet set{};
  row.fill(set);
  return set;
}

}  // namespace nbq::infer
