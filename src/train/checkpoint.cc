#include "train/checkpoint.h"

#include <nlohmann/json.hpp>
#include <sstream>

#include "core/file.h"
#include "model/nbq_file.h"
#include "train/device.h"

namespace nbq {
namespace {

using nlohmann::json;
constexpr int kVersion = 2;

json to_json(const TrainState& s, bool has_optimizer) {
  return {{"version", kVersion},
          {"phase", s.phase},
          {"epoch", s.epoch},
          {"step", s.step},
          {"epochs_done", s.epochs_done},
          {"steps_done", s.steps_done},
          {"loss_sum", s.loss_sum},
          {"correct", s.correct},
          {"seen", s.seen},
          {"epoch_seconds", s.epoch_seconds},
          {"phase_begun", s.phase_begun},
          {"metrics", metrics_json(s.metrics)},
          {"recipe", s.recipe},
          {"train_data", s.train_data},
          {"test_data", s.test_data},
          {"threads", s.threads},
          {"processes", s.processes},
          {"device", s.device},
          {"has_optimizer", has_optimizer},
          {"has_teacher", !s.teacher.nodes.empty()},
          {"averages", s.average.size()},
          {"methods", s.methods.size()}};
}

TrainState state_from(const json& j) {
  TrainState s;
  s.phase = j.at("phase").get<int>();
  s.epoch = j.at("epoch").get<int>();
  s.step = j.at("step").get<std::int64_t>();
  s.epochs_done = j.at("epochs_done").get<std::int64_t>();
  s.steps_done = j.at("steps_done").get<std::int64_t>();
  s.loss_sum = j.at("loss_sum").get<double>();
  s.correct = j.at("correct").get<std::int64_t>();
  s.seen = j.at("seen").get<std::int64_t>();
  s.epoch_seconds = j.at("epoch_seconds").get<double>();
  s.phase_begun = j.at("phase_begun").get<bool>();
  s.recipe = j.at("recipe").get<std::string>();
  s.train_data = j.at("train_data").get<std::uint64_t>();
  s.test_data = j.at("test_data").get<std::uint64_t>();
  s.threads = j.at("threads").get<int>();
  s.processes = j.value("processes", 1);
  s.device = j.value("device", "cpu");
  return s;
}

void write_graph(torch::serialize::OutputArchive& archive, const char* key, const Graph& graph) {
  std::vector<std::uint8_t> bytes = encode_nbq(graph);
  const auto count = static_cast<std::int64_t>(bytes.size());
  archive.write(key, at::from_blob(bytes.data(), {count}, at::kByte).clone());
}

Result<Graph> read_graph(torch::serialize::InputArchive& archive, const char* key) {
  at::Tensor bytes;
  archive.read(key, bytes);
  if (bytes.scalar_type() != at::kByte)
    return make_error(ErrorCode::kBadFile, "its {} is no bytes", key);
  bytes = bytes.contiguous().cpu();
  const auto count = static_cast<std::size_t>(bytes.numel());
  return decode_nbq({bytes.data_ptr<std::uint8_t>(), count});
}

void write_tensors(torch::serialize::OutputArchive& archive, const char* key,
                   const std::vector<at::Tensor>& tensors) {
  for (std::size_t i = 0; i < tensors.size(); ++i)
    archive.write(fmt::format("{}{}", key, i), tensors[i].detach());
}

void read_tensors(torch::serialize::InputArchive& archive, const char* key, std::size_t count,
                  std::vector<at::Tensor>& tensors) {
  tensors.resize(std::min<std::size_t>(count, 1 << 20));
  for (std::size_t i = 0; i < tensors.size(); ++i)
    archive.read(fmt::format("{}{}", key, i), tensors[i]);
}

Error damaged(const std::filesystem::path& path, const std::string& why) {
  return make_error(ErrorCode::kBadFile, "{}: not a sound checkpoint: {}", path.string(), why);
}

Result<Checkpoint> load(std::span<const std::uint8_t> bytes, const std::filesystem::path& path) {
  torch::serialize::InputArchive archive;
  // The optimizer keeps its tensors as they come.
  archive.load_from(reinterpret_cast<const char*>(bytes.data()), bytes.size(), compute_device());
  c10::IValue meta;
  archive.read("meta", meta);
  const json j = json::parse(meta.toStringRef());
  if (j.at("version").get<int>() != kVersion)
    return damaged(
        path, fmt::format("version {}, this program reads {}", j.at("version").dump(), kVersion));
  Checkpoint c;
  c.state = state_from(j);
  NBQ_ASSIGN(c.state.metrics, parse_metrics(j.at("metrics").get<std::string>()));
  NBQ_ASSIGN(c.state.graph, read_graph(archive, "graph"));
  if (j.at("has_teacher").get<bool>()) {
    NBQ_ASSIGN(c.state.teacher, read_graph(archive, "teacher"));
  }
  read_tensors(archive, "average", j.at("averages").get<std::size_t>(), c.state.average);
  read_tensors(archive, "method", j.value("methods", std::size_t{0}), c.state.methods);
  if (j.at("has_optimizer").get<bool>()) archive.read("optimizer", c.optimizer.emplace());
  return c;
}

}  // namespace

Status save_checkpoint(const std::filesystem::path& path, const TrainState& state,
                       torch::optim::Optimizer* optimizer) {
  try {
    torch::serialize::OutputArchive archive;
    archive.write("meta", c10::IValue(to_json(state, optimizer != nullptr)
                                          .dump(-1, ' ', false, json::error_handler_t::replace)));
    write_graph(archive, "graph", state.graph);
    if (!state.teacher.nodes.empty()) write_graph(archive, "teacher", state.teacher);
    write_tensors(archive, "average", state.average);
    write_tensors(archive, "method", state.methods);
    if (optimizer != nullptr) {
      torch::serialize::OutputArchive part(archive.compilation_unit());
      optimizer->save(part);
      archive.write("optimizer", part);
    }
    // Through memory: libtorch's own writer does not survive a full disk.
    std::ostringstream out;
    archive.save_to(out);
    return write_file(path, std::string_view(out.str()));
  } catch (const c10::Error& e) {
    return make_error(ErrorCode::kIo, "{}: the checkpoint can't be made: {}", path.string(),
                      e.what_without_backtrace());
  }
}

Result<Checkpoint> load_checkpoint(const std::filesystem::path& path) {
  NBQ_ASSIGN(const std::vector<std::uint8_t> bytes, read_file(path));
  return parse_checkpoint(bytes, path);
}

Result<Checkpoint> parse_checkpoint(std::span<const std::uint8_t> bytes,
                                    const std::filesystem::path& path) {
  try {
    auto c = load(bytes, path);
    if (!c.ok() && c.error().code != ErrorCode::kBadFile) return damaged(path, c.error().message);
    return c;
  } catch (const c10::Error& e) {
    return damaged(path, e.what_without_backtrace());
  } catch (const std::exception& e) {
    return damaged(path, e.what());
  }
}

Status load_optimizer(torch::serialize::InputArchive& archive, torch::optim::Optimizer& optimizer) {
  try {
    optimizer.load(archive);
    return ok_status();
  } catch (const c10::Error& e) {
    return make_error(ErrorCode::kBadFile, "the checkpoint's optimizer does not fit: {}",
                      e.what_without_backtrace());
  }
}

}  // namespace nbq
