// nbq for C++20, over nbq.h: only the C ABI is between a program and libnbq.
#ifndef NBQ_NBQ_HPP
#define NBQ_NBQ_HPP

#include <nbq/nbq.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace nbq {

/// What was wrong, and what to do about it.
class ModelError : public std::runtime_error {
 public:
  ModelError(nbq_status status, const std::string& message)
      : std::runtime_error(message), status_(status) {}
  nbq_status status() const noexcept { return status_; }

 private:
  nbq_status status_;
};

/// As nbq_options; see there for ranges.
struct ModelOptions {
  int threads = 1;    ///< that share one call's work; 0: one a core
  int max_batch = 1;  ///< images that a call usually brings; more work, too
  int contexts = 1;   ///< calls that run side by side
  std::string isa{};  ///< empty: the best that this processor has
};

/// An integer network, ready to run. Movable, not copyable; a moved-from one may only be assigned
/// to or end. Any number of threads may use one at a time.
class Model {
 public:
  /// Reads an .nbq file. Throws ModelError.
  static Model load(const std::string& path, const ModelOptions& options = {}) {
    const nbq_options o = c_options(options);
    nbq_model* model = nullptr;
    check(nbq_model_load(path.c_str(), &o, &model));
    return Model(model);
  }

  /// An .nbq file's bytes, which may go after the call. Throws ModelError.
  static Model load(std::span<const std::byte> bytes, const ModelOptions& options = {}) {
    const nbq_options o = c_options(options);
    nbq_model* model = nullptr;
    check(nbq_model_load_memory(bytes.data(), bytes.size(), &o, &model));
    return Model(model);
  }

  /// pixels: n images, each channels x height x width bytes. logits: n x outputs, in units of
  /// 2^logit_exp. Throws ModelError, and then logits are left as they were.
  void run(std::span<const std::uint8_t> pixels, int n, std::span<std::int64_t> logits) const {
    check(
        nbq_model_run(model_.get(), pixels.data(), pixels.size(), n, logits.data(), logits.size()));
  }

  /// The same with pixels 0..1; scores are real numbers, logit * 2^logit_exp.
  void run_float(std::span<const float> pixels, int n, std::span<float> scores) const {
    check(nbq_model_run_float(model_.get(), pixels.data(), pixels.size(), n, scores.data(),
                              scores.size()));
  }

  /// Shape of an image, number of outputs, memory. Throws ModelError.
  nbq_info info() const {
    nbq_info i{};
    i.struct_size = sizeof i;
    check(nbq_model_info(model_.get(), &i));
    return i;
  }

  /// The name of output `index`, which lives as long as the model; empty where it has none.
  std::string_view class_name(int index) const {
    const char* const name = nbq_class_name(model_.get(), index);
    return name != nullptr ? std::string_view(name) : std::string_view();
  }

 private:
  struct Free {
    void operator()(nbq_model* model) const { nbq_model_free(model); }
  };

  explicit Model(nbq_model* model) : model_(model) {}

  static nbq_options c_options(const ModelOptions& given) {
    nbq_options o;
    nbq_options_init(&o);
    o.threads = given.threads;
    o.max_batch = given.max_batch;
    o.contexts = given.contexts;
    o.isa = given.isa.empty() ? nullptr : given.isa.c_str();
    return o;
  }

  static void check(int status) {
    if (status != NBQ_OK) throw ModelError(static_cast<nbq_status>(status), nbq_last_error());
  }

  std::unique_ptr<nbq_model, Free> model_;
};

}  // namespace nbq

#endif
