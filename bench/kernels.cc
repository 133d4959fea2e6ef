// How fast each instruction set's kernels are, one thread, data in the nearest cache unless said
// otherwise: bench/kernels [options]
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <nlohmann/json.hpp>
#include <random>

#include "infer/aligned_bytes.h"
#include "infer/isa.h"
#include "infer/pack_weights.h"

namespace nbq::infer {
namespace {

struct Options {
  std::vector<std::string> rows;
  double seconds = 0.05;
  std::size_t packed_megabytes = 64;
  bool json = false;
};

struct Figure {
  std::string row, kernel, of, unit;
  double value;
};

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Seconds a call: the least of many short rounds, which other programs disturb least.
double seconds_of(const std::function<void()>& call, double seconds) {
  constexpr double kRound = 2e-4;
  long calls = 1;
  double best = 0;
  for (const double end = now() + seconds; best == 0 || now() < end;) {
    const double start = now();
    for (long i = 0; i < calls; ++i) call();
    const double took = now() - start;
    if (took < kRound && best == 0) {
      calls *= 2;
      continue;
    }
    const double each = took / static_cast<double>(calls);
    if (best == 0 || each < best) best = each;
  }
  return best;
}

AlignedBytes random_bytes(std::size_t size) {
  AlignedBytes bytes(size);
  std::mt19937 rng(1);
  for (std::size_t i = 0; i < size; ++i) bytes.data()[i] = static_cast<std::uint8_t>(rng());
  return bytes;
}

class Bench {
 public:
  Bench(const IsaRow& row, const Options& options)
      : row_(row), kernels_(make_kernels(row)), options_(options) {}
  ~Bench() {
    if (kernels_.leave != nullptr) kernels_.leave();
  }

  std::vector<Figure> all() {
    for (const int bits : {3, 4}) tiles(kernels_.dot8, "dot8", bits, false);
    tiles(kernels_.dot16, "dot16", 5, true);
    for (const int bits : {1, 2, 3, 4}) packed(bits);
    for (const int bits : {1, 2, 3, 4}) decode(kernels_.decode8, "decode8", bits, 1);
    for (const int bits : {3, 5}) decode(kernels_.decode16, "decode16", bits, 2);
    for (const bool second : {false, true}) finish(second);
    map();
    return std::move(figures_);
  }

 private:
  struct Shape {
    const char* name;
    int rows, steps;  ///< of bytes: 4 channels each
  };

  void add(const std::string& kernel, const std::string& of, const std::string& unit,
           const std::function<void()>& call, double per_call) {
    const double rate = per_call / seconds_of(call, options_.seconds) * 1e-9;
    figures_.push_back({std::string(row_.name), kernel, of, unit, rate});
  }

  /// The largest tile of each width.
  void tiles(const DotFn (&table)[kBlockKinds][kMaxTilePixels], const char* kernel, int bits,
             bool wide) {
    constexpr Shape kShapes[] = {{"1x1x64", 1, 16}, {"3x3x64", 3, 48}, {"3x3x256", 3, 192}};
    for (int kind = 0; kind < kBlockKinds; ++kind) {
      int pixels = kMaxTilePixels;
      while (pixels > 0 && table[kind][pixels - 1] == nullptr) --pixels;
      if (pixels == 0) continue;
      for (const Shape& s : kShapes)
        tile(table[kind][pixels - 1], kernel, bits, wide, s, 1 << kind, pixels);
    }
  }

