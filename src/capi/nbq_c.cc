#include <nbq/nbq.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "capi/float_images.h"
#include "capi/status.h"
#include "core/pool.h"
#include "core/version.h"
#include "infer/engine.h"
#include "model/nbq_file.h"

using nbq::ErrorCode;
using nbq::make_error;
using nbq::Status;
using nbq::capi::guarded;

namespace {

/// Where nbq_model_run_float() has its images as bytes and their logits.
struct FloatRoom {
  FloatRoom(std::int64_t images, std::int64_t pixels_each, std::int64_t outputs_each)
      : pixels(static_cast<std::size_t>(images * pixels_each)),
        logits(static_cast<std::size_t>(images * outputs_each)) {}
  std::vector<std::uint8_t> pixels;
  std::vector<std::int64_t> logits;
};

}  // namespace

struct nbq_model {
  nbq::infer::Engine engine;
  std::int32_t max_batch;
  nbq::Pool<FloatRoom> rooms;

  nbq_model(nbq::infer::Engine e, const nbq::infer::EngineOptions& options)
      : engine(std::move(e)), max_batch(options.batch) {
    for (int i = 0; i < options.contexts; ++i)
      rooms.add(std::make_unique<FloatRoom>(engine.images_together(), engine.image().size(),
                                            engine.outputs()));
  }
};

namespace {

Status need(const void* pointer, const char* name) {
  if (pointer == nullptr) return make_error(ErrorCode::kInvalidArgument, "{} is NULL", name);
  return nbq::ok_status();
}

/// Bytes of the structs in the first release: what any caller has at least.
constexpr std::size_t kOptionsBytes = offsetof(nbq_options, isa) + sizeof(const char*);
constexpr std::size_t kInfoBytes = offsetof(nbq_info, isa) + sizeof(const char*);

/// A newer caller's options: fields that this library doesn't know must have been left alone.
Status check_newer_fields(const nbq_options& given) {
  constexpr std::size_t kMost = 1024;  // a wild size must not lead far
  const auto* bytes = reinterpret_cast<const unsigned char*>(&given);
  const bool sound = given.struct_size <= kMost &&
                     std::all_of(bytes + std::min<std::size_t>(sizeof given, given.struct_size),
                                 bytes + given.struct_size, [](unsigned char b) { return b == 0; });
  if (!sound)
    return make_error(ErrorCode::kInvalidArgument,
                      "nbq_options: set are fields that nbq {} doesn't know (struct_size {})",
                      nbq::kVersion, given.struct_size);
  return nbq::ok_status();
}

nbq::Result<nbq::infer::EngineOptions> engine_options(const nbq_options* given) {
  nbq::infer::EngineOptions o;
  if (given == nullptr) return o;
  if (given->struct_size < kOptionsBytes)
    return make_error(ErrorCode::kInvalidArgument,
                      "nbq_options: struct_size is {}, must be {} at least: call "
                      "nbq_options_init() first",
                      given->struct_size, kOptionsBytes);
  NBQ_TRY(check_newer_fields(*given));
  o.threads = given->threads;
  o.batch = given->max_batch;
  o.contexts = given->contexts;
  if (given->isa != nullptr) o.isa = given->isa;
  return o;
}

/// `decode`: gives the graph, or the error.
template <class F>
Status load(const nbq_options* options, nbq_model** model, F&& decode) {
  NBQ_ASSIGN(const nbq::infer::EngineOptions o, engine_options(options));
  NBQ_ASSIGN(nbq::Graph graph, decode());
  NBQ_ASSIGN(nbq::infer::Engine engine, nbq::infer::Engine::create(std::move(graph), o));
  *model = new nbq_model(std::move(engine), o);
  return nbq::ok_status();
}

Status run_float(nbq_model& model, std::span<const float> pixels, std::int32_t n,
                 std::span<float> scores) {
  const nbq::infer::Engine& e = model.engine;
  NBQ_TRY(e.check_sizes(pixels.size(), n, scores.size()));
  NBQ_TRY(nbq::capi::check_pixels(pixels, e.image()));
  const auto size = static_cast<std::size_t>(e.image().size());
  const auto outputs = static_cast<std::size_t>(e.outputs());
  const auto room = model.rooms.take();
  for (std::int32_t done = 0; done < n;) {
    const int images = std::min(n - done, e.images_together());
    const auto first = static_cast<std::size_t>(done), count = static_cast<std::size_t>(images);
    nbq::capi::to_bytes(pixels.subspan(first * size, count * size), room->pixels.data());
    const auto logits = std::span(room->logits).first(count * outputs);
    NBQ_TRY(e.run(std::span(room->pixels).first(count * size), images, logits));
    nbq::capi::to_scores(logits, e.logit_exp(), scores.data() + first * outputs);
    done += images;
  }
  return nbq::ok_status();
}

}  // namespace

