#pragma once
#include "quant/quantizer.h"
#include "train/schedules.h"
#include "train/weight_methods.h"

// Private to src/train: the keys of a [[phase]], once, for reading and writing.
namespace nbq {

inline constexpr int kMaxEpochs = 100000;

/// Shows every phase's fields to `v`: v.number(key, field, lowest, highest), v.flag(key, field),
/// v.choice(key, field, names).
template <class Phase, class Visitor>
void visit_phase(Phase& p, Visitor&& v) {
  v.number("epochs", p.epochs, 1, kMaxEpochs);
  v.number("batch", p.batch, 1, 1 << 20);
  v.choice("optimizer", p.optimizer, optimizer_names());
  v.number("lr", p.lr, 0, 1e6);
  v.number("momentum", p.momentum, 0, 1);
  v.flag("nesterov", p.nesterov);
  v.number("weight_decay", p.weight_decay, 0, 1);
  v.number("beta1", p.beta1, 0, 0.999999);
  v.number("beta2", p.beta2, 0, 0.999999);
  v.choice("schedule", p.schedule, row_names(lr_rows()));
  v.number("warmup_epochs", p.warmup_epochs, 0, kMaxEpochs);
  v.number("step_epochs", p.step_epochs, 0, kMaxEpochs);
  v.number("factor", p.factor, 0, 1);
  v.number("lr_end", p.lr_end, 0, 1e6);
  v.number("label_smoothing", p.label_smoothing, 0, 0.999);
  v.number("ema", p.ema, 0, 0.999999);
  v.flag("sync_norms", p.sync_norms);
}

/// Those of float phases whose weights a method quantises.
template <class Phase, class Visitor>
void visit_method(Phase& p, const MethodRow& row, Visitor&& v) {
  v.number("bits", p.bits, row.min_bits, row.max_bits);
  v.flag("first_last_float", p.first_last_float);
}

/// Those of quantised phases only.
template <class Phase, class Visitor>
void visit_quantised(Phase& p, Visitor&& v) {
  v.number("weight_bits", p.weight_bits, 0, kMaxWeightBits);
  v.choice("gradient", p.gradient, row_names(gradient_rows()));
  v.choice("alpha", p.alpha, row_names(alpha_rows()));
  v.number("alpha_epochs", p.alpha_epochs, 0, kMaxEpochs);
  v.number("final_epochs_at_one", p.final_epochs_at_one, 0, kMaxEpochs);
  v.flag("compensate", p.compensate);
  v.number("calibration_images", p.calibration_images, 1, 1 << 20);
  v.flag("learn_norms", p.learn_norms);
  v.number("adapt_batches", p.adapt_batches, 0, 1 << 20);
  v.number("lock_exps_epochs", p.lock_exps_epochs, 0, kMaxEpochs);
  v.number("settle_norms_epochs", p.settle_norms_epochs, 0, kMaxEpochs);
  v.number("freeze_norms_epochs", p.freeze_norms_epochs, 0, kMaxEpochs);
  v.number("reestimate_batches", p.reestimate_batches, 0, 1 << 20);
  v.number("distill", p.distill, 0, 1);
  v.number("temperature", p.temperature, 0.01, 1000);
}

}  // namespace nbq
