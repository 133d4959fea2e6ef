#include <unistd.h>

#include <algorithm>
#include <map>
#include <random>

#include "cli/cli.h"
#include "cli/evaluate.h"
#include "core/data_dir.h"
#include "exchange/onnx_export.h"
#include "infer/isa.h"
#include "infer/roofline.h"
#include "model/nbq_file.h"

namespace nbq::cli {
namespace {

struct BenchOptions {
  std::string model;
  infer::EngineOptions engine;
  double seconds = 2;
  bool layers = false, isas = false, peers = false;
};

Status list_isas(Context& context) {
  auto list = nlohmann::ordered_json::array();
  std::string text;
  for (const infer::IsaRow& row : infer::isa_rows()) {
    list.push_back({{"name", row.name}, {"built", row.built}, {"available", row.available}});
    text += fmt::format("{:<12} {}\n", row.name,
                        row.available ? "available"
                        : row.built   ? "not on this processor"
                                      : "not in this build");
  }
  context.print({{"isas", list}}, text);
  return ok_status();
}

std::vector<std::uint8_t> random_pixels(const Shape& image, int n) {
  std::mt19937 rng(1);
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(image.size() * n));
  for (auto& p : pixels) p = static_cast<std::uint8_t>(rng());
  return pixels;
}

/// Seconds of each call, sorted.
Result<std::vector<double>> time_calls(const infer::Engine& engine,
                                       const std::vector<std::uint8_t>& pixels, int n,
                                       double seconds) {
  std::vector<std::int64_t> logits(static_cast<std::size_t>(engine.outputs()) *
                                   static_cast<std::size_t>(n));
  NBQ_TRY(engine.run(pixels, n, logits));  // pages and caches
  std::vector<double> times;
  for (const double end = now_seconds() + seconds; times.empty() || now_seconds() < end;) {
    const double start = now_seconds();
    NBQ_TRY(engine.run(pixels, n, logits));
    times.push_back(now_seconds() - start);
  }
  std::sort(times.begin(), times.end());
  return times;
}

/// Each layer's time beside what the machine needs for its sums and its bytes at the least.
Status add_layers(const infer::Engine& engine, const std::vector<std::uint8_t>& pixels, int n,
                  nlohmann::ordered_json& j, std::string& text) {
  constexpr int kRepeats = 100;
  NBQ_ASSIGN(const auto layers, engine.profile(pixels, n, kRepeats));
  const infer::Roofline roof = infer::measure_roofline(engine.kernels(), false);
  double all = 0;
  for (const infer::LayerTime& l : layers) all += l.seconds;
  auto list = nlohmann::ordered_json::array();
  text += fmt::format(
      "\none core at best: {:.0f} G multiply-accumulates/s (8-bit), {:.1f} GB/s from memory\n"
      "{:<28} {:>10} {:>6} {:>10} {:>8} {:>10} {:>7}  {}\n",
      roof.macs_per_second / 1e9, roof.bytes_per_second / 1e9, "layer", "us", "share", "MMAC",
      "GMAC/s", "KB", "of roof", "how");
  for (const infer::LayerTime& l : layers) {
    const double macs = static_cast<double>(l.macs) * n;
    const double bytes =
        static_cast<double>(l.weight_bytes) + static_cast<double>(l.activation_bytes) * n;
    const double least = std::max(macs / roof.macs_per_second,
                                  static_cast<double>(l.weight_bytes) / roof.bytes_per_second) /
                         engine.threads();
    list.push_back({{"name", l.name},
                    {"how", l.how},
                    {"us", l.seconds * 1e6},
                    {"macs", l.macs * n},
                    {"bytes", bytes},
                    {"of_roof", l.seconds > 0 ? least / l.seconds : 0}});
    text += fmt::format("{:<28} {:>10.2f} {:>5.1f}% {:>10.3f} {:>8.1f} {:>10.1f} {:>6.0f}%  {}\n",
                        l.name, l.seconds * 1e6, 100 * l.seconds / all, macs / 1e6,
                        macs / l.seconds / 1e9, bytes / 1e3, 100 * least / l.seconds, l.how);
  }
  j["peak_gmacs"] = roof.macs_per_second / 1e9;
  j["memory_gbytes"] = roof.bytes_per_second / 1e9;
  j["layers"] = list;
  return ok_status();
}

/// The other engines on the same network, by bench/cpu, which takes this process's place.
Status go_on_with_peers(const BenchOptions& o, const Graph& graph, const Context& context) {
  const std::string script = (data_dir() / "bench/cpu").string();
  if (std::error_code ec; !std::filesystem::exists(script, ec))
    return make_error(ErrorCode::kToolMissing,
                      "{}: is not there; --peers works in nbq's source tree alone", script);
  std::string folder = (std::filesystem::temp_directory_path() / "nbq-peers-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr)
    return make_error(ErrorCode::kIo, "{}: can't be made", folder);
  const std::filesystem::path dir = folder;
  NBQ_TRY(save_nbq(dir / "model.nbq", graph));
  OnnxExportOptions e;
  NBQ_TRY(export_onnx(dir / "model.qdq.onnx", graph, e));
  e.all_uint8 = true;
  NBQ_TRY(export_onnx(dir / "model.uint8.qdq.onnx", graph, e));
  e.form = OnnxForm::kFloat;
  NBQ_TRY(export_onnx(dir / "model.float.onnx", graph, e));
  std::vector<std::string> argv{
      script,
      "--temporary",
      "--network",
      (dir / "model").string(),
      "--batch",
      std::to_string(o.engine.batch),
      "--threads",
      std::to_string(or_all_cores(o.engine.threads)),
      "--image",
      fmt::format("{},{},{}", graph.input().shape.c, graph.input().shape.h, graph.input().shape.w)};
  if (!o.engine.isa.empty()) argv.insert(argv.end(), {"--isa", o.engine.isa});
  if (context.json) argv.push_back("--json");
  std::vector<char*> raw;
  for (std::string& a : argv) raw.push_back(a.data());
  raw.push_back(nullptr);
  ::execv(script.c_str(), raw.data());
  return make_error(ErrorCode::kToolMissing,
                    "{}: can't be started; the other engines are measured from a source folder, "
                    "with python3 and what scripts/bench-setup installs",
                    script);
}

Status bench_command(const BenchOptions& o, Context& context) {
  if (o.isas) return list_isas(context);
  if (o.model.empty())
    return make_error(ErrorCode::kInvalidArgument, "a model is needed (see --help)");
  NBQ_ASSIGN(Graph graph, load_nbq(o.model));
  if (o.peers) return go_on_with_peers(o, graph, context);
  const double start = now_seconds();
  NBQ_ASSIGN(const infer::Engine engine, infer::Engine::create(std::move(graph), o.engine));
  const double created = now_seconds() - start;
  const int n = o.engine.batch;
  const auto pixels = random_pixels(engine.image(), n);
  NBQ_ASSIGN(const auto times, time_calls(engine, pixels, n, o.seconds));
  const double median = times[times.size() / 2];
  nlohmann::ordered_json j{{"model", o.model},
                           {"isa", engine.isa()},
                           {"threads", engine.threads()},
                           {"batch", n},
                           {"calls", times.size()},
                           {"median_ms", median * 1e3},
                           {"min_ms", times.front() * 1e3},
                           {"images_per_s", n / median},
                           {"weight_bytes", engine.weight_bytes()},
                           {"arena_bytes", engine.arena_bytes()},
                           {"create_ms", created * 1e3}};
  std::string text = fmt::format(
      "{}: {} kernels, {} thread{}, {} image{} a call\n"
      "median {:.4f} ms, least {:.4f} ms of {} calls; {:.0f} images/s\n"
      "{} bytes of weights, {} of activations; made in {:.1f} ms\n",
      o.model, engine.isa(), engine.threads(), engine.threads() == 1 ? "" : "s", n,
      n == 1 ? "" : "s", median * 1e3, times.front() * 1e3, times.size(), n / median,
      engine.weight_bytes(), engine.arena_bytes(), created * 1e3);
  if (o.layers) NBQ_TRY(add_layers(engine, pixels, n, j, text));
  context.print(j, text);
  return ok_status();
}

}  // namespace

void add_bench(CLI::App& app, Context& context) {
  auto o = std::make_shared<BenchOptions>();
  CLI::App* cmd =
      add_command(app, context, "bench", "how fast the CPU engine runs an integer network",
                  [o, &context] { return bench_command(*o, context); });
  cmd->add_option("model", o->model, "integer .nbq file");
  cmd->add_option("--batch", o->engine.batch, "images a call [1]")->check(CLI::Range(1, 1 << 16));
  cmd->add_option("--threads", o->engine.threads, "0: one a core [1]")
      ->check(CLI::NonNegativeNumber);
  cmd->add_option("--isa", o->engine.isa, "instruction set, a row of --isas [the best]");
  static const std::map<std::string, infer::Convolution> kWays = {
      {"fastest", infer::Convolution::kFastest},
      {"taps", infer::Convolution::kTaps},
      {"winograd", infer::Convolution::kWinograd}};
  cmd->add_option(
         "--convolution", o->engine.convolution,
         "how 3x3 taps are summed up: taps or winograd, wherever it can; else the faster one")
      ->transform(CLI::CheckedTransformer(kWays))
      ->type_name("{fastest,taps,winograd}")
      ->default_str("fastest");
  cmd->add_option("--seconds", o->seconds, "to measure for [2]")->check(CLI::PositiveNumber);
  cmd->add_flag("--layers", o->layers, "each layer's time beside the roofline");
  cmd->add_flag(
      "--peers", o->peers,
      "beside ONNX Runtime and OpenVINO, taking turns (scripts/bench-setup installs them)");
  cmd->add_flag("--isas", o->isas, "only list the instruction sets");
}

}  // namespace nbq::cli