// Writes the first release's fields and no more, for ever: an older caller has room for no others.
// A release that appends a field makes the name a macro for a function that knows it.
void nbq_options_init(nbq_options* options) {
  if (options == nullptr) return;
  options->struct_size = kOptionsBytes;
  options->threads = 1;
  options->max_batch = 1;
  options->contexts = 1;
  options->isa = nullptr;
}

int nbq_model_load(const char* path, const nbq_options* options, nbq_model** model) {
  return guarded([&]() -> Status {
    NBQ_TRY(need(model, "model"));
    *model = nullptr;
    NBQ_TRY(need(path, "path"));
    return load(options, model, [&] { return nbq::load_nbq(path); });
  });
}

int nbq_model_load_memory(const void* bytes, size_t size, const nbq_options* options,
                          nbq_model** model) {
  return guarded([&]() -> Status {
    NBQ_TRY(need(model, "model"));
    *model = nullptr;
    NBQ_TRY(need(bytes, "bytes"));
    return load(options, model, [&] {
      return nbq::decode_nbq({static_cast<const std::uint8_t*>(bytes), size});
    });
  });
}

void nbq_model_free(nbq_model* model) { delete model; }

int nbq_model_info(const nbq_model* model, nbq_info* info) {
  return guarded([&]() -> Status {
    NBQ_TRY(need(model, "model"));
    NBQ_TRY(need(info, "info"));
    const std::size_t room = info->struct_size;
    if (room < kInfoBytes)
      return make_error(ErrorCode::kInvalidArgument,
                        "nbq_info: struct_size is {}, must be {} at least: set it to sizeof "
                        "(nbq_info) first",
                        room, kInfoBytes);
    const nbq::infer::Engine& e = model->engine;
    nbq_info all{};
    all.struct_size = info->struct_size;
    all.channels = e.image().c;
    all.height = e.image().h;
    all.width = e.image().w;
    all.outputs = e.outputs();
    all.logit_exp = e.logit_exp();
    all.max_batch = model->max_batch;
    all.threads = e.threads();
    all.weight_bytes = e.weight_bytes();
    all.arena_bytes = e.arena_bytes();
    all.isa = e.isa().c_str();
    std::memset(static_cast<void*>(info), 0, room);
    std::memcpy(static_cast<void*>(info), &all, std::min(room, sizeof all));
    return nbq::ok_status();
  });
}

int nbq_model_run(nbq_model* model, const uint8_t* pixels, size_t pixel_bytes, int32_t n,
                  int64_t* logits, size_t logit_count) {
  return guarded([&]() -> Status {
    NBQ_TRY(need(model, "model"));
    NBQ_TRY(need(pixels, "pixels"));
    NBQ_TRY(need(logits, "logits"));
    return model->engine.run({pixels, pixel_bytes}, n, {logits, logit_count});
  });
}

int nbq_model_run_float(nbq_model* model, const float* pixels, size_t pixel_count, int32_t n,
                        float* scores, size_t score_count) {
  return guarded([&]() -> Status {
    NBQ_TRY(need(model, "model"));
    NBQ_TRY(need(pixels, "pixels"));
    NBQ_TRY(need(scores, "scores"));
    return run_float(*model, {pixels, pixel_count}, n, {scores, score_count});
  });
}

const char* nbq_class_name(const nbq_model* model, int32_t index) {
  const char* name = nullptr;
  guarded([&]() -> Status {
    NBQ_TRY(need(model, "model"));
    const auto& names = model->engine.class_names();
    if (index < 0 || index >= model->engine.outputs())
      return make_error(ErrorCode::kInvalidArgument, "output {} of a model with {}", index,
                        model->engine.outputs());
    if (names.empty())
      return make_error(ErrorCode::kInvalidArgument, "the model has no class names");
    name = names[static_cast<std::size_t>(index)].c_str();
    return nbq::ok_status();
  });
  return name;
}

const char* nbq_last_error(void) { return nbq::capi::last_error(); }

const char* nbq_version(void) { return nbq::kVersion; }
