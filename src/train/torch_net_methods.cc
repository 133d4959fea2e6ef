// The weight methods of a float network's layers.
#include "train/torch_net.h"

namespace nbq {

void TorchNet::use_method(const MethodRow& row, int bits, bool first_last_float) {
  NBQ_CHECK(graph_.stage == Stage::kFloat && bits >= row.min_bits && bits <= row.max_bits);
  for (const int id : method_layers(graph_, first_last_float)) {
    auto& method = methods_[static_cast<std::size_t>(id)];
    const at::Tensor w = tensors_[static_cast<std::size_t>(id)].at("weight").detach();
    method = make_method(row, w, bits);
    if (!method) continue;
    for (const WeightMethod::Named& n : method->learnt()) {
      at::Tensor learnt = n.tensor;
      learnt_.push_back({.node = id, .name = n.name, .tensor = learnt.set_requires_grad(true)});
    }
  }
}

void TorchNet::begin_step(double progress) {
  const at::NoGradGuard no_grad;
  for (std::size_t id = 0; id < methods_.size(); ++id)
    if (methods_[id]) methods_[id]->begin_step(tensors_[id].at("weight"), progress);
}

void TorchNet::after_step() {
  const at::NoGradGuard no_grad;
  for (std::size_t id = 0; id < methods_.size(); ++id)
    if (methods_[id]) methods_[id]->after_step(tensors_[id].at("weight"));
}

std::vector<at::Tensor> TorchNet::method_state() const {
  std::vector<at::Tensor> all;
  for (const auto& m : methods_)
    if (m)
      for (const at::Tensor& t : m->state()) all.push_back(t);
  return all;
}

Status TorchNet::restore_methods(const std::vector<at::Tensor>& state) {
  const std::vector<at::Tensor> mine = method_state();
  bool fits = mine.size() == state.size();
  for (std::size_t i = 0; fits && i < mine.size(); ++i)
    fits = mine[i].sizes() == state[i].sizes() && mine[i].scalar_type() == state[i].scalar_type();
  if (!fits)
    return make_error(ErrorCode::kBadFile,
                      "the checkpoint's state of the weight method is another method's");
  const at::NoGradGuard no_grad;
  for (std::size_t i = 0; i < mine.size(); ++i) at::Tensor(mine[i]).copy_(state[i]);
  return ok_status();
}

Graph TorchNet::quantised_graph() const {
  Graph g = graph();
  for (std::size_t id = 0; id < g.nodes.size(); ++id) {
    if (!methods_[id]) continue;
    const at::Tensor q = methods_[id]->quantised(tensors_[id].at("weight")).contiguous().cpu();
    const float* const data = q.data_ptr<float>();
    g.nodes[id].state.at("weight").data.assign(data, data + q.numel());
  }
  return g;
}

}  // namespace nbq
