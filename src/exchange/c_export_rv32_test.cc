// Exported networks on a processor without a multiplier: RV32I in an emulator, and its machine
// code.
#include <fmt/format.h>

#include <regex>
#include <sstream>

#include "c_program.h"
#include "integer_graph.h"
#include "model/nbq_file.h"
#include "ops/ref_executor.h"
#include "random_graph.h"

namespace nbq {
namespace {

using testing::CProgram;
using testing::TempFolder;

// Linux system calls by hand: no C library. Compilers call the two functions for loops and structs.
constexpr const char* kBare = R"c(#include <stddef.h>
static long call(long n, long a, long b, long c) {
  register long a0 __asm__("a0") = a, a1 __asm__("a1") = b, a2 __asm__("a2") = c, a7 __asm__("a7") = n;
  __asm__ volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a7) : "memory");
  return a0;
}
static void give(const void *p, size_t n) { call(64, 1, (long)p, (long)n); }
void *memset(void *to, int v, size_t n) {
  volatile unsigned char *t = to;
  while (n--) *t++ = (unsigned char)v;
  return to;
}
void *memcpy(void *to, const void *from, size_t n) {
  volatile unsigned char *t = to;
  const unsigned char *f = from;
  while (n--) *t++ = *f++;
  return to;
}
static int run(void);
void _start(void) { call(93, run(), 0, 0); }
)c";

/// Compiles each file to an object. `march`: the instructions that the compiler may use.
void compile(const CProgram& program, const std::vector<std::string>& files,
             const std::string& level, const std::string& march) {
  std::vector<std::string> argv{"clang",
                                "--target=riscv32-unknown-elf",
                                "-march=" + march,
                                "-mabi=ilp32",
                                "-std=c99",
                                level,
                                "-Wall",
                                "-Wextra",
                                "-Werror",
                                "-ffreestanding",
                                "-c"};
  argv.insert(argv.end(), files.begin(), files.end());
  program.run(argv);
}

std::string object(const std::string& source) { return source.substr(0, source.size() - 1) + "o"; }

/// No instruction that multiplies or divides, and no call of a function that does.
void expect_no_multiplication(const CProgram& program, const std::string& source) {
  const std::string code = program.run({"llvm-objdump", "-d", "-r", object(source)});
  EXPECT_NE(code.find("sll"), std::string::npos);
  const std::regex forbidden(
      R"(\s(f?mul\w*|f?div\w*|rem\w*)(\.\w)?\s|__(mul|div|mod|udiv|umod)\w+)");
  std::smatch found;
  EXPECT_FALSE(std::regex_search(code, found, forbidden)) << source << ": " << found.str();
}

std::string run_bare(const TempFolder& folder, const CProgram& program) {
  program.write_main(kBare, "static int run(void)");
  std::vector<std::string> sources = program.files();
  sources.push_back("main.c");
  compile(program, sources, "-O2", "rv32i");
  std::vector<std::string> link{"ld.lld", "-o", "program"};
  for (const std::string& s : sources) link.push_back(object(s));
  program.run(link);
  return program.run({"qemu-riscv32", (folder / "program").string()});
}

// The bytes that export_c() states are those of the object.
void expect_stated_bytes(const CProgram& program, const std::string& source,
                         const CSource& stated) {
  std::istringstream symbols(program.run({"llvm-nm", "-S", object(source)}));
  std::int64_t constants = 0, ram = 0;
  for (std::string line; std::getline(symbols, line);) {
    std::istringstream fields(line);
    std::string address, size, kind, name;
    if (!(fields >> address >> size >> kind >> name) || name.empty()) continue;
    const std::int64_t bytes = std::stoll(size, nullptr, 16);
    if (kind == "r" || kind == "d") constants += bytes;
    if (kind == "b") ram += bytes;
  }
  EXPECT_EQ(constants, stated.constant_bytes());
  EXPECT_EQ(ram, stated.ram_bytes);
}

TEST(CExportRv32, TheResNetOfTheZooGivesItsLogitsWithoutAMultiplier) {
  const Graph g =
      load_nbq(std::filesystem::path(NBQ_SOURCE_DIR) / "zoo/resnet20-cifar10-w3a8.nbq").value();
  testing::RandomGraph random(3);
  const std::vector<std::uint8_t> pixels = random.pixels(g, 1);
  const TempFolder folder;
  CProgram program(folder);
  const CSource stated = program.add(g, pixels, 1);
  const std::string output = run_bare(folder, program);
  expect_no_multiplication(program, program.files()[0]);
  expect_stated_bytes(program, program.files()[0], stated);
  std::size_t at = 0;
  EXPECT_EQ(testing::take_logits(output, at, 10, false),
            RefExecutor::create(g).value().run(pixels, 1).value());
  EXPECT_EQ(at, output.size());
}

// Also where the processor has a multiplier and the compiler would like to use it.
TEST(CExportRv32, NoOptimiserFindsAMultiplication) {
  const TempFolder folder;
  CProgram program(folder);
  for (const auto& [weight_bits, act_bits] : {std::pair{3, 8}, {5, 16}, {1, 12}, {4, 9}}) {
    testing::RandomGraph random(static_cast<std::uint32_t>(77 * weight_bits + act_bits));
    program.add(random.make_integer(weight_bits, act_bits), {}, 0);
  }
  for (const char* march : {"rv32i", "rv32im"})
    for (const char* level : {"-O1", "-O2", "-O3", "-Os"}) {
      compile(program, program.files(), level, march);
      for (const std::string& source : program.files()) expect_no_multiplication(program, source);
    }
}

}  // namespace
}  // namespace nbq
