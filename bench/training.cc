// What a quantised training step costs beside the float one, and beside Brevitas'. Steps of all
// take turns, so that what else the machine does meets them alike; figures are medians.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <ctime>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/log.h"
#include "step_child.h"
#include "train/device.h"
#include "train/evaluate.h"
#include "training_steps.h"

namespace nbq {
namespace {

struct Options {
  BuildSpec model;
  int batch = 128;
  int steps = 15;
  int threads = 0;
  std::string device = "cpu";
  bool json = false;
  bool bfloat16 = true;
  bool cpu_time = false;
  std::string python = NBQ_BINARY_DIR "/../bench/venv/bin/python";
};

constexpr int kWarmUp = 2;

double median(std::vector<double> v) {
  if (v.empty()) return NAN;
  std::nth_element(v.begin(), v.begin() + static_cast<std::ptrdiff_t>(v.size() / 2), v.end());
  return v[v.size() / 2];
}

/// Of two that took turns: pair by pair, so that a slow moment of the machine counts for both.
double median_ratio(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) ratios.push_back(a[i] / b[i]);
  return median(ratios);
}

/// Whatever can be stepped, with its name in the output.
struct Runner {
  std::string name;
  std::function<Result<double>()> step;
  std::vector<double> seconds;
};

Result<std::shared_ptr<StepChild>> start_brevitas(const Options& o) {
  if (o.model.family != "resnet_cifar")
    return make_error(ErrorCode::kUnsupported, "bench/brevitas_step.py builds resnet_cifar only");
  if (!std::filesystem::exists(o.python))
    return make_error(ErrorCode::kToolMissing, "{} does not exist; scripts/bench-setup makes it",
                      o.python);
  const int depth = o.model.depth != 0 ? o.model.depth : 20;  // the family's own default
  auto child = StepChild::start(
      {o.python, NBQ_SOURCE_DIR "/bench/brevitas_step.py", std::to_string(depth),
       std::to_string(o.batch), std::to_string(o.model.channels), std::to_string(o.model.height),
       std::to_string(o.model.width), std::to_string(o.model.classes),
       std::to_string(at::get_num_threads()), o.cpu_time ? "cpu" : "wall"});
  if (!child.ok()) return child.error();
  return std::make_shared<StepChild>(std::move(child).value());
}

double seconds_now(bool cpu_time) {
  timespec t = {};
  clock_gettime(cpu_time ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

Status add_net(std::vector<Runner>& runners, const char* name, const StepCase& c, bool cpu_time) {
  NBQ_ASSIGN(const std::shared_ptr<SteppedNet> net, SteppedNet::create(c));
  const auto step = [net, cpu_time]() -> Result<double> {
    const double start = seconds_now(cpu_time);
    net->step();
    return seconds_now(cpu_time) - start;
  };
  runners.push_back({name, step, {}});
  return ok_status();
}

Result<std::vector<Runner>> measure(const Options& o) {
  std::vector<Runner> runners;
  NBQ_TRY(add_net(runners, "float_fp32", {o.model, o.batch, false, false}, o.cpu_time));
  NBQ_TRY(add_net(runners, "quantised_fp32", {o.model, o.batch, true, false}, o.cpu_time));
  if (o.bfloat16) {
    NBQ_TRY(add_net(runners, "float_bf16", {o.model, o.batch, false, true}, o.cpu_time));
    NBQ_TRY(add_net(runners, "quantised_bf16", {o.model, o.batch, true, true}, o.cpu_time));
  }
  if (const auto child = start_brevitas(o); child.ok())
    runners.push_back({"brevitas", [c = *child] { return c->step(); }, {}});
  else
    log_warn("Brevitas is not measured: {}", child.error().message);
  for (int i = -kWarmUp; i < o.steps; ++i)
    for (Runner& r : runners) {
      NBQ_ASSIGN(const double s, r.step());
      if (i >= 0) r.seconds.push_back(s);
    }
  return runners;
}

nlohmann::ordered_json number(double v) {
  return std::isfinite(v) ? nlohmann::ordered_json(v) : nlohmann::ordered_json(nullptr);
}

Result<nlohmann::ordered_json> report(const Options& o) {
  NBQ_TRY(use_device(o.device));
  NBQ_ASSIGN(const std::int64_t bytes, peak_tensor_bytes({o.model, o.batch, false, false}, 2));
  NBQ_ASSIGN(const std::int64_t quantised, peak_tensor_bytes({o.model, o.batch, true, false}, 2));
  NBQ_ASSIGN(const std::vector<Runner> runners, measure(o));
  const auto times = [&](std::string_view name) {
    for (const Runner& r : runners)
      if (r.name == name) return r.seconds;
    return std::vector<double>();
  };
  const auto ratio = [&](const char* a, const char* b) {
    return number(median_ratio(times(a), times(b)));
  };
  nlohmann::ordered_json out{{"step_overhead_fp32", ratio("quantised_fp32", "float_fp32")},
                             {"step_overhead_bf16", ratio("quantised_bf16", "float_bf16")},
                             {"memory_overhead", double(quantised) / double(bytes)},
                             {"brevitas_step_ratio", ratio("brevitas", "quantised_fp32")}};
  for (const Runner& r : runners) out["ms"][r.name] = 1e3 * median(r.seconds);
  out["mib"] = {{"float_fp32", double(bytes) / (1 << 20)},
                {"quantised_fp32", double(quantised) / (1 << 20)}};
  out["threads"] = at::get_num_threads();
  out["device"] = compute_device().is_cpu() ? "cpu" : device_name();
  out["steps"] = o.steps;
  out["clock"] = o.cpu_time ? "cpu" : "wall";
  return out;
}

int run(int argc, char** argv) {
  Options o;
  o.model.family = "resnet_cifar";
  CLI::App app{"Training steps on random images: quantised against float, and against Brevitas"};
  app.add_option("--model", o.model.family, "family of the network")->capture_default_str();
  app.add_option("--depth", o.model.depth)->capture_default_str();
  app.add_option("--classes", o.model.classes)
      ->check(CLI::Range(2, 1 << 20))
      ->capture_default_str();
  app.add_option("--height", o.model.height)->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--width", o.model.width)->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--batch", o.batch)->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--steps", o.steps, "measured, of each")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--threads", o.threads, "0: one a core")->check(CLI::NonNegativeNumber);
  app.add_option("--device", o.device, "cpu or cuda")->capture_default_str();
  app.add_option("--python", o.python, "Python that has Brevitas")->capture_default_str();
  app.add_flag("--bf16,!--no-bf16", o.bfloat16, "measure bfloat16 too");
  app.add_flag(
      "--cpu-time", o.cpu_time,
      "processor time of all threads instead of time: for a machine that does other things");
  app.add_flag("--json", o.json);
  CLI11_PARSE(app, argc, argv);
  use_threads(o.threads);
  keep_memory();
  const auto made = guard_torch([&] { return report(o); });
  if (!made.ok()) {
    std::fprintf(stderr, "training: %s\n", made.error().message.c_str());
    return exit_code(made.error());
  }
  if (o.json) {
    std::printf("%s\n", made->dump(2).c_str());
    return 0;
  }
  for (const auto& [key, value] : made->items())
    std::printf("%-20s %s\n", key.c_str(), value.dump().c_str());
  return 0;
}

}  // namespace
}  // namespace nbq

int main(int argc, char** argv) { return nbq::run(argc, argv); }