  void tile(DotFn fn, const char* kernel, int bits, bool wide, const Shape& s, int vectors,
            int pixels) {
    const int outputs = vectors * kernels_.lanes;
    const int steps = s.steps * (wide ? 2 : 1);
    const std::size_t weight_bytes = static_cast<std::size_t>(s.rows * steps * outputs) * 4;
    const std::size_t group = static_cast<std::size_t>(kGroupVectors * kernels_.lanes) * 4;
    const std::size_t groups = (weight_bytes + group - 1) / group;
    const AlignedBytes codes = random_bytes(groups * group);
    const AlignedBytes weights(groups * group * 2);
    (wide ? kernels_.decode16 : kernels_.decode8)(bits, codes.data(), groups,
                                                  reinterpret_cast<std::int8_t*>(weights.data()));
    DotTile t{};
    t.in_pixel = steps * kStepBytes / (s.rows == 1 ? 1 : 3);  // a kernel's taps overlap
    t.in_row = pixels * t.in_pixel + steps * kStepBytes;
    const AlignedBytes in = random_bytes(static_cast<std::size_t>(t.in_row * s.rows));
    const AlignedBytes acc(static_cast<std::size_t>(pixels * outputs) * 4);
    t.in = in.data();
    t.rows = s.rows;
    t.taps = 1;
    t.steps = steps;
    t.weights = reinterpret_cast<const std::int8_t*>(weights.data());
    t.weight_step = outputs * kStepBytes;
    t.widen = steps_in_16_bits(bits);
    t.acc = reinterpret_cast<std::int32_t*>(acc.data());
    const double products = double(s.rows) * steps * (wide ? 2 : 4) * outputs * pixels;
    add(
        kernel, fmt::format("{} bits, {}, {} pixels x {}", bits, s.name, pixels, outputs), "GMAC/s",
        [&] { fn(t); }, products);
  }

  /// Weights from memory: blocks of a layer as large as --packed-megabytes, one after another.
  void packed(int bits) {
    if (kernels_.packed_dot8 == nullptr) return;
    constexpr int kSteps = 1024;
    const auto block = static_cast<std::size_t>(kSteps * bits * kernels_.lanes * kStepBytes);
    const std::size_t blocks = std::max<std::size_t>(1, (options_.packed_megabytes << 20) / block);
    const AlignedBytes codes = random_bytes(block * blocks);
    const AlignedBytes in = random_bytes(kSteps * kStepBytes);
    const AlignedBytes acc(static_cast<std::size_t>(kGroupVectors * kernels_.lanes) * 4);
    DotTile t{};
    t.in = in.data();
    t.rows = t.taps = 1;
    t.steps = kSteps;
    t.widen = steps_in_16_bits(bits);
    t.acc = reinterpret_cast<std::int32_t*>(acc.data());
    const auto layer = [&] {
      for (std::size_t b = 0; b < blocks; ++b) {
        t.weights = reinterpret_cast<const std::int8_t*>(codes.data() + b * block);
        kernels_.packed_dot8(bits, t);
      }
    };
    const auto bytes = static_cast<double>(block * blocks);
    const std::string of = fmt::format("{} bits, {} MB", bits, options_.packed_megabytes);
    add("packed_dot8", of, "GB/s", layer, bytes);
    Figure weights = figures_.back();
    weights.unit = "weights/ns";
    weights.value *= 8.0 / bits;
    figures_.push_back(weights);
  }

  template <class Fn>
  void decode(Fn fn, const char* kernel, int bits, int weight_bytes) {
    constexpr std::size_t kGroups = 32;
    const auto vector = static_cast<std::size_t>(kernels_.lanes) * kStepBytes;
    const AlignedBytes codes = random_bytes(kGroups * static_cast<std::size_t>(bits) * vector);
    const std::size_t weights = kGroups * kGroupVectors * vector;
    const AlignedBytes out(weights * static_cast<std::size_t>(weight_bytes));
    add(
        kernel, fmt::format("{} bits", bits), "weights/ns",
        [&] { fn(bits, codes.data(), kGroups, reinterpret_cast<std::int8_t*>(out.data())); },
        static_cast<double>(weights));
  }

  static constexpr int kPixels = 8, kChannels = 64;

  /// `n` int32 of a small value: a shift, or a bias.
  static AlignedBytes small_ints(std::size_t n, int most) {
    AlignedBytes ints = random_bytes(n * 4);
    auto* v = reinterpret_cast<std::int32_t*>(ints.data());
    for (std::size_t i = 0; i < n; ++i) v[i] = static_cast<int>(static_cast<unsigned>(v[i]) % most);
    return ints;
  }
  static const std::int32_t* ints(const AlignedBytes& b) {
    return reinterpret_cast<const std::int32_t*>(b.data());
  }

