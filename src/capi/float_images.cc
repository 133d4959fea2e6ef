#include "capi/float_images.h"

#include <algorithm>
#include <cmath>

namespace nbq::capi {

Status check_pixels(std::span<const float> pixels, const Shape& shape) {
  const auto bad =
      std::find_if(pixels.begin(), pixels.end(), [](float p) { return !(p >= 0 && p <= 1); });
  if (bad == pixels.end()) return ok_status();
  const std::int64_t at = bad - pixels.begin();
  const std::int64_t map = std::int64_t{shape.h} * shape.w;
  return make_error(ErrorCode::kInvalidArgument,
                    "image {}, channel {}, row {}, column {}: the pixel is {}; pixels must be 0..1",
                    at / shape.size(), at % shape.size() / map, at % map / shape.w, at % shape.w,
                    *bad);
}

void to_bytes(std::span<const float> pixels, std::uint8_t* bytes) {
  for (std::size_t i = 0; i < pixels.size(); ++i)
    bytes[i] = static_cast<std::uint8_t>(pixels[i] * 255.0f + 0.5f);
}

void to_scores(std::span<const std::int64_t> logits, int exp, float* scores) {
  for (std::size_t i = 0; i < logits.size(); ++i)
    scores[i] = std::ldexp(static_cast<float>(logits[i]), exp);
}

}  // namespace nbq::capi