  void finish(bool second) {
    const AlignedBytes acc = small_ints(kPixels * kChannels, 1 << 16);
    const AlignedBytes bias = small_ints(kChannels, 1 << 12), right = small_ints(kChannels, 8);
    const AlignedBytes residual = random_bytes(kPixels * kChannels);
    const AlignedBytes out(kPixels * kChannels);
    Finish f{};
    f.bias = ints(bias);
    f.right = ints(right);
    f.hi = 255;
    f.lanes = kChannels;
    f.second = second;
    f.residual = residual.data();
    f.residual_pixel = f.out_pixel = kChannels;
    f.half2 = f.right2 = 1;
    f.hi2 = 255;
    f.out = out.data();
    add(
        "finish", second ? "bytes, with an addition" : "bytes", "outputs/ns",
        [&] { kernels_.finish(f, ints(acc), kPixels, kChannels / kernels_.lanes); },
        kPixels * kChannels);
  }

  void map() {
    const AlignedBytes a = random_bytes(kPixels * kChannels), b = random_bytes(kPixels * kChannels);
    const AlignedBytes shifts = small_ints(kChannels, 4), bias = small_ints(kChannels, 256);
    const AlignedBytes out(kPixels * kChannels);
    MapLine l{};
    l.operand[0] = {a.data(), kChannels, false, ints(shifts)};
    l.operand[1] = {b.data(), kChannels, false, ints(shifts)};
    l.bias = ints(bias);
    l.right = l.left = ints(shifts);
    l.hi = 255;
    l.out = out.data();
    l.out_pixel = l.channels = kChannels;
    l.pixels = kPixels;
    add(
        "map", "bytes, two operands", "outputs/ns", [&] { kernels_.map(l); }, kPixels * kChannels);
  }

  const IsaRow& row_;
  KernelSet kernels_;
  const Options& options_;
  std::vector<Figure> figures_;
};

void print(const Options& o, const std::vector<Figure>& figures) {
  if (!o.json) {
    for (const Figure& f : figures)
      std::printf("%-10s  %-11s  %-36s  %9.2f %s\n", f.row.c_str(), f.kernel.c_str(), f.of.c_str(),
                  f.value, f.unit.c_str());
    return;
  }
  auto list = nlohmann::ordered_json::array();
  for (const Figure& f : figures)
    list.push_back(
        {{"row", f.row}, {"kernel", f.kernel}, {"of", f.of}, {"value", f.value}, {"unit", f.unit}});
  std::printf("%s\n", nlohmann::ordered_json{{"kernels", list}}.dump(2).c_str());
}

int run(int argc, char** argv) {
  Options o;
  CLI::App app{"the CPU engine's kernels, by instruction set"};
  app.add_option("--isa", o.rows, "rows of kernels.def; none: all that this processor runs");
  app.add_option("--seconds", o.seconds, "a measurement, about")->check(CLI::Range(1e-4, 60.0));
  app.add_option("--packed-megabytes", o.packed_megabytes, "weights that packed_dot8 reads")
      ->check(CLI::Range(1, 1 << 14));
  app.add_flag("--json", o.json, "one JSON object on stdout");
  CLI11_PARSE(app, argc, argv);
  if (o.rows.empty())
    for (const IsaRow& row : isa_rows())
      if (row.available) o.rows.emplace_back(row.name);
  std::vector<Figure> figures;
  for (const std::string& name : o.rows) {
    const auto row = choose_isa(name);
    if (!row.ok()) {
      std::fprintf(stderr, "kernels: %s\n", row.error().message.c_str());
      return exit_code(row.error());
    }
    const auto of_row = Bench(**row, o).all();
    figures.insert(figures.end(), of_row.begin(), of_row.end());
  }
  print(o, figures);
  return 0;
}

}  // namespace
}  // namespace nbq::infer

int main(int argc, char** argv) { return nbq::infer::run(argc, argv); }
